"""From a data set's name or folder to batches of images with captions, and the tokenizer they need."""

import functools
import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from zoo import cards
from zoo.data import batches, text
from zoo.data.images import resized
from zoo.decoding.options import of_recipe
from zoo.ids import END, START
from zoo.task import Data

from . import scoring
from .feature_cache import CachedArrays, cached
from .model import encoder, frozen
from .raw import RawImages, open_images
from .recipe import Train

BOUNDARIES = (6, 8, 10, 12, 14, 16, 18, 20, 24, 28, 32, 40, 48, 64, 96, 128)
"""Bucket boundaries: lengths of captions, close to each other where most are."""

SCORING_BATCH = 64
"""Images that are described together when a split is scored."""

SIDES = frozenset({"left", "right"})
"""Words of captions that are wrong once their image is mirrored."""


def load(recipe: Train, assets: Mapping[str, Any] | None = None, *, fine_tune: bool = False) -> Data:
    """Loads a data set.

    Args:
        recipe: Data set, encoder, tokenization, batch size, seed, limit and search settings are used.
        assets: Those of a saved model: then batches hold images, since the encoder is part of the model. Without them
            a tokenizer is trained on the training captions, and batches hold the features of a frozen encoder; see
            `feature_cache`.
        fine_tune: Whether a training goes on from that model; without it, the data set is only scored.

    Raises:
        UserError: If there is no such data set or encoder, or images have another size than the encoder takes.
    """
    raw = open_images(recipe.dataset)
    arrays = functools.cache(functools.partial(features, raw, recipe))

    @functools.cache
    def size() -> int:
        return min(recipe.limit or raw.size("train"), raw.size("train"))

    @functools.cache
    def captions() -> list[list[str]]:
        return list(normalized_captions(raw, "train", size()))

    scored_only = assets is not None and not fine_tune
    known = new_assets(recipe, captions()) if assets is None else assets
    if fine_tune:
        known = {**known, **answering(recipe)}
    examples = functools.cache(lambda: list(_examples(captions(), known["tokenizer"], recipe)))

    def ready(rows: Callable[[], Iterator[tuple[int, np.ndarray]]]) -> tf.data.Dataset:
        signature = tf.TensorSpec((), tf.int32), tf.TensorSpec((recipe.captions_per_image, None), tf.int32)
        examples = batches.without_autotune(tf.data.Dataset.from_generator(rows, output_signature=signature))
        buckets = batches.boundaries(BOUNDARIES, recipe.max_length + 1)
        return batches.teacher_forced(examples, recipe.batch_size, buckets, length=lambda _, ids: tf.shape(ids)[1])

    def with_pictures(
        numbered: tf.data.Dataset, stored: CachedArrays, mirrored: np.ndarray | None = None
    ) -> tf.data.Dataset:
        def step(pair: tuple[tf.Tensor, tf.Tensor], targets: tf.Tensor, weights: tf.Tensor) -> tuple:
            numbers, ids = pair
            pictures = _taken(stored, numbers)
            if mirrored is not None:
                these = tf.gather(mirrored, numbers)[:, None, None, None]  # (batch, 1, 1, 1)
                pictures = tf.where(these, pictures[:, :, ::-1], pictures)
            return (pictures, ids), targets, weights

        return numbered.map(step).prefetch(2)

    @functools.cache
    def sided() -> np.ndarray:
        return np.array([any(SIDES & set(one.split()) for one in several) for several in captions()])

    def train(epoch: int) -> tf.data.Dataset:
        mirrored = None
        if recipe.random_flip:
            mirrored = (np.random.default_rng([recipe.seed, epoch, 1]).random(size()) < 0.5) & ~sided()
        order = np.random.default_rng([recipe.seed, epoch]).permutation(len(examples()))
        numbered = batches.shuffle_batches(ready(lambda: (examples()[i] for i in order)), recipe.seed, epoch)
        return with_pictures(numbered, arrays("train", size()), mirrored)

    def paired(name: str) -> tf.data.Dataset:
        texts = list(normalized_captions(raw, name, raw.size(name)))
        return with_pictures(ready(lambda: _examples(texts, known["tokenizer"], recipe)), arrays(name, None))

    def lengths(name: str, limit: int | None) -> Iterator[int]:
        total = size() if name == "train" else raw.size(name)
        for several in normalized_captions(raw, name, min(limit or total, total)):
            yield from (len(ids) + 1 for ids in known["tokenizer"].encode(several) if ids)

    def split(name: str, limit: int | None = None) -> tf.data.Dataset:
        rows = raw.split(name, limit)
        if scored_only:
            scaled = rows.map(lambda image, *known: (_scaled(raw.decode(image), recipe.image_size), _packed(*known)))
            return batches.batched(scaled, SCORING_BATCH).prefetch(2)
        numbered = rows.enumerate().map(lambda number, row: (number, _packed(*row[1:])))
        stored = arrays(name, limit)
        return (
            batches.batched(numbered, SCORING_BATCH)
            .map(lambda numbers, targets, weights: (_taken(stored, numbers), targets, weights))
            .prefetch(2)
        )

    return Data(
        raw=raw,
        train=train,
        split=split,
        assets=known,
        sizes=lambda: {**raw.sizes(), "train": size()},
        card=raw.card.with_details(**_details(recipe)),
        epoch_size=lambda: len(examples()),
        paired=None if scored_only else paired,
        normalize=scoring.normalize,
        lengths=lengths,
    )


