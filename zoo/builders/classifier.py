"""Many-to-one: a sequence of tokens in, one label out."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from zoo.builders.compiled import FunctionalModel, compile_default
from zoo.ids import PAD
from zoo.layers import Pooling, TokenEmbedding, recurrent_stack


def classifier(
    vocabulary_size: int,
    num_classes: int,
    cell: Any = "gru",
    units: int = 128,
    *,
    embedding_dim: int = 128,
    num_layers: int = 1,
    bidirectional: bool = True,
    block: str | None = None,
    residual: bool = False,
    pooling: str | Sequence[str] = ("mean", "max"),
    pool_embeddings: bool = False,
    layer_norm: bool = False,
    word_dropout: float = 0.0,
    embedding_dropout: float = 0.0,
    dropout: float = 0.0,
    name: str = "classifier",
    dtype: Any = None,
) -> keras.Model:
    """A sequence classifier: token ids -> probabilities of the labels.

    Embedding, recurrent layers, pooling over time, softmax.

    Args:
        vocabulary_size: Number of token ids; id 0 is padding, id 1 the unknown token.
        num_classes: Number of labels.
        cell: Cell name, class or instance; see `zoo.cells.make`.
        units: Units of each direction.
        embedding_dim: Length of a token's vector.
        num_layers: Recurrent layers on top of each other.
        bidirectional: Also read backward.
        block: `"residual"` makes each recurrent layer a residual block of normalization, cell, gated linear unit and
            skip connection, see `zoo.layers.ResidualStack`; None stacks them plainly.
        residual: Add a layer's input to its output where their sizes agree.
        pooling: How states become one vector: `"last"`, `"mean"`, `"max"`, `"attention"`, or several of them.
        pool_embeddings: Also give the output layer the mean of the embeddings, a bag of words.
        layer_norm: Normalize the output of every recurrent layer.
        word_dropout: Fraction of the tokens replaced by the unknown one while training.
        embedding_dropout: Fraction of the features of token vectors dropped, the same at every step.
        dropout: Fraction of the features dropped between recurrent layers, the same at every step, and dropout before
            the output layer.
        name: Name of the model.
        dtype: Precision policy; default the global one.

    Returns:
        A functional model, compiled: ids `(batch, time)` int32, padded with 0 -> probabilities
        `(batch, num_classes)` float32.

    Raises:
        ValueError: If a size or a layer's argument makes no sense.
        UserError: If a cell, a block or a pooling is unknown.
    """
    if vocabulary_size < 2 or num_classes < 2:
        raise ValueError(
            f"A classifier needs two ids and two classes at least; got vocabulary_size={vocabulary_size} and "
            f"num_classes={num_classes}."
        )
    policy = keras.dtype_policies.get(dtype or keras.config.dtype_policy())
    tokens = keras.Input((None,), dtype="int32", name="tokens")
    mask = ops.not_equal(tokens, PAD)
    embedded = TokenEmbedding(
        vocabulary_size, embedding_dim, word_dropout, embedding_dropout, dtype=policy, name="embedding"
    )(tokens, mask=mask)
    recurrent = recurrent_stack(
        block, cell, units, num_layers=num_layers, bidirectional=bidirectional, residual=residual,
        layer_norm=layer_norm, dropout=dropout, dtype=policy, name="recurrent",
    )  # fmt: skip
    pooled = Pooling(pooling, dtype=policy, name="pooling")(recurrent(embedded, mask=mask), mask=mask)
    if pool_embeddings:
        bag = Pooling("mean", dtype=policy, name="pooled_embeddings")(embedded, mask=mask)
        pooled = keras.layers.Concatenate(dtype=policy, name="features")([pooled, bag])
    pooled = keras.layers.Dropout(dropout, dtype=policy, name="dropout")(pooled)
    probabilities = keras.layers.Dense(num_classes, activation="softmax", dtype="float32", name="label")(pooled)
    model = FunctionalModel(tokens, probabilities, name=name, dtype=policy)
    compile_default(model, "sparse_categorical_crossentropy", ["accuracy"])
    return model
