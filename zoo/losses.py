"""Losses over tokens: sums over what is real, divided by how much that is."""

from typing import Any

import keras
from keras import ops

PAD = 0


@keras.saving.register_keras_serializable("zoo")
class TokenCrossentropy(keras.losses.Loss):
    """Cross-entropy of next tokens in nats, a mean over all real tokens of a batch.

    Keras's own reductions take a mean over all positions, or over rows, so that a loss would depend on how much
    padding a batch happens to have.

    Args:
        smoothing: Label smoothing: the part of the target that is spread over the whole vocabulary (Szegedy et al.,
            "Rethinking the Inception Architecture", 2016, section 7).
    """

    def __init__(self, smoothing: float = 0.0, name: str = "token_crossentropy", **kwargs: Any) -> None:
        super().__init__(name=name, **kwargs)
        if not 0 <= smoothing < 1:
            raise ValueError(f"Label smoothing is at least 0 and below 1; got {smoothing}.")
        self.smoothing = smoothing

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """Computes the loss.

        Args:
            y_true: Token ids `(batch, time)`, or with more axes between; 0 is padding and does not count.
            y_pred: Logits, the shape of `y_true` and the vocabulary behind it.
            sample_weight: `(batch,)`, optional; 0 for rows that only fill a batch up.

        Returns:
            A scalar: nats a token.
        """
        targets, logits = ops.cast(y_true, "int32"), ops.cast(y_pred, "float32")
        real = ops.cast(ops.not_equal(targets, PAD), "float32")
        if sample_weight is not None:
            rows = ops.reshape(sample_weight, (-1, *[1] * (len(targets.shape) - 1)))
            real = real * ops.cast(rows, "float32")
        return ops.sum(self.call(targets, logits) * real) / ops.maximum(ops.sum(real), 1.0)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Nats of every position, in the shape of `y_true`."""
        if not self.smoothing:
            return ops.sparse_categorical_crossentropy(y_true, y_pred, from_logits=True)
        spread = self.smoothing / y_pred.shape[-1]
        targets = ops.one_hot(y_true, y_pred.shape[-1], dtype="float32") * (1 - self.smoothing) + spread
        return ops.categorical_crossentropy(targets, y_pred, from_logits=True)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "smoothing": self.smoothing}
