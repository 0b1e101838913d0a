"""Series of numbers with labels from users' tables, before they become batches.

A row is a series. Either each column but the label's is a step, in the order of the columns:

    label,t0,t1,t2
    up,0.1,0.4,0.9

or, in JSON Lines and Parquet, one column holds lists, which may have different lengths: of numbers, or of lists of
numbers, one for each feature:

    {"label": "up", "series": [0.1, 0.4, 0.9]}
    {"label": "down", "series": [0.8, 0.2]}
"""

import dataclasses
import hashlib
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from zoo.data import files, own, tables
from zoo.data.datasets import DatasetCard
from zoo.data.raw import RawDataset, check_number_of_labels, index_labels
from zoo.errors import UserError
from zoo.names import some

LABEL = tables.Column("label", ("label", "class", "target", "category", "y", "activity", "species"))

ROW_NUMBERS = ("", "id", "index", "row", "nr", "unnamed: 0", "__index_level_0__")
"""Names of columns that number the rows, as programs write them: no steps."""

COUNTED = 10
"""Rows from which on a first column that counts them is one of row numbers, whatever its name."""

LARGEST = 1e30
"""Largest number: far from where single precision ends, so that sums and squares stay finite."""

USUAL = 10.0
"""Mean or standard deviation above which a net learns badly from numbers as they are."""


class Table(NamedTuple):
    """A table's series, each `(time, features)` float32, and their labels.

    Attributes:
        series: A series for each row.
        labels: Their labels.
        splits: The splits that the rows name; empty if there is no such column.
        columns: The columns of steps, in order; empty if the series are lists.
    """

    series: list[np.ndarray]
    labels: list[str]
    splits: list[str]
    columns: list[str]


def open_tables(
    name: str,
    found: Mapping[str, Path],
    known: Sequence[str] | None,
    label_column: str | None,
    any_length: bool,
    columns: Sequence[str],
    fractions: Mapping[str, float],
    stratum: Callable[[tuple], int],
) -> RawDataset:
    """The series of the tables of a data set's splits: examples `(steps, label)`.

    Args:
        name: Its name.
        found: Split -> table.
        known: Labels of a saved model.
        label_column: Name of the column of labels; default the first of `LABEL.common`.
        any_length: Whether steps are `(None, features)` though all series may have one length, as a saved model says.
        columns: The columns of steps of a saved model; default those of train. Other tables have the same ones.
        fractions: See `own.combine`.
        stratum: See `own.combine`.

    Raises:
        UserError: With the row or the column that cannot be used.
    """
    train = read(found["train"], label_column, columns)
    parts = {found["train"]: train}
    for path in found.values():
        parts[path] = parts.get(path) or read(path, label_column, [name.strip() for name in train.columns])
    shapes = {steps.shape: path for path, table in parts.items() for steps in table.series}
    features = {shape[1]: path for shape, path in shapes.items()}
    if len(features) > 1:
        have = " and ".join(f"{count} in {path.name}" for count, path in features.items())
        raise UserError(f"{name}: steps have different numbers of features, {have}. Give all steps the same.")
    times = {shape[0] for shape in shapes}
    time = times.pop() if len(times) == 1 and not any_length else None
    _check_scale(found["train"], train.series)

    def open_part(path: Path, known: Sequence[str] | None) -> RawDataset:
        return _in_memory(path, parts[path], (time, *features), known)

    return own.combine(name, found, open_part, known, "series", fractions, stratum)


def _in_memory(path: Path, table: Table, shape: tuple[int | None, ...], known: Sequence[str] | None) -> RawDataset:
    """The series of one table, in an order that a hash of them decides, so that the first few have all classes."""
    check_number_of_labels(table.labels, str(path), LABEL.option)
    labels = index_labels(table.labels, known, str(path), strict=True)
    index = {label: number for number, label in enumerate(labels)}
    digests = [hashlib.sha256(steps.tobytes()).digest() for steps in table.series]
    order = sorted(range(len(digests)), key=digests.__getitem__)

    def examples() -> Iterator[tuple[np.ndarray, int]]:
        return ((table.series[i], index[table.labels[i]]) for i in order)

    signature = (tf.TensorSpec(shape, tf.float32), tf.TensorSpec((), tf.int64))
    details = {"steps": [name.strip() for name in table.columns]} if table.columns else {}
    card = DatasetCard(path.stem, labels=labels, sha256={path.name: files.digest(path)}, details=details)
    raw = RawDataset(
        read=lambda split: tf.data.Dataset.from_generator(examples, output_signature=signature),
        names=("train", "all"),
        card=card,
        labels=tuple(labels),
        count=lambda split: len(order),
    )
    return raw.divided([table.splits[i] for i in order] if table.splits else [])


