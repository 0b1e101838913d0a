"""Pictures with their captions as they lie in a TFDS set or in a folder, decoded one after another."""

import contextlib
import functools
import hashlib
import json
import operator
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import tensorflow as tf
import tensorflow_datasets as tfds

from zoo.data import tfds as sources, tables
from zoo.errors import UserError
from zoo.names import look_up, unknown

from .recipe import EMBEDDED

SPLITS = ("train", "validation", "test")
"""The order in which sizes are told."""

HELD_OUT, MOST_HELD_OUT = 10, 1_000
"""Where a folder names no split, one image in ten serves, but no more than give a steady score."""

TABLE = "captions.csv"

HINT = f"Or give a folder with images and {TABLE}"


def _scenes() -> Any:
    from .scenes import scenes_dataset_builder

    return scenes_dataset_builder.Builder


def _flickr8k() -> Any:
    from .flickr8k import flickr8k_dataset_builder

    return flickr8k_dataset_builder.Builder


@dataclass(frozen=True)
class Source:
    """A TFDS set: its builder if TFDS does not know it, its features, and which of its splits serve for what.

    `captions` is the feature and, if it is a group, the one in it. Where `id` is None, the place in the split
    serves, `"train/17"`. `splits` holds those that go by another name.
    """

    licence: str
    builder: Callable[[], Any] | None = None
    captions: Sequence[str] = ("captions",)
    id: str | None = None
    facts: str | None = None
    splits: Mapping[str, str] = field(default_factory=dict)


SOURCES = {
    "scenes": Source("Apache-2.0, like the code that draws them", builder=_scenes, facts="facts"),
    "flickr8k": Source("non-commercial research; see its README", builder=_flickr8k, id="filename"),
    "coco_captions": Source(
        "see the TFDS catalogue", captions=("captions", "text"), id="image/filename", splits={"validation": "val"}
    ),
}
"""By name. The splits of `coco_captions` are those of Karpathy and Li, whose 5,000 for validation it calls `val`."""


@dataclass(frozen=True)
class Pictures:
    """Pictures before any scaling.

    Attributes:
        sizes: Images by split: train, validation and test first, then what else the set has.
        facts: Name, version or sums of the files, licence, how the splits were made; for the card.
        identity: A short text that changes when the data do; the key under which what was computed of them is kept.
        read: `split` without its check; the second argument tells whether images are wanted.
    """

    sizes: Mapping[str, int]
    facts: Mapping[str, Any]
    identity: str
    read: Callable[[str, bool], tf.data.Dataset]

    def split(self, name: str, images: bool = True) -> tf.data.Dataset:
        """The examples of one split, each time in the same order.

        Args:
            name: One of `sizes`.
            images: Without them nothing is decoded, which is quick: for a vocabulary, or for references.

        Returns:
            Dicts of `image`, uint8 `(height, width, 3)`, of any size; `captions`, strings `(number,)`; `id`, a string
            that no other image of the set has; and `facts`, JSON about what is to be seen, or an empty string.

        Raises:
            UserError: If there is no such split.
        """
        if name not in self.sizes:
            raise unknown("split", name, self.sizes)
        return self.read(name, images)


def open_pictures(dataset: str) -> Pictures:
    """The pictures of a data set or of a folder.

    Args:
        dataset: A name that stands in `SOURCES`, or the path of a folder.

    Raises:
        UserError: If there is no such data set, or it cannot be used.
    """
    if dataset in SOURCES:
        return from_tfds(dataset)
    if Path(dataset).exists():
        return from_folder(Path(dataset))
    raise unknown("data set", dataset, SOURCES, HINT)


def from_tfds(name: str) -> Pictures:
    """Pictures of a set that stands in `SOURCES`. See `open_pictures`."""
    row = look_up(SOURCES, name, "data set", HINT)
    builder = sources.prepared(row.builder() if row.builder else name, EMBEDDED)
    info = builder.info
    theirs = {split: row.splits.get(split, split) for split in SPLITS}
    theirs |= {split: split for split in info.splits if split not in theirs.values()}
    features = {"captions": row.captions} | {key: [own] for key, own in (("id", row.id), ("facts", row.facts)) if own}

    def read(split: str, images: bool) -> tf.data.Dataset:
        wanted = {**features, **({"image": ["image"]} if images else {})}
        whole = builder.as_dataset(
            split=theirs[split],
            shuffle_files=False,
            decoders=None if images else {"image": tfds.decode.SkipDecoding()},
            read_config=tfds.ReadConfig(try_autocache=False),  # the cache would hold what is decoded
        )

        def example(number: tf.Tensor, item: Mapping[str, Any]) -> dict[str, tf.Tensor]:
            found = {key: functools.reduce(operator.getitem, path, item) for key, path in wanted.items()}
            return {"id": tf.strings.format(f"{split}/{{}}", number), "facts": tf.constant(""), **found}

        return whole.enumerate().map(example)

    sizes = {split: info.splits[own].num_examples for split, own in theirs.items()}
    renamed = [f"{split} is its {own}" for split, own in theirs.items() if own != split]
    facts = {
        "name": name,
        "version": str(info.version),
        "embedded": name == EMBEDDED,
        "licence": row.licence,
        "splits": "; ".join(["its own", *renamed]),
    }
    # The same version may have been made of other files, say of images of another size.
    content = [[own, info.splits[own].num_examples, info.splits[own].num_bytes] for own in theirs.values()]
    return Pictures(sizes, facts, _identity(f"{name}-{info.version}", content), read)


