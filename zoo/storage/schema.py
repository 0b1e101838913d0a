"""The JSON files of a saved model, read through typed schemas, bounded in size.

A folder may come from anybody. What is read here is a regular file inside of it, and says what it has to say, or there
is one sentence about what is wrong.
"""

import os
import stat
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from zoo.errors import UserError

MOST_BYTES = 64 << 20
"""Size of the largest JSON file that is read: a tokenizer with a million entries has 30 MB."""

FETCH_AGAIN = "Fetch or train the model again."
"""What to do about a damaged saved model."""

Text = Annotated[str, Meta(max_length=100_000)]
Name = Annotated[str, Meta(min_length=1, max_length=300)]
Scalar = str | int | float | bool | None
Count = Annotated[int, Meta(ge=0, le=1 << 53)]
Size = Annotated[int, Meta(ge=1, le=1 << 20)]


class FileFacts(msgspec.Struct):
    """Size and hash of a file."""

    bytes: Count
    sha256: Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]


class Manifest(msgspec.Struct):
    """`files.json`."""

    format: int
    files: dict[Name, FileFacts]
    zoo: str = ""
    keras: str = ""


class Recipe(msgspec.Struct):
    """`recipe.json`."""

    task: Name
    train: dict[Name, Scalar | list[Scalar]]
    command: Text = ""


class Machine(msgspec.Struct):
    """Where a model was trained."""

    cores: Count = 0
    processor: str = ""
    gpu: str | msgspec.UnsetType = msgspec.UNSET


class Versions(msgspec.Struct):
    """What a model was trained with."""

    keras: str = ""
    backend: str = ""
    python: str = ""


class Training(msgspec.Struct):
    """Facts of a training."""

    parameters: Count
    minutes: float | dict[str, float] | list[Any]
    minutes_before: float | msgspec.UnsetType = msgspec.UNSET
    epochs: Count = 0
    best_epoch: Count = 0
    examples_per_second: float | dict[str, float] | None = None


class DataFacts(msgspec.Struct):
    """Facts of the data."""

    name: Name


class Metrics(msgspec.Struct):
    """`metrics.json`, under present names."""

    monitor: Name
    higher_is_better: bool
    scores: dict[Name, dict[Name, float | int | str | None]]
    data: DataFacts
    training: Training
    machine: Machine
    versions: Versions


class Interval(msgspec.Struct):
    """A bootstrap interval of a score."""

    score: Name
    low: float
    high: float
    draws: Count = 0


class Answer(msgspec.Struct):
    """An input with the answer that the model gave."""

    input: Text
    answer: Text
    what: Text = ""
    truth: Text = ""


class TestSplit(msgspec.Struct):
    """How often the test split was scored before the model was chosen, and by what."""

    scored: Count
    note: Text = ""


class Candidates(msgspec.Struct):
    """Validation scores of the trainings among which a published model was chosen."""

    mean: float
    deviation: float
    seeds: dict[Name, float]


class Scoring(msgspec.Struct):
    """A scoring of a published model on a test split, as the ledger has it."""

    date: Name
    commit: Name
    split: Name
    monitor: Name
    scores: dict[Name, float]
    dataset: Name
    candidates: Candidates | None = None
    again: Text = ""


class Measured(msgspec.Struct):
    """`measured.json`: what was measured of a saved model after its training."""

    scores: dict[Name, float] = {}
    examples: Count = 0
    interval: Interval | None = None
    baselines: dict[Name, dict[Name, float]] = {}
    shown: list[Answer] = []
    limits: list[Answer] = []
    latency: dict[Name, float] = {}
    test_split: TestSplit | None = None
    scorings: list[Scoring] = []
    machine: Machine = msgspec.field(default_factory=Machine)
    versions: Versions = msgspec.field(default_factory=Versions)


class Input(msgspec.Struct):
    """The asset `input` of a tagger: what a step is."""

    kind: Annotated[str, Meta(pattern="^(frames|tokens|features)$")]
    shape: Annotated[list[Size], Meta(max_length=3)]

    def __post_init__(self) -> None:
        sizes = {"frames": 3, "features": 1, "tokens": 0}[self.kind]
        if len(self.shape) != sizes:
            raise ValueError(f"the shape of a step of {self.kind} has {sizes} sizes, got {self.shape}")


