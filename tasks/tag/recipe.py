"""Settings of the tagging task. Standard library and `zoo.settings` only: `--help` reads this file."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from zoo.settings import PredictConfig, TrainConfig, setting
from zoo.task import Recipe

from .datasets import DATASETS


@dataclass(frozen=True)
class Train(TrainConfig):
    """How a tagger is trained. The defaults suit the built-in data set."""

    dataset: str = setting(
        "clips",
        "Name from `zoo list datasets`, a file in columns (CoNLL, CoNLL-U), a table, or a folder of clips with "
        "labels.csv (clip,start,end,label).",
    )
    cell: str = setting("gru", "Recurrent cell; `zoo list cells` shows them. 'none' labels every step by itself.")
    image_size: int = setting(24, "Side in pixels to which the clips of a folder are scaled.", minimum=4)
    color: bool = setting(False, "Keep the colors of a folder's clips instead of converting them to gray.")
    fps: float = setting(12.5, "Frames per second of clips that are folders of images.", minimum=0.001)
    tags: str | None = setting(
        None, "Which labels, where there are several: ner, pos, chunks; upos, xpos, feats; a column's number or name."
    )
    word_column: int | None = setting(None, "Number of the column of words in a file; default the first.", minimum=1)
    epochs: int = setting(6, "Passes over the training data.", minimum=1)
    batch_size: int = setting(16, "Sequences per training step.", minimum=1)
    learning_rate: float = setting(4e-3, "Peak learning rate of Adam.", minimum=0.0)
    warmup: float = setting(
        0.05, "Fraction of all steps in which the learning rate rises from zero.", minimum=0.0, maximum=1.0
    )
    patience: int = setting(
        0, "Stop after this many epochs without a better validation score; 0 never stops.", minimum=0
    )
    max_length: int = setting(256, "Largest number of steps learned of a sequence; all are scored.", minimum=1)
    vocabulary_size: int = setting(30_000, "Largest number of entries of the vocabulary.", minimum=10)
    min_count: int = setting(
        2, "Occurrences a word needs to enter the vocabulary; the others train the unknown word.", minimum=1
    )
    lowercase: bool = setting(False, "Fold case; capital letters help to find names.")
    embedding_dim: int = setting(64, "Length of the vector of a frame or a word.", minimum=1)
    character_units: int = setting(
        0, "Units of each direction of a net that reads each word's characters; 0 for none. Words only.", minimum=0,
        maximum=8_192,
    )  # fmt: skip
    character_dim: int = setting(32, "Length of a character's vector.", minimum=1, maximum=8_192)
    word_vectors: str | None = setting(
        None, "File of pretrained word vectors (word2vec, GloVe, fastText as text), as many numbers as --embedding-dim."
    )
    pretrain_dataset: str | None = setting(
        None, "File of sentences without labels, one per line, for --pretrain-epochs. Words only."
    )
    pretrain_epochs: int = setting(0, "Epochs of language-model pretraining on these sentences.", minimum=0)
    pretrain_learning_rate: float = setting(3e-3, "Peak learning rate of pretraining.", minimum=0.0)
    pretrain_batch_size: int = setting(128, "Sentences per step of pretraining.", minimum=1)
    pretrain_window: int = setting(
        64, "Words of a sentence that one epoch of pretraining reads, from a random position.", minimum=2
    )
    differences: bool = setting(True, "Also feed the difference between neighboring frames; clips only.")
    units: int = setting(64, "Units of each direction.", minimum=1)
    num_layers: int = setting(1, "Recurrent layers on top of each other.", minimum=1)
    bidirectional: bool = setting(True, "Also read backward; without it no label depends on later steps.")
    layer_norm: bool = setting(False, "Normalize the output of every recurrent layer.")
    word_dropout: float = setting(0.0, "Fraction of words dropped during training.", minimum=0.0, maximum=0.9)
    embedding_dropout: float = setting(0.0, "Spatial dropout rate of the vectors.", minimum=0.0, maximum=0.9)
    dropout: float = setting(
        0.0, "Spatial dropout rate between layers and before the output.", minimum=0.0, maximum=0.9
    )

    def conflict(self) -> str | None:
        """Settings that do not go together."""
        if self.cell == "none" and self.block != "none":
            return (
                f"--block {self.block} needs a recurrent cell, and --cell none has none. Choose a --cell such as gru."
            )
        if self.pretrain_epochs and not self.pretrain_dataset:
            return (
                f"--pretrain-epochs {self.pretrain_epochs} needs sentences: give --pretrain-dataset, a file with one "
                "on each line."
            )
        if self.pretrain_dataset and not self.pretrain_epochs:
            return f"--pretrain-dataset {self.pretrain_dataset} is read by --pretrain-epochs: give 1 or more of them."
        return super().conflict()


@dataclass(frozen=True)
class Predict(PredictConfig):
    """How `zoo tag` answers."""

    fps: float = setting(12.5, "Frames per second of a folder of images; other files say it.", minimum=0.001)


def can_answer(config: Predict, data: Mapping[str, Any]) -> bool:
    """Whether a model with this card of its data reads the first input; a stream of inputs is not looked into."""
    first = config.inputs[0].strip() if isinstance(config.inputs, tuple | list) and config.inputs else None
    return first is None or data.get("kind", "frames") == _kind(first)


def _kind(text: str) -> str:
    if text.startswith("["):
        return "features"
    is_file = text.startswith("data:") or re.search(r"^\S+\.\w{2,5}$|[/\\]", text) or os.path.exists(text)
    return "frames" if is_file else "tokens"


# With a label at every step, cells that can do it need a few hundred updates; this is about 800.
STATE_TRACKING = {
    "units": 32,
    "bidirectional": False,
    "max_length": 2_000,
    "epochs": 5,
    "batch_size": 64,
    "learning_rate": 1e-2,
}

RECIPE = Recipe(
    train=Train,
    predict=Predict,
    datasets=DATASETS,
    inputs="files",
    lines=True,
    example="clip.gif",
    pipeline_tag="token-classification",
    purpose=(
        "Gives each frame, word or step of a sequence one of the labels it was trained on; for lessons on memory in "
        "recurrent nets and as a baseline for sequence labeling."
    ),
    not_for="Surveillance or safety: it knows only the kind of sequences that it was trained on, and always answers.",
    presets={
        "tiny": {"epochs": 1, "limit": 64, "embedding_dim": 8, "units": 8},
        # For tables that compare cells (tasks/README.md): half a minute on two cores with the cell gru.
        "board": {"epochs": 4, "limit": 2_000, "units": 48},
        # Parts of speech of English; README.md in this folder says what each part is worth, and how to get the vectors.
        "ud_en_ewt": {
            "dataset": "universal_dependencies/en_ewt",
            "cell": "lstm",
            "epochs": 8,
            "batch_size": 32,
            "learning_rate": 3e-3,
            "schedule": "cosine",
            "ema_momentum": 0.995,
            "vocabulary_size": 60_000,  # all of the training split's, and all words with a pretrained vector
            "embedding_dim": 128,
            "character_units": 64,
            "units": 192,
            "word_dropout": 0.1,
            "embedding_dropout": 0.3,
            "dropout": 0.4,
            "weights_dtype": "float16",
        },
        "conll2003": {
            "dataset": "conll2003",
            "epochs": 8,
            "batch_size": 32,
            "learning_rate": 2e-3,
            "embedding_dim": 100,
            "units": 100,
            "word_dropout": 0.05,
            "embedding_dropout": 0.3,
            "dropout": 0.3,
            "patience": 3,
        },
    },
    cells={"none": "No recurrence: every step by itself, the baseline for what a frame or a word alone tells"},
    memory={
        # 2,000 steps: nothing of the longest memory test, 1,000 steps and the question, is cut off.
        "copy_memory": {"units": 64, "bidirectional": False, "max_length": 2_000, "epochs": 8, "batch_size": 64},
        "parity": STATE_TRACKING,
        "mod3": STATE_TRACKING,
        "selective_copy": {"units": 64, "bidirectional": False, "max_length": 2_000, "epochs": 8, "batch_size": 64},
    },
    can_answer=can_answer,
)