def _identity(name: str, *content: Any) -> str:
    return f"{name}-{hashlib.sha256(json.dumps(content).encode()).hexdigest()[:16]}"


def from_folder(path: Path) -> Pictures:
    """Pictures of a folder with `captions.csv`: columns `image` and `caption`, a row a caption, several an image.

    `image` is a path within the folder. A column `split` may say train, validation or test, the same in all rows of an
    image; what nobody put there is held out of train by a hash of the image's name. An image is read when its turn
    comes; see `user_errors`.

    Raises:
        UserError: With the line, or the image, that cannot be used.
    """
    table = path / TABLE
    if not table.is_file():
        what = "is a file" if path.is_file() else f"has no {TABLE}" if path.is_dir() else "does not exist"
        raise UserError(f"{path} {what}. Give a folder with images and {TABLE}, which has the columns image, caption.")
    captions: dict[str, list[str]] = {}
    own: dict[str, str] = {}
    for where, image, caption, split in _rows(table):
        captions.setdefault(image, []).append(caption)
        if own.setdefault(image, split) != split:
            raise UserError(f"{where}: {image} is in {split}, before it was in {own[image]}. Put it into one split.")
    if not captions:
        raise UserError(f"{table} has no rows below its header. Give each image a row for each of its captions.")
    stamps = _stamps(path, captions)
    parts, rule = _parts(table, own)

    def read(split: str, images: bool) -> tf.data.Dataset:
        def examples() -> Iterator[dict[str, Any]]:
            from zoo.data.images import read as pixels

            for name in parts[split]:
                example = {"captions": captions[name], "id": name, "facts": ""}
                yield {**example, "image": pixels(path / name)} if images else example

        text = tf.TensorSpec((), tf.string)
        signature = {"captions": tf.TensorSpec((None,), tf.string), "id": text, "facts": text}
        if images:
            signature["image"] = tf.TensorSpec((None, None, 3), tf.uint8)
        return tf.data.Dataset.from_generator(examples, output_signature=signature)

    name, digest = path.resolve().name, hashlib.sha256(table.read_bytes()).hexdigest()
    facts = {"name": name, "embedded": False, "sha256": {TABLE: digest}, "splits": rule}
    return Pictures({split: len(part) for split, part in parts.items()}, facts, _identity(name, digest, stamps), read)


def _stamps(folder: Path, names: Iterable[str]) -> dict[str, tuple[int, int]]:
    """Bytes of each image, and when it was changed."""
    files = {name: (folder / name).stat() if (folder / name).is_file() else None for name in names}
    found = {name: (stat.st_size, stat.st_mtime_ns) if stat else (-1, 0) for name, stat in files.items()}
    for told, wrong in (("is not there", -1), ("is empty", 0)):
        named = [name for name, (length, _) in found.items() if length == wrong]
        if named:
            more = f" (and {len(named) - 1:,} more)" if named[1:] else ""
            raise UserError(
                f"{folder / named[0]} {told}{more}. Put there the image that {TABLE} lists, or delete its rows."
            )
    return found


def _parts(table: Path, own: Mapping[str, str]) -> tuple[dict[str, list[str]], str]:
    """The images of each split, in the order of the table, and a sentence on how they were chosen."""
    of = {name: split or "train" for name, split in own.items()}
    missing = [split for split in ("test", "validation") if split not in of.values()]
    ranked = sorted((name for name in of if of[name] == "train"), key=lambda n: hashlib.sha256(n.encode()).digest())
    share = min(max(1, len(ranked) // HELD_OUT), MOST_HELD_OUT)
    if len(ranked) <= share * len(missing):
        held = f", too few to hold {' and '.join(missing)} out of" if missing else ""
        raise UserError(f"{table}: train has {len(ranked)} images{held}. Give more images, or each one a split.")
    for i, split in enumerate(missing):
        of |= dict.fromkeys(ranked[i * share : (i + 1) * share], split)
    rule = f"held out of train by a hash of the image's name, one in {HELD_OUT}, at most {MOST_HELD_OUT:,}"
    told = [f"{split}: {rule if split in missing else 'its own'}" for split in ("validation", "test")]
    return {split: [name for name in of if of[name] == split] for split in SPLITS}, "; ".join(told)


def _rows(table: Path) -> Iterator[tuple[str, str, str, str]]:
    """`(place, image, caption, split)` of each row; the split is empty where no column names it."""
    for where, fields in tables.rows(table, ("image", "caption"), ("split",), "captions"):
        split = fields.get("split", "").strip()
        if "split" in fields and split not in SPLITS:
            raise UserError(f"{where}: {unknown('split', split, SPLITS)}")
        yield where, fields["image"].strip(), fields["caption"].strip(), split


@contextlib.contextmanager
def user_errors() -> Iterator[None]:
    """Within it, an image of a folder that cannot be read is a `UserError` again, not TensorFlow's account of it.

    Use it around whatever walks through a split.

    Raises:
        UserError: If that is what stopped the data.
    """
    try:
        yield
    except tf.errors.OpError as error:
        told = re.search(r"\bUserError: (.+)", str(error.message))
        if told is None:
            raise
        raise UserError(told[1]) from error