def read(path: Path, label_column: str | None = None, columns: Sequence[str] = ()) -> Table:
    """The series of a table.

    Args:
        path: The file.
        label_column: Name of the column of labels; default the first of `LABEL.common`.
        columns: The columns of steps that it has to have, if each step is a column, and their order.

    Raises:
        UserError: With the row or the column that cannot be used.
    """
    label = dataclasses.replace(LABEL, given=label_column)
    names: list[str] = []
    kind = split = ""

    def choose(given: Sequence[str], kind_of_table: str) -> Mapping[str, str]:
        nonlocal kind, split
        chosen = tables.resolve(path, given, [label, tables.SPLIT])
        kind, split = kind_of_table, chosen.get("split", "")
        twice = [name for name, count in Counter(name.strip() for name in given).items() if count > 1]
        if twice:
            raise UserError(f"{path} has two columns {twice[0]!r}. Rename one of them.")
        names.extend([chosen["label"], *(name for name in given if name not in chosen.values())])
        return {name: name for name in given}

    table, lists = Table([], [], [], []), ""
    for where, values in tables.records(path, [label], choose):
        if not table.series:
            lists = _column_of_lists(where, names[1:], values)
            table.columns.extend([] if lists else _steps(path, names, label_column, columns))
            _report(path, kind, names, lists, table.columns)
        name = tables.as_text(values[names[0]], where, names[0]).strip()
        tables.check_filled(name, where, "the label", is_label=True)
        if split:
            table.splits.append(own.named_split(tables.as_text(values[split], where, split), where))
        steps = _of_list(where, lists, values[lists]) if lists else _of_columns(where, table.columns, values)
        if table.series and steps.shape[1] != table.series[0].shape[1]:
            before = table.series[0].shape[1]
            raise UserError(
                f"{where}: steps of {steps.shape[1]} numbers; those above have {before}. Give all the same."
            )
        table.series.append(steps)
        table.labels.append(name)
    if not table.series:
        raise UserError(f"{path} has no rows below its header. Each row needs a label and numbers.")
    if not lists:
        _check_row_numbers(path, table.columns[0], table.series)
    return table


def _column_of_lists(where: str, names: Sequence[str], values: Mapping[str, Any]) -> str:
    """The one column whose values are lists; empty if there is none.

    Raises:
        UserError: If there are several.
    """
    lists = [name for name in names if isinstance(values[name], list)]
    if len(lists) > 1:
        raise UserError(f"{where}: {' and '.join(map(repr, lists))} are lists. Keep one of them, the series.")
    return lists[0] if lists else ""


def _steps(path: Path, names: Sequence[str], label_column: str | None, columns: Sequence[str]) -> list[str]:
    """The columns that are steps.

    Args:
        path: The table.
        names: Its columns, that of the labels first.
        label_column: Name of this one, if the user gave it: then others that may have labels are left out.
        columns: The columns that they have to be, and their order; empty for any.

    Raises:
        UserError: If columns cannot be steps by their names, or are others than they have to be.
    """
    label, *names = names
    numbering = [name for name in names if tables.fold(name) in ROW_NUMBERS]
    if numbering:
        raise _is_row_number(path, numbering[0])
    labels = [name for name in names if tables.fold(name) in LABEL.common]
    if labels and label_column is None:
        raise UserError(
            f"{path}: both {label!r} and {labels[0]!r} may be the labels. Name the right one, {LABEL.option} NAME, and "
            "the other is left out; rename it if it is a step."
        )
    by_name = {name.strip(): name for name in names if name not in labels}
    if columns and set(by_name) != set(columns):
        lacks = [repr(name) for name in columns if name not in by_name]
        more = [repr(name) for name in by_name if name not in columns]
        differ = "; ".join(f"{what} {some(those)}" for what, those in (("it lacks", lacks), ("it has", more)) if those)
        raise UserError(f"{path}: its steps are not the columns of the training data: {differ}. Give the same columns.")
    if len(by_name) < 2:
        raise UserError(
            f"{path} has no series: besides the label it has {', '.join(map(repr, by_name)) or 'no column'}. Give each "
            'step a column, or, as JSON Lines, each row a list: {"label": "up", "series": [0.1, 0.4]}.'
        )
    return [by_name[name] for name in columns or by_name]


