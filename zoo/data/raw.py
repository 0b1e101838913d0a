"""Raw examples by split, before any tokenization: what a data set is, wherever it comes from."""

import functools
import hashlib
import re
import sys
import unicodedata
from array import array
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import tensorflow as tf

from zoo.data.batches import without_autotune
from zoo.data.datasets import SPLITS, DatasetCard
from zoo.errors import UserError
from zoo.names import some, unknown

SEED = 1
"""Enters the hash of held-out parts. It is not the training's seed, so that trainings can be compared."""

FRACTION, AT_MOST = 0.1, 5_000
"""How much of the training data is held out where a split is missing, and how many groups at most."""

QUOTES = " \t\"'`\u00ab\u00bb\u2018\u2019\u201a\u201c\u201d\u201e\u2039\u203a"
"""Blanks and quotation marks, which may stand around a label by mistake."""

MOST_LABELS = 20
"""Labels that may be as many as half of the examples: few examples of a small set."""


@dataclass(frozen=True)
class RawDataset:
    """A data set: its splits, their sizes, its labels, and its card. Nothing is read before it is asked for.

    Attributes:
        read: Split name -> examples, in the same order each time; usually a `tf.data.Dataset` of tuples.
        names: The splits there are, those of `SPLITS` first.
        card: What the model's card says of it.
        labels: Names of the labels; empty if there are none.
        count: Split name -> number of examples. It may have to read everything, so it is called only when needed.
        fingerprint: A short text that changes when the data do: what was computed from them can be kept under it.
    """

    read: Callable[[str], Any]
    names: Sequence[str]
    card: DatasetCard
    labels: Sequence[str] = ()
    count: Callable[[str], int] = lambda name: 0
    fingerprint: Callable[[], str] = str

    def split(self, name: str, limit: int | None = None) -> Any:
        """The examples of a split, or the first `limit` of them.

        Raises:
            UserError: If there is no such split; names the nearest.
        """
        if name == "train" and name not in self.names:
            raise UserError(
                f"{self.card.name} has nothing to train on: no example is in the split train. Add some, or give "
                "another data set."
            )
        if name not in self.names:
            raise unknown("split", name, self.names)
        examples = self.read(name)
        examples = without_autotune(examples) if isinstance(examples, tf.data.Dataset) else examples
        return examples if limit is None else examples.take(limit)

    def size(self, name: str) -> int:
        """Number of examples of a split; 0 if there is no such split."""
        return self.count(name) if name in self.names else 0

    def sizes(self) -> dict[str, int]:
        """Number of examples of train, validation, test and unlabeled, as far as they exist."""
        return {name: self.size(name) for name in SPLITS if name in self.names}

    def take(self, limit: int | None) -> "RawDataset":
        """The same with only the first `limit` examples to train on."""
        if limit is None:
            return self

        def read(name: str) -> Any:
            return self.read(name).take(limit) if name == "train" else self.read(name)

        def count(name: str) -> int:
            return min(limit, self.count(name)) if name == "train" else self.count(name)

        return replace(self, read=read, count=count)

    def hold_out(
        self,
        fractions: Mapping[str, float] | None = None,
        stratum: Callable[[tuple], int] | None = None,
        what: str = "examples",
    ) -> "RawDataset":
        """Takes missing splits out of train, by a hash of each example, whole groups at a time.

        The one rule of the project: examples with an equal first component, white space aside, are a group; groups are
        ranked by SHA-256 of the seed and that component; the first become the first missing split, the next ones the
        second, and the rest stays. It depends on nothing but the examples. Where there was train alone, `"all"` is the
        undivided whole.

        Args:
            fractions: Split name -> fraction of the groups; default a tenth for validation and test each, where
                missing.
            stratum: Class of an example: then each class gives its fraction, at least one group, and keeps one.
            what: What examples are called, in the plural, for the error.

        Raises:
            UserError: When the splits are first used, if there are too few groups.
        """
        if fractions is None:
            fractions = {name: FRACTION for name in ("validation", "test") if name not in self.names}
        if not fractions or "train" not in self.names:  # a data set that is only for scoring
            return self
        parts = ("train", *fractions)
        side = functools.cache(lambda: self._sides(dict(fractions), stratum, what))
        whole = () if "all" in self.names or len(self.names) > 1 else ("all",)

        def read(name: str) -> Any:
            if name in whole:
                return self.read("train")
            if name not in parts:
                return self.read(name)
            return _on_side(self.read("train"), side(), parts.index(name))

        def count(name: str) -> int:
            if name in whole:
                return self.count("train")
            return int((side() == parts.index(name)).sum()) if name in parts else self.count(name)

        share = " and ".join(f"{name} ({part:.0%})" for name, part in fractions.items())
        by = " of each class" if stratum else ""
        rule = f"{share} held out of train{by} by a hash of the content; equal {what} stay together"
        own = [name for name in SPLITS[:3] if name in self.names and name not in fractions]
        kept = f"{', '.join(own)}: {self.card.splits}; {rule}" if self.card.splits != "its own" else rule
        names = [name for name in (*SPLITS, *self.names) if name in (*self.names, *fractions)]
        card = replace(self.card, splits=kept)
        return replace(self, read=read, names=(*dict.fromkeys(names), *whole), card=card, count=count)

    def _sides(self, fractions: dict[str, float], stratum: Callable[[tuple], int] | None, what: str) -> np.ndarray:
        """The side of each training example, in order: 0 for train, then the places in `fractions`; uint8."""
        digests, classes = array("Q"), array("q")  # 16 bytes per example
        for example in self.split("train").as_numpy_iterator():
            items = example if isinstance(example, tuple) else (example,)
            digests.append(int.from_bytes(hashlib.sha256(b"%d " % SEED + first_component(items)).digest()[:8], "big"))
            classes.append(stratum(items) if stratum else 0)
        groups, first, place = np.unique(np.frombuffer(digests, "uint64"), return_index=True, return_inverse=True)
        of_group = np.zeros(len(groups), "uint8")
        strata = np.frombuffer(classes, "int64")[first]
        for one in np.unique(strata):
            ranked = np.flatnonzero(strata == one)  # groups are sorted by digest
            start = 0
            for number, fraction in enumerate(fractions.values(), 1):
                stop = min(start + min(max(1, round(fraction * len(ranked))), AT_MOST), len(ranked) - 1)
                of_group[ranked[start:stop]] = number
                start = stop
        if len(groups) < 1 or not (of_group == 0).any() or len(set(of_group.tolist())) <= len(fractions):
            raise UserError(
                f"{self.card.name} has {len(digests):,} {what} to train on, {len(groups):,} of them distinct: too few "
                f"to hold {' and '.join(fractions)} out. Give more, or {' and '.join(fractions)} as well."
            )
        return of_group[place.reshape(-1)]

    def divided(self, splits: Sequence[str]) -> "RawDataset":
        """The same, where each example names its split; itself if none does.

        Args:
            splits: The split of each example, in the order of `"all"`; empty if no example names one.
        """
        if not splits:
            return self
        side = np.array([SPLITS.index(split) for split in splits], "uint8")

        def read(name: str) -> Any:
            return self.read(name) if name == "all" else _on_side(self.read("all"), side, SPLITS.index(name))

        def count(name: str) -> int:
            return self.count(name) if name == "all" else splits.count(name)

        names = (*(name for name in SPLITS if name in splits), "all")
        return replace(self, read=read, names=names, card=replace(self.card, splits="named by each row"), count=count)

    def check_trained(self, limit: int | None = None) -> None:
        """Warns of labels that no training example has. Reads until all have occurred.

        Args:
            limit: To how many training examples it was limited.

        Raises:
            UserError: If there is nothing to train on, or fewer than two labels.
        """
        missing = set(range(len(self.labels)))
        for *_, label in self.split("train").as_numpy_iterator():
            missing.discard(int(label))
            if not missing:
                return
        names = some([repr(self.labels[label]) for label in sorted(missing)])
        of, do = "", "Give more examples of it, or delete those that there are"
        if limit is not None:
            of, do = f" among the first {limit:,}", "Shuffle the rows of the file, or leave --limit out"
        message = f"{self.card.name}: no training example{of} has the label {names}. {do}."
        if len(self.labels) < len(missing) + 2:
            raise UserError(message)
        print(f"Warning: {message}", file=sys.stderr, flush=True)

    def check_labels(self, known: Sequence[str]) -> "RawDataset":
        """Returns itself if its labels are those of a saved model, in that order.

        Raises:
            UnknownLabelError: If they are not.
        """
        if list(self.labels) != list(known):
            raise UnknownLabelError(
                f"Data set {self.card.name!r} has the labels {', '.join(self.labels)}; "
                f"the model knows {', '.join(known)}."
            )
        return self


