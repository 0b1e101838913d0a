"""A saved model in memory, whatever runs it: Keras (`zoo.saved`) or its export (`zoo.runtime`). No Keras here."""

import functools
import html
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zoo import cards, evaluation, prediction
from zoo import task as tasks


@dataclass(frozen=True, repr=False)
class SavedModel:
    """A saved model, ready to use. It can be copied and pickled.

    Attributes:
        path: Its folder.
        installed: Its task.
        recipe: The settings it was trained with.
        metrics: What `metrics.json` says.
        assets: Tokenizers and JSON values, by name.
        net: The `keras.Model`, or an export of it with the same methods.
    """

    path: Path
    installed: tasks.Installed
    recipe: Any
    metrics: Mapping[str, Any]
    assets: Mapping[str, Any]
    net: Any

    @property
    def predict(self) -> Callable[..., Any]:
        """`predict(inputs, **options)`: answers as Python objects, what the command prints with `--json`.

        `inputs` are as the task's command takes them, texts or file names: a string gets one answer, a list a list.
        The options are the fields of the task's prediction settings; `help(model.predict)` shows them.

        Raises:
            UserError: If an option is unknown, or has a value that it does not take.
        """
        return prediction.function(self.installed, functools.partial(self.installed.predict, self))

    def evaluate(self, dataset: str | None = None, split: str = "test", limit: int | None = None) -> dict[str, float]:
        """Scores on a split of a data set.

        Args:
            dataset: A name or a path; default the data set it was trained on.
            split: A split of it.
            limit: Only the first `limit` examples.

        Returns:
            The task's scores, and `examples` and `examples_per_second` of the scoring itself.

        Raises:
            UserError: If there is no such data set or split, or the data do not fit the model.
        """
        return evaluation.evaluate(self, dataset, split, limit)

    def export(self, output: str | Path | None = None, format: str = "onnx", **options: Any) -> Path:
        """Writes this model as graphs that run without Keras; see `zoo.export.export`, which takes the options.

        Args:
            output: The folder; default one of the format's name inside the model's own.
            format: `"onnx"`, `"savedmodel"` or `"litert"`.
            **options: `quantize`, `length`, `overwrite`, `examples`.

        Returns:
            The folder.
        """
        from zoo.export import export

        return export(self, output, format, **options)

    def _facts(self) -> dict[str, str]:
        """What is shown of it: a few facts by name."""
        monitor, split = self.metrics["monitor"], cards.scored_split(self.metrics)
        synthetic = " (synthetic)" if self.metrics["data"].get("synthetic") else ""
        return {
            "task": self.installed.name,
            "cell": str(self.recipe.cell),
            "data": self.metrics["data"]["name"] + synthetic,
            f"{split} {monitor}": cards.number(self.metrics["scores"][split][monitor]),
            "parameters": cards.number(self.metrics["training"]["parameters"]),
        }

    def __repr__(self) -> str:
        """One line: name and a few facts."""
        return f"<SavedModel {self.path.name}: {', '.join(f'{key} {value}' for key, value in self._facts().items())}>"

    def _repr_html_(self) -> str:
        """What a notebook shows."""
        rows = "".join(
            f"<tr><th style='text-align: left'>{html.escape(key)}</th><td>{html.escape(value)}</td></tr>"
            for key, value in {**self._facts(), "folder": str(self.path)}.items()
        )
        return f"<table><caption>{html.escape(self.path.name)}</caption>{rows}</table>"
