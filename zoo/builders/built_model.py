"""What our models share: built and compiled by their builder, weights per class at every step, signatures of export."""

import functools
import inspect
from collections.abc import Callable, Mapping
from typing import Any, ParamSpec, TypeVar

import keras
import numpy as np
from keras import ops

from zoo import losses
from zoo.builders.compiled import Recompiled, compile_default
from zoo.errors import UserError
from zoo.ids import PAD
from zoo.serialization import Configured


class BuiltModel(Configured, Recompiled, keras.Model):
    """A model whose layers all have known sizes, so that it is built before it reads anything.

    A subclass defines `build(input_shape=None)`, `default_loss` and, if it likes, `default_metrics`.
    """

    built: bool
    target_rank = 2
    """Axes of a batch of targets: `(batch, time)`."""

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Any:
        model = super().from_config(config, custom_objects)
        model.build_if_known()
        return model

    def build_if_known(self) -> None:
        """Builds the model; one whose sizes are not known yet waits for its first batch."""
        if not self.built:
            self.build()

    def default_loss(self) -> Any:
        """The loss that fits the output."""
        raise NotImplementedError

    def default_metrics(self) -> list[Any]:
        """Metrics that fit the output."""
        return []

    def compile_default(self) -> None:
        """Compiles with Adam, the loss and the metrics that fit the output; `compile` may be called again."""
        compile_default(self, self.default_loss(), self.default_metrics())

    @property
    def input_signature(self) -> list[Any] | None:
        """The `keras.InputSpec` of what `call` takes, for `export`; None where that is not known."""
        return None

    def export(self, filepath: Any, *args: Any, input_signature: Any = None, **kwargs: Any) -> Any:
        """`keras.Model.export`, where ids are integers and lengths are free unless `input_signature` says otherwise."""
        return super().export(filepath, *args, input_signature=input_signature or self.input_signature, **kwargs)

    def fit(self, x: Any = None, y: Any = None, *args: Any, **kwargs: Any) -> Any:
        """`keras.Model.fit`; `class_weight` counts at every step by the target of that step."""
        return super().fit(x, y, *args, **self._step_weights(y, kwargs))

    def train_on_batch(self, x: Any, y: Any = None, *args: Any, **kwargs: Any) -> Any:
        """`keras.Model.train_on_batch`; `class_weight` counts at every step by the target of that step."""
        return super().train_on_batch(x, y, *args, **self._step_weights(y, kwargs))

    def _step_weights(self, targets: Any, options: dict[str, Any]) -> dict[str, Any]:
        """The options of `fit` with `class_weight` as weights of steps: Keras would take the largest id over time."""
        weights = options.pop("class_weight", None)
        if weights is None:
            return options
        if targets is None or (not hasattr(targets, "shape") and not isinstance(targets, (list, tuple))):
            raise UserError(
                f"class_weight needs the targets of {type(self).__name__} as an array; got {type(targets).__name__}. "
                "With a data set, let it give weights of shape (batch, time) as a third part."
            )
        labels = np.asarray(targets)
        labels = labels.argmax(axis=-1) if labels.ndim > self.target_rank else labels
        steps = class_weights(labels, weights)
        rows = options.get("sample_weight")
        if rows is not None:
            rows = np.asarray(rows)
            steps = steps * rows.reshape(rows.shape + (1,) * (steps.ndim - rows.ndim))
        return {**options, "sample_weight": steps}


class TokenModel(BuiltModel):
    """A model whose outputs are logits of tokens; steps whose target is padding do not count."""

    outputs_logits = True

    def default_loss(self) -> Any:
        return losses.TokenCrossentropy()

    def output_weights(self, y: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """Real tokens count."""
        return super().output_weights(y, y_pred, sample_weight) * ops.cast(ops.not_equal(y, PAD), "float32")


def class_weights(labels: np.ndarray, weights: Mapping[int, float]) -> np.ndarray:
    """The weight of each label, 1 where `weights` has none; those below 0 are not asked for and do not count anyway."""
    result = np.ones(labels.shape, "float32")
    for label, weight in weights.items():
        result[labels == label] = weight
    return result


P = ParamSpec("P")
M = TypeVar("M", bound=BuiltModel)


def builder(cls: Callable[P, M], name: str) -> Callable[P, M]:
    """The builder of a model: its constructor, with the same arguments, that also builds and compiles."""

    def build(*args: P.args, **kwargs: P.kwargs) -> M:
        model = cls(*args, **kwargs)
        model.build_if_known()
        model.compile_default()
        return model

    functools.update_wrapper(build, cls, updated=())
    build.__name__ = build.__qualname__ = name
    build.__signature__ = inspect.signature(cls)  # type: ignore[attr-defined]
    return build
