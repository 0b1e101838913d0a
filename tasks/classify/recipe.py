"""Settings of the classification task. Standard library and `zoo.settings` only: `--help` reads this file."""

from dataclasses import dataclass

from zoo.settings import Ask, Run, setting

EMBEDDED = "digits"

DATASETS = {
    "digits": "1,797 handwritten digits of 8 x 8 pixels (Alpaydin and Kaynak 1998); embedded, part of scikit-learn",
    "mnist": "70,000 handwritten digits of 28 x 28 pixels (LeCun, Cortes and Burges 1998)",
    "fashion_mnist": "70,000 pieces of clothing, like MNIST (Xiao, Rasul and Vollgraf 2017)",
    "kmnist": "70,000 cursive Japanese characters, like MNIST (Clanuwat et al. 2018)",
    "delayed_xor": "memory test: the exclusive or of two bits, asked for after up to 100 steps; embedded",
    "adding": "memory test: the sum of two marked digits among up to 100 (Hochreiter and Schmidhuber 1997); embedded",
}

CELLS = {"perceptron": "No recurrence: the whole picture at once, through a multilayer perceptron"}
"""What `--cell` takes besides the recurrent cells."""


@dataclass(frozen=True)
class Train(Run):
    """How a classifier is trained. The defaults suit the embedded data set."""

    dataset: str = setting(
        EMBEDDED, "Name from `zoo list datasets`, memory tests also as delayed_xor/STEPS, or a folder of pictures."
    )
    cell: str = setting(
        "perceptron", "'perceptron' sees a picture at once; a recurrent cell reads it row by row: `zoo list cells`."
    )
    # 1,259 pictures are few and seen in a moment: many passes, and dropout against learning them by heart.
    epochs: int = setting(60, "Passes over the training data.", least=1)
    learning_rate: float = setting(3e-3, "Peak learning rate of Adam.", least=0.0)
    patience: int = setting(0, "Stop after so many epochs without a better validation score; 0 never stops.", least=0)
    units: int = setting(256, "Units of a hidden layer.", least=1)
    depth: int = setting(1, "Hidden layers on top of each other.", least=1)
    dropout: float = setting(0.3, "Dropout after hidden layers.", least=0.0, most=0.9)
    image_size: int = setting(28, "Side in pixels to which the pictures of a folder are scaled.", least=1)
    colour: bool = setting(False, "Keep the colours of a folder's pictures; default is grey.")


@dataclass(frozen=True)
class Predict(Ask):
    """How `zoo classify` answers."""

    invert: bool = setting(False, "Swap light and dark: the digits were learned as light ink on a dark ground.")


INPUTS = "files"
"""What the command takes: names of pictures, or JSON lists of numbers for memory tests."""

MEMORY: dict[str, dict] = {
    # One bit to hold: even the vanilla cell latches it, once short delays have taught it how.
    "delayed_xor": {"units": 32, "dropout": 0.0, "epochs": 4, "learning_rate": 1e-2},
    # Digits are let in at any step and have to be told from others: that takes a gate.
    "adding": {"units": 32, "dropout": 0.0, "epochs": 10, "learning_rate": 1e-2},
}
"""Data sets `NAME/STEPS` with which `zoo lens memory` tries cells, and the settings that all cells get there."""

PRESETS: dict[str, dict] = {
    "tiny": {"epochs": 1, "limit": 400, "units": 8},
    "adding": {"dataset": "adding/100", "cell": "gru", **MEMORY["adding"]},
}
"""Named runs: `tiny` is for tests, `adding` one of those that `zoo lens memory` compares."""
