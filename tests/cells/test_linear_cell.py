"""Linear recurrences: a whole sequence at once equals step by step, real and complex, in cells of all kinds."""

import keras
import numpy as np
import pytest
from keras import ops

from zoo import cells, engine, layers, testing
from zoo.cells.linear_cell import LinearCell
from zoo.errors import UserError


@keras.saving.register_keras_serializable("tests")
class Rotation(LinearCell):
    """A complex cell: a turns by an angle for each channel, the output is a product of the state and of the input."""

    @property
    def state_size(self):
        return 2 * self.units

    def build(self, input_shape):
        self.angle = self.add_weight((self.units,), "random_normal", name="angle")
        self.kernel = self.add_kernel((input_shape[-1], 2 * self.units))
        self.skip = self.add_weight((input_shape[-1], self.units), "glorot_uniform", name="skip")

    def coefficients(self, inputs):
        real, imaginary = ops.split(ops.cast(ops.matmul(inputs, self.kernel), "float32"), 2, axis=-1)
        angle = ops.cast(self.angle, "float32")
        a = ops.cast(0.9 * ops.cos(angle), "complex64") + ops.cast(0.9 * ops.sin(angle), "complex64") * 1j
        return a, ops.cast(real, "complex64") + ops.cast(imaginary, "complex64") * 1j

    def read(self, h, inputs):
        return ops.real(h) + ops.matmul(inputs, self.skip) + 1


CELLS = {
    "min_gru": lambda: cells.MinGRUCell(5),
    "min_lstm": lambda: cells.MinLSTMCell(5),
    "signed min_gru": lambda: cells.MinGRUCell(5, signed=True),
    "signed min_lstm": lambda: cells.MinLSTMCell(5, signed=True, use_bias=False),
    "g": lambda: cells.MinGRUCell(5, activation="g"),
    "tanh": lambda: cells.MinLSTMCell(5, activation="tanh"),
    "complex": lambda: Rotation(5),
}
PATHS = ["plain", "associative", "compiled"]


