"""Labeled words from a file in columns, as in the shared tasks of CoNLL.

EU B-ORG          word first, label last, a blank or a tab between; more columns may stand in the middle
rejects O
                  an empty line ends a sentence
Peter B-PER
"""

import re
from collections.abc import Iterator
from pathlib import Path

from zoo.data import tables
from zoo.errors import UserError

Sentence = tuple[list[str], list[str]]
"""Words, and one label for each."""


def sentences(path: Path) -> Iterator[Sentence]:
    """The sentences of a file. Lines of `-DOCSTART-`, which begin a document, are skipped.

    Raises:
        UserError: With the number of the line that cannot be used.
    """
    words: list[str] = []
    labels: list[str] = []
    columns = 0
    for number, line in enumerate(tables.lines(path), 1):
        if not line.strip() or line.startswith("-DOCSTART-"):
            if words:
                yield words, labels
            words, labels = [], []
            continue
        fields = line.rstrip("\r\n").split("\t") if "\t" in line else line.split()
        where = f"{path}, line {number}"
        if len(fields) < 2 or not fields[0].strip() or not fields[-1].strip():
            raise UserError(
                f"{where}: a line has a word and its label, with a blank or a tab between; got {line.strip()!r}."
            )
        if columns and len(fields) != columns:
            raise UserError(
                f"{where}: {len(fields)} columns; the lines before have {columns}. Give all lines the same number."
            )
        columns = len(fields)
        words.append(fields[0].strip())
        labels.append(fields[-1].strip())
    if words:
        yield words, labels


def split_words(text: str, known: set[str] | None = None) -> list[str]:
    """The words of a sentence as typed: punctuation at a word's ends becomes words of its own, as in such files.

    Args:
        text: Anything.
        known: Words that stay as they are, such as `U.N.`
    """
    found: list[str] = []
    for word in text.split():
        if known and word in known:
            found.append(word)
        else:
            found += re.findall(r"\w+(?:[^\w\s]+\w+)*|[^\w\s]", word)
    return found