class UnknownLabelError(UserError):
    """The labels are not those of a saved model."""


def with_labels(
    read: Callable[[Sequence[str] | None], RawDataset], known: Sequence[str] | None, fine_tune: bool
) -> RawDataset:
    """A data set with the labels of a saved model; one for fine-tuning keeps its own where they differ.

    Args:
        read: Opens it with labels that are known, or with its own if they are None.
        known: The labels of a saved model.
        fine_tune: Whether a training goes on from that model, which then has a new output layer for other labels.

    Raises:
        UnknownLabelError: If the model is to be scored on labels that it does not know.
        UserError: If the data set cannot be used.
    """
    if known is None:
        return read(None)
    try:
        return read(known).check_labels(known)
    except UnknownLabelError:
        if not fine_tune:
            raise
        return read(None)


def label_of(example: tuple) -> int:
    """The label of an example `(input, label)`: the stratum by which its data set is divided."""
    return int(example[1])


def first_component(example: tuple) -> bytes:
    """The group of an example: its first component; if it is text, its white space normalized; words are joined."""
    first = example[0]
    if isinstance(first, np.ndarray) and first.dtype == object:  # strings, of which `tobytes` gives addresses
        first = b" ".join(first.ravel())
    return b" ".join(first.split()) if isinstance(first, bytes) else np.asarray(first).tobytes()


