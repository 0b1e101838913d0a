"""Words by their characters: each by itself, whatever stands around it."""

import keras
import numpy as np
import pytest
from keras import ops

from zoo import cells, layers

WORDS = [[4, 5, 6, 7, 8], [9], [10, 11, 4], [5, 5]]


def spelled(rows: list[list[int]], length: int) -> np.ndarray:
    """One sentence: `(1, words, length)`."""
    out = np.zeros((1, len(rows), length), "int32")
    for place, row in enumerate(rows):
        out[0, place, : len(row)] = row
    return out


@pytest.mark.parametrize("cell", ["gru", "lstm", "min_gru", cells.SimpleRNNCell(3)])
def test_a_word_depends_neither_on_its_batch_nor_on_padding(cell: object) -> None:
    layer = layers.CharacterEncoder(20, 3, 4, cell)
    together = ops.convert_to_numpy(layer(spelled(WORDS, 9)))[0]
    assert together.shape == (4, 6)
    for word, found in zip(WORDS, together, strict=True):
        alone = ops.convert_to_numpy(layer(spelled([word], len(word))))[0, 0]
        np.testing.assert_allclose(found, alone, atol=2e-6)
        among = ops.convert_to_numpy(layer(spelled([[12, 13], word, []], 6)))[0, 1]
        np.testing.assert_allclose(among, alone, atol=2e-6)


def test_both_directions_are_the_ends_of_plain_keras_layers() -> None:
    layer = layers.CharacterEncoder(20, 3, 4, "simple_rnn")
    word = spelled([WORDS[0]], 5)
    found = ops.convert_to_numpy(layer(word))[0, 0]
    vectors = layer.table(word[0])
    forward, backward = (keras.layers.SimpleRNN(3, go_backwards=way) for way in (False, True))
    for plain, run in zip((forward, backward), layer.recurrent.runs[0], strict=True):
        plain.build((None, 5, 4))
        plain.set_weights(run.get_weights())
    expected = np.concatenate([ops.convert_to_numpy(plain(vectors))[0] for plain in (forward, backward)])
    np.testing.assert_allclose(found, expected, atol=2e-6)


def test_a_word_without_characters_is_zeros_and_the_whole_is_saved() -> None:
    layer = layers.CharacterEncoder(20, 3, 4, "lstm")
    found = ops.convert_to_numpy(layer(spelled([[], [4]], 2)))[0]
    assert not found[0].any()
    assert found[1].any()
    again = layers.CharacterEncoder.from_config(layer.get_config())
    assert again.get_config() == layer.get_config()
