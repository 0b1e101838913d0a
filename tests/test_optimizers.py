"""Learning rates by formula; averaged weights by a loop."""

import math
from collections.abc import Callable

import keras
import numpy as np
import pytest

from zoo.optimizers import AveragingAdamW, WarmupDecay, from_recipe
from zoo.settings import TrainConfig

FALL: dict[str, Callable[[float], float]] = {
    "constant": lambda left: 1.0,
    "linear": lambda left: left,
    "cosine": lambda left: (1 - math.cos(math.pi * left)) / 2,
}


def rate(step: int, **options: object) -> float:
    return float(WarmupDecay(2.0, 100, **options)(step))


@pytest.mark.parametrize("kind", FALL)
@pytest.mark.parametrize("step", [0, 1, 25, 50, 99, 100])
def test_decay_without_warmup(kind: str, step: int) -> None:
    assert rate(step, kind=kind) == pytest.approx(2 * FALL[kind](1 - step / 100), abs=1e-5)


@pytest.mark.parametrize("kind", FALL)
@pytest.mark.parametrize("step", [0, 9, 18, 19, 20, 60, 100])
def test_decay_with_warmup(kind: str, step: int) -> None:
    rise = min((step + 1) / 20, 1)  # the first step is not lost on a rate of zero
    left = (100 - max(step, 20)) / 80
    assert rate(step, kind=kind, warmup=0.2) == pytest.approx(2 * rise * FALL[kind](left), abs=1e-5)


def test_landmarks() -> None:
    assert rate(0, warmup=0.1) == pytest.approx(0.2)
    assert rate(10, warmup=0.1) == pytest.approx(2.0)
    assert rate(55, warmup=0.1) == pytest.approx(1.0)
    assert rate(100, warmup=0.1) == 0


@pytest.mark.parametrize("kind", FALL)
def test_later_steps_keep_the_last_value(kind: str) -> None:
    assert rate(1000, kind=kind) == rate(100, kind=kind)


@pytest.mark.parametrize("kind", FALL)
def test_a_warmup_of_all_steps_rises_to_the_peak(kind: str) -> None:
    assert rate(49, kind=kind, warmup=1.0) == pytest.approx(1.0)
    assert rate(99, kind=kind, warmup=1.0) == pytest.approx(2.0)


def test_decay_comes_back_from_its_config() -> None:
    decay = WarmupDecay(0.5, 40, "cosine", 0.25)
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(decay))
    assert type(again) is WarmupDecay
    assert again.get_config() == {"peak": 0.5, "steps": 40, "kind": "cosine", "warmup": 0.25}


def one_weight(optimizer: keras.optimizers.Optimizer) -> keras.Model:
    """y = w x with w = 2, whose gradient for target 0 is never zero on the way."""
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, use_bias=False)])
    model.set_weights([np.array([[2.0]])])
    model.compile(optimizer, "mse")
    return model


class Watch(keras.callbacks.Callback):
    """The weight after each step."""

    def on_train_begin(self, logs: dict | None = None) -> None:
        self.weights: list[float] = []

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        self.weights.append(float(self.model.get_weights()[0][0, 0]))


def test_fit_leaves_raw_weights_and_the_average_is_written_when_asked() -> None:
    model, watch = one_weight(AveragingAdamW(0.1, use_ema=True, ema_momentum=0.9)), Watch()
    model.fit(np.ones((3, 1)), np.zeros((3, 1)), batch_size=1, shuffle=False, verbose=0, callbacks=[watch])
    assert len(set(watch.weights)) == 3
    assert float(model.get_weights()[0][0, 0]) == watch.weights[-1]

    average = watch.weights[0]  # it starts where the first step ends
    for weight in watch.weights[1:]:
        average = 0.9 * average + 0.1 * weight
    model.optimizer.write_average(model.trainable_variables)
    assert float(model.get_weights()[0][0, 0]) == pytest.approx(average, rel=1e-6)
    assert average != pytest.approx(watch.weights[-1], rel=1e-3)


def test_without_averaging_nothing_is_written() -> None:
    model = one_weight(AveragingAdamW(0.1))
    model.fit(np.ones((2, 1)), np.zeros((2, 1)), batch_size=1, verbose=0)
    before = model.get_weights()[0]
    model.optimizer.write_average(model.trainable_variables)
    np.testing.assert_array_equal(model.get_weights()[0], before)


def test_from_recipe() -> None:
    recipe = TrainConfig(
        epochs=3, batch_size=10, learning_rate=0.5, schedule="cosine", warmup=0.1,
        clip_norm=2.0, weight_decay=0.01, ema_momentum=0.98,
    )  # fmt: skip
    optimizer = from_recipe(recipe, examples=95)
    assert optimizer._learning_rate.get_config() == {"peak": 0.5, "steps": 30, "kind": "cosine", "warmup": 0.1}
    assert (optimizer.global_clipnorm, optimizer.weight_decay) == (2.0, 0.01)
    assert (optimizer.use_ema, optimizer.ema_momentum) == (True, 0.98)


def test_from_recipe_zero_means_off() -> None:
    optimizer = from_recipe(TrainConfig(clip_norm=0.0, ema_momentum=0.0), examples=1)
    assert (optimizer.global_clipnorm, optimizer.use_ema) == (None, False)


@pytest.mark.parametrize(
    "options", [{}, {"weight_decay": 0.1, "global_clipnorm": 0.5, "use_ema": True}, {"amsgrad": True}]
)
def test_updates_are_those_of_keras(options: dict) -> None:
    """Also of an embedding, whose gradient has only rows of the tokens of the batch unless it is clipped."""
    tokens, labels = np.random.default_rng(0).integers(0, 9, (6, 4)), np.array([0, 1, 2, 0, 1, 2])
    weights = []
    for optimizer in (keras.optimizers.AdamW(0.05, **options), AveragingAdamW(0.05, **options)):
        keras.utils.set_random_seed(0)
        model = keras.Sequential([keras.layers.Embedding(12, 3), keras.layers.Flatten(), keras.layers.Dense(3)])
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile(optimizer, loss, jit_compile=False)  # as `zoo.optimizers.compile` does on TensorFlow
        for _ in range(5):
            model.train_on_batch(tokens, labels)
        weights.append([*model.get_weights(), *(np.asarray(value) for value in optimizer.variables)])
    for stock, ours in zip(*weights, strict=True):
        np.testing.assert_allclose(ours, stock, rtol=1e-4, atol=1e-5)
