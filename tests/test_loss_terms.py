"""Further terms of the loss: against finite differences and numpy, and in whole training steps."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
from keras import ops

from zoo import builders, loss_terms, optimizers
from zoo.errors import UserError
from zoo.settings import TrainConfig

TOKENS = np.array([[4, 5, 6, 7], [8, 9, 0, 0], [6, 4, 8, 0]], "int32")
LABELS = np.array([0, 1, 1])


def classifier(**settings: Any) -> Any:
    keras.utils.set_random_seed(1)
    # A mean is smooth, a maximum is not: finite differences need that.
    return builders.classifier(12, 2, "gru", 4, embedding_dim=3, pooling="mean", **settings)


def batch_of(model: Any, epsilon: float = 0.1, weights: Any = None, **terms: float) -> loss_terms.Batch:
    """A batch after its first pass, as a training step makes it."""
    loss_terms.attach(model, TrainConfig(perturbation=epsilon, **{"adversarial": 1.0, **terms}))
    return loss_terms.Batch(model, TOKENS, LABELS, model(TOKENS, training=True), weights, model.extra_loss)


def number(value: Any) -> float:
    return float(ops.convert_to_numpy(value))


def test_without_a_term_the_loss_is_the_plain_one() -> None:
    model = classifier()
    loss_terms.attach(model, TrainConfig())
    answers = model(TOKENS, training=True)
    assert model.extra_loss is None
    assert number(model.compute_loss(TOKENS, LABELS, answers)) == number(model.plain_loss(LABELS, answers))


def test_the_adversarial_gradient_is_that_of_finite_differences() -> None:
    batch = batch_of(classifier())
    still = [ops.zeros_like(each) for each in batch.vectors()]
    (found,) = batch.gradient(lambda shifts: batch.loss(batch.again(shifts)), still)
    found = ops.convert_to_numpy(found)
    assert not found[1, 2:].any(), "nothing depends on padding"
    for place in [(0, 0, 1), (0, 3, 2), (1, 1, 0), (2, 2, 1)]:
        step = np.zeros(found.shape, "float32")
        step[place] = 1e-2
        up, down = (number(batch.loss(batch.again([ops.convert_to_tensor(sign * step)]))) for sign in (1, -1))
        assert found[place] == pytest.approx((up - down) / 2e-2, rel=2e-2, abs=2e-5)


def test_perturbations_have_the_norm_of_the_recipe_for_each_sequence() -> None:
    batch = batch_of(classifier(), epsilon=0.3)
    random = np.random.default_rng(0).normal(size=(3, 4, 3)).astype("float32")
    (moved,) = batch.scaled([ops.convert_to_tensor(random)], 0.3)
    lengths = np.sqrt(np.square(ops.convert_to_numpy(moved)).sum(axis=(1, 2)))
    sizes = np.sqrt(np.square(ops.convert_to_numpy(batch.vectors()[0])).sum(axis=(1, 2)))
    np.testing.assert_allclose(lengths, 0.3 * sizes, rtol=1e-5)


def test_an_adversarial_step_hurts_more_than_any_random_one() -> None:
    batch = batch_of(classifier(), epsilon=0.3)
    worst = number(loss_terms.adversarial(batch))
    rng = np.random.default_rng(0)
    tried = []
    for _ in range(20):
        direction = ops.convert_to_tensor(rng.normal(size=(3, 4, 3)).astype("float32"))
        tried.append(number(batch.loss(batch.again(batch.scaled([direction], 0.3)))))
    assert worst > max(tried)


def test_a_virtual_adversarial_step_changes_answers_more_than_random_ones() -> None:
    batch = batch_of(classifier(), epsilon=0.3)
    found = number(loss_terms.virtual_adversarial(batch))
    before, rng, tried = batch.log_probabilities(batch.y_pred), np.random.default_rng(0), []
    for _ in range(20):
        direction = ops.convert_to_tensor(rng.normal(size=(3, 4, 3)).astype("float32"))
        after = batch.log_probabilities(batch.again(batch.scaled([direction], 0.3)))
        tried.append(number(batch.divergence(before, after)))
    assert found > np.mean(tried)
    assert found > 0


def test_entropy_and_divergence_are_those_of_numpy() -> None:
    weights = np.array([1.0, 0.0, 1.0], "float32")
    batch = batch_of(classifier(), weights=weights)
    p = ops.convert_to_numpy(batch.y_pred)
    expected = -(p * np.log(p)).sum(axis=1)
    assert number(loss_terms.entropy(batch)) == pytest.approx((expected[0] + expected[2]) / 2, rel=1e-5)
    q = np.array([[0.5, 0.5], [0.1, 0.9], [0.25, 0.75]], "float32")
    divergences = (p * np.log(p / q)).sum(axis=1)
    found = batch.divergence(batch.log_probabilities(p), batch.log_probabilities(q))
    assert number(found) == pytest.approx((divergences[0] + divergences[2]) / 2, rel=1e-4)


def test_passes_agree_without_dropout_and_differ_with_it() -> None:
    assert number(loss_terms.r_drop(batch_of(classifier()))) == pytest.approx(0, abs=1e-9)
    assert number(loss_terms.r_drop(batch_of(classifier(dropout=0.5)))) > 1e-5


def test_distillation_is_the_divergence_from_the_mean_of_the_teachers() -> None:
    model, teachers = classifier(), []
    for seed in (2, 3):
        keras.utils.set_random_seed(seed)
        teachers.append(builders.classifier(12, 2, "lstm", 3, embedding_dim=5))  # another network, the same answers
    loss_terms.attach(model, TrainConfig(teachers="two", distillation=0.5), teachers)
    weights = np.array([1.0, 0.0, 1.0], "float32")
    answers = model(TOKENS, training=True)
    found = number(model.compute_loss(TOKENS, LABELS, answers, weights))
    p = ops.convert_to_numpy(answers)
    q = np.mean([ops.convert_to_numpy(teacher(TOKENS)) for teacher in teachers], axis=0)
    divergences = (q * np.log(q / p)).sum(axis=1)
    plain = number(model.plain_loss(LABELS, answers, weights))
    assert found == pytest.approx(plain + 0.5 * (divergences[0] + divergences[2]) / 2, rel=1e-5)
    loss_terms.attach(model, TrainConfig())
    assert number(model.compute_loss(TOKENS, LABELS, answers, weights)) == plain


def test_a_teacher_of_characters_carries_its_own_state() -> None:
    keras.utils.set_random_seed(1)
    model = builders.language_model(9, "gru", 3, streams=2)
    teacher = builders.language_model(9, "lstm", 5, num_layers=2)
    teacher(np.ones((1, 2), "int32"))
    loss_terms.attach(model, TrainConfig(teachers="one", distillation=2.0), [teacher])
    tokens = np.array([[4, 5, 6, 7, 8, 4], [5, 5, 7, 4, 6, 8]], "int32")
    y = np.roll(tokens, -1, axis=1)
    states = teacher.begin(2)
    for start, begins in ((0, [True, True]), (2, [False, False]), (4, [False, True])):
        x = (tokens[:, start : start + 2], np.array(begins))
        labels = y[:, start : start + 2].copy()
        labels[0, 1] = 0  # padding does not count
        logits = model(x, training=True)
        found = number(model.compute_loss(x, labels, logits))
        states = [[state * (1 - np.array(begins, "float32"))[:, None] for state in layer] for layer in states]
        answers, states = teacher.read(x[0], states)
        q, p = (ops.convert_to_numpy(ops.softmax(each)) for each in (answers, logits))
        divergence = (q * np.log(q / p)).sum(axis=-1)[labels != 0].mean()
        assert found == pytest.approx(number(model.plain_loss(labels, logits)) + 2 * divergence, rel=1e-5)


def test_the_loss_of_a_step_is_the_weighted_sum() -> None:
    model = classifier()
    loss_terms.attach(model, TrainConfig(entropy_minimization=0.5, adversarial=2.0, perturbation=0.1))
    answers = model(TOKENS, training=True)
    whole = number(model.compute_loss(TOKENS, LABELS, answers))
    model(TOKENS, training=True)  # the layers forget what they recorded after each step
    batch = loss_terms.Batch(model, TOKENS, LABELS, answers, None, model.extra_loss)
    parts = number(batch.loss(answers)) + 0.5 * number(loss_terms.entropy(batch))
    assert whole == pytest.approx(parts + 2 * number(loss_terms.adversarial(batch)), rel=1e-5)
    assert number(model.compute_loss(TOKENS, LABELS, answers, training=False)) == pytest.approx(
        number(batch.loss(answers))
    )


EVERY = {"adversarial": 1.0, "virtual_adversarial": 1.0, "entropy_minimization": 0.1, "r_drop": 1.0}
SOURCE = np.array([[4, 5, 6], [7, 8, 0]], "int32")
TARGET = np.array([[2, 5, 6, 3], [2, 8, 3, 0]], "int32")
MODELS = {
    "classifier": (lambda: classifier(dropout=0.1), TOKENS, LABELS),
    "tagger": (
        lambda: builders.tagger(3, "gru", 4, vocabulary_size=12, embedding_dim=3, dropout=0.1),
        TOKENS,
        np.where(TOKENS > 0, 1, -1),
    ),
    # One embedding for both sides is called twice in a pass, here with sequences of two lengths.
    "translator": (
        lambda: builders.translator(12, 12, "gru", 4, embedding_dim=3, share_embeddings=True, scheduled_sampling=0.2),
        (SOURCE[:, :2], TARGET[:, :-1]),
        TARGET[:, 1:],
    ),
}


@pytest.mark.parametrize("kind", MODELS)
def test_every_term_trains_every_kind_of_model(kind: str) -> None:
    build, x, y = MODELS[kind]
    keras.utils.set_random_seed(1)
    model = build()
    recipe = TrainConfig(perturbation=0.05, learning_rate=0.02, schedule="constant", **EVERY)
    optimizers.compile(model, recipe, len(y), loss=model.loss)
    teacher = build()
    loss_terms.attach(model, recipe, [teacher])
    before = teacher.get_weights()
    losses = model.fit(x, y, epochs=12, batch_size=len(y), verbose=0).history["loss"]
    assert np.isfinite(losses).all()
    assert losses[-1] < losses[0]
    assert all(np.array_equal(*pair) for pair in zip(before, teacher.get_weights(), strict=True))
    assert not any(layer.perturbation.recorded or layer.perturbation.shifts for layer in model.extra_loss.embeddings)


def test_models_that_cannot_are_refused() -> None:
    with pytest.raises(UserError, match="r_drop: it carries its state"):
        loss_terms.attach(builders.language_model(12, "gru", 4), TrainConfig(r_drop=1.0, entropy_minimization=1.0))
    with pytest.raises(UserError, match="entropy: its outputs are losses already"):
        loss_terms.attach(builders.pretrainer(12, "gru", 4), TrainConfig(entropy_minimization=1.0))
    with pytest.raises(UserError, match="vectors of words"):
        loss_terms.attach(builders.tagger(3, "gru", 4, feature_dim=2), TrainConfig(adversarial=1.0))


CARRIED = """
import keras, numpy as np
from zoo import builders, loss_terms, losses, optimizers
from zoo.settings import TrainConfig
student, teacher = builders.language_model(9, "gru", 3, streams=2), builders.language_model(9, "lstm", 5)
teacher(np.ones((1, 2), "int32"))
recipe = TrainConfig(teachers="one")
optimizers.compile(student, recipe, 2, loss=losses.TokenCrossentropy())
loss_terms.attach(student, recipe, [teacher])
tokens = np.array([[4, 5, 6, 7], [8, 4, 5, 5]], "int32")
batches = [((tokens[:, i : i + 2], np.full(2, i == 0)), tokens[:, i : i + 2]) for i in (0, 2)]
student.fit((batch for batch in batches), steps_per_epoch=2, shuffle=False, verbose=0)
_, expected = teacher.read(tokens, teacher.begin(2))
for variable, state in zip(student.extra_loss.variables, expected[0], strict=True):
    np.testing.assert_allclose(keras.ops.convert_to_numpy(variable), keras.ops.convert_to_numpy(state), atol=1e-5)
print(keras.backend.backend(), len(expected[0]))
"""


@pytest.mark.parametrize("backend", ["tensorflow", "jax"])
def test_a_teacher_s_state_outlives_a_compiled_step(backend: str, run_on: Callable) -> None:
    assert run_on(backend, CARRIED) == [backend, "2"]
