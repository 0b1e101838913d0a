"""A saved model in memory, whatever runs it: Keras (`zoo.saved`) or its export (`zoo.runtime`). No Keras here."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from zoo import task as tasks
from zoo.names import unknown


@dataclass(frozen=True)
class SavedModel:
    """A saved model, ready to use.

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

    def predict(self, inputs: str | Iterable[str], **options: Any) -> Any:
        """Answers as Python objects: what the command prints with `--json`.

        Args:
            inputs: As the task's command takes them: texts, or file names; one of them, or several.
            **options: Fields of the task's prediction settings.

        Raises:
            UserError: If an option is unknown, or has a value that it does not take.
        """
        known = [item.name for item in fields(self.installed.recipe.predict) if item.name not in ("inputs", "json")]
        for name in options:
            if name not in known:
                raise unknown(f"option of {self.installed.name}", name, known)
        several = [inputs] if isinstance(inputs, str) else list(inputs)  # a string is one input, not its letters
        config = self.installed.recipe.predict(inputs=several, json=True, **options)
        answers = [json.loads(line) for line in self.installed.predict(self, config)]
        return answers[0] if isinstance(inputs, str) else answers

    def export(self, output: str | Path | None = None, format: str = "onnx", **options: Any) -> Path:
        """Writes this model as graphs that run without Keras; see `zoo.export.export`, which takes the options.

        Args:
            output: The folder; default one of the format's name inside the model's own.
            format: `"onnx"`.
            **options: `quantize`, `overwrite`, `examples`.

        Returns:
            The folder.
        """
        from zoo.export import export

        return export(self, output, format, **options)
