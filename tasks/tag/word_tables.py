"""Labeled words from users' tables (CSV, JSON Lines, Parquet).

In JSON Lines and Parquet a row is a sentence, with a list of words and a list as long with their labels:

    {"tokens": ["EU", "rejects"], "tags": ["B-ORG", "O"]}

In CSV a row is a word. A further column says where a sentence begins, by a new number or text; it may be empty within:

    Sentence #,Word,Tag
    Sentence: 1,EU,B-ORG
    ,rejects,O
"""

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from zoo.data import files, tables
from zoo.errors import UserError

from .conll import Sentence

SUFFIXES = (".csv", ".jsonl", ".ndjson", ".parquet")
"""Files that are tables; those in columns have no header."""

WORDS = tables.Column("words", ("tokens", "words", "token", "word", "form"), options="")

TAGS = tables.Column(
    "tags",
    ("tags", "tag", "ner_tags", "ner", "labels", "label", "pos_tags", "pos", "upos"),
    options="--tags",
)

SENTENCE = tables.Column(
    "sentence", ("sentence #", "sentence_id", "sent_id", "sentence", "sentence_idx"), optional=True
)


def is_table(path: Path) -> bool:
    """Whether a file is read here."""
    return files.suffix(path) in SUFFIXES


def sentences(path: Path, tags: str | None = None) -> Iterator[Sentence]:
    """The sentences of a table.

    Args:
        path: The file.
        tags: Name of the column of labels; default the first of `TAGS.common`.

    Raises:
        UserError: If a column is missing, or with the row that cannot be used, as one of a sentence that had ended.
    """
    columns = (WORDS, dataclasses.replace(TAGS, given=tags), SENTENCE)

    def choose(names: Sequence[str], kind: str) -> Mapping[str, str]:
        found = tables.resolve(path, names, columns)
        tables.report(path, kind, tuple(found.items()), tuple(names))
        return found

    words: list[str] = []
    labels: list[str | None] = []
    last, seen = "", set[str]()
    for where, values in tables.records(path, columns, choose):
        if isinstance(values["words"], list):
            yield _sentence(where, values["words"], values["tags"])
            continue
        if "sentence" not in values:
            raise UserError(
                f"{where}: a row is a word here, and no column says where a sentence begins (looked for "
                f"{', '.join(SENTENCE.common)}). Add one, or give JSON Lines with a list of words in each row."
            )
        mark = tables.as_text(values["sentence"], where, "sentence").strip()
        if mark and mark != last and words:
            yield words, labels
            words, labels = [], []
        if mark and mark != last and mark in seen:
            raise UserError(
                f"{where}: sentence {mark!r} goes on after another one. Sort the rows by their sentence, or give each "
                "sentence a value of its own."
            )
        seen.add(mark)
        last = mark or last
        words.append(_word(where, values["words"]))
        labels.append(_word(where, values["tags"], "label"))
    if words:
        yield words, labels


def _sentence(where: str, words: list[Any], labels: Any) -> Sentence:
    """A row with lists.

    Raises:
        UserError: If the lists have different lengths, or an entry is no text.
    """
    if not isinstance(labels, list) or len(labels) != len(words) or not words:
        have = f"{len(labels):,} labels" if isinstance(labels, list) else "no list of labels"
        raise UserError(f"{where}: {len(words):,} words and {have}. Give each word its label.")
    return [_word(where, word) for word in words], [_word(where, label, "label") for label in labels]


def _word(where: str, value: Any, what: str = "word") -> str:
    found = tables.as_text(value, where, what).strip()
    tables.check_filled(found, where, f"a {what}", what == "label")
    return found
