"""Raw examples by split, before any tokenization: what a data set is, wherever it comes from."""

import functools
import hashlib
from array import array
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import tensorflow as tf

from zoo.data.datasets import SPLITS, DatasetCard
from zoo.errors import UserError
from zoo.names import unknown

SEED = 1
"""Enters the hash of held-out parts. It is not the training's seed, so that trainings can be compared."""

FRACTION, AT_MOST = 0.1, 5_000
"""How much of the training data is held out where a split is missing, and how many groups at most."""

MOST_LABELS = 20
"""Labels that may be as many as half of the examples: few examples of a small set."""

Key = Callable[[tuple], bytes]
"""Example -> its group: examples with equal keys never lie on two sides."""


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
        if name not in self.names:
            raise unknown("split", name, self.names)
        examples = self.read(name)
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
        key: Key | None = None,
        stratum: Callable[[tuple], int] | None = None,
        what: str = "examples",
    ) -> "RawDataset":
        """Takes missing splits out of train, by a hash of each example, whole groups at a time.

        The one rule of the project: groups are ranked by SHA-256 of the seed and their key; the first become the first
        missing split, the next ones the second, and the rest stays. It depends on nothing but the examples.

        Args:
            fractions: Split name -> fraction of the groups; default a tenth for validation and test each, where
                missing.
            key: The group of an example; default its first component, with white space normalized if it is text.
            stratum: Class of an example: then each class gives its fraction, at least one group.
            what: What examples are called, in the plural, for the error.

        Raises:
            UserError: When the splits are first used, if there are too few groups.
        """
        if fractions is None:
            fractions = {name: FRACTION for name in ("validation", "test") if name not in self.names}
        if not fractions or "train" not in self.names:  # a data set that is only for scoring
            return self
        parts = ("train", *fractions)
        side = functools.cache(lambda: self._sides(dict(fractions), key or first_component, stratum, what))

        def read(name: str) -> Any:
            if name not in parts:
                return self.read(name)
            number, of = parts.index(name), tf.constant(side())
            numbered = self.read("train").enumerate()
            return numbered.filter(lambda place, *_: of[place] == number).map(lambda _, example: example)

        def count(name: str) -> int:
            return int((side() == parts.index(name)).sum()) if name in parts else self.count(name)

        share = " and ".join(f"{name} ({part:.0%})" for name, part in fractions.items())
        by = " of each class" if stratum else ""
        rule = f"{share} held out of train{by} by a hash of the content; equal {what} stay together"
        own = [name for name in SPLITS[:3] if name in self.names and name not in fractions]
        kept = f"{', '.join(own)}: {self.card.splits}; {rule}" if self.card.splits != "its own" else rule
        names = [name for name in (*SPLITS, *self.names) if name in (*self.names, *fractions)]
        card = replace(self.card, splits=kept)
        return replace(self, read=read, names=tuple(dict.fromkeys(names)), card=card, count=count)

    def _sides(
        self, fractions: dict[str, float], key: Key, stratum: Callable[[tuple], int] | None, what: str
    ) -> np.ndarray:
        """The side of each training example, in order: 0 for train, then the places in `fractions`; uint8."""
        digests, classes = array("Q"), array("q")  # 16 bytes per example
        for example in self.read("train").as_numpy_iterator():
            items = example if isinstance(example, tuple) else (example,)
            digests.append(int.from_bytes(hashlib.sha256(b"%d " % SEED + key(items)).digest()[:8], "big"))
            classes.append(stratum(items) if stratum else 0)
        groups, first, place = np.unique(np.frombuffer(digests, "uint64"), return_index=True, return_inverse=True)
        of_group = np.zeros(len(groups), "uint8")
        strata = np.frombuffer(classes, "int64")[first]
        for one in np.unique(strata):
            ranked = np.flatnonzero(strata == one)  # groups are sorted by digest
            start = 0
            for number, fraction in enumerate(fractions.values(), 1):
                stop = start + min(max(1, round(fraction * len(ranked))), AT_MOST)
                of_group[ranked[start:stop]] = number
                start = stop
        if len(groups) < 1 or not (of_group == 0).any() or len(set(of_group.tolist())) <= len(fractions):
            raise UserError(
                f"{self.card.name} has {len(digests):,} {what} to train on, {len(groups):,} of them distinct: too few "
                f"to hold {' and '.join(fractions)} out. Give more, or {' and '.join(fractions)} as well."
            )
        return of_group[place.reshape(-1)]

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


def first_component(example: tuple) -> bytes:
    """The default group: the first component; if it is text, its white space normalized; words are joined."""
    first = example[0]
    if isinstance(first, np.ndarray) and first.dtype == object:  # strings, of which `tobytes` gives addresses
        first = b" ".join(first.ravel())
    return b" ".join(first.split()) if isinstance(first, bytes) else np.asarray(first).tobytes()


def index_labels(found: Iterable[str], known: Sequence[str] | None, name: str) -> list[str]:
    """The labels of a user's file: those that occur, sorted, or those that a saved model knows.

    Raises:
        UnknownLabelError: If a saved model does not know one.
        UserError: If there are fewer than two.
    """
    occurring = sorted(set(found))
    for label in occurring if known is not None else ():
        if label not in (known or ()):
            raise UnknownLabelError(f"{name}: {unknown('label', label, known or ())}")
    labels = list(known) if known is not None else occurring
    if len(labels) < 2:
        raise UserError(f"{name}: every example has the label {''.join(labels)!r}. Give two labels at least.")
    return labels


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
