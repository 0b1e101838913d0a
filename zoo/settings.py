"""Settings: dataclass fields that become command-line options, and those that every training and prediction has.

A task's `recipe.py` extends `TrainConfig` and `PredictConfig`, overrides the defaults it has reasons for, and adds its
own fields. `zoo.options` turns the fields into options.
"""

import dataclasses
import functools
import math
import numbers
import re
import typing
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from zoo.errors import UserError
from zoo.names import nearest, split

LARGEST_INT = 2**31 - 1
"""Largest whole number of a setting without a maximum of its own: what a 32-bit integer of TensorFlow holds."""

LARGEST_FLOAT = 1e9
"""Largest size of a number of a setting without a maximum of its own."""

MAXIMA: Mapping[str, float] = {
    **dict.fromkeys(("epochs", "pretrain_epochs", "reward_epochs", "patience"), 1_000_000),
    **dict.fromkeys(("units", "embedding_dim", "projection"), 8_192),
    **dict.fromkeys(("num_layers", "encoder_layers", "decoder_layers"), 256),
    **dict.fromkeys(("max_length", "sequence_length", "pretrain_window", "max_new_tokens"), 100_000),
    **dict.fromkeys(("beam_size", "num_return", "num_samples", "captions_per_image"), 1_000),
    **dict.fromkeys(("batch_size", "pretrain_batch_size"), 65_536),
    "length_penalty": 10.0,  # an exponent: with more, 32-bit numbers overflow
    **dict.fromkeys(("coverage_penalty", "consensus"), 100.0),
    **dict.fromkeys(("learning_rate", "pretrain_learning_rate", "reward_learning_rate", "weight_decay"), 1_000.0),
    "vocabulary_size": 10_000_000,
    "image_size": 1_024,
    "temperature": 1_000.0,
    "max_minutes": 10_000_000.0,
    "seed": 2**32 - 1,
}
"""Largest numbers of settings that have no maximum of their own, by name: beyond them, no machine has the memory."""

GROUPS: Mapping[str, Sequence[str]] = {
    "Data": (
        "dataset", "validation_dataset", "test_dataset", "text_column", "label_column", "source_column",
        "target_column", "word_column", "tags", "source", "target", "reverse", "limit", "tokenizer", "vocabulary_size",
        "shared_vocabulary", "min_count", "lowercase", "max_length", "head_fraction", "sequence_length", "image_size",
        "color", "fps", "invert", "captions_per_image", "augment", "num_mel", "speed_range", "time_shift", "noise",
    ),
    "Training": (
        "epochs", "batch_size", "learning_rate", "schedule", "warmup", "clip_norm", "weight_decay", "ema_momentum",
        "label_smoothing", "scheduled_sampling", "doubly_stochastic", "patience", "seed", "precision", "max_minutes",
        "pretrain_dataset", "pretrain_epochs", "pretrain_learning_rate", "pretrain_batch_size", "pretrain_window",
        "pseudo_labels", "reward_epochs",
        "reward_learning_rate", "reward_bleu", "num_samples", "fine_tune", "random_flip", "adversarial",
        "virtual_adversarial", "perturbation", "entropy_minimization", "r_drop", "teachers", "distillation",
        "bpe_dropout", "unlabeled", "self_training_epochs", "self_training_learning_rate", "score_test",
    ),
    "Search": (
        "beam_size", "length_penalty", "coverage_penalty", "consensus", "num_return", "forced_prefix", "replace_unk",
        "temperature", "temperatures", "top_k", "top_p", "max_new_tokens", "stop", "score",
    ),
    "Output": ("weights_dtype", "meteor", "json", "explain", "html", "attention", "attention_plot", "plot"),
    "Workers": ("workers",),
}  # fmt: skip
"""Group of `--help` -> names of settings that need not name it themselves."""

OF_DATASET = (
    "dataset", "validation_dataset", "test_dataset", "text_column", "label_column", "source_column", "target_column",
    "word_column", "source", "reverse", "limit", "fps", "invert",
)  # fmt: skip
"""Settings of the group "Data" that belong to one data set; the others say how a model reads any."""

