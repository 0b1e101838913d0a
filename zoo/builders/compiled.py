"""Models that a builder compiles, and that can be compiled anew; functional ones that keep their precision."""

from collections.abc import Callable
from typing import Any

import keras
from keras import ops

LEARNING_RATE = 1e-3
"""Learning rate of Adam, Keras's default."""


class Recompiled:
    """Part of a model that forgets its old metrics when it is compiled anew: Keras keeps them where none are given.

    Attributes:
        extra_loss: What a training adds to the loss, see `zoo.loss_terms`; nothing of it is saved with the model.
        outputs_logits: Whether the model's outputs are logits, and not probabilities.
        no_extra_loss: Why the model can have none; empty if it can.
        no_second_pass: Why a training step cannot read a batch twice, as some of these terms do; empty if it can.
    """

    extra_loss: Any = None
    outputs_logits = False
    no_extra_loss = ""
    no_second_pass = ""

    def compile(self, optimizer: Any = "rmsprop", loss: Any = None, *args: Any, **kwargs: Any) -> None:
        """`keras.Model.compile`."""
        given = len(args) > 1 or kwargs.get("metrics") is not None  # the second after the loss
        options = kwargs if given else {**kwargs, "metrics": []}
        super().compile(optimizer, loss, *args, **options)  # type: ignore[misc]

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """`keras.Model.__call__`."""
        if self.extra_loss is not None:
            self.extra_loss.begin()
        return super().__call__(*args, **kwargs)  # type: ignore[misc]

    def compute_loss(
        self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, training: bool = True
    ) -> Any:
        """`keras.Model.compute_loss` and, in training, the model's `extra_loss`."""
        loss = self.plain_loss(y, y_pred, sample_weight)
        if not training or self.extra_loss is None:
            return loss
        return loss + self.extra_loss(self, x, y, y_pred, sample_weight)

    def plain_loss(self, y: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """The loss that the model was compiled with, of targets and outputs."""
        return super().compute_loss(None, y, y_pred, sample_weight)  # type: ignore[misc]

    def output_weights(self, y: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """How much each distribution of the output counts, `y_pred`'s shape without the last axis."""
        weights = ops.ones(ops.shape(y_pred)[:-1])
        if sample_weight is None:
            return weights
        rows = ops.cast(sample_weight, "float32")
        return weights * ops.reshape(rows, (*ops.shape(rows), *[1] * (len(y_pred.shape) - 1 - len(rows.shape))))

    def as_teacher(self, student: Any) -> tuple[Callable[[Any], Any], list[keras.Variable]]:
        """What gives this model's outputs for the batches of a student in training, and variables that it changes."""
        return lambda x: self(x, training=False), []

    @property
    def non_trainable_variables(self) -> list[Any]:
        """Those of Keras, and those of teachers that a training step changes: JAX has to know of them."""
        own = super().non_trainable_variables  # type: ignore[misc]
        return own if self.extra_loss is None else [*own, *self.extra_loss.variables]

    def get_compile_config(self: Any) -> dict[str, Any] | None:
        """Also tells whether the optimizer has variables: it has none before the first batch."""
        config = super().get_compile_config()  # type: ignore[misc]
        return config and {**config, "optimizer_built": bool(self.optimizer and self.optimizer.built)}

    def compile_from_config(self: Any, config: dict[str, Any]) -> None:
        """Compiles as a saved model was: Keras calls no `compile` that is a class's own."""
        config = dict(config)
        optimizer_built = config.pop("optimizer_built", True)
        self.compile(**keras.saving.deserialize_keras_object(config))
        if self.optimizer is not None and self.built and optimizer_built:
            self.optimizer.build(self.trainable_variables)


@keras.saving.register_keras_serializable("zoo")
class FunctionalModel(Recompiled, keras.Model):
    """A functional model that keeps its own precision policy in its config, and that of its inputs.

    In plain Keras, a functional model gets the global policy when it is loaded, whatever its layers have. Its own one
    decides whether an optimizer scales the loss.

    Args:
        inputs: As `keras.Model` takes them.
        outputs: As `keras.Model` takes them.
        name: Name of the model.
        dtype: Precision policy; default that of its first layer, as for a clone, to which Keras tells none.
    """

    def __init__(self, inputs: Any, outputs: Any, name: str | None = None, *, dtype: Any = None, **kwargs: Any) -> None:
        super().__init__(inputs=inputs, outputs=outputs, name=name, **kwargs)
        set_policy(self, keras.dtype_policies.get(dtype or _policy_of_layers(self)))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "dtype": keras.dtype_policies.serialize(self.dtype_policy)}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Any:
        policy = keras.dtype_policies.deserialize(config["dtype"])
        graph = {name: value for name, value in config.items() if name != "dtype"}
        model = super().from_config(graph, custom_objects=custom_objects)
        set_policy(model, policy)
        return model


def set_policy(model: keras.Model, policy: Any) -> None:
    """Sets the precision policy of a functional model and its input layers; its other layers have their own."""
    model.dtype_policy = policy
    for layer in model.layers:
        if isinstance(layer, keras.layers.InputLayer):
            layer.dtype_policy = policy


def _policy_of_layers(model: keras.Model) -> Any:
    for layer in model.layers:
        if not isinstance(layer, keras.layers.InputLayer) and layer.dtype_policy.quantization_mode is None:
            return layer.dtype_policy
    return keras.config.dtype_policy()


def compile_default(model: keras.Model, loss: Any, metrics: list[Any]) -> None:
    """Compiles a model with Adam.

    XLA compiles on JAX only: on TensorFlow its loops are slower on a CPU, and it excludes cuDNN's kernels.
    """
    optimizer = keras.optimizers.Adam(LEARNING_RATE)
    model.compile(optimizer, loss, metrics=metrics, jit_compile=keras.backend.backend() != "tensorflow")
