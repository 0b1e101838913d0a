"""Losses and an accuracy over the steps of sequences: sums over real steps, divided by how many those are.

Keras's own reductions take a mean over all positions, or over rows, so that a loss would depend on how much padding a
batch happens to have. With weights w, each of these losses is sum(w * loss) / sum(w) over the real steps of a batch.
"""

from typing import Any

import keras
from keras import ops

from zoo.errors import UserError
from zoo.ids import PAD


class _SequenceLoss(keras.losses.Loss):
    """A weighted mean over real steps. A subclass defines `call`, the loss of every step, and `real`."""

    def __init__(self, name: str, **kwargs: Any) -> None:
        super().__init__(name=name, **kwargs)

    def real(self, targets: Any) -> Any:
        """True at the steps that count, in the shape of the targets."""
        raise NotImplementedError

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """Computes the loss.

        Args:
            y_true: Targets `(batch, time)`, or with more axes between.
            y_pred: The model's output, the shape of `y_true` with one entry per id or class as last axis.
            sample_weight: Weight of each row `(batch,)` or `(batch, 1)`, or of each step, in the shape of `y_true`; 0
                for rows that only fill a batch up.

        Returns:
            A scalar: nats per real step.
        """
        targets = ops.cast(y_true, "int32")
        weights = ops.cast(self.real(targets), "float32") * step_weights(sample_weight, targets)
        total = ops.sum(weights)
        loss = ops.sum(self.call(targets, ops.cast(y_pred, "float32")) * weights)
        return ops.where(total > 0, loss / ops.where(total > 0, total, 1.0), 0.0)


def step_weights(sample_weight: Any, targets: Any) -> Any:
    """Weights of rows or steps so that they broadcast over targets `(batch, ..., time)`; 1 for None.

    Raises:
        UserError: If their shape fits neither the rows nor the steps.
    """
    if sample_weight is None:
        return 1.0
    weights = ops.cast(ops.convert_to_tensor(sample_weight), "float32")
    if len(targets.shape) == 2 and not _has_rank(weights):
        # A graph of TensorFlow that has seen weights of rows and of steps knows no rank; either fits then.
        return ops.reshape(weights, (ops.shape(targets)[0], -1))
    missing = len(targets.shape) - len(weights.shape)
    fits = missing >= 0 and all(
        one is None or other is None or one in (1, other)
        for one, other in zip(weights.shape, targets.shape, strict=False)
    )
    if not fits:
        raise UserError(
            f"sample_weight has the shape {tuple(weights.shape)}, the targets have {tuple(targets.shape)}. Give one "
            "weight per row, (batch,), or one per step, in the shape of the targets."
        )
    return ops.reshape(weights, (*ops.shape(weights), *[1] * missing))


def _has_rank(tensor: Any) -> bool:
    try:
        return len(tensor.shape) >= 0
    except ValueError:
        return False


@keras.saving.register_keras_serializable("zoo")
class TokenCrossentropy(_SequenceLoss):
    """Cross-entropy of next tokens in nats, from logits; the target 0 is padding and does not count.

    Args:
        label_smoothing: Fraction of the target that is spread over the whole vocabulary (Szegedy et al., "Rethinking
            the Inception Architecture", 2016, section 7).
        name: Name of the loss.

    Raises:
        ValueError: If the smoothing is not at least 0 and below 1.
    """

    def __init__(self, label_smoothing: float = 0.0, name: str = "token_crossentropy", **kwargs: Any) -> None:
        super().__init__(name=name, **kwargs)
        if not 0 <= label_smoothing < 1:
            raise ValueError(f"Label smoothing is at least 0 and below 1; got {label_smoothing}.")
        self.label_smoothing = label_smoothing

    def real(self, targets: Any) -> Any:
        return ops.not_equal(targets, PAD)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Nats of every position, in the shape of `y_true`."""
        if not self.label_smoothing:
            return ops.sparse_categorical_crossentropy(y_true, y_pred, from_logits=True)
        spread = self.label_smoothing / y_pred.shape[-1]
        targets = ops.one_hot(y_true, y_pred.shape[-1], dtype="float32") * (1 - self.label_smoothing) + spread
        return ops.categorical_crossentropy(targets, y_pred, from_logits=True)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "label_smoothing": self.label_smoothing}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "TokenCrossentropy":
        config = dict(config)
        if "smoothing" in config:  # its name in version 0.1
            config["label_smoothing"] = config.pop("smoothing")
        return cls(**config)


@keras.saving.register_keras_serializable("zoo")
class StepCrossentropy(_SequenceLoss):
    """Cross-entropy of one label per step in nats, from probabilities; labels below 0, as of padding, do not count."""

    def __init__(self, name: str = "step_crossentropy", **kwargs: Any) -> None:
        super().__init__(name=name, **kwargs)

    def real(self, targets: Any) -> Any:
        return targets >= 0

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Nats of every step, in the shape of `y_true`."""
        return ops.sparse_categorical_crossentropy(ops.maximum(y_true, 0), y_pred)


