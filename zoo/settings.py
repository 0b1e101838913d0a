"""The fields of a recipe, and the settings that every training and every prediction has.

A task's `recipe.py` inherits `Run` and `Ask`, overrides the defaults it has reasons for, and adds its own fields.
`zoo.options` turns the fields into command-line options.
"""

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any


def setting(
    default: Any, help: str, *, choices: Iterable[str] = (), least: float | None = None, most: float | None = None
) -> Any:
    """A dataclass field that knows its help text and which values it takes.

    Args:
        default: Its default; the annotation gives the type.
        help: One line for `--help`.
        choices: The allowed strings, if it is a choice.
        least: Smallest allowed number.
        most: Largest allowed number.
    """
    metadata = {"help": help, "choices": tuple(choices), "least": least, "most": most}
    return dataclasses.field(default=default, metadata=metadata)


@dataclass(frozen=True)
class Run:
    """What every training can be told; written as `recipe.json` into the saved model."""

    dataset: str = setting("", "Data set: a name from `zoo list datasets`, or a path to your own data.")
    cell: str = setting("gru", "Recurrent cell; `zoo list cells` shows them.")
    epochs: int = setting(5, "Passes over the training data.", least=1)
    batch_size: int = setting(64, "Examples a training step.", least=1)
    learning_rate: float = setting(1e-3, "Peak learning rate of Adam.", least=0.0)
    schedule: str = setting("linear", "How the learning rate falls to zero.", choices=("constant", "linear", "cosine"))
    warmup: float = setting(0.0, "Part of all steps in which the rate first rises from zero.", least=0.0, most=1.0)
    clip_norm: float = setting(1.0, "Largest global norm of a gradient; 0 clips nothing.", least=0.0)
    weight_decay: float = setting(0.0, "Decoupled weight decay (AdamW).", least=0.0)
    averaging: float = setting(
        0.0, "Momentum of averaged weights, e.g. 0.999; 0 averages nothing.", least=0.0, most=0.99999
    )
    patience: int = setting(3, "Stop after so many epochs without a better validation score; 0 never stops.", least=0)
    seed: int = setting(1, "Seed of initial weights, shuffling and dropout.", least=0)
    limit: int | None = setting(None, "Use only the first N training examples.", least=1)
    budget: float | None = setting(None, "Minutes after which training stops, scores and saves.", least=0.0)
    precision: str = setting(
        "float32", "Number format of the computation.", choices=("float32", "mixed_bfloat16", "mixed_float16")
    )
    storage: str = setting("float32", "Number format of the saved weights.", choices=("float32", "float16"))


@dataclass(frozen=True)
class Ask:
    """What every prediction can be told: the inputs, and whether answers come as JSON."""

    inputs: Iterable[str] = ()
    json: bool = setting(False, "Print one JSON object a line.")


def differences(before: Any, after: Any, ignore: Iterable[str] = ()) -> list[str]:
    """The fields in which two recipes of one class differ, as `name (old -> new)`."""
    return [
        f"{field.name} ({getattr(before, field.name)} -> {getattr(after, field.name)})"
        for field in dataclasses.fields(after)
        if field.name not in set(ignore) and getattr(before, field.name) != getattr(after, field.name)
    ]