OF_ASSETS = (
    "tokenizer", "vocabulary_size", "shared_vocabulary", "min_count", "lowercase", "tags", "word_vectors", "encoder",
)  # fmt: skip
"""Settings of what a model has before it is trained; fine-tuning keeps it."""

_GROUP = {name: group for group, names in GROUPS.items() for name in names}

DISTILLATION = 1.0
"""Weight of what teachers say, beside the labels."""

NO_LOSS_TERMS: Mapping[str, Any] = {
    **dict.fromkeys(("adversarial", "virtual_adversarial", "entropy_minimization", "r_drop"), 0.0),
    "teachers": None,
    "distillation": DISTILLATION,
}
"""Settings of a stage without the terms of `zoo.loss_terms`, for `dataclasses.replace`: they belong to the labels."""

LONGEST_TEXT = 10_000
"""Characters of the longest text that a setting takes. No path is longer, and no text to stop at."""

LONGEST_NAME = 255
"""Bytes of the longest name of a file that common file systems take."""

_KINDS = {bool: "true or false", int: "a whole number", float: "a number", str: "a text"}


def setting(
    default: Any,
    help: str,
    *,
    choices: Iterable[str] = (),
    minimum: float | None = None,
    maximum: float | None = None,
    group: str = "",
) -> Any:
    """A dataclass field with its help text and the values it takes.

    Args:
        default: Its default; the annotation gives the type.
        help: One line for `--help`.
        choices: The allowed strings, if it is a choice.
        minimum: Smallest allowed number.
        maximum: Largest allowed number; by default that of `MAXIMA`, or `LARGEST_INT` or `LARGEST_FLOAT`.
        group: Group of `--help` in which it stands; by default that of `GROUPS`, or "Model".
    """
    metadata = {"help": help, "choices": tuple(choices), "minimum": minimum, "maximum": maximum, "group": group}
    return dataclasses.field(default=default, metadata=metadata)


def group(item: dataclasses.Field) -> str:
    """The group of `--help` in which a setting stands."""
    return item.metadata["group"] or _GROUP.get(item.name, "Model")


def limits(item: dataclasses.Field, kind: type) -> tuple[float | None, float | None]:
    """Smallest and largest number that a setting takes.

    Args:
        item: The field.
        kind: `int` or `float`.
    """
    largest: float = LARGEST_INT if kind is int else LARGEST_FLOAT
    minimum, maximum = item.metadata["minimum"], item.metadata["maximum"]
    return minimum, MAXIMA.get(item.name, largest) if maximum is None else maximum


@functools.cache  # a class is hashable, whatever its own equality
def kinds(settings: type) -> dict[str, tuple[type, bool]]:
    """Name of each setting of a class -> its type, and whether it may be None."""
    found = {}
    for name, annotation in typing.get_type_hints(settings).items():
        several = typing.get_args(annotation) or (annotation,)
        found[name] = (next(kind for kind in several if kind is not type(None)), type(None) in several)
    return {item.name: found[item.name] for item in dataclasses.fields(settings) if "help" in item.metadata}


def check(config: Any) -> None:
    """Checks that every setting of a configuration has a value that it takes.

    The command line, Python callers and stored recipes all come through here. Whole numbers that are given for
    others, and numbers of numpy, become what the annotation says.

    Raises:
        UserError: With the first setting that is wrong, what came, and what is allowed.
    """
    settings: type = type(config)
    table = kinds(settings)
    for item in dataclasses.fields(config):
        if item.name in table:
            kind, optional = table[item.name]
            value = getattr(config, item.name)
            if not (value is None and optional):
                object.__setattr__(config, item.name, _checked(item, kind, value))


def _checked(item: dataclasses.Field, kind: type, value: Any) -> Any:
    if kind is str:
        return _checked_text(item, value)
    if kind is bool or isinstance(value, bool):
        fits = kind is bool and isinstance(value, bool)
    else:
        fits = isinstance(value, numbers.Integral if kind is int else numbers.Real)
    if not fits:
        raise _refused(item, value, _KINDS[kind])
    if kind is bool:
        return value
    low, high = limits(item, kind)
    if (low is not None and value < low) or (high is not None and value > high) or not math.isfinite(value):
        raise _refused(item, value, f"{_KINDS[kind]} {_range(low, high)}")
    return kind(value)


