"""Many-to-one: a sequence of tokens in, one label out."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from zoo.layers import Pooling, Recurrent, TokenEmbedding

PAD = 0


def classifier(
    vocabulary: int,
    classes: int,
    cell: Any = "gru",
    units: int = 128,
    *,
    embedding: int = 128,
    depth: int = 1,
    bidirectional: bool = True,
    pooling: str | Sequence[str] = ("mean", "max"),
    pool_embeddings: bool = False,
    residual: bool = False,
    layer_norm: bool = False,
    word_dropout: float = 0.0,
    embedding_dropout: float = 0.0,
    dropout: float = 0.0,
    name: str = "classifier",
) -> keras.Model:
    """A sequence classifier: embedding, recurrent layers, pooling over time, softmax.

    Args:
        vocabulary: Number of token ids; id 0 is padding, id 1 the unknown token.
        classes: Number of labels.
        cell: Cell name, class or instance; see `zoo.cells.make`.
        units: Units of each direction.
        embedding: Length of a token's vector.
        depth: Recurrent layers on top of each other.
        bidirectional: Also read backward.
        pooling: How states become one vector: `"last"`, `"mean"`, `"max"`, `"attention"`, or several of them.
        pool_embeddings: Also give the output layer the mean of the embeddings (a bag of words beside the net).
        residual: Add a layer's input to its output where their sizes agree.
        layer_norm: Normalise the output of every recurrent layer.
        word_dropout: Part of the tokens replaced by the unknown one while training.
        embedding_dropout: Locked dropout on the embeddings.
        dropout: Locked dropout between recurrent layers, and plain dropout before the output layer.

    Returns:
        A functional model: tokens `(batch, time)` int32, padded with 0 on the right -> probabilities
        `(batch, classes)` float32.

    Raises:
        ValueError: If the vocabulary, the classes or a layer's argument makes no sense.
    """
    if vocabulary < 2 or classes < 2:
        raise ValueError(f"A classifier needs two ids and two classes at least; got {vocabulary} and {classes}.")
    tokens = keras.Input((None,), dtype="int32", name="tokens")
    mask = ops.not_equal(tokens, PAD)
    embedded = TokenEmbedding(vocabulary, embedding, word_dropout, embedding_dropout, name="embedding")(
        tokens, mask=mask
    )
    recurrent = Recurrent(cell, units, depth, bidirectional, residual, layer_norm, dropout, name="recurrent")
    pooled = Pooling(pooling, name="pooling")(recurrent(embedded, mask=mask), mask=mask)
    if pool_embeddings:
        bag = Pooling("mean", name="pooled_embeddings")(embedded, mask=mask)
        pooled = keras.layers.Concatenate(name="features")([pooled, bag])
    pooled = keras.layers.Dropout(dropout, name="dropout")(pooled)
    probabilities = keras.layers.Dense(classes, activation="softmax", dtype="float32", name="label")(pooled)
    return keras.Model(tokens, probabilities, name=name)
