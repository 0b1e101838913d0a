"""Captions of a user's images, in the formats in which such data are passed around.

captions.csv          columns image, caption and, if wanted, split; any table of `zoo.data.tables`
captions.txt          the same, as on Kaggle, with the images in Images/
*.token.txt           Flickr8k and Flickr30k: `name.jpg#0<TAB>caption`; splits by *trainImages.txt, *devImages.txt, ...
dataset*.json         Karpathy's splits: images with filename, split and sentences
*captions*.json       COCO: images and annotations; splits by the file's name
"""

import json
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from zoo.data import files, own, tables
from zoo.data.files import check_text
from zoo.errors import UserError
from zoo.names import unknown

SPLITS = ("train", "validation", "test")

COLUMNS = (
    tables.Column("image", ("image", "image_name", "filename", "file_name", "file", "path"), options=""),
    tables.Column("caption", ("caption", "comment", "description", "text"), options=""),
    tables.SPLIT,
)

TABLES = (
    "captions.csv", "captions.txt", "captions.tsv", "captions.jsonl", "captions.parquet",
    "results.csv",  # Flickr30k as on Kaggle, its columns separated by bars
)  # fmt: skip

NEEDED = "Give a folder with images and captions.csv, which has the columns image, caption"

SPLIT_WORDS = {"restval": "train", "val": "validation", "dev": "validation"}
"""Karpathy's names of splits, where they differ from ours; COCO's "restval" is for training."""


class Caption(NamedTuple):
    """One caption: its image's name as the file has it, the text, the split or None for train, and where it stands."""

    image: str
    text: str
    split: str | None
    where: str


class Annotations(NamedTuple):
    """The captions and the split of each image, by its path within the folder; and the files that were read."""

    captions: dict[str, list[str]]
    splits: dict[str, str]
    files: list[Path]


def read(folder: Path) -> Annotations:
    """The captions of a folder.

    Raises:
        UserError: If there are none, or with the line that cannot be used.
    """
    sources, rows = _find(folder)
    place = _Images(folder)
    captions: dict[str, list[str]] = {}
    splits: dict[str, str] = {}
    wordless: dict[str, Caption] = {}
    dropped_captions = 0
    for caption in rows:
        split = "train" if caption.split is None else caption.split
        if split not in SPLITS:
            raise UserError(f"{caption.where}: {unknown('split', split, SPLITS)}")
        image = place.find(caption)
        if splits.setdefault(image, split) != split:
            raise UserError(
                f"{caption.where}: {image} is in {split}, but above in {splits[image]}. Put it into one split."
            )
        if any(map(str.isalnum, caption.text)):
            captions.setdefault(image, []).append(caption.text.strip())
        else:
            dropped_captions += 1
            wordless.setdefault(image, caption)
    for image, caption in wordless.items():
        if splits[image] != "train" and image not in captions:
            raise UserError(
                f"{caption.where}: {image} of {splits[image]} has no caption with a word in it, only "
                f"{caption.text[:40]!r}. Describe it, or delete its rows."
            )
    if not captions:
        raise UserError(f"{sources[0]} has no captions. Give each image one at least.")
    dropped = f", {dropped_captions:,} captions without a word dropped" if dropped_captions else ""
    total = sum(map(len, captions.values()))
    names = ", ".join(source.name for source in sources)
    print(f"{names}: {total:,} captions of {len(captions):,} images{dropped}.", file=sys.stderr, flush=True)
    return Annotations(captions, splits, sources)


def _find(folder: Path) -> tuple[list[Path], Iterator[Caption]]:
    """The files with captions, and these.

    Raises:
        UserError: If there are none.
    """
    if not folder.is_dir():
        what = "is a file" if folder.is_file() else "is no folder" if folder.exists() else "does not exist"
        raise UserError(f"{folder} {what}. {NEEDED}.")
    for name in TABLES:
        if (folder / name).is_file():
            return [folder / name], _from_table(folder / name)
    tokens = files.visible(folder, "**/*.token.txt") or files.visible(folder, "**/*.token")
    if tokens:
        return tokens[:1], _from_tokens(tokens[0])
    found: list[tuple[Path, Callable[[], Iterator[Caption]]]] = []
    for file in sorted(files.visible(folder, "*.json") + files.visible(folder, "annotations/*.json")):
        reader = _json_reader(file)
        if reader:
            found.append((file, reader))
    if not found:
        raise UserError(f"{folder} has no captions.csv. {NEEDED}; captions.txt of Kaggle, *.token.txt of Flickr8k, "
                        "Karpathy's and COCO's JSON are read too.")  # fmt: skip
    return [file for file, _ in found], (caption for _, reader in found for caption in reader())


def _from_table(table: Path) -> Iterator[Caption]:
    for where, fields in tables.rows(table, COLUMNS):
        split = fields["split"].strip().lower() if "split" in fields else None
        split = split and own.named_split(SPLIT_WORDS.get(split, split), where)
        yield Caption(fields["image"].strip(), fields["caption"], split, where)


def _our(split: str | None) -> str | None:
    """Our name of a split."""
    return split and SPLIT_WORDS.get(split, split)


