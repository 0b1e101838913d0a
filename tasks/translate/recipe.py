"""Settings of the translation task. Standard library and `zoo.settings` only: `--help` reads this file."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from zoo.settings import Ask, Run, setting

EMBEDDED = "phrases/en-de"

DATASETS = {
    "phrases": "dates, money, units, lists and names from Unicode CLDR, any two locales, e.g. phrases/en-de; embedded",
    "multi30k": "30,000 captions of photographs in en, de, fr, cs, e.g. multi30k/en-de (Elliott et al. 2016)",
    "ted_hrlr_translate": "TED talks of low-resource languages, e.g. ted_hrlr_translate/pt_to_en (Qi et al. 2018)",
    "wmt14_translate": "news, e.g. wmt14_translate/de-en; large",
    "wmt15_translate": "news, e.g. wmt15_translate/fi-en; large",
    "wmt16_translate": "news, e.g. wmt16_translate/ro-en; large",
    "wmt17_translate": "news, e.g. wmt17_translate/lv-en; large",
    "wmt18_translate": "news, e.g. wmt18_translate/et-en; large",
    "wmt19_translate": "news, e.g. wmt19_translate/lt-en; large",
    "opus": "medicine, law and subtitles in many languages, e.g. opus/medical",
    "para_crawl": "web pages, e.g. para_crawl/ende; large",
}

ATTENTION = ("additive", "dot", "general", "none")


@dataclass(frozen=True)
class Train(Run):
    """How a translator is trained. The defaults suit the embedded data set."""

    dataset: str = setting(
        EMBEDDED, "Name with a config from `zoo list datasets`, or a folder with train.SRC and train.TGT."
    )
    epochs: int = setting(8, "Passes over the training data.", least=1)
    learning_rate: float = setting(3e-3, "Peak learning rate of Adam.", least=0.0)
    warmup: float = setting(0.05, "Part of all steps in which the rate first rises from zero.", least=0.0, most=1.0)
    patience: int = setting(5, "Stop after so many epochs without a better validation BLEU; 0 never stops.", least=0)
    source: str | None = setting(None, "Language to translate from; default the data set's own order.")
    reverse: bool = setting(False, "Swap source and target.")
    tokens: str = setting(
        "bpe", "What a token is: pieces of words suit translation.", choices=("char", "word", "bpe", "unigram")
    )
    vocabulary: int = setting(2_000, "Most entries of a vocabulary.", least=10)
    joint: bool = setting(True, "One vocabulary and one embedding for both languages.")
    lowercase: bool = setting(False, "Fold case.")
    longest: int = setting(60, "Tokens of a sentence with its end; longer pairs are not learned from.", least=2)
    decoder_cell: str | None = setting(None, "Cell of the decoder; default that of the encoder.")
    embedding: int = setting(128, "Length of a token's vector.", least=1)
    units: int = setting(128, "Units of each encoder direction, and of the decoder.", least=1)
    encoder_depth: int = setting(1, "Recurrent layers of the encoder.", least=1)
    decoder_depth: int = setting(1, "Recurrent layers of the decoder.", least=1)
    attention: str = setting("additive", "How the decoder looks at the source.", choices=ATTENTION)
    conditional: bool = setting(False, "Two decoder steps a token with attention between them (dl4mt, Nematus).")
    input_feeding: bool = setting(False, "Feed the decoder's readout back into it (Luong et al. 2015).")
    layer_norm: bool = setting(False, "Normalise the encoder's outputs, and what the readout is made of.")
    word_dropout: float = setting(0.0, "Part of the tokens hidden while training.", least=0.0, most=0.9)
    embedding_dropout: float = setting(0.1, "Locked dropout on token vectors.", least=0.0, most=0.9)
    dropout: float = setting(0.1, "Locked dropout on the memory and between layers.", least=0.0, most=0.9)
    output_dropout: float = setting(0.1, "Dropout before the output layer.", least=0.0, most=0.9)
    smoothing: float = setting(0.1, "Label smoothing.", least=0.0, most=0.9)
    scheduled_sampling: float = setting(
        0.0, "Part of the decoder's inputs that is its own guess while training.", least=0.0, most=1.0
    )
    beam: int = setting(5, "Width of the beam that scores the test split.", least=1)
    penalty: float = setting(0.6, "Exponent of the length normalisation; more prefers longer sentences.", least=0.0)
    coverage: float = setting(0.0, "Weight of the coverage penalty (Wu et al. 2016).", least=0.0)


@dataclass(frozen=True)
class Predict(Ask):
    """How `zoo translate` answers."""

    source: str | None = setting(None, "Language of the texts; chooses a model that reads it.")
    target: str | None = setting(None, "Language wanted; chooses a model that writes it.")
    beam: int | None = setting(None, "Width of the beam, 1 is greedy; default what the model was scored with.", least=1)
    nbest: int = setting(1, "Translations of each text, best first, a tab between them.", least=1)
    penalty: float | None = setting(None, "Exponent of the length normalisation.", least=0.0)
    coverage: float | None = setting(None, "Weight of the coverage penalty.", least=0.0)
    prefix: str | None = setting(None, "How every translation has to begin.")
    attention: bool = setting(False, "With --json: also the weights of source tokens for each target token.")
    copy_unknown: bool = setting(False, "Write the source word most attended to in place of an unknown token.")
    heatmap: str | None = setting(None, "PNG file to draw the attention over source and target words into.")


def fits(ask: Predict, data: Mapping[str, Any]) -> bool:
    """Whether a model that was trained on such data can answer: it knows the languages, where any are named."""
    pairs = zip((ask.source, ask.target), data["languages"], strict=True)
    return all(wanted in (None, known) for wanted, known in pairs)


INPUTS = "texts"
"""What the command takes: arguments, or lines of standard input."""

PRESETS: dict[str, dict] = {
    "tiny": {"epochs": 1, "limit": 200, "vocabulary": 300, "embedding": 8, "units": 8, "beam": 1, "longest": 40},
    # The published models; README.md beside this file tells what each part is worth.
    "multi30k-en-de": {
        "dataset": "multi30k/en-de",
        "epochs": 32,
        "batch_size": 64,
        "learning_rate": 1.5e-3,
        "schedule": "cosine",
        "averaging": 0.999,  # about two epochs
        "vocabulary": 4_000,  # small data: rare pieces would have no vector worth the name
        "embedding": 256,
        "units": 256,
        "conditional": True,
        "word_dropout": 0.1,
        "embedding_dropout": 0.3,
        "dropout": 0.3,
        "output_dropout": 0.4,
        "patience": 0,
        "penalty": 1.0,
        "storage": "float16",
    },
}
PRESETS["multi30k-de-en"] = {
    **PRESETS["multi30k-en-de"],
    "dataset": "multi30k/de-en",
    "epochs": 12,
    "batch_size": 96,
    "learning_rate": 2e-3,
    "averaging": 0.998,
}
"""Named runs: `tiny` is for tests, the others are published models."""
