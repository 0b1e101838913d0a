"""Pretraining on the texts of a data set, labeled or not."""

import tensorflow as tf

from zoo import pretraining as shared
from zoo.data import batches
from zoo.data.pipeline import Pipeline
from zoo.ids import END
from zoo.task import Data, Stage

from .data import BOUNDARIES, all_texts
from .recipe import Train


def pretraining(recipe: Train, data: Data) -> Stage:
    """The stage without labels.

    Raises:
        UserError: If the recipe's net cannot be pretrained.
    """
    # `unlabeled` is an option of the stage with labels: this one reads all texts in any case.
    return shared.stage(recipe, windows(recipe, data), shared.build, unlabeled=False)


def windows(recipe: Train, data: Data) -> Data:
    """Batches of windows of texts: one from each text, which starts at a random position in each epoch."""
    raw, tokenizer, length = data.raw, data.assets["tokenizer"], recipe.pretrain_window

    def encode(examples: tf.data.Dataset, epoch: int) -> tf.data.Dataset:
        encoded = batches.encoded(
            examples.map(lambda item: (item,)),
            # The end is a word too: without it, a backward model would never see how texts end.
            lambda rows: [[*ids, END] for ids in tokenizer.encode(rows)],
        )
        return encoded.enumerate().map(
            lambda index, item: (shared.window(item[0], index, recipe, epoch), tf.constant(0))
        )

    def batch(examples: tf.data.Dataset, size: int) -> tf.data.Dataset:
        return batches.bucketed(examples, size, batches.boundaries(BOUNDARIES, length))

    def train(epoch: int) -> tf.data.Dataset:
        # The loss is a mean over tokens already; rows that only fill a batch have none.
        return pipeline.train(epoch).map(lambda tokens, targets, weights: (tokens, targets))

    def split(name: str, limit: int | None = None) -> tf.data.Dataset:
        examples = raw.split(name, limit).map(lambda item, _: item)
        return batch(encode(examples, 0), pipeline.scoring_batch_size).prefetch(2)

    def sizes() -> dict[str, int]:
        known = raw.sizes()
        more = known.pop("unlabeled", 0)
        return {**known, "train": recipe.limit or known["train"] + more}

    pipeline = Pipeline(
        raw, batch, batch_size=recipe.batch_size, seed=recipe.seed,
        epoch_examples=lambda epoch: encode(all_texts(recipe, raw), epoch),
    )  # fmt: skip
    return Data(raw, train, split, data.assets, sizes, data.card)
