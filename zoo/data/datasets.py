"""What is known of a data set before it is opened, and after: a row of a task's table, and its card.

Standard library only: `zoo --help` and `zoo list datasets` read the tables.
"""

import dataclasses
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from zoo.errors import UserError
from zoo.names import unknown

SPLITS = ("train", "validation", "test", "unlabeled")
"""The order in which splits are listed. Only the first three are required."""


@dataclass(frozen=True)
class DatasetRow:
    """One data set of a task: one that TFDS has, or one with a builder of its own.

    Attributes:
        description: One line for `zoo list datasets`.
        features: The TFDS features that make an example, in the task's order; `"captions/text"` is nested.
        builder: Module of a TFDS `Builder` class, imported when the data set is opened; empty for a set that TFDS
            knows by its name. The module may also have `config(text)`, which makes a builder config of what follows
            the slash in `name/config` or raises `ValueError`; `configs()`, the names of all configs; and
            `extra_splits(config)`, further splits that other configs hold, split name -> config.
        config: Default config.
        needs_config: Whether a config must be named, as where configs are pairs of languages.
        variants: Other forms in which the task gives the same examples, written like configs: `name/variant`.
        splits: Split name -> TFDS's name or slice, where they differ; None for one that is held out of train. What
            TFDS does not have is held out as well.
        labels: Names of the labels, where TFDS's names are codes.
        license: License of the data.
        terms: What the license comes to: `"open"`, commercial use is allowed; `"research"`, it is not, or the data were
            published for research without a license; `"unknown"`.
        builtin: Whether it comes with the package, so that it needs no network.
        synthetic: Whether it was made by a program.
        details: What else the task has to know.
    """

    description: str
    features: Sequence[str] = ()
    builder: str = ""
    config: str = ""
    needs_config: bool = False
    variants: Sequence[str] = ()
    splits: Mapping[str, str | None] = field(default_factory=dict)
    labels: Sequence[str] = ()
    license: str = "see the TFDS catalog"
    terms: Literal["open", "research", "unknown"] = "unknown"
    builtin: bool = False
    synthetic: bool = False
    details: Mapping[str, Any] = field(default_factory=dict)


def generated(description: str, features: Sequence[str], builder: str, **more: Any) -> DatasetRow:
    """The row of a data set that a program makes, which comes with the package.

    Args:
        description: See `DatasetRow`, as all that follow.
        features: The TFDS features.
        builder: The module of its builder.
        **more: Further attributes; the license is by default that of this project.
    """
    always: dict[str, Any] = {"builtin": True, "synthetic": True, "terms": "open"}
    license = more.pop("license", "Apache-2.0, drawn by a program of this project")
    return DatasetRow(description, features, builder, license=license, **always, **more)


@dataclass(frozen=True)
class DatasetCard:
    """What a saved model's card says about the data.

    Attributes:
        name: Name of the data set, with its config, or of the user's file or folder.
        splits: How the splits were made, in a sentence.
        license: License of the data; unknown for a user's own.
        version: Version of the TFDS builder.
        builtin: Whether it comes with the package.
        synthetic: Whether it was made by a program.
        labels: Names of the labels.
        sha256: Digests of a user's files, by name.
        details: Further facts, by name.
    """

    name: str
    splits: str = "its own"
    license: str = ""
    version: str = ""
    builtin: bool = False
    synthetic: bool = False
    labels: Sequence[str] = ()
    sha256: Mapping[str, str] = field(default_factory=dict)
    details: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """A flat dictionary without empty fields, as `metrics.json` holds it."""
        values = {item.name: getattr(self, item.name) for item in dataclasses.fields(self) if item.name != "details"}
        kept = {name: value for name, value in values.items() if value or name in ("builtin", "synthetic")}
        if "labels" in kept:
            kept["labels"] = list(self.labels)
        return {**kept, **self.details}

    def with_details(self, **details: Any) -> "DatasetCard":
        """The same card with more facts."""
        return dataclasses.replace(self, details={**self.details, **details})


def find_row(name: str, table: Mapping[str, DatasetRow], own: str = "") -> tuple[str, DatasetRow, str] | None:
    """The row of a data set's name: `(base name, row, config)`, or None if the table has no such name.

    Args:
        name: A key of the table, alone or followed by a slash and a config.
        table: The task's data sets.
        own: What else the user may give, for the error's last sentence.

    Raises:
        UserError: If the name has a config and the data set has none.
    """
    if name in table:
        return name, table[name], table[name].config
    base, slash, config = name.partition("/")
    if base not in table:
        return None
    row = table[base]
    if slash and not config:
        raise UserError(f"{name!r} ends with a slash. Write {base!r}, or a config after the slash.")
    if config in row.variants:
        return base, row, config
    if not re.fullmatch(r"[\w.+-]+(/[\w.+-]+)*", config) or ".." in config.split("/"):
        raise UserError(
            f"{config[:60]!r} is no config of the data set {base!r}. Write {base!r}, or a config of it. {own}".rstrip()
        )
    if row.variants:
        raise unknown(f"variant of {base!r}", config, row.variants, f"Write {base!r} for the data set itself")
    if row.builtin and not (row.config or row.needs_config):
        raise UserError(f"Data set {base!r} has no configs; got {name!r}. Write {base!r}. {own}".rstrip())
    return base, row, config


def check_dataset(name: str, table: Mapping[str, DatasetRow], own: str = "Or give the path of your own data") -> None:
    """Refuses a name that is neither in the table nor an existing path.

    Args:
        name: The name or path.
        table: The task's data sets.
        own: What else the user may give, for the error's last sentence.

    Raises:
        UserError: If it is neither; names the nearest.
    """
    if find_row(name, table, own) is None and not (name and os.path.exists(name)):
        raise unknown("data set", name, table, own)
