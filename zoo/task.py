"""What a task is, and how the installed ones are found without importing Keras."""

import dataclasses
import functools
import importlib
import importlib.metadata
import importlib.util
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from zoo import cards, legacy
from zoo.data.datasets import DatasetCard, DatasetRow
from zoo.errors import UserError
from zoo.names import look_up, nearest
from zoo.settings import PredictConfig, TrainConfig, fine_tuning

GROUP = "zoo.tasks"
"""The entry-point group in which a package registers its tasks."""

Score = Callable[[Any, Any, Mapping[str, Any]], dict[str, float]]
"""`(model, batches, assets) -> scores by name`."""

ExampleStatistics = Callable[[Any, Any, Mapping[str, Any]], Any]
"""`(model, batches, assets) -> array (examples, statistics)`, whose sum over examples gives a score of all of them."""


def ratio(sums: Any) -> Any:
    """A score that is a sum over examples divided by another, such as right answers by answers.

    Args:
        sums: Array `(..., 2)`: numerator and denominator.

    Returns:
        Array `(...)`.
    """
    return sums[..., 0] / sums[..., 1]


@dataclass(frozen=True)
class Recipe:
    """What can be known of a task without Keras: its settings, presets and data sets. Each `recipe.py` has one.

    Attributes:
        train: The settings of a training.
        predict: The settings of a prediction.
        datasets: The task's data sets by name; the first is built in.
        presets: Named settings: `tiny` is for tests, `board` for tables that compare cells, the others are those of
            published models.
        inputs: What the task's command takes, in the plural.
        example: An input as it is typed, for `--help`.
        purpose: What its models are for, in a sentence or two; cards show it.
        not_for: What they must not be used for.
        pipeline_tag: What the Hugging Face Hub calls such a task, such as `"text-classification"`.
        validation: How validation scores differ from test scores, where they do.
        cells: What `--cell` takes besides the recurrent cells, with what it is.
        memory: Memory tests `NAME/STEPS`, with the settings by which `zoo lens memory` trains every cell. The scores
            of such a data set include `accuracy_at_<steps>` (`zoo.metrics.by_distance`).
        can_answer: `(configuration, data of a model's card) -> bool`, for the choice of a model where none is named.
        lines: Whether each line of a file can be an input with one line of answer (`--input`).
        prefer_latest: Whether that is the latest of the user's own models rather than the best published one.
    """

    train: type[TrainConfig]
    predict: type[PredictConfig]
    datasets: Mapping[str, DatasetRow]
    presets: Mapping[str, Mapping[str, Any]]
    inputs: str
    example: str = ""
    purpose: str = ""
    not_for: str = ""
    pipeline_tag: str = ""
    validation: str = ""
    cells: Mapping[str, str] = field(default_factory=dict)
    memory: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    can_answer: Callable[[Any, Mapping[str, Any]], bool] | None = None
    prefer_latest: bool = False
    lines: bool = False

    def settings(self, preset: str | None, given: Mapping[str, Any]) -> dict[str, Any]:
        """The settings of a new training that are no defaults.

        Args:
            preset: Name of a preset.
            given: Settings that the user gave; with `init_from`, they come before those of that saved model.

        Raises:
            UserError: If both are given, the model is missing or of another task, or a setting does not fit it.
        """
        model = given.get("init_from")
        if model is None:
            return {**(self.presets[preset] if preset else {}), **given}
        if preset:
            raise UserError(f"--preset {preset} has a network of its own, and --init-from {model} another: give one.")
        summary = cards.summarize(cards.locate(model))
        if find(summary.task).recipe is not self:
            raise UserError(f"{model} is a model of the task {summary.task}: zoo train {summary.task} fine-tunes it.")
        return fine_tuning(self.configure(summary.recipe["train"]), given)

    def configure(self, stored: Mapping[str, Any]) -> TrainConfig:
        """A training's settings from a stored `recipe.json`, which may be one of zoo 0.1.

        Raises:
            UserError: If a setting is unknown.
        """
        known = {item.name for item in dataclasses.fields(self.train)}
        settings = legacy.settings(stored, known)
        for name in settings:
            if name not in known:
                close = nearest(name, known)
                hint = f" (nearest: {close!r})" if close else ""
                raise UserError(
                    f"recipe.json has the setting {name!r}, which this version does not have{hint}; "
                    "it was written by another version of zoo."
                )
        return self.train(**settings)