def _on_side(examples: tf.data.Dataset, side: np.ndarray, number: int) -> tf.data.Dataset:
    """Those examples whose side, in their order, is a number."""
    of = tf.constant(side)
    return examples.enumerate().filter(lambda place, *_: of[place] == number).map(lambda _, example: example)


def index_labels(found: Iterable[str], known: Sequence[str] | None, name: str, strict: bool = False) -> list[str]:
    """The labels of a user's file: those that occur, sorted, or those that a saved model knows.

    Args:
        found: The label of each example.
        known: The labels that a saved model knows.
        name: The file, for messages.
        strict: Whether two spellings of one label are refused; otherwise they are warned of.

    Raises:
        UnknownLabelError: If a saved model does not know one.
        UserError: If there are fewer than two, or spellings that are refused.
    """
    counts = Counter(found)
    occurring = sorted(counts)
    for label in occurring if known is not None else ():
        if label not in (known or ()):
            raise UnknownLabelError(f"{name}: {unknown('label', label, known or ())}")
    labels = list(known) if known is not None else occurring
    if len(labels) < 2:
        raise UserError(f"{name}: every example has the label {''.join(labels)!r}. Give two labels at least.")
    if known is None and (alike := _spellings(counts)):
        message = (
            f"{name}: labels that differ only in case, blanks, quotation marks, invisible characters or the form of a "
            f"number: {alike}. Make them one, or give them names that differ in more."
        )
        if strict:
            raise UserError(message)
        print(f"Warning: {message}", file=sys.stderr, flush=True)
    return labels


def _spellings(counts: Mapping[str, int]) -> str:
    """Labels that are probably one, spelled in several ways, with their numbers; empty if there are none."""
    alike: dict[str, list[str]] = defaultdict(list)
    for label in sorted(counts):
        alike[_plain(label)].append(label)
    groups = []
    for group in alike.values():
        # Composed and decomposed letters look the same.
        shown = repr if len({unicodedata.normalize("NFC", label) for label in group}) == len(group) else ascii
        if len(group) > 1:
            groups.append(" and ".join(f"{shown(label)} ({counts[label]:,})" for label in group))
    return some(groups)


def _plain(label: str) -> str:
    """A label without what spellings of it may differ in; itself if nothing else is left."""
    text = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", label).casefold())
    text = "".join(character for character in text if unicodedata.category(character) != "Cf")
    text = " ".join(text.strip(QUOTES).split())
    number = re.fullmatch(r"([+-]?\d{1,18})(\.0*)?", text)
    return str(int(number[1])) if number else text or label


def check_number_of_labels(every: Sequence[str], name: str, option: str) -> None:
    """Refuses labels of which more than half are different: numbers to be predicted, names, or texts.

    Args:
        every: The label of each example.
        name: The file.
        option: The option that names another column.

    Raises:
        UserError: If that is so, with more than `MOST_LABELS` of them.
    """
    different = len(set(every))
    if different > MOST_LABELS and different > len(every) / 2:
        raise UserError(
            f"{name}: {different:,} different labels for {len(every):,} examples, such as {every[0][:40]!r}; these are "
            f"no classes. Name another column: {option} NAME."
        )
