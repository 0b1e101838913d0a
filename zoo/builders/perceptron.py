"""One-to-one: one input of a fixed shape in, one label out; the same task read row by row by a recurrent net."""

from collections.abc import Sequence
from typing import Any

import keras

from zoo.layers import Pooling, Recurrent


def perceptron(
    shape: Sequence[int | None],
    classes: int,
    cell: Any | None = None,
    units: int = 128,
    *,
    depth: int = 1,
    dropout: float = 0.0,
    name: str = "perceptron",
) -> keras.Model:
    """A multilayer perceptron, or its recurrent rival: hidden layers, softmax.

        a picture of 3 rows      perceptron: all at once      cell: a row a step
        1 2                                                   1 2
        3 4                      1 2 3 4 5 6                  3 4
        5 6                                                   5 6

    Source: Rumelhart, Hinton and Williams, "Learning representations by back-propagating errors" (1986); here with
    rectified linear units (Glorot, Bordes and Bengio 2011).

    Args:
        shape: Of one input: `(height, width)`, `(height, width, channels)`, or `(None, features)` for sequences of
            several lengths, which need a cell.
        classes: Number of labels.
        cell: Cell name, class or instance, see `zoo.cells.make`: the first axis is time, and the state after the last
            real step decides. None reads all at once, without recurrence.
        units: Units of every hidden layer.
        depth: Hidden layers on top of each other.
        dropout: Dropout after every hidden layer of a perceptron; with a cell, locked between the layers and plain
            after the last one.

    Returns:
        A functional model: inputs `(batch, *shape)` float32, for sequences the pair of `(batch, time, features)` and
        a mask `(batch, time)` bool, True = real, padding on the right -> probabilities `(batch, classes)` float32.

    Raises:
        ValueError: If the shape, the classes or a layer's argument makes no sense.
    """
    if classes < 2 or depth < 1:
        raise ValueError(f"A perceptron needs two classes and one hidden layer at least; got {classes} and {depth}.")
    several = shape[0] is None
    if len(shape) < 2 or None in shape[1:] or (several and (cell is None or len(shape) != 2)):
        raise ValueError(f"shape is that of one input, or (None, features) with a cell; got {tuple(shape)}.")
    inputs = keras.Input(tuple(shape), dtype="float32", name="inputs")
    mask = keras.Input((None,), dtype="bool", name="mask") if several else None
    if cell is None:
        hidden = keras.layers.Flatten(name="flat")(inputs)
        for level in range(depth):
            hidden = keras.layers.Dense(units, activation="relu", name=f"hidden_{level}")(hidden)
            hidden = keras.layers.Dropout(dropout, name=f"dropout_{level}")(hidden)
    else:
        rows = inputs if len(shape) == 2 else keras.layers.Reshape((shape[0], -1), name="rows")(inputs)
        states = Recurrent(cell, units, depth, dropout=dropout, name="recurrent")(rows, mask=mask)
        hidden = Pooling("last", name="pooling")(states, mask=mask)
        hidden = keras.layers.Dropout(dropout, name="dropout")(hidden)
    probabilities = keras.layers.Dense(classes, activation="softmax", dtype="float32", name="label")(hidden)
    return keras.Model([inputs, mask] if several else inputs, probabilities, name=name)
