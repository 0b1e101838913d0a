"""Cross-entropy over a large vocabulary that looks at a few words a step instead of all."""

import math
from typing import Any

import keras
from keras import ops

from zoo.layers.masked import Masked


@keras.saving.register_keras_serializable("zoo")
class SampledSoftmax(Masked):
    """Negative log-likelihood of target ids, estimated with negatives that a whole batch shares.

    Source: Jean, Cho, Memisevic and Bengio, "On Using Very Large Target Vocabulary for Neural Machine Translation"
    (2015), section 3. Negatives are drawn log-uniformly, P(id) = log((id + 2) / (id + 1)) / log(vocabulary + 1),
    which fits ids that are sorted by falling frequency, as those of a word tokenizer are. Each logit, the
    target's too, is lowered by the logarithm of how often its id is expected among the samples.

    Args:
        vocabulary: Number of ids.
        samples: Negatives a batch.
    """

    def __init__(self, vocabulary: int, samples: int = 512, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if samples < 1:
            raise ValueError(f"At least one negative must be sampled; got {samples}.")
        self.vocabulary, self.samples, self.seed = vocabulary, samples, seed
        self.seed_generator = keras.random.SeedGenerator(seed)

    def build(self, input_shape: tuple) -> None:
        self.bias = self.add_weight((self.vocabulary,), "zeros", name="bias")

    def call(self, vectors: Any, targets: Any, table: Any) -> Any:
        """Computes the loss of each row.

        Args:
            vectors: `(rows, size)`, what predicts.
            targets: `(rows,)` ids.
            table: `(vocabulary, size)`, one output vector an id; often the embedding itself.

        Returns:
            `(rows,)` nats.
        """
        targets = ops.cast(targets, "int32")
        draw = keras.random.uniform((self.samples,), seed=self.seed_generator)
        negatives = ops.cast(ops.exp(draw * math.log(self.vocabulary + 1)), "int32") - 1
        negatives = ops.clip(negatives, 0, self.vocabulary - 1)
        right = ops.sum(vectors * ops.take(table, targets, axis=0), axis=-1) + self._correction(targets)
        wrong = ops.matmul(vectors, ops.transpose(ops.take(table, negatives, axis=0)))  # (rows, samples)
        wrong = wrong + self._correction(negatives)[None, :]
        # A negative that happens to be the target would be pushed down and pulled up at once.
        wrong = ops.where(targets[:, None] == negatives[None, :], -1e4, wrong)
        return ops.logsumexp(ops.concatenate([right[:, None], wrong], axis=1), axis=1) - right

    def _correction(self, ids: Any) -> Any:
        rank = ops.cast(ids, "float32")
        chance = ops.log1p(1 / (rank + 1)) / math.log(self.vocabulary + 1)
        return ops.take(self.bias, ids) - ops.log(self.samples * chance)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "vocabulary": self.vocabulary, "samples": self.samples, "seed": self.seed}
