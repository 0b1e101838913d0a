"""From a saved model and a split to the folder of a report."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from zoo import cards, evaluation, scores
from zoo.errors import UserError
from zoo.report import classification, folder, generation, language, page, tagging
from zoo.report.sections import Context, Section
from zoo.report.values import Classified, Generated, Tagged, TextLoss
from zoo.saved import SavedModel

KINDS: Mapping[type, Callable[[Any, Context], list[Section]]] = {
    Classified: classification.sections,
    Generated: generation.sections,
    Tagged: tagging.sections,
    TextLoss: language.sections,
}
"""What a task hands over -> what makes sections of it."""


def answers(model: SavedModel, dataset: str | None = None, split: str = "test", limit: int | None = None) -> Any:
    """A model's answers to the examples of a split, as one of the values of `zoo.report`.

    Args:
        model: What `saved.load` returned.
        dataset: A name or a path; default the data set it was trained on.
        split: A split of it.
        limit: Only the first `limit` examples.

    Raises:
        UserError: If the task has no reports, or the data do not fit the model.
    """
    if model.installed.task.report is None:
        raise UserError(f"The task {model.installed.name} hands over no answers: it has no reports.")
    return model.installed.task.report(model, evaluation.data(model, dataset), split, limit)


def write(
    model: SavedModel,
    target: Path,
    measured: Mapping[str, float],
    dataset: str | None = None,
    split: str = "test",
    limit: int | None = None,
) -> Path:
    """Writes a report.

    Args:
        model: What `saved.load` returned.
        target: Its folder; a new one, an empty one, or that of an older report.
        measured: Scores by name, as `evaluate` returned them.
        dataset: A name or a path; default the data set it was trained on.
        split: A split of it.
        limit: Only the first `limit` examples.

    Returns:
        The page.

    Raises:
        UserError: If the folder holds anything else, or as in `answers`.
    """
    target = Path(target)
    folder.check(target)
    value = answers(model, dataset, split, limit)
    name = dataset or model.recipe.dataset
    subject = f"{model.path.name} on {name}, split {split}"
    facts = {
        "model": model.path.name,
        "task": f"{model.installed.name}: {model.installed.summary}",
        "data set": name + (" (synthetic)" if dataset is None and model.metrics["data"].get("synthetic") else ""),
        "split": split if limit is None else f"{split}, the first {limit:,} examples",
        "cell": model.recipe.cell,
    }
    rows = [(key, cards.number(number), scores.definition(key)) for key, number in measured.items()]
    with folder.replacing(target) as new:
        sections = KINDS[type(value)](value, Context(new, subject))
        text = page.render(new, f"Report: {subject}", facts, rows, sections)
        (new / folder.PAGE).write_text(text, encoding="utf-8")
    return target / folder.PAGE
