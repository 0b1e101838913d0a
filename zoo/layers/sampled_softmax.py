"""Cross-entropy over a large vocabulary over a few sampled words per step instead of all."""

import math
from typing import Any

import keras
from keras import ops

from zoo.layers.explicit_mask import ExplicitMask


@keras.saving.register_keras_serializable("zoo")
class SampledSoftmax(ExplicitMask):
    """Negative log-likelihood of target ids, estimated with negatives that a whole batch shares.

    Source: Jean, Cho, Memisevic and Bengio, "On Using Very Large Target Vocabulary for Neural Machine Translation"
    (2015), section 3. Negatives are drawn log-uniformly, P(id) = log((id + 2) / (id + 1)) / log(vocabulary_size + 1),
    which fits ids that are sorted by falling frequency, as those of a word tokenizer are. Each logit, the
    target's too, is lowered by the logarithm of how often its id is expected among the samples.

    Args:
        vocabulary_size: Number of ids.
        num_samples: Negatives per batch.
        seed: Of the sampling.

    Raises:
        ValueError: If no negative is sampled.
    """

    def __init__(self, vocabulary_size: int, num_samples: int = 512, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if num_samples < 1:
            raise ValueError(f"At least one negative must be sampled; got {num_samples}.")
        self.vocabulary_size, self.num_samples, self.seed = vocabulary_size, num_samples, seed
        self.seed_generator = keras.random.SeedGenerator(seed)

    def build(self, input_shape: tuple) -> None:
        self.bias = self.add_weight((self.vocabulary_size,), "zeros", name="bias")

    def call(self, vectors: Any, targets: Any, table: Any) -> Any:
        """Computes the loss of each row.

        Args:
            vectors: `(rows, embedding_dim)`, the predictions.
            targets: `(rows,)` ids.
            table: `(vocabulary_size, embedding_dim)`, one output vector per id; often the embedding itself.

        Returns:
            `(rows,)`, the loss in nats.
        """
        targets = ops.cast(targets, "int32")
        draw = keras.random.uniform((self.num_samples,), seed=self.seed_generator)
        negatives = ops.cast(ops.exp(draw * math.log(self.vocabulary_size + 1)), "int32") - 1
        negatives = ops.clip(negatives, 0, self.vocabulary_size - 1)
        right = ops.sum(vectors * ops.take(table, targets, axis=0), axis=-1) + self._correction(targets)
        wrong = ops.matmul(vectors, ops.transpose(ops.take(table, negatives, axis=0)))  # (rows, num_samples)
        wrong = wrong + self._correction(negatives)[None, :]
        # A negative that happens to be the target would be pushed down and pulled up at once.
        wrong = ops.where(targets[:, None] == negatives[None, :], -1e4, wrong)
        return ops.logsumexp(ops.concatenate([right[:, None], wrong], axis=1), axis=1) - right

    def _correction(self, ids: Any) -> Any:
        rank = ops.cast(ids, "float32")
        chance = ops.log1p(1 / (rank + 1)) / math.log(self.vocabulary_size + 1)
        return ops.take(self.bias, ids) - ops.log(self.num_samples * chance)
