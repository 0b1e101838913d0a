"""Cells of a user's own in every builder: two sizes of states, no initial state, nested cells; and what is no cell."""

import keras
import numpy as np
import pytest
from keras import ops

from zoo import builders, layers, testing
from zoo.errors import UserError

IDS = np.array([[2, 5, 6, 4], [2, 7, 0, 0]], "int32")
FEATURES = np.random.default_rng(0).normal(size=(2, 4, 5)).astype("float32")


@keras.saving.register_keras_serializable("zoo_tests")
class TwoSizes(keras.layers.Layer):
    """A tuple of two states of different sizes, no get_initial_state; the output is neither of them."""

    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units, self.state_size, self.output_size = units, (units + 1, 2 * units), units

    def build(self, input_shape):
        self.kernel = self.add_weight((input_shape[-1], self.units), name="kernel")
        self.back = self.add_weight((self.units + 1, self.units), name="back")
        self.wide = self.add_weight((self.units, 2 * self.units), name="wide")
        self.more = self.add_weight((2 * self.units, self.units), name="more")

    def call(self, inputs, states):
        h, c = states
        out = ops.tanh(ops.matmul(inputs, self.kernel) + ops.matmul(h, self.back) + ops.matmul(c, self.more))
        return out, [ops.concatenate([out, out[:, :1]], -1), 0.5 * c + ops.matmul(out, self.wide)]

    def get_config(self):
        return {**super().get_config(), "units": self.units}


def stacked():
    return keras.layers.StackedRNNCells([keras.layers.LSTMCell(4), keras.layers.GRUCell(3)])


CELLS = {"two sizes": TwoSizes(4), "class": TwoSizes, "stacked": stacked(), "list": ["lstm", keras.layers.GRUCell(3)]}
BUILDERS = {
    "classifier": (lambda cell: builders.classifier(12, 3, cell, 4, embedding_dim=3, num_layers=2), IDS),
    "tagger": (lambda cell: builders.tagger(3, cell, 4, feature_dim=5), FEATURES),
    "language_model": (lambda cell: builders.language_model(12, cell, 4), IDS),
    "translator": (
        lambda cell: builders.translator(
            12, 12, cell, 4, embedding_dim=3, conditional_cell=True, input_feeding=True, decoder_layers=2
        ),
        (IDS, IDS),
    ),
    "perceptron": (lambda cell: builders.perceptron((4, 5), 3, cell, 4), FEATURES),
}


@pytest.mark.parametrize(
    ("name", "cell"),
    [*((name, "two sizes") for name in BUILDERS), *((name, "stacked") for name in BUILDERS), ("translator", "class"),
     ("tagger", "list")],
)  # fmt: skip
def test_a_cell_works_in_every_builder_and_is_kept(name, cell, tmp_path):
    make, inputs = BUILDERS[name]
    model = make(CELLS[cell])
    model.save(tmp_path / "m.keras")
    loaded = keras.saving.load_model(tmp_path / "m.keras")
    np.testing.assert_array_equal(ops.convert_to_numpy(loaded(inputs)), ops.convert_to_numpy(model(inputs)))
    assert loaded.count_params() == model.count_params()


@pytest.mark.parametrize("cell", ["two sizes", "stacked"])
@pytest.mark.parametrize("input_feeding", [False, True])
def test_steps_of_a_search_are_those_of_the_pass(cell, input_feeding):
    model = builders.translator(12, 12, CELLS[cell], 4, embedding_dim=3, input_feeding=input_feeding)
    expected = ops.convert_to_numpy(ops.log_softmax(model((IDS, IDS))))
    state = model.encode(ops.convert_to_tensor(IDS))
    for time in range(2):
        table, state = model.step(ops.convert_to_tensor(IDS[:, time]), state)
        np.testing.assert_allclose(ops.convert_to_numpy(table), expected[:, time], atol=1e-5)
    assert model.generate(IDS, beam_size=2, max_new_tokens=3).shape == (2, 3)


def test_stacked_cells_are_layers_on_top_of_each_other():
    stack = layers.Recurrent([keras.layers.LSTMCell(4), keras.layers.GRUCell(3)], return_state=True)
    sequence, [states] = stack(FEATURES)
    below = keras.layers.RNN(keras.layers.LSTMCell(4), return_sequences=True)
    above = keras.layers.RNN(keras.layers.GRUCell(3), return_sequences=True)
    above(below(FEATURES))
    below.set_weights(stack.get_weights()[:3])
    above.set_weights(stack.get_weights()[3:])
    np.testing.assert_allclose(ops.convert_to_numpy(sequence), ops.convert_to_numpy(above(below(FEATURES))), atol=1e-6)
    assert [state.shape[-1] for state in states] == stack.state_sizes[0] == [4, 4, 3]


@pytest.mark.parametrize("cell", [TwoSizes, stacked()], ids=["two sizes", "stacked"])
def test_the_check_for_authors_accepts_what_the_builders_accept(cell):
    testing.check_cell(cell)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (keras.layers.LSTM(4), "LSTM is a layer, not a cell.*keras.layers.LSTMCell"),
        (keras.layers.GRU, "GRU is a layer.*keras.layers.GRUCell"),
        (keras.layers.Bidirectional(keras.layers.LSTM(4)), "LSTMCell\\(units\\) with bidirectional=True"),
        (layers.Recurrent("gru", 4), "Recurrent is a layer.*Give its cell, 'gru'"),
        (keras.layers.Dense(3), "Dense is a layer"),
        ("lsmt", "did you mean 'lstm'"),
        (3, "A cell is a name"),
        ([], "A cell is a name"),
    ],
    ids=str,
)
def test_what_is_no_cell_is_told_with_what_to_give(given, told):
    for make, _ in BUILDERS.values():
        with pytest.raises(UserError, match=told):
            make(given)


class NoConfig(keras.layers.GRUCell):
    """Its config does not tell its arguments."""

    def __init__(self, units, secret, **kwargs):
        super().__init__(units, **kwargs)


def test_a_cell_that_cannot_be_copied_is_told():
    with pytest.raises(UserError, match=r"NoConfig cannot be copied.*get_config"):
        builders.classifier(12, 3, NoConfig(4, object()))
