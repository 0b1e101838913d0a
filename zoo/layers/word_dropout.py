"""Dropout of whole words."""

from typing import Any

import keras
from keras import ops

from zoo.ids import UNKNOWN
from zoo.layers.explicit_mask import ExplicitMask


@keras.saving.register_keras_serializable("zoo")
class WordDropout(ExplicitMask):
    """Replaces whole tokens by the unknown one while training.

    Source: Iyyer, Manjunatha, Boyd-Graber and Daumé, "Deep Unordered Composition Rivals Syntactic Methods for Text
    Classification" (2015), section 3. Replaced, not removed: positions stay, and the unknown token's vector learns
    to mean "some word".

    Args:
        rate: Fraction of the tokens that is replaced.
        unknown_id: The id put in their place.
        seed: Of the random choice.

    Raises:
        ValueError: If the rate is not at least 0 and below 1.
    """

    def __init__(self, rate: float, unknown_id: int = UNKNOWN, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not 0 <= rate < 1:
            raise ValueError(f"A dropout rate is at least 0 and below 1; got {rate}.")
        self.rate, self.unknown_id, self.seed = rate, unknown_id, seed
        self.seed_generator = keras.random.SeedGenerator(seed)

    def call(self, tokens: Any, mask: Any | None = None, training: bool | None = None) -> Any:
        """Tokens `(batch, time)`, mask `(batch, time)` True = real -> tokens; padding is never replaced."""
        if not training or not self.rate:
            return tokens
        drop = keras.random.uniform(ops.shape(tokens), seed=self.seed_generator) < self.rate
        drop = drop if mask is None else ops.logical_and(drop, mask)
        return ops.where(drop, ops.cast(self.unknown_id, tokens.dtype), tokens)

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        return input_shape
