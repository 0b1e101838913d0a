"""Settings: dataclass fields that become command-line options, and those that every training and prediction has.

A task's `recipe.py` extends `TrainConfig` and `PredictConfig`, overrides the defaults it has reasons for, and adds its
own fields. `zoo.options` turns the fields into options.
"""

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any


def setting(
    default: Any,
    help: str,
    *,
    choices: Iterable[str] = (),
    minimum: float | None = None,
    maximum: float | None = None,
) -> Any:
    """A dataclass field with its help text and the values it takes.

    Args:
        default: Its default; the annotation gives the type.
        help: One line for `--help`.
        choices: The allowed strings, if it is a choice.
        minimum: Smallest allowed number.
        maximum: Largest allowed number.
    """
    metadata = {"help": help, "choices": tuple(choices), "minimum": minimum, "maximum": maximum}
    return dataclasses.field(default=default, metadata=metadata)


@dataclass(frozen=True)
class TrainConfig:
    """The settings of every training; written as `recipe.json` into the saved model."""

    dataset: str = setting("", "Data set: a name from `zoo list datasets`, or a path to your own data.")
    validation_dataset: str | None = setting(None, "Path to the validation split, if --dataset is a path.")
    test_dataset: str | None = setting(None, "Path to the test split, if --dataset is a path.")
    cell: str = setting("gru", "Recurrent cell; `zoo list cells` shows them.")
    block: str = setting(
        "none",
        "'residual' puts each recurrent layer that reads the input into a block of normalization, cell, gate and skip.",
        choices=("none", "residual"),
    )
    epochs: int = setting(5, "Passes over the training data.", minimum=1)
    batch_size: int = setting(64, "Examples per training step.", minimum=1)
    learning_rate: float = setting(1e-3, "Peak learning rate of Adam.", minimum=0.0)
    schedule: str = setting("linear", "How the learning rate decays to zero.", choices=("constant", "linear", "cosine"))
    warmup: float = setting(
        0.0, "Fraction of all steps in which the learning rate rises from zero.", minimum=0.0, maximum=1.0
    )
    clip_norm: float = setting(1.0, "Largest global norm of the gradient; 0 turns clipping off.", minimum=0.0)
    weight_decay: float = setting(0.0, "Decoupled weight decay (AdamW).", minimum=0.0)
    ema_momentum: float = setting(
        0.0,
        "Momentum of the moving average of the weights, e.g. 0.999; 0 turns averaging off.",
        minimum=0.0,
        maximum=0.99999,
    )
    patience: int = setting(
        3, "Stop after this many epochs without a better validation score; 0 never stops.", minimum=0
    )
    seed: int = setting(1, "Seed of initial weights, shuffling and dropout.", minimum=0, maximum=2**32 - 1)
    limit: int | None = setting(None, "Use only the first N training examples.", minimum=1)
    max_minutes: float | None = setting(None, "Minutes after which training stops, scores and saves.", minimum=0.0)
    precision: str = setting(
        "float32", "Dtype policy of the computation.", choices=("float32", "mixed_bfloat16", "mixed_float16")
    )
    weights_dtype: str = setting("float32", "Dtype of the saved weights.", choices=("float32", "float16"))


@dataclass(frozen=True)
class PredictConfig:
    """The settings of every prediction: the inputs, and whether answers are printed as JSON."""

    inputs: Iterable[str] = ()
    json: bool = setting(False, "Print one JSON object per line.")


def differences(before: Any, after: Any, ignore: Iterable[str] = ()) -> list[str]:
    """The fields in which two configurations of one class differ, as `name (old -> new)`."""
    return [
        f"{field.name} ({getattr(before, field.name)} -> {getattr(after, field.name)})"
        for field in dataclasses.fields(after)
        if field.name not in set(ignore) and getattr(before, field.name) != getattr(after, field.name)
    ]
