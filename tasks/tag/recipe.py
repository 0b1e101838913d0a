"""Settings of the tagging task. Standard library and `zoo.settings` only: `--help` reads this file."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zoo.settings import Ask, Run, setting

EMBEDDED = "clips"

DATASETS = {
    "clips": "short clips of moving, hiding and merging things, a label a frame; embedded, generated in seconds",
    "copy_memory": "memory test: symbols to repeat after up to 100 steps; embedded, also copy_memory/STEPS",
    "conll2003": "news in English, named entities; also parts of speech and chunks (Tjong Kim Sang, De Meulder 2003)",
    "universal_dependencies": "parts of speech; `universal_dependencies/en_ewt` or another treebank of TFDS",
}

CELLS = {"none": "No recurrence: every step by itself, the yardstick for what a frame or a word alone tells"}
"""What `--cell` takes besides the recurrent cells."""


@dataclass(frozen=True)
class Train(Run):
    """How a tagger is trained. The defaults suit the embedded data set."""

    dataset: str = setting(
        EMBEDDED,
        "Name from `zoo list datasets`, a CoNLL file (a word and its label a line, blank lines between), or a folder "
        "of clips with labels.csv (clip,start,end,label).",
    )
    cell: str = setting("gru", "Recurrent cell; `zoo list cells` shows them. 'none' labels every step by itself.")
    image_size: int = setting(24, "Side in pixels to which the clips of a folder are scaled.", least=4)
    colour: bool = setting(False, "Keep the colours of a folder's clips; default is grey.")
    fps: float = setting(12.5, "Frames a second of those clips of a folder that are folders of pictures.", least=0.001)
    labels: str | None = setting(None, "Which labels, where a data set has several: ner, pos, chunks; upos.")
    epochs: int = setting(6, "Passes over the training data.", least=1)
    batch_size: int = setting(16, "Sequences a training step.", least=1)
    learning_rate: float = setting(4e-3, "Peak learning rate of Adam.", least=0.0)
    warmup: float = setting(0.05, "Part of all steps in which the rate first rises from zero.", least=0.0, most=1.0)
    patience: int = setting(0, "Stop after so many epochs without a better validation score; 0 never stops.", least=0)
    longest: int = setting(256, "Steps of a sequence that are learned from; all are scored and answered.", least=1)
    vocabulary: int = setting(30_000, "Most entries of the vocabulary of words.", least=10)
    least: int = setting(
        2, "Occurrences a word needs to enter it: words that do not teach what the unknown is.", least=1
    )
    lowercase: bool = setting(False, "Fold case; names are better told with it.")
    embedding: int = setting(64, "Length of a frame's or a word's vector.", least=1)
    differences: bool = setting(True, "Show the net also what has changed since the frame before; frames only.")
    units: int = setting(64, "Units of each direction.", least=1)
    depth: int = setting(1, "Recurrent layers on top of each other.", least=1)
    bidirectional: bool = setting(True, "Also read backward; without it no label depends on later steps.")
    layer_norm: bool = setting(False, "Normalise the output of every recurrent layer.")
    word_dropout: float = setting(0.0, "Part of the words hidden while training.", least=0.0, most=0.9)
    embedding_dropout: float = setting(0.0, "Locked dropout on the vectors.", least=0.0, most=0.9)
    dropout: float = setting(0.0, "Locked dropout between layers and before the output.", least=0.0, most=0.9)


@dataclass(frozen=True)
class Predict(Ask):
    """How `zoo tag` answers."""

    fps: float = setting(12.5, "Frames a second of a folder of pictures; files tell their own.", least=0.001)


INPUTS = "files"
"""What the command takes: GIFs, films, folders of frames; sentences for a model of words."""

MEMORY: dict[str, dict] = {
    "copy_memory": {"units": 64, "bidirectional": False, "longest": 2_000, "epochs": 8, "batch_size": 64},
}
"""Data sets `NAME/STEPS` with which `zoo lens memory` tries cells, and the settings that all cells get there."""

PRESETS: dict[str, dict] = {
    "tiny": {"epochs": 1, "limit": 64, "embedding": 8, "units": 8},
    "conll2003": {
        "dataset": "conll2003", "epochs": 8, "batch_size": 32, "learning_rate": 2e-3, "embedding": 100, "units": 100,
        "word_dropout": 0.05, "embedding_dropout": 0.3, "dropout": 0.3, "patience": 3,
    },
}  # fmt: skip
"""Named runs: `tiny` is for tests."""


def fits(ask: Predict, facts: Mapping[str, Any]) -> bool:
    """Whether a model with these facts of its data takes the first input; unknown where inputs come as a stream."""
    first = ask.inputs[0].strip() if isinstance(ask.inputs, tuple | list) and ask.inputs else None
    return first is None or facts.get("kind", "frames") == _kind(first)


def _kind(name: str) -> str:
    if name.startswith("["):
        return "features"
    is_file = name.startswith("data:") or re.search(r"^\S+\.\w{2,5}$|[/\\]", name) or Path(name).exists()
    return "frames" if is_file else "tokens"