def noise(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


def built(name):
    cell = CELLS[name]()
    cell.build((None, 3))
    for seed, weight in enumerate(cell.weights):
        weight.assign(0.7 * noise(*weight.shape, seed=seed))
    return cell


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("name", CELLS)
def test_a_sequence_equals_its_steps(name, path):
    """Outputs and final states, with padding, from a given state, in both directions."""
    if path == "compiled":
        pytest.importorskip("numba")
    cell, x = built(name), noise(3, 6, 3)
    begin, lengths = noise(3, cell.state_size, seed=9), (6, 4, 0)
    for mask in (None, np.arange(6) < np.array(lengths)[:, None]):
        for reverse in (False, True):
            outputs, (last,) = cell.sequence(
                ops.convert_to_tensor(x), mask, [ops.convert_to_tensor(begin)], reverse, True, engine.Choice(path, "")
            )
            outputs, last = ops.convert_to_numpy(outputs), ops.convert_to_numpy(last)
            for row in range(3):
                length = 6 if mask is None else lengths[row]
                state = [ops.convert_to_tensor(begin[row : row + 1])]
                for time in reversed(range(length)) if reverse else range(length):
                    output, state = cell(ops.convert_to_tensor(x[row : row + 1, time]), state)
                    np.testing.assert_allclose(outputs[row, time], ops.convert_to_numpy(output)[0], atol=1e-5)
                np.testing.assert_allclose(last[row], ops.convert_to_numpy(state[0])[0], atol=1e-5)
                assert not outputs[row, length:].any(), "outputs are zero at padded steps"


@pytest.mark.parametrize("name", ["signed min_gru", "signed min_lstm", "g", "tanh", "complex"])
def test_the_variants_keep_the_contract_of_cells(name):
    testing.check_contract(CELLS[name]())
    testing.check_padding(CELLS[name]())


def test_negative_factors():
    """The numpy equations of `signed=True`: the factor is 1 - 2 z, and f' - i'."""
    x, h = noise(4, 3), noise(4, 5, seed=1)

    def sigmoid(v):
        return 1 / (1 + np.exp(-v))

    for name in ("signed min_gru", "signed min_lstm"):
        cell = built(name)
        parts = np.split(x @ ops.convert_to_numpy(cell.kernel), cell.gates, axis=1)
        if cell.gates == 2:
            z, candidate = (
                parts[0] + ops.convert_to_numpy(cell.bias)[:5],
                parts[1] + ops.convert_to_numpy(cell.bias)[5:],
            )
            a, share = 1 - 2 * sigmoid(z), sigmoid(z)
        else:
            f, i, candidate = sigmoid(parts[0]), sigmoid(parts[1]), parts[2]
            a, share = (f - i) / (f + i), i / (f + i)
        output, _ = cell(ops.convert_to_tensor(x), [ops.convert_to_tensor(h)])
        np.testing.assert_allclose(ops.convert_to_numpy(output), a * h + share * candidate, atol=1e-6)
        assert a.min() < -0.1


def test_gates_that_are_both_shut_give_numbers():
    cell = built("min_lstm")
    cell.bias.assign(np.repeat([-200.0, -200.0, 1.0], 5))
    output, _ = cell(ops.zeros((1, 3)), [ops.ones((1, 5))])
    np.testing.assert_allclose(ops.convert_to_numpy(output), 1)


def test_the_layer_runs_the_cell_s_own_sequence(monkeypatch):
    """On every path, in the place of a loop over steps; what owns the weights stays where it was."""
    called = []
    original = LinearCell.sequence
    monkeypatch.setattr(LinearCell, "sequence", lambda *a, **k: called.append(a[0]) or original(*a, **k))
    monkeypatch.setenv("ZOO_ENGINE", "plain")
    layer = layers.Recurrent("min_gru", 4, num_layers=2, bidirectional=True)
    layer(noise(2, 3, 4))
    assert len([cell for cell in called if isinstance(cell, LinearCell)]) >= 4
    assert [type(run) for ways in layer.runs for run in ways] == [keras.layers.RNN] * 4
    assert [weight.path.split("/")[-1] for weight in layer.weights] == ["kernel", "bias"] * 4


def test_what_the_engine_says_of_them():
    pytest.importorskip("numba")
    assert engine.kind_of(cells.MinGRUCell(4))[0] == "min_gru"
    assert engine.kind_of(cells.MinGRUCell(4, signed=True))[0] == "signed_min_gru"
    assert engine.kind_of(cells.MinLSTMCell(4))[0] == "linear"
    for name in ("min_gru", "min_lstm"):
        assert engine.kind_of(cells.find(name)(4, activation="tanh"))[0] == "linear"
        assert "associative" in engine.outlook(name)
    assert engine.kind_of(Rotation(4)) == ("linear", "")
    for cell in (cells.make("min_gru", 4), Rotation(4)):
        options = {"training": True, "refused": None}
        assert engine.choose(cell, device="gpu", **options).path == "associative"
        assert engine.choose(cell, device="cpu", **options).path == "compiled"
        assert engine.choose(cell, device="cpu", training=True, refused="it is exported").path == "plain"


def test_the_table_of_linear_cells_is_right():
    from zoo.engine import choice

    for name in cells.TABLE:
        assert issubclass(cells.find(name), LinearCell) == (name in choice.LINEAR), name
        own = hasattr(cells.find(name), "sequence") and name not in choice.LINEAR
        assert own == (name in choice.SEQUENCE), name


def test_a_cell_with_its_own_sequence_is_spoken_of_so():
    class Own(cells.GRUCell):
        def sequence(self, *arguments, **options):
            raise NotImplementedError

    assert engine.choose(Own(4), training=True).path == "sequence"


def test_an_unknown_activation_is_an_error():
    with pytest.raises(UserError, match="tanh"):
        cells.MinGRUCell(4, activation="tanhh")
