"""Pretrained word vectors from a text file, as word2vec, GloVe and fastText write them."""

import functools
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from zoo.data import files
from zoo.errors import UserError

MOST_WORDS = 1_000_000
"""Lines of a file that are read: the files of GloVe and fastText begin with the most frequent words."""


class WordVectors(NamedTuple):
    """Words and their vectors.

    Attributes:
        words: The words, in the order of the file.
        table: Their vectors, `(words, dimensions)` float32.
    """

    words: Sequence[str]
    table: np.ndarray


@functools.lru_cache(maxsize=1)
def read(path: Path, most: int = MOST_WORDS) -> WordVectors:
    """Reads a file: a word and its numbers on each line, blanks between; plain or `.gz`.

    A first line of two whole numbers, as word2vec and fastText write it, is passed over.

    Args:
        path: The file.
        most: Largest number of words; the rest of the file is not read.

    Raises:
        UserError: If the file has no vectors, or a line that is none; names the line.
    """
    if not path.exists():
        raise UserError(f"--word-vectors: {path} does not exist. Give a file of vectors (word2vec, GloVe, fastText).")
    words: list[str] = []
    rows: list[np.ndarray] = []
    for number, line in enumerate(files.lines(path), 1):
        fields = line.rstrip().split(" ")
        if number == 1 and len(fields) == 2 and all(field.isdigit() for field in fields):
            continue
        # A few lines of GloVe have a blank within the word.
        size = len(rows[0]) if rows else len(fields) - 1
        word, numbers = " ".join(fields[: len(fields) - size]), fields[len(fields) - size :]
        try:
            row = np.array(numbers, "float32")
        except ValueError as error:
            raise UserError(f"{path}, line {number:,}: a word and its numbers were expected ({error}).") from error
        if not size or not word or not np.isfinite(row).all():
            raise UserError(f"{path}, line {number:,}: a word and {size or 'some'} finite numbers were expected.")
        words.append(word)
        rows.append(row)
        if len(words) == most:
            break
    if not words:
        raise UserError(f"{path} has no word vectors. Give a word and its numbers on each line.")
    return WordVectors(words, np.stack(rows))


def rows_for(vectors: WordVectors, names: Sequence[str], table: np.ndarray) -> np.ndarray:
    """A table of vectors in which the words of a file have those of the file, the others keep theirs.

    Args:
        vectors: What `read` returned.
        names: The words of the vocabulary, by id.
        table: Vectors of all ids, `(len(names), dimensions)`.

    Raises:
        UserError: If the dimensions differ.
    """
    dimensions = vectors.table.shape[1]
    if dimensions != table.shape[1]:
        raise UserError(
            f"The word vectors have {dimensions} dimensions, the model's {table.shape[1]}. "
            f"Give --embedding-dim {dimensions}."
        )
    place = {word: i for i, word in enumerate(vectors.words)}
    return np.stack(
        [vectors.table[place[name]] if name in place else row for name, row in zip(names, table, strict=True)]
    )
