"""Settings of the classification task. Standard library and `zoo.settings` only: `--help` reads this file."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from zoo.settings import PredictConfig, TrainConfig, setting
from zoo.task import Recipe

from .datasets import BUILTIN, DATASETS

CELLS = {"perceptron": "No recurrence: the whole picture at once, through a multilayer perceptron"}
"""What `--cell` takes besides the recurrent cells."""

POOLING = ("last", "mean", "max", "attention", "mean+max")


@dataclass(frozen=True)
class Train(TrainConfig):
    """How a classifier is trained. The defaults suit the built-in data set."""

    dataset: str = setting(
        BUILTIN,
        "Name from `zoo list datasets`, memory tests also as delayed_xor/STEPS, pictures also as digits/pixels or "
        "digits/permuted; or a path: a folder of pictures, a table of series.",
    )
    label_column: str | None = setting(None, "Column of a table's labels; by default found by its name, e.g. label.")
    cell: str = setting(
        "perceptron", "'perceptron' reads a picture at once; a recurrent cell reads it row by row: `zoo list cells`."
    )
    # 1,259 pictures are few, and an epoch takes a moment: many passes, with dropout against overfitting.
    epochs: int = setting(60, "Passes over the training data.", minimum=1)
    learning_rate: float = setting(3e-3, "Peak learning rate of Adam.", minimum=0.0)
    patience: int = setting(
        0, "Stop after this many epochs without a better validation score; 0 never stops.", minimum=0
    )
    units: int = setting(256, "Units of each hidden layer.", minimum=1)
    num_layers: int = setting(1, "Hidden layers on top of each other.", minimum=1)
    bidirectional: bool = setting(False, "With a recurrent cell: also read backward.")
    pooling: str = setting(
        "last", "With a recurrent cell: how its outputs over time become one vector.", choices=POOLING
    )
    augment: bool = setting(
        False, "Shift, dilate, scale and shear training series at random and add noise; series of one length only."
    )
    conv_filters: int = setting(
        0, "Filters of two convolutions over time before the recurrent layers; 0 for none.", minimum=0, maximum=8_192
    )
    kernel_size: int = setting(5, "Steps that each of these convolutions sees.", minimum=1, maximum=1_000)
    num_mel: int = setting(40, "Recordings: bands of the log-mel frames.", minimum=4, maximum=256)
    speed_range: float = setting(
        0.0, "Recordings: change the speed in training by up to this fraction.", minimum=0.0, maximum=0.5
    )
    time_shift: float = setting(
        0.0, "Recordings: silence added at each end in training, up to this many seconds.", minimum=0.0, maximum=10.0
    )
    noise: float = setting(
        0.0,
        "Recordings: white noise added in training, up to this fraction of the loudness.",
        minimum=0.0,
        maximum=10.0,
    )
    dropout: float = setting(0.3, "Dropout rate after hidden layers.", minimum=0.0, maximum=0.9)
    image_size: int = setting(28, "Height and width in pixels to which a folder's pictures are scaled.", minimum=1)
    color: bool = setting(False, "Keep the colors of a folder's pictures; by default they become gray.")

    def conflict(self) -> str | None:
        """Settings that do not go together."""
        needs = {
            "--block residual": self.block != "none",
            "--bidirectional": self.bidirectional,
            f"--pooling {self.pooling}": self.pooling != "last",
            f"--conv-filters {self.conv_filters}": self.conv_filters > 0,
        }
        given = [name for name, on in needs.items() if on]
        if self.cell == "perceptron" and given:
            return (
                f"{' and '.join(given)}: this needs a recurrent cell; a perceptron reads no sequence. Choose a --cell "
                "such as gru."
            )
        return super().conflict()


@dataclass(frozen=True)
class Predict(PredictConfig):
    """How `zoo classify` answers."""

    invert: bool = setting(False, "Invert pictures: the digits for training are light ink on a dark background.")


def can_answer(config: Predict, data: Mapping[str, Any]) -> bool:
    """Whether a model with this card of its data reads the first input, a sound or something else.

    A stream of inputs is not looked into; those who pipe names of sound files name the model.
    """
    first = config.inputs[0].strip().lower() if isinstance(config.inputs, tuple | list) and config.inputs else ""
    is_sound = first.endswith((".wav", ".wave")) or first.startswith("data:audio/")
    return is_sound == ("sample_rate" in data)


MEMORY = {
    # One bit to hold: even the simple RNN learns to hold it, once short delays have shown how.
    "delayed_xor": {"units": 32, "dropout": 0.0, "epochs": 4, "learning_rate": 1e-2},
    # Digits come at any step and have to be told from unmarked ones: that takes a gate.
    "adding": {"units": 32, "dropout": 0.0, "epochs": 10, "learning_rate": 1e-2},
}

RECIPE = Recipe(
    train=Train,
    predict=Predict,
    datasets=DATASETS,
    inputs="files",  # names of pictures or WAV files, or JSON lists of numbers for series and memory tests
    example="digit.png",
    purpose=(
        "Sorts pictures or sequences like those of its training data into the classes it was trained on; for lessons "
        "and for comparisons of cells."
    ),
    not_for="Anything unlike its training data: it has no class for what it does not know, and always answers.",
    presets={
        "tiny": {"epochs": 1, "limit": 400, "units": 8},
        # For tables that compare cells (tasks/README.md): half a minute on two cores with the cell gru.
        "board": {"cell": "gru", "epochs": 40, "units": 64},
        "adding": {"dataset": "adding/100", "cell": "gru", **MEMORY["adding"]},
        # Chosen on the validation split among four recipes; README.md in this folder has them.
        "mnist1d": {
            "dataset": "mnist1d",
            "cell": "gru",
            "block": "residual",
            "epochs": 40,
            "schedule": "cosine",
            "ema_momentum": 0.99,  # about two epochs
            "units": 64,
            "num_layers": 2,
            "bidirectional": True,
            "pooling": "mean+max",
            "augment": True,
            "dropout": 0.1,  # changed series regularize as well
        },
        "spoken_digit": {
            "dataset": "spoken_digit",
            "cell": "gru",
            "epochs": 50,
            "batch_size": 16,
            "schedule": "cosine",
            "warmup": 0.05,
            "ema_momentum": 0.99,
            "units": 96,
            "bidirectional": True,
            "pooling": "attention",
            "conv_filters": 96,
            "speed_range": 0.15,
            "time_shift": 0.1,
            "noise": 0.1,
            "dropout": 0.2,
        },
    },
    cells=CELLS,
    memory=MEMORY,
    can_answer=can_answer,
)