def _checked_text(item: dataclasses.Field, value: Any) -> str:
    choices = item.metadata["choices"]
    if not isinstance(value, str):
        raise _refused(item, value, f"one of {', '.join(choices)}" if choices else _KINDS[str])
    if choices and value not in choices:
        close = nearest(value, choices)
        raise _refused(item, value, f"one of {', '.join(choices)}{f'; did you mean {close!r}?' if close else ''}")
    if not value and item.default != "":
        raise _refused(item, value, "a text that is not empty")
    if any("\ud800" <= character <= "\udfff" for character in value):
        raise _refused(item, value, "a text in UTF-8, and so is the name of a file")
    if len(value) > LONGEST_TEXT or "\0" in value:
        raise _refused(item, value, f"a text of at most {LONGEST_TEXT:,} characters, none of them zero")
    return value


def _refused(item: dataclasses.Field, value: Any, allowed: str) -> UserError:
    shown = repr(value)
    shown = shown if len(shown) <= 60 else f"{shown[:57]}..."
    return UserError(f"The setting {item.name} (--{item.name.replace('_', '-')}) is {allowed}; got {shown}.")


def _range(low: float | None, high: float | None) -> str:
    if low is None:
        return f"of at most {high:,}"
    return f"from {low:,} to {high:,}"


@dataclass(frozen=True)
class TrainConfig:
    """The settings of every training; written as `recipe.json` into the saved model.

    Raises:
        UserError: If a setting has a value that it does not take (`check`), or two do not go together (`conflict`).
    """

    dataset: str = setting("", "Data set: a name from `zoo list datasets`, or a path to your own data.")
    validation_dataset: str | None = setting(None, "Path to the validation split, if --dataset is a path.")
    test_dataset: str | None = setting(None, "Path to the test split, if --dataset is a path.")
    init_from: str | None = setting(
        None, "Saved model to fine-tune: the training starts from its network, vocabulary and weights.", group="Model"
    )
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
    adversarial: float = setting(
        0.0, "Weight of the loss at adversarially perturbed word vectors (Miyato et al. 2017); 0 is off.", minimum=0.0
    )
    virtual_adversarial: float = setting(
        0.0, "Weight of the change of the answers under such a perturbation, labels unused; 0 is off.", minimum=0.0
    )
    perturbation: float = setting(
        0.02, "Norm of these perturbations, as a fraction of that of the vectors.", minimum=0.0, maximum=10.0
    )
    entropy_minimization: float = setting(0.0, "Weight of the entropy of the answers; 0 is off.", minimum=0.0)
    r_drop: float = setting(
        0.0, "Weight of the divergence of two passes with different dropout (R-Drop); 0 is off.", minimum=0.0
    )
    teachers: str | None = setting(
        None, "Saved models, separated by commas, whose mean answer is learned beside the labels (distillation)."
    )
    distillation: float = setting(
        DISTILLATION, "Weight of the divergence from the mean answer of --teachers.", minimum=0.0
    )
    patience: int = setting(
        3, "Stop after this many epochs without a better validation score; 0 never stops.", minimum=0
    )
    seed: int = setting(1, "Seed of initial weights, shuffling and dropout.", minimum=0)
    limit: int | None = setting(None, "Use only the first N training examples.", minimum=1)
    max_minutes: float | None = setting(None, "Minutes after which training stops, scores and saves.", minimum=0.0)
    score_test: bool = setting(
        True, "Score the test split once after training; turn it off while comparing several runs."
    )
    precision: str = setting(
        "float32", "Dtype policy of the computation.", choices=("float32", "mixed_bfloat16", "mixed_float16")
    )
    weights_dtype: str = setting("float32", "Dtype of the saved weights.", choices=("float32", "float16"))

    def __post_init__(self) -> None:
        _check_whole(self)

    @property
    def teacher_names(self) -> list[str]:
        """The names of the teachers, each once."""
        return split(self.teachers or "")

    def of_data(self, dataset: str) -> "TrainConfig":
        """These settings for all of a data set; only that of the training has the splits and columns it named."""
        changes: dict[str, Any] = {"dataset": dataset, "limit": None}
        if dataset != self.dataset:
            own = [name for name in OF_DATASET if name.endswith(("_column", "_dataset")) and hasattr(self, name)]
            changes |= dict.fromkeys(own)
        return dataclasses.replace(self, **changes)

    def conflict(self) -> str | None:
        """A sentence about settings that do not go together; None if all do. A task's own asks this one last."""
        if self.teachers is not None and not self.teacher_names:
            return f"--teachers {self.teachers!r} names no saved model: give names or folders, with commas."
        if self.teachers is None and self.distillation != DISTILLATION:
            return f"--distillation {self.distillation:g} is a weight of what --teachers answer: name some."
        return None


