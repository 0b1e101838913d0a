"""The saved models from whose answers a training learns (`--teachers`)."""

from collections.abc import Mapping
from typing import Any

import keras

from zoo import saved
from zoo.errors import UserError
from zoo.settings import TrainConfig
from zoo.task import Data, Installed


def load(installed: Installed, recipe: TrainConfig, data: Data) -> list[keras.Model]:
    """The networks of a recipe's teachers.

    Raises:
        UserError: If one is missing, of another task, or has another vocabulary, other labels or inputs than the data
            have now: its answers would mean something else.
    """
    nets, own = [], meaning(data.assets) if recipe.teachers else {}
    for name in recipe.teacher_names:
        model = saved.load(name)
        if model.installed.name != installed.name:
            raise UserError(
                f"{name} is a model of the task {model.installed.name}, and no teacher of {installed.name}. "
                f"Name models of {installed.name}: `zoo list models`."
            )
        theirs = meaning(model.assets)
        other = [key for key in sorted({*own, *theirs}) if own.get(key) != theirs.get(key)]
        if other:
            words = " and ".join(key.replace("_", " ") for key in other)
            raise UserError(
                f"The teacher {name} has other {words} than {data.card.name} "
                "has in this training: its answers would mean something else. Train it on the same data with the same "
                "settings, or start from it by --init-from, which keeps what it has."
            )
        nets.append(model.net)
    return nets


def meaning(assets: Mapping[str, Any]) -> dict[str, Any]:
    """What the numbers that a model reads and answers stand for; how it searches is its own affair."""
    return {
        key: value.inner.to_str() if hasattr(value, "inner") else value
        for key, value in assets.items()
        if key != "search"
    }
