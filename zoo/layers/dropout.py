"""Dropout that keeps to a sequence: one decision a feature, or one a word."""

from typing import Any

import keras
from keras import ops

from zoo.layers.masked import Masked


@keras.saving.register_keras_serializable("zoo")
class LockedDropout(Masked):
    """Drops the same features at every time step, scaling the rest up.

    Source: Gal and Ghahramani, "A Theoretically Grounded Application of Dropout in Recurrent Neural Networks"
    (2016), section 4; called locked dropout in Merity, Keskar and Socher (2017), section 4.2. It stands outside the
    recurrence, so the fused kernel stays on.

    Args:
        rate: Part of the features that is dropped, from 0 to below 1.
    """

    def __init__(self, rate: float, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not 0 <= rate < 1:
            raise ValueError(f"A dropout rate is at least 0 and below 1; got {rate}.")
        self.rate, self.seed = rate, seed
        self.seed_generator = keras.random.SeedGenerator(seed)

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        """inputs `(batch, time, features)` -> the same shape."""
        if not training or not self.rate:
            return inputs
        shape = ops.shape(inputs)
        ones = ops.ones((shape[0], 1, shape[2]), dtype=inputs.dtype)
        return inputs * keras.random.dropout(ones, self.rate, seed=self.seed_generator)

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "rate": self.rate, "seed": self.seed}


@keras.saving.register_keras_serializable("zoo")
class WordDropout(Masked):
    """Replaces whole tokens by the unknown one while training.

    Source: Iyyer, Manjunatha, Boyd-Graber and Daumé, "Deep Unordered Composition Rivals Syntactic Methods for Text
    Classification" (2015), section 3. Replaced, not removed: positions stay, and the unknown token's vector learns
    to mean "some word".

    Args:
        rate: Part of the tokens that is replaced.
        unknown: The id put in their place.
    """

    def __init__(self, rate: float, unknown: int = 1, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not 0 <= rate < 1:
            raise ValueError(f"A dropout rate is at least 0 and below 1; got {rate}.")
        self.rate, self.unknown, self.seed = rate, unknown, seed
        self.seed_generator = keras.random.SeedGenerator(seed)

    def call(self, tokens: Any, mask: Any | None = None, training: bool | None = None) -> Any:
        """tokens `(batch, time)`, mask `(batch, time)` True = real -> tokens; padding is never replaced."""
        if not training or not self.rate:
            return tokens
        drop = keras.random.uniform(ops.shape(tokens), seed=self.seed_generator) < self.rate
        drop = drop if mask is None else ops.logical_and(drop, mask)
        return ops.where(drop, ops.cast(self.unknown, tokens.dtype), tokens)

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "rate": self.rate, "unknown": self.unknown, "seed": self.seed}
