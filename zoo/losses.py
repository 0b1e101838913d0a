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


@keras.saving.register_keras_serializable("zoo")
class PolicyGradient(keras.losses.Loss):
    """Its gradient makes sequences that a model drew itself more or less probable, by what each was worth.

    Source: Williams, "Simple Statistical Gradient-Following Algorithms for Connectionist Reinforcement Learning"
    (1992), REINFORCE with a baseline. The number itself tells nothing: it is near 0 whatever was learned.

    Args:
        temperature: That of the sampling.
    """

    def __init__(self, temperature: float = 1.0, name: str = "policy_gradient", **kwargs: Any) -> None:
        super().__init__(name=name, **kwargs)
        if temperature <= 0:
            raise ValueError(f"A temperature to learn at is above 0; got {temperature}.")
        self.temperature = temperature

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """Computes the loss.

        Args:
            y_true: Sampled token ids `(batch, samples, time)`; 0 is padding and does not count.
            y_pred: Logits, the shape of `y_true` and the vocabulary behind it.
            sample_weight: `(batch, samples)`, of any sign: how much better a sample is than was to be expected.

        Returns:
            A scalar: -weight * log p(sample), summed, over the number of real tokens.
        """
        targets = ops.cast(y_true, "int32")
        real = ops.cast(ops.not_equal(targets, PAD), "float32")
        weights = real if sample_weight is None else real * ops.cast(sample_weight, "float32")[..., None]
        return ops.sum(self.call(targets, y_pred) * weights) / ops.maximum(ops.sum(real), 1.0)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """-log p of every token, in the shape of `y_true`."""
        logits = ops.cast(y_pred, "float32") / self.temperature
        return ops.sparse_categorical_crossentropy(y_true, logits, from_logits=True)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "temperature": self.temperature}


@keras.saving.register_keras_serializable("zoo")
class StepCrossentropy(keras.losses.Loss):
    """Cross-entropy of one label a step in nats, a mean over all steps that have one.

    A label below 0 says that nothing is asked at this step, as in padding.
    """

    def __init__(self, name: str = "step_crossentropy", **kwargs: Any) -> None:
        super().__init__(name=name, **kwargs)

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """Computes the loss.

        Args:
            y_true: Labels `(batch, time)`; those below 0 do not count.
            y_pred: Probabilities `(batch, time, classes)`.
            sample_weight: `(batch,)` or `(batch, time)`, optional; 0 for rows that only fill a batch up.

        Returns:
            A scalar: nats a step.
        """
        labels = ops.cast(y_true, "int32")
        weights = ops.cast(labels >= 0, "float32")
        if sample_weight is not None:
            sample_weight = ops.cast(sample_weight, "float32")
            weights = weights * (sample_weight[:, None] if len(sample_weight.shape) == 1 else sample_weight)
        return ops.sum(self.call(labels, y_pred) * weights) / ops.maximum(ops.sum(weights), 1.0)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Nats of every step, in the shape of `y_true`."""
        return ops.sparse_categorical_crossentropy(ops.maximum(y_true, 0), ops.cast(y_pred, "float32"))
