"""Find saved models, read their JSON, list them. No Keras here. Their cards are written by `zoo.storage.model_card`."""

import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from zoo import legacy
from zoo.errors import UserError
from zoo.names import unknown
from zoo.storage import schema

RECIPE, METRICS, FILES, CARD = "recipe.json", "metrics.json", "files.json", "README.md"
MODEL, MEASURED, CURVES = "model.keras", "measured.json", "curves.png"
OTHER_FILES = (MODEL, "golden.json", "history.csv", CURVES, MEASURED)
"""Further files of a saved model, besides its assets."""


@dataclass(frozen=True)
class Summary:
    """What the JSON files of one saved model say."""

    path: Path
    recipe: Mapping[str, Any]
    metrics: Mapping[str, Any]
    bytes: int
    measured: Mapping[str, Any] = field(default_factory=dict)
    """What `scripts/publish.py` and `scripts/describe.py` measured of the saved weights, for published models."""

    @property
    def name(self) -> str:
        """Name of the model's folder."""
        return self.path.name

    @property
    def task(self) -> str:
        """Name of its task."""
        return self.recipe["task"]

    @property
    def cell(self) -> str:
        """Name of its recurrent cell."""
        return self.recipe["train"]["cell"]

    @property
    def dataset(self) -> str:
        """Name of the data set it was trained on."""
        return self.metrics["data"]["name"]

    @property
    def monitored(self) -> float:
        """The test score that the task watches; not a number where the test split was left unscored."""
        return self.metrics["scores"]["test"].get(self.metrics["monitor"], float("nan"))

    @property
    def split(self) -> str:
        """The split of the score that is shown: `"test"`, or `"validation"` where the test split was left unscored."""
        return scored_split(self.metrics)

    @property
    def shown(self) -> float:
        """The score that is shown, on `split`."""
        return self.metrics["scores"][self.split][self.metrics["monitor"]]

    @property
    def score(self) -> str:
        """The score that is shown, as text: `accuracy 0.9524`, or `validation accuracy 0.9524`."""
        where = "" if self.split == "test" else f"{self.split} "
        return f"{where}{self.metrics['monitor']} {number(self.shown)}"

    @property
    def rank(self) -> tuple:
        """Larger is better: other data before built-in ones, then the score."""
        sign = 1 if self.metrics["higher_is_better"] else -1
        score = sign * self.monitored
        return (not self.metrics["data"].get("builtin", False), score if score == score else float("-inf"))


def scored_split(metrics: Mapping[str, Any]) -> str:
    """The split of the score that is shown of a model: test, or validation where the test split was left unscored."""
    return "test" if metrics["monitor"] in metrics["scores"].get("test", {}) else "validation"


def published() -> Path:
    """The folder of published models: inside the installed package, or beside it in a clone."""
    here = Path(__file__).resolve().parent
    inside = here / "published"
    return inside if inside.is_dir() else here.parent / "saved_models"


def own(models_dir: str | Path | None = None) -> Path:
    """The folder where trained models go: `models_dir`, else `$ZOO_MODELS`, else `./saved_models`."""
    return Path(models_dir or os.environ.get("ZOO_MODELS") or "saved_models")


def folders(models_dir: str | Path | None = None) -> list[Path]:
    """Where names are looked for, in this order, without repetition."""
    found: list[Path] = []
    for folder in (own(models_dir), published()):
        if os.path.isdir(folder) and folder.resolve() not in [item.resolve() for item in found]:
            found.append(folder)
    return found


def summarize(path: Path) -> Summary:
    """Reads one saved model's JSON.

    Raises:
        UserError: If a file is missing, is no regular file, or is no JSON of ours.
    """
    for name in (RECIPE, METRICS, FILES):
        if not os.path.exists(path / name):
            raise UserError(
                f"{path} is not a saved model: it has no {name}. Give another folder, or fetch or train the "
                "model again."
            )
    files = schema.read(path, FILES, schema.Manifest)
    recipe = schema.read(path, RECIPE, schema.Recipe)
    metrics = schema.read(path, METRICS)
    try:
        metrics = legacy.metrics(metrics)
    except (KeyError, TypeError, AttributeError) as error:
        raise UserError(f"{path} is not a saved model of zoo: {METRICS} lacks {error}. {schema.FETCH_AGAIN}") from error
    metrics = schema.check(metrics, schema.Metrics, f"{path}: {METRICS}")
    measured = schema.read(path, MEASURED, schema.Measured) if os.path.lexists(path / MEASURED) else {}
    if measured.get("scores"):  # of the weights as they are saved, perhaps in half precision
        test = {**metrics["scores"].get("test", {}), **measured["scores"]}
        metrics = {**metrics, "scores": {**metrics["scores"], "test": test}}
    summary = Summary(path, recipe, metrics, sum(item["bytes"] for item in files["files"].values()), measured)
    if not isinstance(recipe["train"].get("cell"), str) or not isinstance(recipe["train"].get("dataset"), str):
        raise UserError(
            f"{path} is not a saved model of zoo: {RECIPE} names no cell or no dataset. {schema.FETCH_AGAIN}"
        )
    tested = metrics["scores"].setdefault("test", {}) or metrics["scores"].get("validation", {})  # or left unscored
    score = tested.get(metrics["monitor"])
    if not isinstance(score, (int, float)):
        raise UserError(
            f"{path} is not a saved model of zoo: {METRICS} has no test score {metrics['monitor']!r}. "
            f"{schema.FETCH_AGAIN}"
        )
    return summary