def _of_columns(where: str, names: Sequence[str], values: Mapping[str, Any]) -> np.ndarray:
    """`(time, 1)` float32.

    Raises:
        UserError: With the column whose value is missing or no number.
    """
    row = [values[name] for name in names]
    steps = _numbers(row)
    if steps is None or steps.ndim != 1:
        name, value = next((name, one) for name, one in zip(names, row, strict=True) if not _is_number(one))
        if value is None or str(value).strip().lower() in ("", "nan", "na", "null", "none"):
            raise UserError(f"{where}: column {name!r} is empty. Fill it in or delete the row.")
        comma = isinstance(value, str) and re.fullmatch(r"\s*[+-]?\d+,\d+\s*", value)
        do = (
            "Write decimals with a point."
            if comma
            else "Each column but the label is a step: delete it, or correct the row."
        )
        raise UserError(f"{where}: column {name!r} has {str(value)[:40]!r}, no finite number. {do}")
    return steps[:, None].astype("float32")


def _of_list(where: str, name: str, value: Any) -> np.ndarray:
    """`(time, features)` float32.

    Raises:
        UserError: If it is no list of numbers, or of lists of as many numbers each.
    """
    steps = _numbers(value) if isinstance(value, list) else None
    if steps is None or steps.ndim not in (1, 2) or not steps.size:
        shown = str(value)[:40]
        raise UserError(
            f"{where}: {name!r} has to be a list of finite numbers, or of lists of as many each; got {shown}."
        )
    return (steps[:, None] if steps.ndim == 1 else steps).astype("float32")


def _numbers(value: Any) -> np.ndarray | None:
    """The numbers as an array; None if one is missing, no number, not finite or too large."""
    try:
        array = np.array(value, "float64")
    except (ValueError, TypeError, OverflowError):
        return None
    plain = all(map(tables.is_number, _strings(value)))
    return array if plain and (np.abs(array) < LARGEST).all() else None  # false for NaN as well


def _strings(value: Any) -> list[str]:
    """A string, or those within lists of any depth."""
    if not isinstance(value, list):
        return [value] if isinstance(value, str) else []
    deeper = [text for item in value if isinstance(item, list) for text in _strings(item)]
    return [item for item in value if isinstance(item, str)] + deeper


def _is_number(value: Any) -> bool:
    found = _numbers(value)
    return found is not None and found.ndim == 0


def _check_row_numbers(path: Path, name: str, series: Sequence[np.ndarray]) -> None:
    first = np.array([steps[0, 0] for steps in series])
    if len(first) >= COUNTED and first[0] in (0, 1) and (np.diff(first) == 1).all():
        raise _is_row_number(path, name)


def _is_row_number(path: Path, name: str) -> UserError:
    return UserError(f"{path}: column {name!r} numbers the rows; every column but the label is a step. Delete it.")


def _report(path: Path, kind: str, names: Sequence[str], lists: str, columns: Sequence[str]) -> None:
    """Says how a table is read."""
    label, *rest = names
    left = [repr(name) for name in rest if name not in (lists, *columns)]
    more = f"; left out: {', '.join(left)}" if left else ""
    series = f"series = {lists!r}" if lists else f"{len(columns)} steps = {columns[0]!r} to {columns[-1]!r}"
    print(f"{path.name}: {kind}; label = {label!r}, {series}{more}.", file=sys.stderr, flush=True)


def _check_scale(path: Path, series: Sequence[np.ndarray]) -> None:
    """Warns of numbers from which a net learns badly: they are read as they are."""
    numbers = np.concatenate([steps.ravel() for steps in series])
    mean, deviation = float(numbers.mean(dtype="float64")), float(numbers.std(dtype="float64"))
    if abs(mean) > USUAL or deviation > USUAL:
        print(f"Warning: the numbers of {path.name} have the mean {mean:.3g} and the standard deviation "
              f"{deviation:.3g}. They are read as they are, and a net learns best from about 0 and 1: scale them, and "
              "later inputs alike.", file=sys.stderr, flush=True)  # fmt: skip