@dataclass(frozen=True)
class PredictConfig:
    """The settings of every prediction: the inputs, and whether answers are printed as JSON."""

    inputs: Iterable[str] = ()
    json: bool = setting(False, "Print one JSON object per line.")

    def __post_init__(self) -> None:
        _check_whole(self)

    def conflict(self) -> str | None:
        """A sentence about settings that do not go together; None if all do."""
        return None


def _check_whole(config: Any) -> None:
    check(config)
    sentence = config.conflict()
    if sentence:
        raise UserError(sentence)


def fine_tuning(before: Any, given: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of a training that starts from a saved model: how it reads and its network stay.

    How it searches stays as well unless something else is given.

    Args:
        before: The settings that the model was trained with.
        given: Settings of the new training, `init_from` among them; they come before those of the model.

    Raises:
        UserError: If one would need other assets than the model has.
    """
    kept = {
        item.name: getattr(before, item.name)
        for item in dataclasses.fields(before)
        if "help" in item.metadata and group(item) in ("Model", "Data", "Search")
        if item.name != "word_vectors"  # a file that has become weights, and need not be there any more
        if item.name not in OF_DATASET or "dataset" not in given
    }
    for name in OF_ASSETS:
        if name in given and given[name] != getattr(before, name):
            raise UserError(
                f"--{name.replace('_', '-')} {given[name]}: {given['init_from']} has {getattr(before, name)}, and "
                "keeps its vocabulary and its image encoder when it is fine-tuned. Leave out that option, or "
                "--init-from."
            )
    return {**kept, **given}


def differences(before: Any, after: Any, ignore: Iterable[str] = ()) -> list[str]:
    """The fields in which two configurations of one class differ, as `name (old -> new)`."""
    return [
        f"{field.name} ({getattr(before, field.name)} -> {getattr(after, field.name)})"
        for field in dataclasses.fields(after)
        if field.name not in set(ignore) and getattr(before, field.name) != getattr(after, field.name)
    ]


def changes(stored: Mapping[str, Any], now: Any, ignore: Iterable[str] = ()) -> list[str]:
    """The fields in which a configuration differs from a stored one, as `name (old -> new)`.

    Args:
        stored: Name -> value, as JSON has them. A setting that is missing came into the program later, and had its
            default then; one that is no longer known is left out.
        now: The configuration.
        ignore: Names that are not compared.

    Raises:
        UserError: If a stored value is not one that this setting can have.
    """
    known = {field.name for field in dataclasses.fields(now)}
    before = type(now)(**{name: value for name, value in stored.items() if name in known})
    return differences(before, now, ignore)


def seeds(words: str) -> tuple[int, ...]:
    """Seeds from `"1,2,3"`, each once.

    Raises:
        UserError: If there is none, or one is not a whole number.
    """
    numbers = split(words)
    if not numbers or not all(re.fullmatch(r"[0-9]{1,99}", number) for number in numbers):
        raise UserError(f"--seeds {words[:60]!r}: give whole numbers from 0 on, separated by commas, such as 1,2,3.")
    if max(map(int, numbers)) > MAXIMA["seed"]:
        raise UserError(f"--seeds {words[:60]!r}: a seed is at most {MAXIMA['seed']:,}.")
    return tuple(dict.fromkeys(map(int, numbers)))