def models(models_dir: str | Path | None = None) -> Iterator[Summary]:
    """All whole saved models that a name would find, sorted by name within each folder; the first of a name wins."""
    seen = set()
    for folder in folders(models_dir):
        for old in folder.glob(".*.old"):
            _recover(folder / old.name[1 : -len(".old")])
        for path in sorted(folder.iterdir()):
            if path.name in seen or not (path / RECIPE).exists() or path.name.startswith("."):
                continue
            seen.add(path.name)
            try:
                yield summarize(path)
            except UserError:
                continue


class Damaged(NamedTuple):
    """A folder that should be a saved model and is none, and why."""

    path: Path
    reason: str


def damaged(models_dir: str | Path | None = None) -> Iterator[Damaged]:
    """The folders that `models` passes over."""
    for folder in folders(models_dir):
        for path in sorted(folder.iterdir()):
            if path.name.startswith(".") or not (path / RECIPE).exists():
                continue
            try:
                summarize(path)
            except UserError as error:
                yield Damaged(path, str(error))


def locate(model: str | Path, models_dir: str | Path | None = None) -> Path:
    """The folder of a saved model.

    Args:
        model: A folder, a name, or the address of a model on the Hugging Face Hub, `hf://user/model`.
        models_dir: Where to look for a name first.

    Raises:
        UserError: If there is none; names the nearest.
    """
    text = str(model)
    if not text:
        raise UserError("A saved model is a folder or a name; got an empty one. `zoo list models` shows the names.")
    if text.startswith("hf://"):
        from zoo.storage import hub

        return hub.fetch(text)
    if os.sep not in text and text not in (".", ".."):
        for folder in folders(models_dir):
            _recover(folder / text)
            if os.path.isdir(folder / text):
                return folder / text
    path = Path(model)
    path = path if path.name not in ("", "..") else path.resolve()  # `.` and `..` have no name of their own
    _recover(path)
    if os.path.isdir(path):
        return path
    if os.path.exists(path):
        raise UserError(f"{text} is a file; a saved model is a folder with {RECIPE}, model.keras and others.")
    names = [item.name for item in models(models_dir)]
    raise unknown("saved model", text, names, "Or give a folder")


def _recover(path: Path) -> None:
    """A kill between the two renames of an overwrite leaves the old model beside its place: put it back."""
    if not path.name:
        return  # the root
    old = backup(path)
    if os.path.isdir(old) and not os.path.exists(path):
        old.rename(path)


def backup(path: Path) -> Path:
    """Where the old folder waits while a new one takes its place."""
    return path.with_name(f".{path.name}.old")


def under_way(path: Path) -> Path:
    """Where the state of a training lies that will become `path`."""
    return path.with_name(f".{path.name}.training")


def finished(folder: Path) -> Path:
    """What the state of a training in a folder of `under_way` will become."""
    return folder.with_name(folder.name[1 : -len(".training")])


def locked(path: Path) -> Path:
    """The file that a process holds locked while it trains a model that will become `path`."""
    return path.with_name(f".{path.name}.lock")


def check_replaceable(path: Path) -> None:
    """Checks that a folder holds a saved model and nothing else, so that nothing of the user's is deleted with it.

    Raises:
        UserError: If it does not; says what it holds.
    """
    keep = "nothing is deleted. Choose another --name, or move it away."
    if path.is_symlink() or not path.is_dir():
        raise UserError(f"{path} is {'a link' if path.is_symlink() else 'no folder'}, not a saved model: {keep}")
    names = {item.relative_to(path).as_posix() for item in path.rglob("*")} - {"assets"}
    if names and not {RECIPE, FILES} <= names:
        raise UserError(f"{path} is not a saved model of zoo: {keep}")
    known = {RECIPE, METRICS, FILES, CARD, *OTHER_FILES}
    exports = tuple(f"{item.parent.name}/" for item in path.glob("*/export.json"))
    names = {name for name in names if not f"{name}/".startswith(exports)} if exports else names
    theirs = sorted(name for name in names - known if not re.fullmatch(r"assets/\w+\.json", name))
    if theirs:
        raise UserError(f"{path} also holds {theirs[0]}, which zoo did not write: {keep}")


