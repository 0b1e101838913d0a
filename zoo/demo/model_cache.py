"""The models of the page: which ones a tab offers, loaded when they are first used and kept; and what they answer."""

import os
import sys
import time
import traceback
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from zoo import cards, saved
from zoo.cards import Summary
from zoo.demo import markup
from zoo.demo.part import Demo, Picture, Slider
from zoo.errors import UserError

WARM_UP = 2
"""Examples that are answered while a model is loaded: a second shape of inputs compiles what takes all shapes."""

BUG = "The program failed on this input, which is a bug: the terminal that runs the page shows it. The page goes on."

NO_MEMORY = "There is not enough memory for this input: give a smaller one. The page goes on."


class ModelCache:
    """Saved models by name, each loaded at most once.

    Args:
        models_dir: Folder of the user's own models.
        names: Names or folders of the models to offer; None offers all.

    Raises:
        UserError: If a named model does not exist.
    """

    def __init__(self, models_dir: Path | None = None, names: Sequence[str] | None = None) -> None:
        if names is None:
            found = list(cards.models(models_dir))
        else:
            found = [cards.summarize(cards.locate(name, models_dir)) for name in names]
        # A page lives long: its working folder may change or be named otherwise.
        self.summaries = {item.name: replace(item, path=item.path.resolve()) for item in found}
        self.loaded: dict[str, saved.SavedModel] = {}
        self.ready: set[tuple[str, str]] = set()

    def choices(self, demo: Demo, task: str | None) -> list[str]:
        """Names of the models that a tab offers, the one it begins with first.

        Args:
            demo: The tab.
            task: The task it belongs to; None for a tab that takes models of any task.
        """
        fitting = [item for item in self.summaries.values() if task in (None, item.task) and _accepts(demo, item)]
        return [item.name for item in sorted(fitting, key=lambda item: (item.rank, item.name), reverse=True)]

    def load(self, demo: Demo, name: str) -> Iterator[str]:
        """Loads a model and answers some examples with it, so that the first input is answered at once.

        Yields:
            HTML: that it is being loaded, then what it is.
        """
        try:
            if (demo.title, name) not in self.ready:
                yield markup.note(f"Loading {name} ...")
                started = time.monotonic()
                self._prepare(demo, name)
                print(f"{name}: ready after {time.monotonic() - started:.1f} s", file=sys.stderr, flush=True)
            yield markup.note(_described(self.summaries[name]))
        except Exception as error:
            yield _failure(error)

    def _prepare(self, demo: Demo, name: str) -> None:
        """Loads a model and warms it up for a tab."""
        if name not in self.summaries:
            raise UserError(f"There is no model {str(name)[:100]!r} on this page: choose one of the list.")
        if name not in self.loaded:
            self.loaded[name] = saved.load(self.summaries[name].path)
        if (demo.title, name) not in self.ready:
            others = [field.value for field in demo.inputs[1:] if isinstance(field, Slider)]
            for example in demo.examples()[:WARM_UP]:
                for _ in self._answers(demo, name, [demo.inputs[0].check(example), *others]):
                    pass
            self.ready.add((demo.title, name))

    def answers(self, demo: Demo, name: str, values: Sequence[Any]) -> Iterator[str]:
        """What a tab shows for its inputs; nothing that comes in ends the page.

        Args:
            demo: The tab.
            name: Of the model.
            values: Of the fields, as they come from the page.

        Yields:
            HTML; each item replaces the one before.
        """
        try:
            checked = [field.check(value) for field, value in zip(demo.inputs, values, strict=True)]
            if (demo.title, name) not in self.ready:
                yield markup.note(f"Loading {name} ...")
                self._prepare(demo, name)
            yield from self._answers(demo, name, checked)
        except Exception as error:
            paths = [
                value
                for field, value in zip(demo.inputs, values, strict=False)
                if isinstance(field, Picture) and isinstance(value, str) and os.path.isabs(value)
            ]
            yield _failure(error, paths)

    def _answers(self, demo: Demo, name: str, values: Sequence[Any]) -> Iterator[str]:
        result = demo.answer(self.loaded[name], *values)
        if isinstance(result, str):
            yield result
        else:
            yield from result


def _accepts(demo: Demo, summary: Summary) -> bool:
    """Whether a tab can use a model; a damaged one it cannot."""
    try:
        return demo.accepts(summary)
    except UserError:
        return False


def _described(summary: Summary) -> str:
    data = summary.metrics["data"]
    synthetic = " (synthetic)" if data.get("synthetic") else ""
    score = f"{summary.metrics['monitor']} {cards.number(summary.shown)} on its {summary.split} split"
    return f"{summary.name}: cell {summary.cell}, trained on {summary.dataset}{synthetic}, {score}."


def _failure(error: Exception, paths: Sequence[str] = ()) -> str:
    """What the page shows instead of an answer. A bug shows its traceback in the terminal."""
    if isinstance(error, UserError):
        sentence = str(error)
        for path in paths:  # the reader knows the file by its name only
            sentence = sentence.replace(path, Path(path).name)
        return markup.message(sentence)
    traceback.print_exception(error)
    memory = isinstance(error, MemoryError) or type(error).__name__ == "ResourceExhaustedError"
    return markup.message(NO_MEMORY if memory else BUG)