class Search(msgspec.Struct):
    """The asset `search`: how a decoder searches."""

    beam_size: Annotated[int, Meta(ge=1, le=1000)]
    length_penalty: Annotated[float, Meta(ge=0, le=10)]  # an exponent, as in zoo.settings.MAXIMA
    max_new_tokens: Annotated[int, Meta(ge=1, le=10_000)]
    coverage_penalty: Annotated[float, Meta(ge=0, le=100)] = 0.0
    consensus: Annotated[float, Meta(ge=0, le=100)] = 0.0


class Audio(msgspec.Struct):
    """The asset `audio` of a classifier of recordings: how a sound becomes frames."""

    sample_rate: Annotated[int, Meta(ge=1_000, le=384_000)]
    num_mel: Annotated[int, Meta(ge=4, le=256)]


ASSETS: dict[str, Any] = {
    "labels": Annotated[list[Annotated[str, Meta(max_length=1000)]], Meta(min_length=1, max_length=1_000_000)],
    "shape": Annotated[list[Size | None], Meta(min_length=1, max_length=3)],
    "steps": Annotated[list[Annotated[str, Meta(max_length=1000)]], Meta(min_length=1, max_length=1 << 20)],
    "picture": Annotated[list[Size], Meta(min_length=3, max_length=3)],
    "order": list[Count],
    "input": Input,
    "audio": Audio,
    "search": Search,
    "languages": Annotated[list[Name], Meta(min_length=2, max_length=2)],
    "tokens": Annotated[str, Meta(pattern="^(char|word|bpe|unigram)$")],
    "distance_offset": Annotated[int, Meta(ge=-10_000, le=10_000)],
}
"""Name of an asset -> its type. Assets of others' tasks are plain JSON."""


def read(folder: Path, name: str, schema: Any = Any) -> Any:
    """The value of a JSON file of a folder, checked against a type; plain lists and dictionaries.

    Args:
        folder: The folder.
        name: The file's path within it.
        schema: Its type.

    Raises:
        UserError: If it is no regular file of the folder, too large, no JSON, or not of this type; says where.
    """
    return check(decode(regular(folder, name), f"{folder}: {name}"), schema, f"{folder}: {name}")


def decode(path: Path, what: str) -> Any:
    """The value of a JSON file.

    Raises:
        UserError: If it is too large, nested too deep, or no JSON.
    """
    if (size := path.stat().st_size) > MOST_BYTES:
        raise UserError(f"{what} has {size:,} bytes; {MOST_BYTES:,} are read at most.")
    try:
        return msgspec.json.decode(path.read_bytes())
    except RecursionError as error:
        raise UserError(f"{what} is nested too deep.") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise UserError(f"{what} is damaged: {error}.") from error
    except OSError as error:
        raise UserError(f"{what} cannot be read: {error.strerror}.") from error


def check(value: Any, schema: Any, what: str) -> Any:
    """The value, with the defaults of entries that its type lets it leave out.

    Raises:
        UserError: If it is not of a type; says where in it.
    """
    if schema is Any:
        return value
    try:
        return _with_defaults(value, msgspec.convert(value, type=schema))
    except msgspec.ValidationError as error:
        raise UserError(f"{what} is not as zoo writes it: {error}.") from error


def _with_defaults(value: Any, converted: Any) -> Any:
    """A JSON value with what its typed form has and it has not; entries of no type stay."""
    if not isinstance(converted, msgspec.Struct):
        return value
    fields = {name: getattr(converted, name) for name in converted.__struct_fields__}
    filled = {
        name: _with_defaults(value[name], item) if name in value else msgspec.to_builtins(item)
        for name, item in fields.items()
        if item is not msgspec.UNSET
    }
    return {**value, **filled}


