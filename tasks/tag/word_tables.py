"""Labeled words from users' tables (CSV, JSON Lines, Parquet).

In JSON Lines and Parquet a row is a sentence, with a list of words and a list as long with their labels:

    {"tokens": ["EU", "rejects"], "tags": ["B-ORG", "O"]}

In CSV a row is a word. A further column says where a sentence begins, by a new number or text; it may be empty within:

    Sentence #,Word,Tag
    Sentence: 1,EU,B-ORG
    ,rejects,O

A column `split` says of which split a sentence is.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from zoo.data import files, own, tables
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


def read(path: Path, tags: str | None = None) -> tuple[list[Sentence], list[str]]:
    """The sentences of a table, and the split of each; no splits if it has no column of them.

    Args:
        path: The file.
        tags: Name of the column of labels; default the first of `TAGS.common`.

    Raises:
        UserError: If a column is missing, or with the row that cannot be used, as one of a sentence that had ended.
    """
    columns = (WORDS, dataclasses.replace(TAGS, given=tags), SENTENCE, tables.SPLIT)

    def choose(names: Sequence[str], kind: str) -> Mapping[str, str]:
        found = tables.resolve(path, names, columns)
        tables.report(path, kind, tuple(found.items()), tuple(names))
        return found

    sentences: list[Sentence] = []
    splits: list[str] = []
    last, seen = "", set[str]()
    for where, values in tables.records(path, columns, choose):
        split = tables.as_text(values["split"], where, "split").strip() if "split" in values else None
        if isinstance(values["words"], list):
            sentences.append(_sentence(where, values["words"], values["tags"]))
            splits += [] if split is None else [own.named_split(split, where)]
            continue
        if "sentence" not in values:
            raise UserError(
                f"{where}: a row is a word here, and no column says where a sentence begins (looked for "
                f"{', '.join(SENTENCE.common)}). Add one, or give JSON Lines with a list of words in each row."
            )
        mark = tables.as_text(values["sentence"], where, "sentence").strip()
        begins = not sentences or (mark and mark != last)
        if begins and mark in seen:
            raise UserError(
                f"{where}: sentence {mark!r} goes on after another one. Sort the rows by their sentence, or give each "
                "sentence a value of its own."
            )
        seen.add(mark)
        last = mark or last
        if begins:
            sentences.append(([], []))
            splits += [] if split is None else [own.named_split(split, where)]
        elif split and own.named_split(split, where) != splits[-1]:
            raise UserError(
                f"{where}: split {split!r} within a sentence that began in {splits[-1]}. Give a sentence one split."
            )
        words, labels = sentences[-1]
        words.append(_word(where, values["words"]))
        labels.append(_word(where, values["tags"], "label"))
    return sentences, splits


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
