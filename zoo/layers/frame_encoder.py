"""Frames of a clip to vectors: a small convolutional network for each frame by itself."""

import math
from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from zoo.layers.explicit_mask import ExplicitMask

GROUP = 8
"""Channels that are normalized together, where their number allows it."""


@keras.saving.register_keras_serializable("zoo")
class FrameEncoder(ExplicitMask):
    """Convolutions of 3 x 3 over every frame, then one vector of what is where.

    Two views of the last feature maps go into the vector: the maps as they are, made coarser, and for each map the
    position where it is strongest, as the mean of all positions weighted by a softmax over them (Finn et al., "Deep
    Spatial Autoencoders for Visuomotor Learning", 2016, section IV). From positions, a recurrent layer computes motion
    by a subtraction.

    Normalized by groups of channels within a frame (Wu and He, "Group Normalization", 2018): statistics of a batch
    would make an answer depend on the rest of the batch and on padding.

    Args:
        units: Length of a frame's vector.
        filters: Of each convolution; the first halves the picture.
    """

    def __init__(self, units: int, filters: Sequence[int] = (16, 32), **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.units, self.filters = units, tuple(filters)
        policy = self.dtype_policy
        self.convolutions = [
            keras.layers.Conv2D(
                count, 3, 1 if number else 2, "same", use_bias=False, dtype=policy, name=f"convolution_{number}"
            )
            for number, count in enumerate(self.filters)
        ]
        self.norms = [
            keras.layers.GroupNormalization(
                math.gcd(count, max(count // GROUP, 1)), dtype=policy, name=f"normalization_{number}"
            )
            for number, count in enumerate(self.filters)
        ]
        self.coarse = keras.layers.AveragePooling2D(4, padding="same", dtype=policy, name="coarse")
        self.vector = keras.layers.Dense(units, activation="relu", dtype=policy, name="vector")

    def build(self, input_shape: tuple) -> None:
        shape = (None, *input_shape[2:])
        for convolution, norm in zip(self.convolutions, self.norms, strict=True):
            convolution.build(shape)
            shape = convolution.compute_output_shape(shape)
            norm.build(shape)
        rows, columns, channels = shape[1:]
        self.grid = (rows, columns)
        self.coarse.build(shape)
        self.sharpness = self.add_weight(
            shape=(channels,), initializer=keras.initializers.Constant(4.0), name="sharpness"
        )
        self.vector.build((None, math.prod(self.coarse.compute_output_shape(shape)[1:]) + 3 * channels))

    def call(self, frames: Any) -> Any:
        """Frames `(batch, time, height, width, channels)`, values 0 to 255 -> `(batch, time, units)`."""
        batch, time = ops.shape(frames)[:2]
        # Time is folded into the batch: no frame sees another here.
        hidden = ops.reshape(ops.cast(frames, self.compute_dtype), (-1, *frames.shape[2:])) / 127.5 - 1.0
        for convolution, norm in zip(self.convolutions, self.norms, strict=True):
            hidden = ops.relu(norm(convolution(hidden)))
        coarse = self.coarse(hidden)
        coarse = ops.reshape(coarse, (-1, math.prod(coarse.shape[1:])))
        vectors = self.vector(ops.concatenate([coarse, self._positions(hidden)], axis=-1))
        return ops.reshape(vectors, (batch, time, self.units))

    def _positions(self, maps: Any) -> Any:
        """Row and column, from -1 to 1, where each map is strongest, and how strong: `(frames, 3 * channels)`."""
        rows, columns = self.grid
        flat = ops.reshape(maps, (-1, rows * columns, maps.shape[-1]))
        weights = ops.softmax(flat * ops.cast(self.sharpness, flat.dtype), axis=1)
        down, across = (ops.linspace(-1.0, 1.0, count) for count in self.grid)
        positions = ops.stack([ops.repeat(down, columns), ops.tile(across, (rows,))])
        strongest = ops.einsum("kp,fpc->fkc", ops.cast(positions, flat.dtype), weights)
        return ops.concatenate([ops.reshape(strongest, (-1, 2 * maps.shape[-1])), ops.max(flat, axis=1)], axis=-1)

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        return (*input_shape[:2], self.units)