@keras.saving.register_keras_serializable("zoo")
class LabeledCrossentropy(keras.losses.Loss):
    """Cross-entropy in nats, from probabilities, over the rows that have a label; for batches with unlabeled rows.

    Args:
        name: Name of the loss.
    """

    def __init__(self, name: str = "labeled_crossentropy", **kwargs: Any) -> None:
        super().__init__(name=name, **kwargs)

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """Computes the loss.

        Args:
            y_true: A probability for each label, `(batch, labels)`; all 0 in a row without a label.
            y_pred: The model's probabilities, `(batch, labels)`.
            sample_weight: Weight of each row, `(batch,)` or `(batch, 1)`.

        Returns:
            A scalar: nats per labeled row; 0 if there is none.
        """
        targets = ops.cast(y_true, "float32")
        weights = ops.sum(targets, axis=-1)  # 1 or 0
        if sample_weight is not None:
            weights = weights * ops.reshape(ops.cast(sample_weight, "float32"), (-1,))
        return ops.sum(weights * self.call(targets, y_pred)) / ops.maximum(ops.sum(weights), keras.config.epsilon())

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Nats of each row, `(batch,)`."""
        return ops.categorical_crossentropy(y_true, ops.cast(y_pred, "float32"))


@keras.saving.register_keras_serializable("zoo")
class PolicyGradient(keras.losses.Loss):
    """Policy-gradient loss (REINFORCE with a baseline) of sampled token sequences, each weighted by its advantage.

    Source: Williams, "Simple Statistical Gradient-Following Algorithms for Connectionist Reinforcement Learning"
    (1992), REINFORCE with a baseline. The number itself says nothing: it is near 0 whatever was learned.

    Args:
        temperature: Softmax temperature at which the sequences were sampled.
        name: Name of the loss.

    Raises:
        ValueError: If the temperature is not above 0.
    """

    def __init__(self, temperature: float = 1.0, name: str = "policy_gradient", **kwargs: Any) -> None:
        super().__init__(name=name, **kwargs)
        if temperature <= 0:
            raise ValueError(f"temperature must be above 0; got {temperature}.")
        self.temperature = temperature

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """Computes the loss.

        Args:
            y_true: Sampled token ids `(batch, samples, time)`; 0 is padding and does not count.
            y_pred: Logits, the shape of `y_true` with the vocabulary as last axis.
            sample_weight: `(batch, samples)`, of any sign: how much better a sample is than expected.

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
class StepAccuracy(keras.metrics.MeanMetricWrapper):
    """Fraction of steps whose most probable label is right; labels below 0 do not count."""

    def __init__(self, name: str = "accuracy", dtype: Any = None) -> None:
        super().__init__(_right, name=name, dtype=dtype)

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        targets = ops.cast(y_true, "int32")
        weights = ops.cast(targets >= 0, "float32") * step_weights(sample_weight, targets)
        return super().update_state(targets, y_pred, weights)

    def get_config(self) -> dict[str, Any]:
        return {"name": self.name, "dtype": self.dtype}


def _right(labels: Any, probabilities: Any) -> Any:
    return ops.cast(ops.equal(labels, ops.cast(ops.argmax(probabilities, axis=-1), "int32")), "float32")
