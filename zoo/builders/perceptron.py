"""One-to-one: one input of a fixed shape in, one label out; or the same input read row by row by recurrent layers."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from zoo.builders.compiled import FunctionalModel, compile_default
from zoo.errors import UserError
from zoo.layers import Pooling, recurrent_stack


def perceptron(
    shape: Sequence[int | None],
    num_classes: int,
    cell: Any | None = None,
    units: int = 128,
    *,
    num_layers: int = 1,
    bidirectional: bool = False,
    block: str | None = None,
    pooling: str | Sequence[str] = "last",
    conv_filters: int = 0,
    kernel_size: int = 5,
    dropout: float = 0.0,
    name: str = "perceptron",
    dtype: Any = None,
) -> keras.Model:
    """A multilayer perceptron, or a recurrent classifier of the same input: one input -> class probabilities.

        a picture of 3 rows      perceptron: all at once      cell: one row per step
        1 2                                                   1 2
        3 4                      1 2 3 4 5 6                  3 4
        5 6                                                   5 6

    Source: Rumelhart, Hinton and Williams, "Learning representations by back-propagating errors" (1986); here with
    rectified linear units (Glorot, Bordes and Bengio 2011).

    Args:
        shape: Of one input: `(height, width)`, `(height, width, channels)`, or `(None, features)` for sequences of
            several lengths, which need a cell.
        num_classes: Number of labels.
        cell: Cell name, class or instance, see `zoo.cells.make`: the first axis is time. None reads all at once,
            without recurrence.
        units: Units of every hidden layer, with a cell those of each direction.
        num_layers: Hidden layers on top of each other.
        bidirectional: With a cell, also read backward.
        block: `"residual"` makes each recurrent layer a residual block of normalization, cell, gated linear unit and
            skip connection, see `zoo.layers.ResidualStack`; None stacks them plainly.
        pooling: With a cell, how outputs over time become one vector: `"last"`, the output after the last real step,
            `"mean"`, `"max"`, `"attention"`, or several of them.
        conv_filters: With a cell, filters of two convolutions over time before the recurrent layers, each with
            rectified linear units; 0 for none.
        kernel_size: Steps that each of these convolutions sees.
        dropout: Dropout after every hidden layer of a perceptron; with a cell, of features between the layers or within
            blocks, the same at every step, and after the last one.
        name: Name of the model.
        dtype: Precision policy; default the global one.

    Returns:
        A functional model, compiled: inputs `(batch, *shape)` float32, for sequences the pair of
        `(batch, time, features)` and a mask `(batch, time)` bool, True = real -> probabilities
        `(batch, num_classes)` float32.

    Raises:
        ValueError: If the shape, a size or a layer's argument makes no sense.
        UserError: If a cell, a block or a pooling is unknown, or one is given without a cell.
    """
    if num_classes < 2 or num_layers < 1:
        raise ValueError(
            f"A perceptron needs two classes and one hidden layer at least; got num_classes={num_classes} and "
            f"num_layers={num_layers}."
        )
    if cell is None and (block is not None or bidirectional or pooling != "last" or conv_filters):
        raise UserError(
            f"block={block!r}, bidirectional={bidirectional}, pooling={pooling!r} and conv_filters={conv_filters} need "
            "a recurrent cell: without one, there is no sequence. Choose a cell such as 'gru'."
        )
    policy = keras.dtype_policies.get(dtype or keras.config.dtype_policy())
    several = shape[0] is None
    if len(shape) < 2 or None in shape[1:] or (several and (cell is None or len(shape) != 2)):
        raise ValueError(f"shape is that of one input, or (None, features) with a cell; got {tuple(shape)}.")
    inputs = keras.Input(tuple(shape), dtype="float32", name="inputs")
    mask = keras.Input((None,), dtype="bool", name="mask") if several else None
    if cell is None:
        hidden = keras.layers.Flatten(dtype=policy, name="flat")(inputs)
        for level in range(num_layers):
            hidden = keras.layers.Dense(units, activation="relu", dtype=policy, name=f"hidden_{level}")(hidden)
            hidden = keras.layers.Dropout(dropout, dtype=policy, name=f"dropout_{level}")(hidden)
    else:
        rows = inputs if len(shape) == 2 else keras.layers.Reshape((shape[0], -1), dtype=policy, name="rows")(inputs)
        rows = _convolved(rows, mask, conv_filters, kernel_size, dropout, policy) if conv_filters else rows
        recurrent = recurrent_stack(
            block, cell, units, num_layers=num_layers, bidirectional=bidirectional, dropout=dropout, dtype=policy,
            name="recurrent",
        )  # fmt: skip
        states = recurrent(rows, mask=mask)
        hidden = Pooling(pooling, dtype=policy, name="pooling")(states, mask=mask)
        hidden = keras.layers.Dropout(dropout, dtype=policy, name="dropout")(hidden)
    probabilities = keras.layers.Dense(num_classes, activation="softmax", dtype="float32", name="label")(hidden)
    model = FunctionalModel([inputs, mask] if several else inputs, probabilities, name=name, dtype=policy)
    compile_default(model, "sparse_categorical_crossentropy", ["accuracy"])
    return model


def _convolved(rows: Any, mask: Any, filters: int, kernel_size: int, dropout: float, policy: Any) -> Any:
    """Two convolutions over time; padding counts as zeros, as what lies beyond the ends does."""
    for level in range(2):
        if mask is not None:
            rows = rows * ops.cast(mask, rows.dtype)[:, :, None]
        rows = keras.layers.Conv1D(
            filters, kernel_size, padding="same", activation="relu", dtype=policy, name=f"convolution_{level}"
        )(rows)
        rows = keras.layers.SpatialDropout1D(dropout, dtype=policy, name=f"convolution_dropout_{level}")(rows)
    return rows