def new_assets(recipe: Train, captions: Sequence[Sequence[str]]) -> dict[str, Any]:
    """The assets of a new model: a tokenizer trained on the training captions, and how captions are searched for."""
    every = (one for several in captions for one in several)
    tokenizer = text.Tokenizer.train(every, recipe.tokenizer, recipe.vocabulary_size, min_count=recipe.min_count)
    return {"tokenizer": tokenizer, **answering(recipe)}


def answering(recipe: Train) -> dict[str, Any]:
    """How the saved model searches for captions by default, and whether they are scored by METEOR."""
    return {"search": of_recipe(recipe), **({"meteor": True} if recipe.meteor else {})}


def _details(recipe: Train) -> dict[str, Any]:
    """What the card says besides what it says of the data set."""
    details: dict[str, Any] = {
        "captions": "lower case without punctuation",
        "images": f"resized to {recipe.image_size} x {recipe.image_size} pixels",
        "scoring": scoring.signature(),
    }
    if recipe.encoder != "convolutional":
        name, license = Path(recipe.encoder).stem, recipe.encoder_license or "unknown"
        details["encoder"] = f"{name}, pretrained, part of this model; license of its weights: {license}"
    return details


def features(raw: RawImages, recipe: Train, split: str, count: int | None = None) -> CachedArrays:
    """A split as the model's inputs in training: features of a frozen encoder, else resized images."""
    if not frozen(recipe):
        return cached(raw, split, recipe.image_size, "", None, count)
    model = functools.cache(lambda: encoder(recipe))  # loaded only if something is missing on disk

    def encode(images: np.ndarray) -> np.ndarray:
        return model().predict_on_batch(images)

    return cached(raw, split, recipe.image_size, _encoder_fingerprint(recipe), encode, count)


def _encoder_fingerprint(recipe: Train) -> str:
    """The hash of the file that an encoder is in, or its name with the version of Keras that fetches it."""
    file = Path(recipe.init_from) / cards.MODEL if recipe.init_from else Path(recipe.encoder)
    if file.is_file():
        return hashlib.sha256(file.read_bytes()).hexdigest()
    return f"{recipe.encoder} {keras.version()}"


def normalized_captions(raw: RawImages, split: str, count: int) -> Iterator[list[str]]:
    """The captions of each image, as the model learns them."""
    for _, captions, _ in raw.split(split, count).as_numpy_iterator():
        yield [scoring.normalize(caption.decode("utf-8", "replace")) for caption in captions]


def _examples(
    captions: Sequence[Sequence[str]], tokenizer: text.Tokenizer, recipe: Train
) -> Iterator[tuple[int, np.ndarray]]:
    """Images' numbers with ids `(captions, time)` of some of their captions; rows of zeros where there are fewer."""
    per_image = recipe.captions_per_image
    for number, several in enumerate(captions):
        encoded = [ids for ids in tokenizer.encode(several) if 0 < len(ids) < recipe.max_length]
        for some in text.in_batches(encoded, per_image):
            rows = [[START, *ids, END] for ids in some]
            yield number, text.pad([*rows, *[[]] * (per_image - len(rows))])


def _taken(arrays: CachedArrays, numbers: tf.Tensor) -> tf.Tensor:
    """The arrays of a batch of images."""
    found = tf.numpy_function(arrays.take, [numbers], tf.as_dtype(arrays.dtype))
    return tf.ensure_shape(found, (numbers.shape[0], *arrays.shape))


def _scaled(image: tf.Tensor, size: int) -> tf.Tensor:
    scaled = tf.numpy_function(lambda array: resized(array, size, size), [image], tf.uint8)
    return tf.ensure_shape(scaled, (size, size, 3))


def _packed(captions: tf.Tensor, facts: tf.Tensor) -> tf.Tensor:
    """Captions and facts as one string of JSON, since images have different numbers of captions."""

    def joined(captions: np.ndarray, facts: bytes) -> bytes:
        several = [caption.decode("utf-8", "replace") for caption in captions]
        return json.dumps({"captions": several, "facts": facts.decode("utf-8")}).encode()

    return tf.ensure_shape(tf.numpy_function(joined, [captions, facts], tf.string), ())
