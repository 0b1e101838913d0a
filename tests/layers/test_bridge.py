"""The bridge: from any encoder to any decoder, each state from its own slice of one projection."""

import keras
import numpy as np
import pytest
from keras import ops

from zoo import cells, layers
from zoo.layers import Bridge
from zoo.layers.bridge import concatenated

ENCODER, DECODER = 3, 5  # units


def noise(*shape, seed=0):
    return np.random.default_rng(seed + sum(shape)).normal(size=shape).astype("float32")


def shaken(layer):
    layer.set_weights([noise(*weight.shape, seed=i) for i, weight in enumerate(layer.weights)])
    return layer


# Every cell on both sides, with several numbers of layers and directions.
ENCODERS = [("simple_rnn", 1, True), ("gru", 2, False), ("lstm", 2, True), ("lstm", 1, False), ("simple_rnn", 2, False)]
DECODERS = [("lstm", 2), ("simple_rnn", 1), ("gru", 2), ("lstm", 1), ("simple_rnn", 2)]
# The other cells, each with another one.
OTHERS = [cell for cell in cells.TABLE if cell not in ("simple_rnn", "lstm", "gru")]
ENCODERS += [(cell, 1 + number % 2, number % 3 == 0) for number, cell in enumerate(OTHERS)]
DECODERS += [(cell, 1 + number % 2) for number, cell in enumerate(reversed(OTHERS))]


@pytest.mark.parametrize(
    ("encoder", "decoder"), list(zip(ENCODERS, DECODERS, strict=True)), ids=lambda side: "-".join(map(str, side))
)
def test_any_encoder_starts_any_decoder(encoder, decoder):
    (cell, num_layers, bidirectional), (decoder_cell, decoder_layers) = encoder, decoder
    encoder = layers.Recurrent(cell, ENCODER, num_layers=num_layers, bidirectional=bidirectional, return_state=True)
    mask = np.array([[True] * 4, [True, False, False, False]])
    _, finals = encoder(noise(2, 4, 2), mask=mask)
    summary = ops.convert_to_numpy(concatenated(finals))
    assert summary.shape == (2, sum(map(sum, encoder.state_sizes)) * (1 + bidirectional))
    decoder = layers.RecurrentDecoder(decoder_cell, DECODER, num_layers=decoder_layers, attention=None)
    bridge = Bridge(decoder.state_sizes)
    bridge(summary)
    states = shaken(bridge)(summary)
    letters = cells.TABLE[decoder_cell].states.split(", ")
    assert [len(layer) for layer in states] == [len(letters)] * decoder_layers
    kernel, bias = bridge.get_weights()
    assert kernel.shape == (summary.shape[1], sum(map(sum, decoder.state_sizes)))
    begin = 0
    for state in (state for layer in states for state in layer):
        own = slice(begin, begin + state.shape[-1])
        begin = own.stop
        np.testing.assert_allclose(
            ops.convert_to_numpy(state), np.tanh(summary @ kernel[:, own] + bias[own]), atol=1e-5
        )
    assert decoder(noise(2, 3, 2), states).shape == (2, 3, DECODER)


def test_slices_follow_each_other_where_sizes_differ():
    bridge = Bridge([[2, 3], [4]])
    summary = noise(3, 6)
    assert bridge.compute_output_shape(summary.shape) == [[(3, 2), (3, 3)], [(3, 4)]]
    bridge(summary)
    [[h, c], [second]] = shaken(bridge)(summary)
    kernel, bias = bridge.get_weights()
    whole = np.tanh(summary @ kernel + bias)
    for state, columns in ((h, [0, 1]), (c, [2, 3, 4]), (second, [5, 6, 7, 8])):
        np.testing.assert_allclose(ops.convert_to_numpy(state), whole[:, columns], atol=1e-6)


def test_final_states_stand_side_by_side_layer_by_layer():
    states = [[np.full((2, 1), 1.0), np.full((2, 2), 2.0)], [np.full((2, 1), 3.0)]]
    assert ops.convert_to_numpy(concatenated(states)).tolist() == [[1, 2, 2, 3]] * 2


def test_config_round_trip():
    bridge = Bridge([(2, 3), (4,)], name="bridge")
    copy = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(bridge))
    assert copy.get_config() == bridge.get_config()
    assert copy.state_sizes == [[2, 3], [4]]
    assert [[tuple(state.shape) for state in layer] for layer in copy(noise(1, 6))] == [[(1, 2), (1, 3)], [(1, 4)]]
