"""The recurrent stack: fast path, reversal, residuals, norms, states."""

import keras
import numpy as np
import pytest
from keras import ops

from zoo import cells, engine, layers
from zoo.cells.cell import Cell


def noise(*shape):
    return np.random.default_rng(0).normal(size=shape).astype("float32")


def test_reverse_is_the_docstring_s_toy():
    tokens = np.array([[1, 2, 3, 4], [5, 6, 0, 0], [7, 0, 0, 0]])[..., None]
    mask = tokens[..., 0] > 0
    expected = [[4, 3, 2, 1], [6, 5, 0, 0], [7, 0, 0, 0]]
    assert ops.convert_to_numpy(layers.reverse(tokens, mask))[..., 0].tolist() == expected
    assert ops.convert_to_numpy(layers.reverse(tokens, None))[0, :, 0].tolist() == [4, 3, 2, 1]


@pytest.mark.parametrize(("name", "kind"), [("lstm", keras.layers.LSTM), ("gru", keras.layers.GRU)])
def test_the_fused_layer_runs_and_may_use_cudnn(name, kind, monkeypatch):
    """On a GPU, Keras takes cuDNN's kernel if the layer's arguments allow it: ask the gate itself."""
    layer = layers.Recurrent(name, 8, num_layers=2, bidirectional=True, dropout=0.3, layer_norm=True)
    asked = []
    module = __import__(f"keras.src.layers.rnn.{name}", fromlist=["backend"])

    def fast(*args, **options):
        asked.append(options)
        raise NotImplementedError  # what Keras's backend answers where there is no GPU

    monkeypatch.setattr(module.backend, name, fast)
    monkeypatch.setenv("ZOO_ENGINE", "plain")  # as where there is a GPU: kernels of the CPU stand back
    layer(noise(2, 5, 3), mask=np.ones((2, 5), bool), training=True)
    assert len(asked) == 4, "each direction of each layer asks for the fused kernel"
    for inner in (run for ways in layer.runs for run in ways):
        assert type(inner) is kind
        assert (inner.activation, inner.recurrent_activation) == (keras.activations.tanh, keras.activations.sigmoid)
        assert inner.use_bias
        assert not inner.unroll
        assert not inner.recurrent_dropout
        assert getattr(inner, "reset_after", True)


def test_a_cell_without_a_fused_layer_runs_in_a_loop():
    class Plain(Cell):
        def build(self, input_shape):
            self.kernel = self.add_weight((input_shape[-1], self.units), "ones", name="kernel")

        def call(self, inputs, states, training=None):
            h = ops.matmul(inputs, self.kernel) + states[0]
            return h, [h]

    layer = layers.Recurrent(Plain, 2)
    assert layer.choice(training=True).path == "plain"
    sums = ops.convert_to_numpy(layer(np.ones((1, 3, 4), "float32")))
    assert sums[0].tolist() == [[4, 4], [8, 8], [12, 12]]


def test_backward_direction_equals_keras_bidirectional():
    ours = layers.Recurrent("gru", 4, bidirectional=True)
    theirs = keras.layers.Bidirectional(keras.layers.GRU(4, return_sequences=True))
    x, mask = noise(3, 6, 2), np.array([[1] * 6, [1] * 4 + [0] * 2, [1] + [0] * 5], bool)
    ours(x, mask=mask)
    theirs(x, mask=mask)
    theirs.set_weights(ours.get_weights())
    ours, theirs = (ops.convert_to_numpy(layer(x, mask=mask)) for layer in (ours, theirs))
    np.testing.assert_allclose(ours[mask], theirs[mask], atol=1e-6)


def test_residual_adds_the_input_where_sizes_agree():
    layer = layers.Recurrent("gru", 4, num_layers=2, residual=True)
    x = noise(2, 3, 4)
    out = ops.convert_to_numpy(layer(x))
    first = x + ops.convert_to_numpy(layer.runs[0][0](x))
    np.testing.assert_allclose(out, first + ops.convert_to_numpy(layer.runs[1][0](first)), atol=1e-6)


