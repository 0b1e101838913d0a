"""What a training would see of a data set: counts, labels, lengths, unknown words, duplicates, suspicious rows.

Nothing is trained but the vocabulary that the training would use, and nothing is written.
"""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

import numpy as np

from zoo.data.raw import first_component
from zoo.evaluation import Advance
from zoo.ids import UNKNOWN
from zoo.task import Data, Installed
from zoo.training.display import bar

MOST = 200_000
"""Examples of a split that are looked at; the report says so where there are more."""

EXAMPLES = 10
"""Examples that are shown."""

QUANTILES = (0, 0.05, 0.5, 0.95, 1)

LONGEST = 120
"""Characters of an example that are shown."""

RARE = 5
"""Examples below which a label is said to be rare."""

MOJIBAKE = ("\u00c3\u00a9", "\u00c3\u00bc", "\u00c3\u00a4", "\u00e2\u20ac", "\ufffd")
"""Traces of UTF-8 that was read as Windows-1252, and of characters that were lost."""


@dataclass
class Split:
    """Facts of one split.

    Attributes:
        examples: Number of examples that were looked at.
        complete: Whether these are all.
        labels: Label -> occurrences.
        lengths: What is measured -> its quantiles.
        unknown: Fraction of tokens that the vocabulary does not have; None without a vocabulary.
        duplicates: Examples whose content stands in the split before.
        keys: Digest of the content of each example -> labels it has.
    """

    examples: int = 0
    complete: bool = True
    labels: Counter = field(default_factory=Counter)
    lengths: dict[str, list[float]] = field(default_factory=dict)
    unknown: float | None = None
    duplicates: int = 0
    keys: dict[bytes, set] = field(default_factory=dict)


def inspect(task: Installed, recipe: Any) -> dict[str, Any]:
    """The report as JSON values.

    Args:
        task: The task whose training would read the data.
        recipe: The settings of that training.

    Raises:
        UserError: If the data cannot be used.
    """
    data = task.task.load(recipe)
    splits: dict[str, Split] = {}
    examples: list[str] = []
    warnings: list[str] = []
    for name in [split for split in data.raw.names if split in ("train", "validation", "test")]:
        with bar(f"reading {name}", min(data.raw.size(name), MOST) or None) as advance:
            splits[name], shown, found = _split(data, name, advance)
        warnings += found
        examples = examples or shown
    warnings += _across(splits)
    facts = {
        name: {
            "examples": split.examples,
            "complete": split.complete,
            **({"labels": dict(split.labels.most_common())} if split.labels else {}),
            "lengths": split.lengths,
            "duplicates": split.duplicates,
            **({} if split.unknown is None else {"unknown": round(split.unknown, 4)}),
        }
        for name, split in splits.items()
    }
    overlaps = {
        f"{one} and {other}": len(splits[one].keys.keys() & splits[other].keys.keys())
        for number, one in enumerate(splits)
        for other in list(splits)[number + 1 :]
    }
    return {
        "task": task.name,
        "dataset": data.raw.card.name,
        "splits": data.raw.card.splits,
        "parts": facts,
        "overlaps": overlaps,
        "warnings": warnings,
        "examples": examples,
    }


def _split(data: Data, name: str, advance: Advance) -> tuple[Split, list[str], list[str]]:
    """Facts, examples to show, and warnings of a split; says after each example how many were looked at."""
    split, warnings = Split(), Counter[str]()
    shown: list[str] = []
    measured: dict[str, list[int]] = defaultdict(list)
    tokenizer = data.assets.get("tokenizer") or data.assets.get("source_tokenizer")
    normalize = data.normalize or str
    tokens = unknown = 0
    for example in _examples(data, name):
        if split.examples == MOST:
            split.complete = False
            break
        split.examples += 1
        key = hashlib.sha256(first_component(example)).digest()[:16]
        split.duplicates += key in split.keys
        label = _label(example)
        split.keys.setdefault(key, set()).add(label)
        split.labels.update(_labels(example, data.raw.labels))
        texts: list[list[str]] = []
        for what, size, text in _measure(example):
            measured[what].append(size)
            texts += [text] if text else []
        warnings.update(_suspicious(list(chain(*texts))))
        if tokenizer is not None and texts:
            # The captions of an image stand beside its name; of a pair, the first text is the source.
            ids = list(chain(*tokenizer.encode([normalize(text) for text in max(texts[:2], key=len)])))
            tokens, unknown = tokens + len(ids), unknown + sum(i == UNKNOWN for i in ids)
        if len(shown) < EXAMPLES:
            shown.append(_show(example, data.raw.labels))
        advance(split.examples)
    split.lengths = {what: [float(q) for q in np.quantile(sizes, QUANTILES)] for what, sizes in measured.items()}
    split.unknown = unknown / tokens if tokens else None
    return split, shown, [f"{name}: {count:,} {what}" for what, count in warnings.items()]


def _examples(data: Data, name: str) -> Iterator[tuple]:
    """Examples of a split; documents of a language model as texts."""
    examples = data.raw.read(name)
    if hasattr(examples, "as_numpy_iterator"):
        for example in examples.as_numpy_iterator():
            items = example if isinstance(example, tuple) else (example,)
            # What a caption says in facts is empty for users' images.
            yield items[:-1] if len(items) > 2 and items[-1] == b"" else items
    else:
        for document in examples:
            yield ("".join(document).encode("utf-8", "replace"),)


SAMPLES = np.int16
"""Type of the samples of a sound; labels have more bits."""


