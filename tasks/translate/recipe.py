"""Settings of the translation task. Standard library and `zoo.settings` only: `--help` reads this file."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from zoo.settings import PredictConfig, TrainConfig, setting
from zoo.task import Recipe

from .datasets import DATASETS

ATTENTION = ("additive", "dot", "general", "none")


@dataclass(frozen=True)
class Train(TrainConfig):
    """How a translator is trained. The defaults suit the built-in data set."""

    dataset: str = setting(
        "phrases/en-de", "Name with a config from `zoo list datasets`, or a folder with train.SRC and train.TGT."
    )
    epochs: int = setting(8, "Passes over the training data.", minimum=1)
    learning_rate: float = setting(3e-3, "Peak learning rate of Adam.", minimum=0.0)
    warmup: float = setting(
        0.05, "Fraction of all steps in which the learning rate rises from zero.", minimum=0.0, maximum=1.0
    )
    patience: int = setting(
        5, "Stop after this many epochs without a better validation BLEU; 0 never stops.", minimum=0
    )
    source_column: str | None = setting(None, "Column of the sources in a table; found by its name, or the first.")
    target_column: str | None = setting(None, "Column of the targets in a table; found by its name, or the second.")
    source: str | None = setting(None, "Language to translate from; default the data set's own order.")
    reverse: bool = setting(False, "Swap source and target.")
    tokenizer: str = setting(
        "bpe", "What a token is: subwords suit translation.", choices=("char", "word", "bpe", "unigram")
    )
    vocabulary_size: int = setting(2_000, "Largest number of entries of a vocabulary.", minimum=10)
    shared_vocabulary: bool = setting(True, "One vocabulary and one embedding for both languages.")
    lowercase: bool = setting(False, "Fold case.")
    max_length: int = setting(
        60, "Largest number of tokens of a sentence, its end included; longer pairs are left out.", minimum=2
    )
    decoder_cell: str | None = setting(None, "Cell of the decoder; default that of the encoder.")
    embedding_dim: int = setting(128, "Length of a token's vector.", minimum=1)
    units: int = setting(128, "Units of each encoder direction, and of the decoder.", minimum=1)
    encoder_layers: int = setting(1, "Recurrent layers of the encoder.", minimum=1)
    decoder_layers: int = setting(1, "Recurrent layers of the decoder.", minimum=1)
    attention: str = setting("additive", "Attention of the decoder to the source.", choices=ATTENTION)
    conditional_cell: bool = setting(False, "Two decoder steps per token with attention between them (dl4mt, Nematus).")
    input_feeding: bool = setting(False, "Feed the decoder's readout back into it (Luong et al. 2015).")
    layer_norm: bool = setting(False, "Normalize the encoder's outputs and the inputs of the readout.")
    bpe_dropout: float = setting(
        0.0, "Probability with which a merge of BPE is left out in training (Provilkov et al. 2020).", minimum=0.0,
        maximum=0.9,
    )  # fmt: skip
    word_dropout: float = setting(0.0, "Fraction of tokens dropped during training.", minimum=0.0, maximum=0.9)
    embedding_dropout: float = setting(0.1, "Spatial dropout rate of token vectors.", minimum=0.0, maximum=0.9)
    dropout: float = setting(
        0.1, "Spatial dropout rate of the encoder's outputs and between layers.", minimum=0.0, maximum=0.9
    )
    output_dropout: float = setting(0.1, "Dropout rate before the output layer.", minimum=0.0, maximum=0.9)
    label_smoothing: float = setting(0.1, "Label smoothing.", minimum=0.0, maximum=0.9)
    scheduled_sampling: float = setting(
        0.0, "Fraction of the decoder's inputs that are its own predictions in training.", minimum=0.0, maximum=1.0
    )
    beam_size: int = setting(5, "Beam size with which the test split is scored.", minimum=1)
    length_penalty: float = setting(
        0.6, "Exponent of the length normalization; more prefers longer sentences.", minimum=0.0
    )
    coverage_penalty: float = setting(0.0, "Weight of the coverage penalty (Wu et al. 2016).", minimum=0.0)
    consensus: float = setting(
        0.0,
        "Rank hypotheses by their likeness to all, weighted by the softmax of this times their scores; 0 is off.",
        minimum=0.0,
    )

    def conflict(self) -> str | None:
        """Settings that do not go together."""
        needs = {"--conditional-cell": self.conditional_cell}
        given = [name for name, on in needs.items() if on]
        if self.attention == "none" and given:
            return f"{' and '.join(given)}: this needs an attention. Choose another --attention, or leave it out."
        if self.bpe_dropout and self.tokenizer != "bpe":
            return f"--bpe-dropout needs --tokenizer bpe; got {self.tokenizer}. Leave one of them out."
        return super().conflict()


@dataclass(frozen=True)
class Predict(PredictConfig):
    """How `zoo translate` answers."""

    source: str | None = setting(None, "Language of the texts; chooses a model that reads it.")
    target: str | None = setting(None, "Language to translate into; chooses a model that writes it.")
    beam_size: int | None = setting(None, "Beam size, 1 is greedy search; default that of the recipe.", minimum=1)
    num_return: int = setting(1, "Translations of each text, best first, separated by tabs.", minimum=1)
    length_penalty: float | None = setting(None, "Exponent of the length normalization.", minimum=0.0)
    coverage_penalty: float | None = setting(None, "Weight of the coverage penalty.", minimum=0.0)
    consensus: float | None = setting(
        None, "Rank hypotheses by their likeness to all, weighted by scores times this; 0 is off.", minimum=0.0
    )
    forced_prefix: str | None = setting(None, "Text that every translation begins with.")
    attention: bool = setting(False, "With --json: also the attention weights of each target token.")
    attention_plot: str | None = setting(None, "PNG file to draw the attention into.")
    replace_unk: bool = setting(False, "Replace unknown tokens by the source word with the most attention.")


def can_answer(config: Predict, data: Mapping[str, Any]) -> bool:
    """Whether a model trained on such data knows the languages, where any are named."""
    pairs = zip((config.source, config.target), data["languages"], strict=True)
    return all(requested in (None, known) for requested, known in pairs)


_MULTI30K = {
    "dataset": "multi30k/en-de",
    "epochs": 32,
    "batch_size": 64,
    "learning_rate": 1.5e-3,
    "schedule": "cosine",
    "ema_momentum": 0.999,  # about two epochs
    "vocabulary_size": 4_000,  # small data: the vectors of rarer subwords would hardly be trained
    "embedding_dim": 256,
    "units": 256,
    "conditional_cell": True,
    "word_dropout": 0.1,
    "embedding_dropout": 0.3,
    "dropout": 0.3,
    "output_dropout": 0.4,
    "patience": 0,
    "length_penalty": 1.0,
    "weights_dtype": "float16",
}

RECIPE = Recipe(
    train=Train,
    predict=Predict,
    datasets=DATASETS,
    inputs="texts",
    lines=True,
    example='"A man is reading."',
    pipeline_tag="translation",
    purpose=(
        "Translates single sentences like those of its training data; for lessons on attention and search, and as a "
        "baseline for research on small translation models."
    ),
    not_for=(
        "Contracts, medicine, news or anything else that must be right: it knows few words beyond its training data, "
        "and its translations are fluent even where they are wrong."
    ),
    validation="Validation scores are those of greedy search, test scores those of beam search.",
    presets={
        "tiny": {
            "epochs": 1,
            "limit": 200,
            "vocabulary_size": 300,
            "embedding_dim": 8,
            "units": 8,
            "beam_size": 1,
            "max_length": 40,
        },
        # For tables that compare cells (tasks/README.md): about a minute on a core with the cell gru.
        # Fewer steps end before attention is learned, at a BLEU of 0.
        "board": {
            "epochs": 12,
            "limit": 6_000,
            "batch_size": 32,
            "learning_rate": 2e-3,
            "patience": 0,
            "embedding_dim": 64,
            "units": 96,
            "beam_size": 1,
        },
        # The published models; README.md in this folder says what each part is worth.
        "multi30k-en-de": _MULTI30K,
        "multi30k-de-en": {
            **_MULTI30K,
            "dataset": "multi30k/de-en",
            "epochs": 12,
            "batch_size": 96,
            "learning_rate": 2e-3,
            "ema_momentum": 0.998,
        },
    },
    can_answer=can_answer,
)
