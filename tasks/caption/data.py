"""From a data set's name or folder to batches of pictures with captions, and the tokenizer they need."""

import functools
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from zoo import layers
from zoo.data import batches, text
from zoo.errors import UserError
from zoo.data.images import resized
from zoo.task import Data

from . import scoring
from .pictures import SOURCES, Pictures, open_pictures
from .recipe import DATASETS, Train
from .stored import Stored, stored

assert SOURCES.keys() == DATASETS.keys(), "recipe.py tells of the sets that stand in pictures.py"

BOUNDARIES = (6, 8, 10, 12, 14, 16, 18, 20, 24, 28, 32, 40, 48, 64, 96, 128)
"""Bucket boundaries: lengths of captions, close to each other where most are."""

SCORED_AT_ONCE = 64
"""Pictures that are described together when a split is scored."""


def load(recipe: Train, assets: Mapping[str, Any] | None = None) -> Data:
    """Loads a data set.

    Args:
        recipe: Data set, encoder, tokenization, batch size, seed, limit and search settings are used.
        assets: Those of a saved model: then pictures are handed out as they are, since the encoder is in the model.
            Without them a tokenizer is trained on the training captions, and a frozen encoder sees each picture
            once; see `tasks.caption.stored`.

    Raises:
        UserError: If there is no such data set or encoder, or pictures have another size than the encoder takes.
    """
    pictures = open_pictures(recipe.dataset)
    search = {"beam": recipe.beam, "penalty": recipe.penalty, "length": recipe.longest}
    see = functools.cache(functools.partial(seen, pictures, recipe))
    saved = assets is not None
    count = min(recipe.limit or pictures.sizes["train"], pictures.sizes["train"])
    captions = functools.cache(lambda: list(learned_captions(pictures, "train", count)))
    groups = functools.cache(lambda: list(_groups(captions(), known["tokenizer"], recipe)))
    known: Mapping[str, Any] = assets or {}
    if assets is None:
        tokenizer = text.Tokenizer.train(
            (one for several in captions() for one in several), recipe.tokens, recipe.vocabulary, least=recipe.least
        )
        known = {"tokenizer": tokenizer, "search": search, **({"meteor": True} if recipe.meteor else {})}

    def train(epoch: int) -> tf.data.Dataset:
        arrays = see("train", count)
        order = np.random.default_rng([recipe.seed, epoch]).permutation(len(groups()))
        rows = tf.data.Dataset.from_generator(
            lambda: (groups()[i] for i in order),
            output_signature=(tf.TensorSpec((), tf.int32), tf.TensorSpec((recipe.group, None), tf.int32)),
        )
        ready = batches.paired(
            rows, recipe.batch_size, bucket_boundaries(recipe.longest + 1), length=lambda _, ids: tf.shape(ids)[1]
        )
        mixed = batches.mixed(ready, recipe.seed, epoch)
        looked_up = mixed.map(lambda pair, targets, weights: ((_taken(arrays, pair[0]), pair[1]), targets, weights))
        return looked_up.prefetch(2)

    def split(name: str, limit: int | None = None) -> tf.data.Dataset:
        references = pictures.split(name, images=False).map(_references)
        if saved:
            inputs = pictures.split(name).map(lambda example: _scaled(example["image"], recipe.image_size))
        else:
            arrays = see(name)
            inputs = tf.data.Dataset.range(len(arrays)).batch(SCORED_AT_ONCE)
            inputs = inputs.map(lambda indices: _taken(arrays, indices)).unbatch()
        examples = tf.data.Dataset.zip(inputs, references)
        return batches.plain(examples.take(limit) if limit else examples, SCORED_AT_ONCE).prefetch(2)

    return Data(
        train=train,
        split=split,
        assets=known,
        sizes={**pictures.sizes, "train": count},
        facts={**pictures.facts, **_facts(recipe), "scoring": scoring.signature()},
        epoch=None if saved else len(groups()),
    )