@dataclass(frozen=True)
class Data:
    """A data set as a task hands it to a training.

    A batch is `(inputs, targets, weights)`; weights are `(batch,)`, and 0 marks a row that only fills the batch.

    Attributes:
        raw: The `RawDataset` it was made from, for further stages.
        train: Epoch number -> shuffled batches. The same number gives the same order, so that a resumed training sees
            the same batches. In a stage that learns on policy: epoch number and model -> batches.
        split: Split name (`"validation"`, `"test"`, or another that the data set has), optionally a limit -> batches
            of the split, or of its first `limit` examples.
        assets: All that a saved model needs besides its weights: tokenizers and JSON values, by name.
        sizes: Number of examples by split. It may have to read the data, so it is called only by a training.
        card: What the model's card says about the data.
        epoch_size: Number of examples of an epoch, where they are not those of the train split.
        normalize: What is done to a text before it is tokenized; None if the tokenizer does all of it.
        examples: Inputs for `golden.json` where those of the task (`Task.examples`) do not fit this data set.
        paired: Split name -> batches as those of `train`, in order, by which the validation loss is measured where the
            scores of the validation split have none, as those of texts that a model writes.
        lengths: Split name and a limit or None -> tokens of each example, where those longer than the recipe's
            `max_length` are left out of `train` and `paired`.
    """

    raw: Any
    train: Callable[..., Any]
    split: Callable[..., Any]
    assets: Mapping[str, Any]
    sizes: Callable[[], Mapping[str, int]]
    card: DatasetCard
    epoch_size: Callable[[], int] | None = None
    normalize: Callable[[str], str] | None = None
    examples: Sequence[str] | None = None
    paired: Callable[[str], Any] | None = None
    lengths: Callable[[str, int | None], Iterable[int]] | None = None

    def examples_per_epoch(self) -> int:
        """Number of training examples of an epoch."""
        return self.epoch_size() if self.epoch_size else self.sizes()["train"]


@dataclass(frozen=True)
class Stage:
    """A part of a training: its own recipe, data, model and score. Most tasks have one stage.

    Attributes:
        name: Names its checkpoint, and its loss in the history; the stage `"train"` has the plain `loss`.
        recipe: The settings of this stage.
        data: What it learns from.
        build: `(recipe, data) -> keras.Model`, compiled.
        score: Scores of the validation split after every epoch.
        monitor: The score that early stopping and the choice of the best weights look at.
        higher_is_better: Which way it counts.
        on_policy: Whether a batch depends on what the model learned from the batches before: `data.train` then takes
            the model, and no batch is prepared ahead.
        start: How it starts from the stage before: `"layers"` copies the weights of all layers that have the same name
            in both models; `"weights"` copies all weights, which count as the first candidate for the best, so that a
            stage that makes nothing better changes nothing.
    """

    name: str
    recipe: Any
    data: Data
    build: Callable[[Any, Data], Any]
    score: Score
    monitor: str
    higher_is_better: bool = True
    on_policy: bool = False
    start: Literal["layers", "weights"] = "layers"


@dataclass(frozen=True)
class Task:
    """A task is a value of a few functions; there is no base class.

    Attributes:
        load: `(recipe, assets=None, fine_tune=False) -> Data`. With the assets of a saved model it trains no tokenizer;
            with `fine_tune` a training goes on from that model, else the data are only scored.
        stages: `(recipe, data) -> list of Stage`, in order; the last one's model is saved.
        score: All scores of the saved model.
        predict: `(saved, configuration) -> Iterator[str]`: a line of output for each input, in `Chunk`s if it comes
            slowly, `ErrorLine` if it has no answer.
        monitor: The test score by which saved models are compared.
        higher_is_better: Which way it counts.
        examples: `() -> inputs` whose answers are kept as `golden.json`, so that a saved model can be checked; a data
            set may have its own (`Data.examples`).
        example_statistics: Statistics of each example of some batches, in their order, from which `combine` makes the
            score `monitor`; models that read the same batches are compared by them, example by example. None: whole
            scores are compared.
        combine: `array (..., statistics) -> array (...)`, from sums over examples to that score.
        report: `(saved, data, split, limit) -> value` of `zoo.report`: the answers to the examples of a split, from
            which reports and comparisons are made.
        baselines: `(saved, data, split) -> {name: scores}`: what simple methods reach that learn from the same training
            data without a net, such as the most frequent class.
        far_inputs: `assets -> {what is unusual: input}`: inputs far from any training data, which cards show with their
            answers.
    """

    load: Callable[..., Data]
    stages: Callable[[Any, Data], list[Stage]]
    score: Score
    predict: Callable[[Any, Any], Iterator[str]]
    monitor: str
    higher_is_better: bool = True
    examples: Callable[[], Sequence[str]] = tuple
    example_statistics: ExampleStatistics | None = None
    combine: Callable[[Any], Any] = ratio
    report: Callable[..., Any] | None = None
    baselines: Callable[..., Mapping[str, Mapping[str, float]]] | None = None
    far_inputs: Callable[[Mapping[str, Any]], Mapping[str, str]] | None = None


