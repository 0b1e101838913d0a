"""Every registered cell: Keras's contract, numpy's equations, padding, learning, saving."""

import subprocess
import sys

import keras
import numpy as np
import pytest
from keras import ops

from zoo import builders, cells, layers, testing
from zoo.cells.arguments import split
from zoo.errors import UserError
from zoo.lens.numpy_steps import NUMPY_STEPS


def numpy_step(cell):
    """The equations of a cell in numpy."""
    name, _ = split(cell)
    config = cells.make(cell, 5).get_config()
    return lambda weights, inputs, states: NUMPY_STEPS[name](weights, inputs, states, config)


def test_every_cell_has_its_equations_here():
    assert NUMPY_STEPS.keys() == cells.TABLE.keys()


@pytest.mark.parametrize("name", cells.TABLE)
def test_cell_keeps_the_contract_and_equals_its_equations(name):
    testing.check_cell(name, numpy_step(name))


@pytest.mark.parametrize("name", cells.TABLE)
def test_file_opens_with_its_source(name):
    text = sys.modules[cells.find(name).__module__].__doc__
    assert "Source:" in text
    assert "h_t = " in text


def test_a_wrong_equation_is_noticed():
    def wrong(w, x, states):
        output, states = numpy_step("gru")(w, x, states)
        return output * 1.001, states

    with pytest.raises(AssertionError, match="output at step 0"):
        testing.check_equations("gru", wrong)


@pytest.mark.parametrize("cell", ["lstm", cells.LSTMCell, cells.LSTMCell(6), keras.layers.LSTMCell(6)])
def test_chosen_by_name_class_or_instance(cell):
    made = cells.make(cell, 6)
    assert list(made.state_size) == [6, 6]
    assert not made.built


def test_an_instance_is_a_pattern_and_shares_no_weights():
    pattern = cells.GRUCell(4)
    layer = layers.Recurrent(pattern, num_layers=2)
    layer(np.zeros((1, 2, 3), "float32"))
    assert not pattern.built
    assert len(layer.trainable_weights) == 6


@pytest.mark.parametrize(("cell", "text"), [("gur", "did you mean 'gru'"), (3, "a name .* or an instance")])
def test_an_unknown_cell_is_told(cell, text):
    with pytest.raises(UserError, match=text):
        builders.classifier(10, 2, cell)


def test_no_units_is_told():
    with pytest.raises(ValueError, match="units=0"):
        cells.LSTMCell(0)


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
@pytest.mark.parametrize("name", cells.TABLE)
def test_half_precision_computes_in_half_and_keeps_weights_whole(name, policy):
    cell = cells.find(name)(4, dtype=policy)
    output, _ = cell(np.ones((2, 3), "float32"), cell.get_initial_state(batch_size=2))
    assert keras.backend.standardize_dtype(output.dtype) == policy.removeprefix("mixed_")
    assert {weight.dtype for weight in cell.weights} == {"float32"}


def test_loads_in_a_fresh_process(tmp_path):
    tokens = np.array([[3, 4, 5, 0], [6, 0, 0, 0]], "int32")
    np.save(tmp_path / "tokens.npy", tokens)
    for name in cells.TABLE:
        model = builders.classifier(10, 2, name, 4, embedding_dim=3)
        model.save(tmp_path / f"{name}.keras")
        np.save(tmp_path / f"{name}.npy", ops.convert_to_numpy(model(tokens)))
    script = """
import sys, numpy as np, keras, zoo.saved
tokens = np.load("tokens.npy")
for name in sys.argv[1:]:
    model = keras.saving.load_model(f"{name}.keras")
    np.testing.assert_allclose(keras.ops.convert_to_numpy(model(tokens)), np.load(f"{name}.npy"), atol=1e-6)
print("loaded", len(sys.argv) - 1)
"""
    done = subprocess.run(
        [sys.executable, "-c", script, *cells.TABLE], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert f"loaded {len(cells.TABLE)}" in done.stdout, done.stderr