def test_layer_norm_normalises_every_output():
    layer = layers.Recurrent("lstm", 16, layer_norm=True)
    x = noise(2, 3, 4)
    out = ops.convert_to_numpy(layer(x))
    bare = ops.convert_to_numpy(layer.runs[0][0](x))
    centred = bare - bare.mean(-1, keepdims=True)
    np.testing.assert_allclose(out, centred / np.sqrt((centred**2).mean(-1, keepdims=True) + 1e-3), atol=1e-5)


@pytest.mark.parametrize("name", cells.TABLE)
def test_final_states_are_those_of_the_last_real_step(name):
    layer = layers.Recurrent(name, 4, bidirectional=True, return_state=True)
    mask = np.array([[True] * 5, [True] * 2 + [False] * 3])
    sequence, [state] = layer(noise(2, 5, 3), mask=mask)
    sequence, h = ops.convert_to_numpy(sequence), ops.convert_to_numpy(state[0])
    assert len(state) == cells.find(name).states
    for row, length in enumerate((5, 2) if cells.find(name).output_is_state else ()):
        np.testing.assert_allclose(h[row, :4], sequence[row, length - 1, :4], atol=1e-6)  # forward ends at the end
        np.testing.assert_allclose(h[row, 4:], sequence[row, 0, 4:], atol=1e-6)  # backward ends at the start


def test_config_round_trip_with_a_cell_instance():
    layer = layers.Recurrent(cells.LSTMCell(3), num_layers=2, bidirectional=True, dropout=0.1, residual=True)
    copy = layers.Recurrent.from_config(layer.get_config())
    assert copy.get_config() == layer.get_config()
    assert copy(noise(1, 2, 3)).shape == (1, 2, 6)


def test_no_depth_is_told():
    with pytest.raises(ValueError, match="num_layers=0"):
        layers.Recurrent("gru", 4, num_layers=0)


PLAIN = {"layer_norm_lstm", "peephole_lstm", "mogrifier_lstm", "slstm", "ind_rnn", "gated_delta"}
"""Cells without a kernel."""


@pytest.mark.parametrize("name", [name for name in cells.TABLE if name not in PLAIN])
def test_the_compiled_path_is_taken_and_equals_the_plain_one(name, monkeypatch):
    """Outputs at real steps, final states and every gradient, both ways, over padding in the middle of a batch."""
    import tensorflow as tf

    from zoo.engine import compiled

    if keras.backend.backend() != "tensorflow":
        pytest.skip("gradients are taken by TensorFlow's tape here")
    layer = layers.Recurrent(name, 5, num_layers=2, bidirectional=True, return_state=True, layer_norm=True)
    if engine.kind_of(layer.runs[0][0].cell)[0] is None:
        pytest.skip(f"there is no kernel for {name}")
    inputs = noise(3, 6, 4)
    mask = np.array([[1] * 6, [1, 1, 1, 0, 0, 0], [0, 0, 1, 1, 1, 1]], bool)
    layer.build(inputs.shape)

    def results():
        with tf.GradientTape() as tape:
            x = tf.Variable(inputs)
            outputs, states = layer(x, mask=mask, training=True)
            loss = ops.sum(ops.sin(outputs) * mask[..., None]) + sum(ops.sum(s * s) for level in states for s in level)
        return [outputs * mask[..., None], *(s for level in states for s in level)], tape.gradient(
            loss, [x, *layer.trainable_variables]
        )

    before = dict(compiled.calls)
    values, gradients = results()
    assert dict(compiled.calls) != before, "kernels ran"
    monkeypatch.setenv("ZOO_ENGINE", "plain")
    before = dict(compiled.calls)
    for ours, plain in zip([*values, *gradients], [*results()[0], *results()[1]], strict=True):
        scale = max(1.0, float(np.abs(plain).max()))  # sums over a whole stack are rounded by their own size
        np.testing.assert_allclose(ours, plain, rtol=0, atol=2e-5 * scale)
    assert dict(compiled.calls) == before, "no kernel ran"