class ErrorLine(str):
    """A line of output that says why one input has no answer. The others are answered; the command exits with 1."""


class Styled(str):
    """A line of output with colors for a terminal, whose text is printable."""


MOST_SHOWN = 200
"""Characters of an input that are repeated in its answer; a `data:` URI is longer, and shortened."""


def shortened(text: str) -> str:
    """An input as it is repeated in its answer."""
    return text if len(text) <= MOST_SHOWN else f"{text[:40]}..."


def json_line(
    input: str,
    answer: str,
    score: float | None,
    alternatives: Iterable[tuple[str, float | None]] = (),
    **more: Any,
) -> str:
    """An answer as a line of JSON, in the shape that all tasks share.

    Args:
        input: What was asked.
        answer: The answer, as the plain output has it.
        score: Its probability or log-probability, as the task says; None if it has none.
        alternatives: Other answers with their scores, best first.
        **more: What else the task knows.
    """
    pairs = [{"answer": other, "score": _rounded(value)} for other, value in alternatives]
    shape = {"input": input, "answer": answer, "score": _rounded(score), "alternatives": pairs}
    return json.dumps({**shape, **more}, ensure_ascii=False)


def _rounded(score: float | None) -> float | None:
    return None if score is None else round(float(score), 6)


def error_line(config: PredictConfig, input: str, error: UserError, **more: Any) -> ErrorLine:
    """The line of an input that has no answer."""
    if config.json:
        return ErrorLine(json.dumps({"input": input, **more, "error": str(error)}, ensure_ascii=False))
    return ErrorLine(f"Error: {error}")


def named_line(config: PredictConfig, file: str, line: str) -> str:
    """A plain line of a file, with its name and a tab before it unless it is the only one."""
    alone = isinstance(config.inputs, Sequence) and len(config.inputs) == 1
    return line if alone else f"{shortened(file)}\t{line}"


class Chunk(str):
    """A part of a line of output, shown at once; the next part follows on the same line."""


@dataclass(frozen=True)
class Installed:
    """An installed task: a package with `recipe` and `task` modules. Nothing heavy is imported before `.task`."""

    name: str
    package: str

    def __reduce__(self) -> tuple[type, tuple[str, str]]:
        """Copies and pickles hold the names only: what they lead to is imported again when it is asked for."""
        return type(self), (self.name, self.package)

    @functools.cached_property
    def summary(self) -> str:
        """The first line of the package's docstring."""
        return (importlib.import_module(self.package).__doc__ or "").strip().partition("\n")[0]

    @functools.cached_property
    def recipe(self) -> Recipe:
        """The task's settings, presets and data sets."""
        return importlib.import_module(f"{self.package}.recipe").RECIPE

    def predict(self, saved: Any, config: Any) -> Iterator[str]:
        """`Task.predict`; where the task is not loaded yet, from its package's module `predict`, without Keras."""
        module = f"{self.package}.predict"
        if "task" not in vars(self):
            try:
                return importlib.import_module(module).predict(saved, config)
            except ModuleNotFoundError as error:
                if error.name != module:
                    raise
        return self.task.predict(saved, config)

    @functools.cached_property
    def task(self) -> Task:
        """The task itself. This imports Keras and TensorFlow."""
        return importlib.import_module(f"{self.package}.task").TASK

    @functools.cached_property
    def demo(self) -> Any:
        """The task's `zoo.demo.part.Demo`; None if it brings none. This imports Keras and TensorFlow."""
        if importlib.util.find_spec(f"{self.package}.demo") is None:
            return None
        return importlib.import_module(f"{self.package}.demo").DEMO


def installed() -> dict[str, Installed]:
    """Every installed task by name, from the entry points of all installed packages."""
    points = importlib.metadata.entry_points(group=GROUP)
    return {point.name: Installed(point.name, point.value) for point in sorted(points, key=lambda p: p.name)}


def find(name: str) -> Installed:
    """The installed task of this name.

    Raises:
        UserError: If there is none; names the nearest.
    """
    return look_up(installed(), name, "task", "`zoo list tasks` shows them with what they are")
