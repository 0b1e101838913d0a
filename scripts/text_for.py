"""The texts of one data set as a file for `zoo train charlm --dataset FILE`, in the characters of another data set.

    TFDS_DATA_DIR=... python scripts/text_for.py tiny_shakespeare imdb_reviews --output reviews.txt --size 30000000

A language model that is trained on this file has the vocabulary of the first data set, so that `--init-from` goes on
with its text. The texts are shuffled; characters that the first data set does not have are left out, and HTML line
breaks become ends of lines. Of both data sets only splits that a training may read are read.
"""

import argparse
import random
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

BREAKS = re.compile(r"(?:<br\s*/?>\s*)+")


def texts(dataset: str, *splits: str) -> Iterator[str]:
    """The texts of those splits that a data set of TFDS has."""
    import tensorflow_datasets as tfds

    builder = tfds.builder(dataset)
    known = "+".join(split for split in splits if split in builder.info.splits)
    for example in builder.as_dataset(split=known).as_numpy_iterator():
        yield example["text"].decode("utf-8", "replace")


def in_characters(known: Iterable[str], documents: Iterable[str]) -> str:
    """The documents, shuffled, an empty line between two, without characters that are not known."""
    allowed = set(known)
    found = ["".join(filter(allowed.__contains__, BREAKS.sub("\n", document))) for document in documents]
    random.Random(0).shuffle(found)
    return "\n\n".join(found)


def main() -> None:
    """Reads two data sets, writes a text."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n\n")[0])
    parser.add_argument("target", help="the data set of TFDS whose characters are kept")
    parser.add_argument("source", help="the data set of TFDS whose texts are written")
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--size", type=int, help="characters of the file at most; default all")
    options = parser.parse_args()
    known = "".join(texts(options.target, "train"))
    text = in_characters(known, texts(options.source, "unsupervised", "train"))[: options.size]
    options.output.write_text(text, encoding="utf-8")
    print(f"{options.output}: {len(text):,} characters, {len(set(text))} different ones", file=sys.stderr)


if __name__ == "__main__":
    main()
