"""Terms that a training adds to its loss, for every model and task: smoothness around the data, and consistency.

    loss = plain loss + adversarial * A + virtual_adversarial * V + entropy * E + r_drop * R + distillation * D

Each is off at 0, which costs nothing. `attach` connects them to a model; a `compute_loss` of Keras calls them in every
training step, on TensorFlow and JAX. What they need beyond one pass over the batch is in the table, in passes forward
and backward:

| term | passes | needs labels | reference |
|---|---|---|---|
| A, adversarial training | 2 | yes | Miyato, Dai and Goodfellow 2017, equations 1 to 6 |
| V, virtual adversarial training | 2 | no | the same, equations 7 and 8; Miyato et al. 2018, equation 15 |
| E, entropy minimization | 0 | no | Grandvalet and Bengio 2005, equation 6; Sachan et al. 2019, equation 3 |
| R, R-Drop | 1 | yes | Liang et al. 2021, equations 3 and 4 |
| D, distillation | teachers: forward | no | Hinton et al. 2015, section 2; Kim and Rush 2016, section 3.1 |

Perturbations are of word vectors v of a sequence, all together, and measured by their size: a norm of `epsilon` times
the Euclidean norm of v. Miyato et al. normalize all vectors so that a net cannot escape by growing them; a relative
norm does the same without changing the model.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any

import keras
from keras import ops

from zoo import engine
from zoo.errors import UserError
from zoo.layers import TokenEmbedding
from zoo.settings import TrainConfig

PROBE = 0.1
"""Norm of the random step from which the virtual adversarial direction is computed, as part of `epsilon`."""

TINY = 1e-12
"""Added to norms and probabilities: a gradient may be zero."""


def attach(model: keras.Model, recipe: TrainConfig, teachers: Sequence[keras.Model] = ()) -> None:
    """Gives a model the terms that a recipe asks for, and takes those of an earlier one away.

    Args:
        model: A model of `zoo.builders`.
        recipe: Its weights of the terms, and `perturbation`, are used.
        teachers: Models with the inputs and outputs of this one, from whose answers it learns.

    Raises:
        UserError: If the model cannot have such a term.
    """
    weights: dict[Callable[[Batch], Any], float] = {
        adversarial: recipe.adversarial,
        virtual_adversarial: recipe.virtual_adversarial,
        entropy: recipe.entropy_minimization,
        r_drop: recipe.r_drop,
    }
    taught = [teacher.as_teacher(model) for teacher in teachers]
    if taught:
        weights[Distillation([answer for answer, _ in taught])] = recipe.distillation
    terms = {term: weight for term, weight in weights.items() if weight}
    if not terms and getattr(model, "extra_loss", None) is None:
        return
    embeddings = [layer for layer in model._flatten_layers() if isinstance(layer, TokenEmbedding)]
    reason = getattr(model, "no_extra_loss", "it is not a model of zoo.builders")
    refused = list(terms)
    if not reason:
        reason, refused = model.no_second_pass, [term for term in terms if term in SECOND_PASS]
    if reason and refused:
        raise UserError(
            f"{type(model).__name__} does not take these terms of the loss, "
            f"{', '.join(term.__name__ for term in refused)}: {reason}. Leave them out."
        )
    if {adversarial, virtual_adversarial} & set(terms) and not embeddings:
        raise UserError("Adversarial terms of the loss perturb vectors of words, and this model reads none.")
    for layer in embeddings:
        layer.perturbation.records = bool({adversarial, virtual_adversarial} & set(terms))
    variables = [variable for _, changed in taught for variable in changed]
    model.extra_loss = ExtraLoss(embeddings, terms, recipe.perturbation, variables) if terms else None


class ExtraLoss:
    """The sum of the terms, as `compute_loss` of a model adds it.

    Args:
        embeddings: The layers that are perturbed.
        terms: Functions of this module with their weights.
        epsilon: Norm of a perturbation, as part of the norm of the vectors.
        variables: What the terms change besides the model: states that teachers carry.
    """

    def __init__(
        self,
        embeddings: Sequence[TokenEmbedding],
        terms: dict[Callable[..., Any], float],
        epsilon: float,
        variables: Sequence[keras.Variable] = (),
    ) -> None:
        self.embeddings, self.terms, self.epsilon = list(embeddings), dict(terms), epsilon
        self.variables = list(variables)

    def __call__(self, model: Any, x: Any, y: Any, y_pred: Any, sample_weight: Any) -> Any:
        """A scalar; the arguments are those of `keras.Model.compute_loss`."""
        batch = Batch(model, x, y, y_pred, sample_weight, self)
        return sum(weight * term(batch) for term, weight in self.terms.items())

    def begin(self) -> None:
        """Forgets the vectors of an earlier pass; a model calls it before each."""
        for layer in self.embeddings:
            if not layer.perturbation.shifts:
                layer.perturbation.take()


class Batch:
    """A batch with the model's first answer to it.

    Args:
        model: The model in training.
        x: Its inputs.
        y: Its targets.
        y_pred: Its outputs, computed with dropout.
        sample_weight: Weights of rows, or None.
        owner: Which layers are perturbed, and how much.
    """

    def __init__(self, model: Any, x: Any, y: Any, y_pred: Any, sample_weight: Any, owner: ExtraLoss) -> None:
        self.model, self.x, self.y, self.y_pred, self.sample_weight = model, x, y, y_pred, sample_weight
        self.epsilon, self.places = owner.epsilon, [layer.perturbation for layer in owner.embeddings]
        # A layer that reads source and target is called twice in a pass.
        self.calls = [place.take() for place in self.places]

    def vectors(self) -> list[Any]:
        """The vectors of the first pass, without a gradient: `(batch, time, embedding_dim)` of each call of a layer."""
        return [ops.cast(ops.stop_gradient(vectors), "float32") for calls in self.calls for vectors in calls]

    def again(self, shifts: Sequence[Any] = ()) -> Any:
        """The outputs of one more pass, with other dropout and with vectors moved by these tensors."""
        left = list(shifts)
        for place, calls in zip(self.places, self.calls, strict=True):
            place.take([left.pop(0) for _ in calls] if shifts else ())
        try:
            return self.model(self.x, training=True)
        finally:
            for place in self.places:
                place.take()

    def loss(self, y_pred: Any) -> Any:
        """The plain loss of outputs."""
        return self.model.plain_loss(self.y, y_pred, self.sample_weight)

    def mean(self, values: Any) -> Any:
        """The weighted mean of a number for each distribution of the output."""
        weights = self.model.output_weights(self.y, self.y_pred, self.sample_weight)
        return ops.sum(values * weights) / ops.maximum(ops.sum(weights), 1.0)

    def log_probabilities(self, y_pred: Any) -> Any:
        """Outputs as log-probabilities, float32."""
        y_pred = ops.cast(y_pred, "float32")
        return ops.log_softmax(y_pred) if self.model.outputs_logits else ops.log(y_pred + TINY)

    def divergence(self, p: Any, q: Any) -> Any:
        """The mean Kullback-Leibler divergence KL(p || q) of log-probabilities."""
        return self.mean(ops.sum(ops.exp(p) * (p - q), axis=-1))

    def scaled(self, directions: Sequence[Any], size: float) -> list[Any]:
        """Directions with a norm of `size` times that of the vectors, for each sequence by itself."""
        return [
            size * _norm(vectors) * direction / (_norm(direction) + TINY)
            for vectors, direction in zip(self.vectors(), directions, strict=True)
        ]

    def gradient(self, function: Callable[[Any], Any], point: Sequence[Any]) -> list[Any]:
        """The gradient of a function of shifts, through which no other gradient flows."""
        # Without this, the gradient of the whole step would be asked to go through this one.
        point = [ops.stop_gradient(each) for each in point]
        found = engine.gradient(function, point, _variables(self.model))
        return [ops.stop_gradient(each) for each in found]


def adversarial(batch: Batch) -> Any:
    """The loss where a small step of the word vectors makes it largest: L(v + r), r = epsilon |v| g / |g|.

    g is the gradient of the loss by v (Miyato et al. 2017, equation 5, and 4 with labels).
    """
    still = [ops.zeros_like(each) for each in batch.vectors()]
    gradient = batch.gradient(lambda shifts: batch.loss(batch.again(shifts)), still)
    return batch.loss(batch.again(batch.scaled(gradient, batch.epsilon)))


def virtual_adversarial(batch: Batch) -> Any:
    """How much a small step of the word vectors changes the answer at most: KL(p(v) || p(v + r)), labels unused.

    r has the direction in which the divergence grows fastest, found by one step of power iteration from a random one
    (Miyato et al. 2017, equation 8 and the text after it).
    """
    before = ops.stop_gradient(batch.log_probabilities(batch.y_pred))

    def change(shifts: Any) -> Any:
        return batch.divergence(before, batch.log_probabilities(batch.again(shifts)))

    random = [keras.random.normal(ops.shape(each), seed=_seed(batch.model)) for each in batch.vectors()]
    gradient = batch.gradient(change, batch.scaled(random, PROBE * batch.epsilon))
    return change(batch.scaled(gradient, batch.epsilon))


def entropy(batch: Batch) -> Any:
    """The entropy of the answers: without a label, a net is still asked to be sure (Grandvalet and Bengio 2005)."""
    logs = batch.log_probabilities(batch.y_pred)
    return batch.mean(-ops.sum(ops.exp(logs) * logs, axis=-1))


def r_drop(batch: Batch) -> Any:
    """Two passes with different dropout shall agree: half of KL(p || q) + KL(q || p) (Liang et al. 2021, equation 3).

    They learn from the labels in both passes (equation 4); here only the first does, whose gradient is the same in
    expectation. So alpha of the paper is twice the weight of this term.
    """
    p, q = batch.log_probabilities(batch.y_pred), batch.log_probabilities(batch.again())
    return (batch.divergence(p, q) + batch.divergence(q, p)) / 2


SECOND_PASS = (adversarial, virtual_adversarial, r_drop)
"""Terms that read a batch again."""


class Distillation:
    """The divergence from the mean probability of teachers: KL(mean of q_i || p).

    Up to the teachers' own entropy it is the cross-entropy with soft targets of Hinton, Vinyals and Dean (2015,
    section 2) at temperature 1; of a translator it is their word-level distillation (Kim and Rush 2016, equation 3).

    Args:
        answers: Each gives a teacher's outputs for a batch; see `as_teacher` of models.
    """

    __name__ = "distillation"

    def __init__(self, answers: Sequence[Callable[[Any], Any]]) -> None:
        self.answers = tuple(answers)

    def __call__(self, batch: Batch) -> Any:
        """The mean divergence, a scalar."""
        logs = [batch.log_probabilities(answer(batch.x)) for answer in self.answers]
        mean = ops.logsumexp(ops.stack(logs), axis=0) - math.log(len(logs))
        return batch.divergence(ops.stop_gradient(mean), batch.log_probabilities(batch.y_pred))


def _norm(tensor: Any) -> Any:
    """The Euclidean norm of each row, `(batch, 1, 1)`."""
    return ops.sqrt(ops.sum(ops.square(tensor), axis=(1, 2), keepdims=True))


def _variables(model: Any) -> list[Any]:
    return [*model.trainable_variables, *model.non_trainable_variables]


def _seed(model: Any) -> Any:
    """A generator of random numbers whose state is kept with the model's."""
    layers = [layer for layer in model._flatten_layers() if isinstance(layer, TokenEmbedding)]
    return layers[0].words.seed_generator
