"""From a recipe to an optimizer: Adam, its learning-rate schedule, averaged weights."""

import math
from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from zoo import engine
from zoo.settings import TrainConfig


@keras.saving.register_keras_serializable("zoo")
class WarmupDecay(keras.optimizers.schedules.LearningRateSchedule):
    """A learning rate that rises linearly, then falls to zero.

    Args:
        peak: The largest learning rate.
        steps: Training steps in all; later steps keep the last value.
        kind: `"constant"`, `"linear"` or `"cosine"`.
        warmup: Fraction of `steps` in which the rate rises from zero to `peak`.
    """

    def __init__(self, peak: float, steps: int, kind: str = "linear", warmup: float = 0.0) -> None:
        super().__init__()
        self.peak, self.steps, self.kind, self.warmup = peak, steps, kind, warmup

    def __call__(self, step: Any) -> Any:
        done = ops.minimum(ops.cast(step, "float32") / max(self.steps, 1), 1.0)
        rise = ops.minimum((done + 1.0 / max(self.steps, 1)) / max(self.warmup, 1e-8), 1.0)
        after = 1.0 - self.warmup
        left = (1.0 - ops.maximum(done, self.warmup)) / after if after else ops.ones_like(done)
        fall = {"constant": ops.ones_like(left), "linear": left, "cosine": 0.5 - 0.5 * ops.cos(math.pi * left)}
        return self.peak * rise * fall[self.kind]

    def get_config(self) -> dict[str, Any]:
        return {"peak": self.peak, "steps": self.steps, "kind": self.kind, "warmup": self.warmup}


@keras.saving.register_keras_serializable("zoo")
class AveragingAdamW(keras.optimizers.AdamW):
    """AdamW that keeps an exponential average of the weights beside them.

    Keras writes the average over the weights whenever `fit` ends. Here a training calls `fit` once an epoch, so
    that must wait until `write_average` is called.
    """

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """Updates one variable; on a CPU in one pass over its numbers where the backend has that."""
        index = self._get_variable_index(variable)
        moments, betas = (self._momentums[index], self._velocities[index]), (self.beta_1, self.beta_2)
        step = self.iterations + 1
        if self.amsgrad or not engine.adam(variable, *moments, gradient, learning_rate, betas, self.epsilon, step):
            super().update_step(gradient, variable, learning_rate)

    def finalize_variable_values(self, var_list: Sequence[Any]) -> None:
        """Does nothing; `write_average` writes the averages instead.

        Keras would write them over the weights at the end of each `fit`.
        """

    def write_average(self, var_list: Sequence[Any]) -> None:
        """Overwrites the variables of `var_list` with their averages; does nothing without `use_ema`."""
        super().finalize_variable_values(var_list)
        for variable in var_list if self.use_ema else ():
            # JAX would give both the same buffer, and lose the average when the next step gives it away.
            variable.assign(ops.copy(variable))


def write_average(model: keras.Model) -> None:
    """Overwrites a model's weights with their averages, if its optimizer keeps some."""
    # In mixed_float16, Keras puts an optimizer around ours that scales the loss.
    optimizer = getattr(model.optimizer, "inner_optimizer", model.optimizer)
    optimizer.write_average(model.trainable_variables)


def compile(model: keras.Model, recipe: TrainConfig, examples: int, **options: Any) -> None:
    """`model.compile` with the recipe's optimizer.

    XLA compiles on JAX only: in TensorFlow its loops are slower on a CPU, and it shuts cuDNN's kernels out.

    Args:
        model: Any Keras model.
        recipe: See `from_recipe`.
        examples: Training examples per epoch.
        **options: Loss, metrics and whatever else `keras.Model.compile` takes.
    """
    jit = keras.backend.backend() != "tensorflow"
    options.setdefault("metrics", [])  # with None, Keras keeps the metrics that the builder compiled
    model.compile(optimizer=from_recipe(recipe, examples), jit_compile=jit, **options)


def from_recipe(recipe: TrainConfig, examples: int) -> AveragingAdamW:
    """The optimizer of a recipe.

    Args:
        recipe: Its learning rate, schedule, clipping, decay and averaging are used.
        examples: Training examples per epoch: the schedule needs to know where the end is.
    """
    steps = recipe.epochs * math.ceil(examples / recipe.batch_size)
    return AveragingAdamW(
        WarmupDecay(recipe.learning_rate, steps, recipe.schedule, recipe.warmup),
        weight_decay=recipe.weight_decay,
        global_clipnorm=recipe.clip_norm or None,
        use_ema=recipe.ema_momentum > 0,
        ema_momentum=recipe.ema_momentum or 0.99,
    )
