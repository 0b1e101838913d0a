"""Cells from anywhere pass the check for authors if builders take them; the README's own cell runs as it is written."""

import re
from pathlib import Path

import keras
import numpy as np
import pytest
from keras import ops

from zoo import builders, cells, layers, testing
from zoo.errors import UserError

README = Path(__file__).parents[2] / "README.md"


@keras.saving.register_keras_serializable("zoo_tests")
class OneState(keras.layers.Layer):
    """The least that Keras's RNN takes: no get_initial_state, no output_size, no training argument."""

    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units = self.state_size = units

    def build(self, input_shape):
        self.kernel = self.add_weight((input_shape[-1], self.units), name="kernel")
        self.back = self.add_weight((self.units, self.units), name="back")

    def call(self, inputs, states):
        h = ops.tanh(ops.matmul(inputs, self.kernel) + ops.matmul(states[0], self.back))
        return h, [h]

    def get_config(self):
        return {**super().get_config(), "units": self.units}


@keras.saving.register_keras_serializable("zoo_tests")
class NestedStates(keras.layers.Layer):
    """States in a nest, outputs wider than any of them, at even units alone."""

    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        if units % 2:
            raise ValueError("units must be even")
        self.units, self.output_size = units, units + 1
        self.state_size = [units, [units // 2, units]]

    def build(self, input_shape):
        self.kernel = self.add_weight((input_shape[-1], self.units), name="kernel")
        self.out = self.add_weight((2 * self.units + self.units // 2, self.units + 1), name="out")

    def get_initial_state(self, batch_size=None):  # Keras's RNN makes none for states in a nest
        half, whole = ops.zeros((batch_size, self.units // 2)), ops.zeros((batch_size, self.units))
        return [whole, [half, whole]]

    def call(self, inputs, states):
        a, (b, c) = states
        a = ops.tanh(ops.matmul(inputs, self.kernel) + 0.5 * a)
        b, c = 0.9 * b + a[:, : self.units // 2], 0.5 * c - a
        return ops.matmul(ops.concatenate([a, b, c], axis=-1), self.out), [a, [b, c]]

    def get_config(self):
        return {**super().get_config(), "units": self.units}


class Doubled(cells.Cell):
    """A subclass of ours: no get_config; the output is not the state."""

    gates = 1
    output_is_state = False

    def __init__(self, units, *, factor=2.0, **kwargs):
        super().__init__(units, **kwargs)
        self.factor = factor

    def build(self, input_shape):
        self.kernel = self.add_kernel((input_shape[-1], self.units))
        self.recurrent_kernel = self.add_recurrent_kernel((self.units, self.units))

    def project(self, inputs):
        return ops.matmul(inputs, self.kernel)

    def step(self, projected, states, training=None):
        h = ops.tanh(projected + ops.matmul(states[0], self.recurrent_kernel))
        return self.factor * h, [h]


keras.saving.register_keras_serializable("zoo_tests")(Doubled)

CELLS = {
    "Keras's LSTMCell": keras.layers.LSTMCell(6),
    "Keras's GRUCell, class": keras.layers.GRUCell,
    "another GRUCell": keras.layers.GRUCell(6, reset_after=False, use_bias=False, recurrent_dropout=0.1),
    "stacked": keras.layers.StackedRNNCells([keras.layers.LSTMCell(6), OneState(3)]),
    "list": ["lstm", OneState(4), cells.GRUCell(3)],
    "one state": OneState(6),
    "one state, class": OneState,
    "a subclass of ours": Doubled(4, factor=3.0, kernel_regularizer="l2"),
}


@pytest.mark.parametrize("name", CELLS)
def test_the_check_accepts_it(name):
    testing.check_cell(CELLS[name])


def test_the_check_accepts_nested_states_and_units_that_a_class_needs():
    testing.check_cell(NestedStates, units=6)
    testing.check_cell(NestedStates(4))


def test_the_check_refuses_a_cell_that_forgets_its_arguments():
    class Forgetful(OneState):
        def __init__(self, units=3, power=1.0, **kwargs):
            super().__init__(units, **kwargs)
            self.power = power

        def call(self, inputs, states):
            h, _ = super().call(inputs, states)
            return self.power * h, [h]

    keras.saving.register_keras_serializable("zoo_tests")(Forgetful)
    with pytest.raises(UserError, match=r"Forgetful cannot be copied.*lacks power"):
        builders.tagger(3, Forgetful(4, power=2.0), feature_dim=5)
    with pytest.raises(UserError, match="lacks power"):
        testing.check_cell(Forgetful(4, power=2.0))
    testing.check_cell(Forgetful(4))


def test_the_cell_of_the_readme_runs_as_it_is_written():
    section = README.read_text(encoding="utf-8").partition("### Bring your own cell")[2].partition("\n## ")[0]
    (code,) = re.findall(r"```python\n(.*?)```", section, re.DOTALL)
    assert "testing.check_cell(DecayCell)" in code
    names = {"__name__": "readme"}
    exec(code, names)
    assert type(names["net"]).__name__ == "Tagger"
    assert names["net"](np.zeros((1, 4, 8), "float32")).shape == (1, 4, 5)


def test_the_output_of_a_cell_that_is_not_its_state_reaches_the_next_layer():
    layer = layers.Recurrent(Doubled(4), return_state=True)
    plain = keras.layers.RNN(Doubled(4), return_sequences=True, return_state=True)
    inputs = np.random.default_rng(0).normal(size=(2, 6, 5)).astype("float32")
    layer.build(inputs.shape)
    plain.build(inputs.shape)
    plain.set_weights(layer.get_weights())
    outputs, [[state]] = layer(inputs)
    expected, last = plain(inputs)
    np.testing.assert_allclose(ops.convert_to_numpy(outputs), ops.convert_to_numpy(expected), atol=1e-6)
    np.testing.assert_allclose(ops.convert_to_numpy(state), ops.convert_to_numpy(last), atol=1e-6)
    np.testing.assert_allclose(ops.convert_to_numpy(outputs)[:, -1], 2 * ops.convert_to_numpy(state), atol=1e-6)