def regular(folder: Path, name: str, without: str = "cannot be used") -> Path:
    """The path of a regular file inside a folder.

    Args:
        folder: The folder.
        name: Path within it.
        without: What is said of the folder if it lacks the file.

    Raises:
        UserError: If it leads out of the folder, does not exist, or is no regular file.
    """
    if os.path.isabs(name) or ".." in Path(name).parts or "\0" in name or len(name) > 1000:
        raise UserError(f"{folder}: {name[:100]!r} is not a path inside the folder.")
    path = folder / name
    try:
        mode = path.stat().st_mode
        inside = path.resolve().is_relative_to(folder.resolve())
    except FileNotFoundError as error:
        missing = f"{name[:100]} is missing"
        raise UserError(f"{folder} {without}: {missing}. {FETCH_AGAIN}") from error
    except OSError as error:
        raise UserError(f"{folder}: {name[:100]!r} cannot be read: {error.strerror}.") from error
    if not inside:
        raise UserError(f"{folder}: {name} is a link out of the folder. Put the file itself there.")
    if not stat.S_ISREG(mode):
        raise UserError(f"{folder}: {name} is no regular file.")
    return path


def check_agreement(
    assets: Mapping[str, Any],
    inputs: Sequence[int | None] | None,
    outputs: int | None,
    vocabulary: Mapping[str, int],
    what: str,
) -> None:
    """Checks that assets fit each other and the net.

    Args:
        assets: Of a saved model.
        inputs: Shape of the net's input without the batch, None for any size, or of one step of a tagger's input; None
            if the net does not say.
        outputs: Classes of the net's output; None if it has none.
        vocabulary: Name of a tokenizer -> size of the vocabulary that the net has for it.
        what: The folder, for errors.

    Raises:
        UserError: If they do not.
    """
    name, shape = ("input", assets["input"].get("shape")) if "input" in assets else ("shape", assets.get("shape"))
    if shape is not None and inputs is not None and list(shape) != list(inputs):
        raise UserError(
            f"{what}: {name}.json gives the shape {list(shape)}; the net takes {list(inputs)}. {FETCH_AGAIN}"
        )
    labels = assets.get("labels")
    if labels is not None and outputs is not None and len(labels) != outputs:
        raise UserError(
            f"{what}: labels.json has {len(labels):,} labels; the net has {outputs:,} classes. {FETCH_AGAIN}"
        )
    if labels is not None and len(set(labels)) < len(labels):
        raise UserError(f"{what}: labels.json has a label twice. {FETCH_AGAIN}")
    for name, size in vocabulary.items():
        if name in assets and assets[name].size != size:
            raise UserError(
                f"{what}: {name}.json has {assets[name].size:,} entries; the net has vectors for {size:,}. "
                f"{FETCH_AGAIN}"
            )


class Port(msgspec.Struct):
    """An input or an output of an exported graph; an axis that may have any size has a name."""

    name: Name
    dtype: Annotated[str, Meta(pattern="^(float32|int64|uint8|bool)$")]
    shape: Annotated[list[Annotated[int, Meta(ge=1, le=1 << 53)] | Name], Meta(max_length=6)]


class Graph(msgspec.Struct):
    """An exported graph."""

    file: Annotated[str, Meta(pattern=r"^(\w+/)?\w+(\.\w+)?$")]
    inputs: Annotated[list[Port], Meta(min_length=1, max_length=1000)]
    outputs: Annotated[list[Port], Meta(min_length=1, max_length=1000)]


class Export(msgspec.Struct):
    """`export.json`: what an exported folder holds.

    `kind` and what follows it are `zoo.export.graphs.settings`. `model_sha256` is the hash of the `model.keras` that
    was exported.
    """

    format: Name
    model: Name
    graphs: Annotated[dict[Name, Graph], Meta(min_length=1, max_length=10)]
    kind: Annotated[str, Meta(pattern="^(classifier|tagger|encoder_decoder|language_model)$")]
    quantize: str | None = None
    suppress_tokens: list[Count] = msgspec.field(default_factory=list)
    attention: bool = False
    model_sha256: str = ""