def best(
    task: str,
    models_dir: str | Path | None = None,
    can_answer: Callable[[Mapping[str, Any]], bool] | None = None,
    prefer_latest: bool = False,
) -> Path:
    """The best published model of a task; if none is published, the best of your own.

    Args:
        task: Its name.
        models_dir: Where to look first.
        can_answer: Whether a model trained on data with this card can be used.
        prefer_latest: Choose the latest of your own models, if there is one.

    Raises:
        UserError: If there is none.
    """
    every = [item for item in models(models_dir) if item.task == task]
    mine = [item for item in every if can_answer is None or can_answer(item.metrics["data"])]
    if every and not mine:
        names = ", ".join(item.name for item in every)
        raise UserError(f"None of the saved models for {task} does what you ask; there are {names}. Train one.")
    listed = _listed()
    # By name: a model of your own that has the name of a published one stands in its place.
    public = [item for item in mine if item.name in listed]
    newest = [item for item in mine if item.name not in listed] if prefer_latest else []
    if newest:
        return max(newest, key=lambda item: (item.path / METRICS).stat().st_mtime).path
    choice = max(public or mine, key=lambda item: (item.rank, item.name), default=None)
    if choice is None:
        raise UserError(f"There is no saved model for {task} yet. `zoo train {task}` makes one.")
    return choice.path


def _listed() -> set[str]:
    """Names of the published models. In a clone, where your own may lie among them, its README lists them."""
    names = {path.name for path in published().glob("*")}
    readme = published() / CARD
    text = readme.read_text(encoding="utf-8") if readme.is_file() else None
    return {name for name in names if text is None or f"[{name}](" in text}


def line(summary: Summary) -> str:
    """A line of `zoo list models`."""
    return (
        f"{summary.name:32}  {summary.task:10}  {summary.cell:10}  {summary.dataset:16}  "
        f"{summary.bytes / 1e6:6.1f} MB  {summary.score}"
    )


def number(value: Any) -> str:
    """A score as text: four digits after the point; whole numbers as they are."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return str(value)
    return f"{value:,}" if isinstance(value, int) else f"{value:.4f}"


def markdown(head: Iterable[str], rows: Iterable[Iterable[Any]]) -> str:
    """A Markdown table.

    Raises:
        ValueError: If a row has more or fewer fields than the head: Markdown would drop them without a word.
    """
    head, fields = list(head), [list(map(str, row)) for row in rows]
    if wrong := [row for row in fields if len(row) != len(head)]:
        raise ValueError(f"A row has {len(wrong[0])} fields, and the head {len(head)}: {wrong[0]}")
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in fields])


def table(summaries: Iterable[Summary], about: Callable[[Summary], Iterable[str]] = lambda summary: ()) -> str:
    """A Markdown table of saved models, rendered from their files.

    Args:
        summaries: Of the models.
        about: What is said beside the data of one, such as `zoo.storage.model_card.about`.
    """

    def data(item: Summary) -> str:
        notes = list(about(item)) or ["synthetic"] * bool(item.metrics["data"].get("synthetic"))
        return f"{item.dataset} ({', '.join(notes)})" if notes else item.dataset

    return markdown(
        ("model", "task", "cell", "data", "test score", "parameters", "size", "training"),
        (
            (
                f"[{item.name}]({item.name}/README.md)",
                item.task,
                item.cell,
                data(item),
                item.score,
                number(item.metrics["training"]["parameters"]),
                f"{item.bytes / 1e6:.1f} MB",
                f"{minutes(item.metrics['training'])} min on {cores(item.metrics)}",
            )
            for item in summaries
        ),
    )


def inline(value: Any) -> str:
    """A value of JSON in one line of text."""
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {inline(item)}" for key, item in value.items())
    if isinstance(value, (list, tuple)):
        return ", ".join(map(inline, value))
    return str(value)


def total_minutes(training: Mapping[str, Any]) -> float | None:
    """Minutes of a training and of those it started from (`--init-from`); None where `minutes` is no number.

    Args:
        training: `training` of `metrics.json`.
    """
    value = training["minutes"]
    return value + training.get("minutes_before", 0.0) if isinstance(value, (int, float)) else None


def minutes(training: Mapping[str, Any]) -> str:
    """The same in whole minutes; those of each stage where they are given so."""
    total = total_minutes(training)
    return inline(training["minutes"]) if total is None else f"{total:.0f}"


def cores(metrics: Mapping[str, Any]) -> str:
    """Number of cores of the machine that is named in such a file, and its GPU if that was used."""
    count, card = metrics["machine"]["cores"], metrics["machine"].get("gpu")
    return f"{count} core{'s' * (count != 1)}{f' and one {card}' if card else ''}"