def _facts(recipe: Train) -> dict[str, Any]:
    """What the card says besides what the pictures say of themselves."""
    told = {"captions": "lower case without punctuation", "pictures": f"squashed to {recipe.image_size} pixels square"}
    if recipe.encoder != "convolutional":
        licence = recipe.encoder_licence or "not told"
        told["encoder"] = (
            f"{Path(recipe.encoder).stem}, pretrained, part of this model; licence of its weights: {licence}"
        )
    return told


def bucket_boundaries(longest: int) -> list[int]:
    """Those of `BOUNDARIES` that captions of at most `longest` tokens need."""
    return [*[b for b in BOUNDARIES if b < longest], longest]


def encoder(recipe: Train) -> keras.Model:
    """The image encoder of a recipe.

    Raises:
        UserError: If there is none of that name, or it takes pictures of another size.
    """
    model = layers.image_encoder(recipe.encoder, recipe.image_size)
    wanted = model.input_shape[1:3]
    if any(side not in (None, recipe.image_size) for side in wanted):
        raise UserError(
            f"{recipe.encoder} takes pictures of {wanted[0]} x {wanted[1]} pixels, not of {recipe.image_size}: "
            f"give --image-size {wanted[0]}."
        )
    return model


def frozen(recipe: Train) -> bool:
    """Whether the encoder keeps its weights, so that it need see each picture but once."""
    return recipe.encoder != "convolutional" and not recipe.fine_tune


def seen(pictures: Pictures, recipe: Train, split: str, count: int | None = None) -> Stored:
    """A split as the decoder's training wants it: features of a frozen encoder, else scaled pictures."""
    if not frozen(recipe):
        return stored(pictures, split, recipe.image_size, "", None, count)
    model = functools.cache(lambda: encoder(recipe))  # loaded only if something is still to be seen

    def see(some: np.ndarray) -> np.ndarray:
        return model().predict_on_batch(some)

    return stored(pictures, split, recipe.image_size, _identity(recipe.encoder), see, count)


def _identity(name: str) -> str:
    """What tells an encoder from others: a file's content, or a name with the version of Keras that fetches it."""
    if Path(name).is_file():
        return hashlib.sha256(Path(name).read_bytes()).hexdigest()
    return f"{name} {keras.version()}"


def learned_captions(pictures: Pictures, split: str, count: int) -> Iterator[list[str]]:
    """The captions of each picture, as they are learned."""
    for example in pictures.split(split, images=False).take(count).as_numpy_iterator():
        yield [scoring.normalised(caption.decode("utf-8", "replace")) for caption in example["captions"]]


def _groups(
    captions: Sequence[Sequence[str]], tokenizer: text.Tokenizer, recipe: Train
) -> Iterator[tuple[int, np.ndarray]]:
    """Pictures' numbers with ids `(group, time)` of some of their captions, rows of zeros where there are fewer."""
    for number, several in enumerate(captions):
        encoded = [ids for ids in tokenizer.encode(several) if 0 < len(ids) < recipe.longest]
        for some in text.in_batches(encoded, recipe.group):
            rows = [[text.START, *ids, text.END] for ids in some]
            yield number, text.pad([*rows, *[[]] * (recipe.group - len(rows))])


def _taken(arrays: Stored, indices: tf.Tensor) -> tf.Tensor:
    """The arrays of a batch of pictures."""
    found = tf.numpy_function(arrays.take, [indices], tf.as_dtype(arrays.dtype))
    return tf.ensure_shape(found, (indices.shape[0], *arrays.shape))


def _scaled(image: tf.Tensor, size: int) -> tf.Tensor:
    scaled = tf.numpy_function(lambda array: resized(array, size, size), [image], tf.uint8)
    return tf.ensure_shape(scaled, (size, size, 3))


def _references(example: Mapping[str, tf.Tensor]) -> tf.Tensor:
    """Captions and facts as one string, since pictures have different numbers of captions."""

    def joined(captions: np.ndarray, facts: bytes) -> bytes:
        several = [caption.decode("utf-8", "replace") for caption in captions]
        return json.dumps({"captions": several, "facts": facts.decode("utf-8")}).encode()

    return tf.ensure_shape(tf.numpy_function(joined, [example["captions"], example["facts"]], tf.string), ())
