"""Weight dropout: a layer computes with a thinned recurrent matrix, on every path, and learns through it."""

from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import pytest
from keras import ops

from zoo import cells, engine, layers
from zoo.cells import weight_dropout
from zoo.errors import UserError

WITH_MATRIX = [name for name in cells.TABLE if cells.find(name).recurrent_matrix]
KEPT = 0.75


def thinned(matrix, rate=1 - KEPT, seed=None):
    """Every fourth weight is dropped."""
    kept = np.arange(int(np.prod(matrix.shape))).reshape(matrix.shape) % 4 > 0
    return matrix * ops.convert_to_tensor((kept / KEPT).astype("float32"))


def inputs(*shape):
    return np.random.default_rng(0).normal(size=shape).astype("float32")


def by_hand(layer, variables):
    """Weights of a layer without dropout, their recurrent matrices thinned."""
    values = layer.get_weights()
    return [
        ops.convert_to_numpy(thinned(value)) if variable.name == "recurrent_kernel" else value
        for variable, value in zip(variables, values, strict=True)
    ]


def test_cells_with_a_matrix_are_known() -> None:
    assert set(WITH_MATRIX) == {
        "simple_rnn", "lstm", "gru", "layer_norm_lstm", "peephole_lstm", "mogrifier_lstm", "slstm"
    }  # fmt: skip


@pytest.mark.parametrize("path", ["compiled", "plain"])
@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("name", WITH_MATRIX)
def test_a_layer_computes_with_what_is_left(
    name: str, bidirectional: bool, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if path == "plain":
        monkeypatch.setenv("ZOO_ENGINE", "plain")
    monkeypatch.setattr(weight_dropout.keras.random, "dropout", thinned)
    x, mask = inputs(3, 5, 4), np.array([[1] * 5, [1] * 3 + [0] * 2, [1] * 5], bool)
    options = {"units": 4, "num_layers": 2, "bidirectional": bidirectional}
    dropped, plain = layers.Recurrent(f"{name}:weight_dropout=0.25", **options), layers.Recurrent(name, **options)
    full = dropped(x, mask=mask)
    plain(x)
    plain.set_weights(by_hand(dropped, dropped.weights))
    expected = ops.convert_to_numpy(plain(x, mask=mask, training=True))[mask]
    np.testing.assert_allclose(ops.convert_to_numpy(dropped(x, mask=mask, training=True))[mask], expected, atol=1e-6)
    plain.set_weights(dropped.get_weights())
    undisturbed = ops.convert_to_numpy(plain(x, mask=mask))[mask]
    np.testing.assert_allclose(ops.convert_to_numpy(full)[mask], undisturbed, atol=1e-6)
    assert np.abs(ops.convert_to_numpy(full)[mask] - expected).max() > 1e-3


@pytest.mark.parametrize("options", [{}, {"conditional_cell": True}, {"input_feeding": True}], ids=str)
def test_a_decoder_computes_with_what_is_left(options: dict, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weight_dropout.keras.random, "dropout", thinned)
    x, states, source = inputs(2, 5, 4), [[inputs(2, 8)]], inputs(2, 3, 6)
    dropped = layers.RecurrentDecoder("gru:weight_dropout=0.25", 8, **options)
    plain = layers.RecurrentDecoder("gru", 8, **options)
    for decoder in (dropped, plain):
        decoder.build(x.shape, source.shape)
    plain.set_weights(by_hand(dropped, dropped.weights))
    found, expected = (decoder(x, states, decoder.prepare(source), training=True) for decoder in (dropped, plain))
    np.testing.assert_allclose(ops.convert_to_numpy(found), ops.convert_to_numpy(expected), atol=1e-6)


def test_gradients_reach_kept_weights_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weight_dropout.keras.random, "dropout", thinned)
    layer = layers.Recurrent("lstm:weight_dropout=0.25", 4)
    model = keras.Sequential([keras.Input((5, 3)), layer, keras.layers.GlobalAveragePooling1D()])
    model.compile(keras.optimizers.SGD(1.0), "mse")
    matrix = layer.runs[0][0].cell.recurrent_kernel
    before = ops.convert_to_numpy(matrix)
    model.train_on_batch(inputs(2, 5, 3), inputs(2, 4))
    kept = ops.convert_to_numpy(thinned(np.ones(before.shape, "float32"))) > 0
    assert ((ops.convert_to_numpy(matrix) != before) == kept).all()


TRAINED = """
import keras, numpy as np
from zoo import builders
keras.utils.set_random_seed(1)
net = builders.language_model(9, "gru:weight_dropout=0.5", 16, streams=2)
tokens = np.random.default_rng(0).integers(1, 9, (2, 12)).astype("int32")
matrix = net.recurrent.runs[0][0].cell.recurrent_kernel
net.compile(keras.optimizers.SGD(1.0), net.loss)
net((tokens, np.ones(2, bool)))
seeds = []
for _ in range(2):
    before = keras.ops.convert_to_numpy(matrix)
    net.fit((tokens, np.ones(2, bool)), tokens, verbose=0)
    seeds.append(keras.ops.convert_to_numpy(matrix) == before)
share = np.mean(seeds)
assert 0.4 < share < 0.6, share
assert 0.3 < np.mean(seeds[0] == seeds[1]) < 0.7, "each step draws anew"
print(keras.backend.backend())
"""


@pytest.mark.parametrize("backend", ["tensorflow", "jax"])
def test_each_compiled_step_drops_other_weights(backend: str, run_on: Callable) -> None:
    assert run_on(backend, TRAINED) == [backend]


def test_the_rate_is_saved_and_kernels_still_run(tmp_path: Path) -> None:
    layer = layers.Recurrent("lstm:weight_dropout=0.25", 4)
    assert layer.choice(training=True) == layers.Recurrent("lstm", 4).choice(training=True)
    assert engine.kind_of(layer.runs[0][0].cell) == engine.kind_of(cells.make("lstm", 4))
    again = layers.Recurrent.from_config(layer.get_config())
    assert again.weight_dropout == 0.25


@pytest.mark.parametrize("rate", [1, -0.1, "x", True])
def test_what_is_no_rate_is_refused(rate: object) -> None:
    with pytest.raises(UserError, match="at least 0 and below 1; got"):
        cells.find("lstm")(4, weight_dropout=rate)


@pytest.mark.parametrize("name", sorted(set(cells.TABLE) - set(WITH_MATRIX)))
def test_cells_without_a_matrix_refuse(name: str) -> None:
    with pytest.raises(UserError, match="no recurrent matrix"):
        cells.make(f"{name}:weight_dropout=0.25", 4)
