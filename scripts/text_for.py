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
from collections.abc import Iterable
from pathlib import Path

from word_vectors import texts

BREAKS = re.compile(r"(?:<br\s*/?>\s*)+")


def in_characters(known: Iterable[str], documents: Iterable[str]) -> str:
    """The documents, shuffled, an empty line between two, without characters that are not known."""
    allowed = {"\n", *known}  # ends of lines stand between documents as well
    found = ["".join(filter(allowed.__contains__, BREAKS.sub("\n", document))) for document in documents]
    random.Random(0).shuffle(found)
    return "\n\n".join(found)


def main() -> None:
    """Reads two data sets, writes a text."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n\n")[0])
    parser.add_argument("target", help="a data set of TFDS, or a file, whose characters are kept")
    parser.add_argument("source", help="a data set of TFDS, or a file of texts, one per line")
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--size", type=int, help="characters of the file at most; default all")
    options = parser.parse_args()
    known = "".join(texts(options.target))
    text = in_characters(known, texts(options.source))[: options.size]
    options.output.write_text(text, encoding="utf-8")
    print(f"{options.output}: {len(text):,} characters, {len(set(text))} different ones", file=sys.stderr)


if __name__ == "__main__":
    main()
