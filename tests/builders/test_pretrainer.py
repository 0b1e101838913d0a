"""Pretraining: what is predicted, that padding costs nothing, and that the weights fit the classifier."""

import keras
import numpy as np
import pytest

from zoo import builders
from zoo.training.stages import copy_layers


def test_counts_two_predictions_a_pair_of_neighbours():
    model = builders.pretrainer(20, "gru", 6, embedding_dim=4)
    output = np.asarray(model(np.array([[5, 6, 7, 0, 0], [8, 0, 0, 0, 0]], "int32")))
    assert output[:, 1].tolist() == [4, 0]
    assert output[1, 0] == 0


@pytest.mark.parametrize("bidirectional", [True, False])
def test_learns_a_fixed_cycle(bidirectional):
    keras.utils.set_random_seed(0)
    model = builders.pretrainer(
        12, "gru", 16, embedding_dim=8, bidirectional=bidirectional, embedding_dropout=0.0, num_samples=64
    )
    model.compile(keras.optimizers.Adam(2e-2), builders.token_mean)
    starts = np.arange(64) % 7
    tokens = 4 + (starts[:, None] + np.arange(10)[None, :]) % 7  # each word has one successor, one predecessor
    losses = model.fit(tokens.astype("int32"), np.zeros(64), epochs=40, batch_size=16, verbose=0).history["loss"]
    assert losses[0] > 1.5
    assert losses[-1] < 0.15


def test_a_direction_never_sees_what_it_predicts():
    """Changing a later word must not change the forward states that predict it."""
    model = builders.pretrainer(20, "lstm", 6, embedding_dim=4)
    one, two = np.array([[5, 6, 7, 8]], "int32"), np.array([[5, 6, 7, 9]], "int32")
    states = [np.asarray(model.recurrent(model.embedding(tokens))) for tokens in (one, two)]
    np.testing.assert_allclose(states[0][:, :3, :6], states[1][:, :3, :6], atol=1e-6)
    states = [np.asarray(model.recurrent(model.embedding(tokens[:, ::-1].copy()))) for tokens in (one, two)]
    np.testing.assert_allclose(states[0][:, 1:, 6:], states[1][:, 1:, 6:], atol=1e-6)


def test_weights_are_handed_to_the_classifier_by_name():
    first = builders.pretrainer(20, "gru", 6, embedding_dim=4)
    then = builders.classifier(20, 2, "gru", 6, embedding_dim=4)
    assert sorted(copy_layers(first, then)) == ["embedding", "recurrent"]
    for name in ("embedding", "recurrent"):
        for a, b in zip(first.get_layer(name).get_weights(), then.get_layer(name).get_weights(), strict=True):
            np.testing.assert_array_equal(a, b)
    with pytest.raises(ValueError, match="no layer"):
        copy_layers(first, keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, name="other")]))


def test_characters_are_read_and_handed_to_a_tagger():
    """Unknown words differ by their characters alone: who reads them can predict the next one."""
    keras.utils.set_random_seed(0)
    model = builders.pretrainer(8, "gru", 16, embedding_dim=8, embedding_dropout=0.0, num_samples=64,
                                character_vocabulary_size=6, character_dim=4, character_units=5)  # fmt: skip
    model.compile(keras.optimizers.Adam(2e-2), builders.token_mean)
    spelled = np.arange(64)[:, None] % 2 + np.tile([4, 0, 4, 0], (64, 1))  # letters 4 or 5 of an unknown word
    characters = np.stack([spelled, np.zeros_like(spelled)], axis=-1).astype("int32")
    tokens = np.where(spelled >= 4, 1, 6 + spelled).astype("int32")  # after letter 4 comes word 6, after 5 word 7
    characters[tokens != 1] = 0
    losses = model.fit((tokens, characters), np.zeros(64), epochs=60, batch_size=16, verbose=0).history["loss"]
    assert losses[0] > 1.0
    assert losses[-1] < 0.2
    tagger = builders.tagger(3, "gru", 16, vocabulary_size=8, embedding_dim=8, character_vocabulary_size=6,
                             character_dim=4, character_units=5)  # fmt: skip
    assert sorted(copy_layers(model, tagger)) == ["characters", "embedding", "recurrent"]
    with pytest.raises(ValueError, match="reads a pair of tokens and their characters"):
        model(tokens)
    with pytest.raises(ValueError, match="reads tokens alone"):
        builders.pretrainer(8, "gru", 4, embedding_dim=4)((tokens, characters))