def _from_tokens(file: Path) -> Iterator[Caption]:
    """Flickr8k's own format; lists of the images of each split may lie beside it."""
    splits: dict[str, str] = {}
    for listed in files.visible(file.parent, "*Images.txt"):
        split = own.split_of(listed.stem.removesuffix("Images"))  # Flickr_8k.trainImages.txt
        if split:
            splits |= {line.strip(): split for line in files.lines(listed) if line.strip()}
    for number, line in enumerate(files.lines(file), 1):
        where = f"{file}, line {number}"
        name, tab, text = line.rstrip("\r\n").partition("\t")
        if not line.strip():
            continue
        image, mark, order = name.rpartition("#")
        if not (tab and mark and order.strip().isdigit()):
            raise UserError(f"{where}: not `image.jpg#0`, a tab and a caption; got {line.strip()[:60]!r}.")
        # Five captions of the published file belong to `2258277193_586949ec62.jpg.1`, which nobody has.
        if image.endswith(".jpg.1"):
            continue
        if splits and image not in splits:
            continue  # the lists leave some images out
        yield Caption(image, text, splits.get(image), where)


def _json_reader(file: Path) -> Callable[[], Iterator[Caption]] | None:
    """What reads a JSON file with captions; None if it has none."""
    try:
        value = json.loads("".join(files.blocks(file)))
    except (ValueError, RecursionError) as error:
        raise UserError(f"{file} is not JSON: {error}.") from error
    images = value.get("images") if isinstance(value, dict) else None
    if not isinstance(images, list) or not images:
        return None
    try:
        if isinstance(value.get("annotations"), list) and "caption" in value["annotations"][0]:
            return lambda: _from_coco(file, value)
        if "sentences" in images[0] and "filename" in images[0]:
            return lambda: _from_karpathy(file, images)
    except (TypeError, IndexError):
        return None
    return None


def _from_coco(file: Path, value: dict[str, Any]) -> Iterator[Caption]:
    split = own.split_of(file.stem)
    try:
        names = {image["id"]: image["file_name"] for image in value["images"]}
        rows = [(names[row["image_id"]], row["caption"]) for row in value["annotations"]]
    except (KeyError, TypeError, AttributeError) as error:
        raise UserError(f"{file}: not COCO's captions ({error!r} is missing or of another kind).") from error
    return (_checked(Caption(name, text, split, str(file))) for name, text in rows)


def _from_karpathy(file: Path, images: Iterable[dict[str, Any]]) -> Iterator[Caption]:
    try:
        rows = [
            ("/".join(filter(None, (image.get("filepath", ""), image["filename"]))), image["split"], sentence["raw"])
            for image in images
            for sentence in image["sentences"]
        ]
    except (KeyError, TypeError, AttributeError) as error:
        raise UserError(f"{file}: not Karpathy's format ({error!r} is missing or of another kind).") from error
    captions = (_checked(Caption(name, text, split, str(file))) for name, split, text in rows)
    return (caption._replace(split=_our(caption.split)) for caption in captions)


def _checked(caption: Caption) -> Caption:
    """The caption itself.

    Raises:
        UserError: If one of its fields is no text.
    """
    for name, value in caption._asdict().items():
        if name == "split" and value is None:
            continue
        if not isinstance(value, str):
            raise UserError(f"{caption.where}: the {name} of an entry is {str(value)[:40]!r}, no text.")
        check_text(value, caption.where)
    return caption


class _Images:
    """Finds images by their names: in the folder itself, or in a folder below it.

    Args:
        folder: The user's folder.
    """

    def __init__(self, folder: Path) -> None:
        below = [item for item in files.visible(folder) if item.is_dir()]
        self.folder, self.roots = folder, [item.name for item in below]
        deeper = [sub for item in below for sub in files.visible(item) if sub.is_dir()]
        self.roots += [f"{sub.parent.name}/{sub.name}" for sub in deeper[:50]]
        self.found: dict[tuple[str, str | None], str] = {}

    def find(self, caption: Caption) -> str:
        """The path of a caption's image within the folder; that in the folder itself if it is nowhere.

        Raises:
            UserError: If the name leads out of the folder, or several folders below it have such an image.
        """
        key = caption.image, caption.split
        if key not in self.found:
            self.found[key] = self._search(caption)
        return self.found[key]

    def _search(self, caption: Caption) -> str:
        direct = own.inside(self.folder, caption.image, caption.where)
        if (self.folder / direct).exists():
            return direct
        found: dict[Path, str] = {}  # a link to a folder is no second one
        for root in self.roots:
            if (self.folder / root / direct).exists():
                found.setdefault((self.folder / root / direct).resolve(), root)
        roots = list(found.values())
        if len(roots) > 1 and caption.split:
            roots = [root for root in roots if own.split_of(root) == caption.split] or roots
        if len(roots) > 1:
            raise UserError(
                f"{caption.where}: {caption.image} is both {roots[0]}/{direct} and {roots[1]}/{direct}. "
                "Write the path of the image within the folder, or remove one of them."
            )
        return own.inside(self.folder, f"{roots[0]}/{direct}", caption.where) if roots else direct
