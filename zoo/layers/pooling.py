"""From one vector per time step to one vector per sequence. Padding never changes the answer."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from zoo import engine
from zoo.layers.explicit_mask import ExplicitMask
from zoo.names import look_up

KINDS = {
    "last": "the last real step",
    "mean": "the mean over real steps",
    "max": "the largest value of each feature over real steps",
    "attention": "a weighted mean whose weights are learned (Yang et al. 2016, equations 5 to 7)",
}


@keras.saving.register_keras_serializable("zoo")
class Pooling(ExplicitMask):
    """Pools a sequence over time in one or several ways and concatenates the results.

    A sequence without any real step gives zeros.

    Args:
        kinds: One of, or a list of `"last"`, `"mean"`, `"max"`, `"attention"`.

    Raises:
        ValueError: If there is no kind.
        UserError: If a kind is unknown; names the nearest.
    """

    def __init__(self, kinds: str | Sequence[str] = ("mean", "max"), **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.kinds = [kinds] if isinstance(kinds, str) else list(kinds)
        if not self.kinds:
            raise ValueError(f"Pooling needs at least one of: {', '.join(KINDS)}.")
        for kind in self.kinds:
            look_up(KINDS, kind, "pooling over time")

    def build(self, input_shape: tuple) -> None:
        if "attention" in self.kinds:
            features = input_shape[-1]
            self.kernel = self.add_weight((features, features), "glorot_uniform", name="kernel")
            self.bias = self.add_weight((features,), "zeros", name="bias")
            self.context = self.add_weight((features, 1), "glorot_uniform", name="context")

    def call(self, sequence: Any, mask: Any | None = None, training: bool | None = None) -> Any:
        """Pools.

        Args:
            sequence: `(batch, time, features)`.
            mask: `(batch, time)`, True = real; padding may stand anywhere.
            training: Whether gradients are going to be asked for.

        Returns:
            `(batch, features * len(kinds))`.
        """
        given = mask
        if mask is None:
            mask = ops.ones(ops.shape(sequence)[:2], "bool")
        real = ops.cast(mask, sequence.dtype)[:, :, None]  # (batch, time, 1)
        some = ops.max(real, axis=1)  # (batch, 1): 0 if nothing is real
        pooled = [
            engine.max_over_time(sequence, given, training)
            if kind == "max"
            else getattr(self, f"_{kind}")(sequence, real)
            for kind in self.kinds
        ]
        return ops.concatenate([each * some for each in pooled], axis=-1)

    def _last(self, sequence: Any, real: Any) -> Any:
        time = ops.arange(ops.shape(real)[1], dtype="int32")[None, :, None]
        index = ops.max(ops.where(real > 0, time, 0), axis=1)  # (batch, 1)
        return ops.squeeze(ops.take_along_axis(sequence, index[:, :, None], axis=1), axis=1)

    def _mean(self, sequence: Any, real: Any) -> Any:
        # Counted in float32: half precision cannot count beyond 2048.
        count = ops.sum(ops.cast(real, "float32"), axis=1)
        total = ops.sum(ops.cast(sequence * real, "float32"), axis=1)
        return ops.cast(total / ops.maximum(count, 1.0), sequence.dtype)

    def _attention(self, sequence: Any, real: Any) -> Any:
        hidden = ops.tanh(ops.matmul(sequence, self.kernel) + self.bias)
        scores = ops.matmul(hidden, self.context)  # (batch, time, 1)
        weights = ops.softmax(ops.where(real > 0, scores, _lowest(scores)), axis=1)
        return ops.sum(sequence * weights, axis=1)

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        return input_shape[0], input_shape[-1] * len(self.kinds)


def _lowest(tensor: Any) -> Any:
    """A number below all others that is finite in every float format, so that it never becomes NaN."""
    return ops.cast(-6e4, tensor.dtype)