def _measure(example: tuple) -> Iterator[tuple[str, int, list[str]]]:
    """What the lengths within an example count, the lengths, and its texts."""
    arrays = [np.asarray(component) for component in example]
    several = sum(isinstance(component, bytes) for component in example) > 1
    captions = arrays[-1].ndim == 1 and arrays[-1].dtype == object
    for number, (component, array) in enumerate(zip(example, arrays, strict=True), 1):
        if isinstance(component, bytes) and not captions:
            text = component.decode("utf-8", "replace")
            yield f"words of text {number}" if several else "words", len(text.split()), [text]
        elif array.ndim and array.dtype == object:
            texts = [item.decode("utf-8", "replace") for item in array.ravel()]
            if number == len(arrays):
                yield "captions", len(texts), texts
                yield from (("words of a caption", len(text.split()), []) for text in texts)
            else:
                yield "words", len(texts), texts
        elif array.ndim and (array.dtype.kind in "fu" or array.dtype == SAMPLES):
            yield ("steps" if array.ndim != 3 else "rows"), len(array), []


def _label(example: tuple) -> Any:
    """The label of an example that has one, else None."""
    last = np.asarray(example[-1])
    return int(last) if last.ndim == 0 and last.dtype.kind == "i" and len(example) > 1 else None


def _labels(example: tuple, names: Sequence[str]) -> list[str]:
    """Names of the labels of an example, those of its steps one by one."""
    last = np.asarray(example[-1])
    if len(example) < 2 or last.dtype.kind != "i" or not names:
        return []
    return [names[int(i)] for i in last.ravel() if 0 <= int(i) < len(names)]


def _suspicious(texts: Sequence[str]) -> list[str]:
    """What is odd about the texts of an example."""
    found = []
    for text in texts:
        if any(mark in text for mark in MOJIBAKE):
            found.append("texts look as if UTF-8 had been read in another encoding")
        if any(ord(sign) < 32 and sign not in "\t\n\r" for sign in text):
            found.append("texts have control characters")
        if not text.strip():
            found.append("texts are empty")
    return list(dict.fromkeys(found))


def _across(splits: dict[str, Split]) -> list[str]:
    """Warnings about labels and about examples that stand in two splits."""
    warnings = []
    for name, split in splits.items():
        conflicts = sum(len(labels) > 1 for labels in split.keys.values())
        if conflicts:
            warnings.append(f"{name}: {conflicts:,} contents have several labels")
        if split.labels:
            rare = [f"{label} ({count})" for label, count in split.labels.items() if count < RARE]
            if rare and name == "train":
                warnings.append(f"{name}: rare labels: {', '.join(rare[:10])}{' ...' if len(rare) > 10 else ''}")
            label, most = split.labels.most_common(1)[0]
            share = most / sum(split.labels.values())
            if share > 0.95 and len(split.labels) > 1:
                warnings.append(f"{name}: {share:.1%} of the labels are {label!r}")
    if "train" in splits:
        for name in ("validation", "test"):
            both = len(splits["train"].keys.keys() & splits[name].keys.keys()) if name in splits else 0
            if both:
                warnings.append(f"{both:,} contents of {name} are in train as well: its scores are too good")
    return warnings


def _show(example: tuple, names: Sequence[str]) -> str:
    """An example in one line."""
    parts = []
    for component in example:
        if isinstance(component, bytes):
            text = component.decode("utf-8", "replace")
            parts.append(repr(text if len(text) <= LONGEST else f"{text[: LONGEST - 3]}..."))
            continue
        array = np.asarray(component)
        if array.dtype == object:
            words = [item.decode("utf-8", "replace") for item in array.ravel()]
            text = " ".join(words)
            parts.append(repr(text if len(text) <= LONGEST else f"{text[: LONGEST - 3]}..."))
        elif array.dtype.kind == "i" and names and array.dtype != SAMPLES:
            labels = [names[int(i)] if 0 <= int(i) < len(names) else "-" for i in array.ravel()]
            parts.append(" ".join(labels[:20]) + (" ..." if len(labels) > 20 else ""))
        else:
            parts.append(f"{array.dtype} {'x'.join(map(str, array.shape))}" if array.ndim else str(array))
    return " | ".join(part for part in parts if part != "''")


def lines(report: dict[str, Any], command: str) -> Iterator[str]:
    """The report for people."""
    yield f"{report['dataset']} ({report['task']}); splits: {report['splits']}"
    for name, facts in report["parts"].items():
        more = "" if facts["complete"] else " or more"
        duplicates = f", {facts['duplicates']:,} of them duplicates" if facts["duplicates"] else ""
        yield f"{name}: {facts['examples']:,} example{'s' * (facts['examples'] != 1)}{more}{duplicates}"
        if facts.get("labels"):
            total = sum(facts["labels"].values())
            shown = [f"{label} {count:,} ({count / total:.1%})" for label, count in facts["labels"].items()]
            yield f"  labels: {', '.join(shown[:20])}{' ...' if len(shown) > 20 else ''}"
        for what, quantiles in facts["lengths"].items():
            least, low, middle, high, most = (f"{value:,.0f}" for value in quantiles)
            spread = f"{least} to {most}, median {middle}, 5 % below {low}, 5 % above {high}"
            yield f"  {what}: {least if least == most else spread}"
        if "unknown" in facts:
            yield f"  unknown tokens: {facts['unknown']:.2%}"
    for both, count in report["overlaps"].items():
        if count:
            yield f"{both} share {count:,} contents"
    for warning in report["warnings"]:
        yield f"Warning: {warning}."
    yield "Examples of train:"
    yield from (f"  {example}" for example in report["examples"])
    yield f"Train on it: {command}"
