"""Settings of the language model task. Standard library and `zoo.settings` only: `--help` reads this file."""

from dataclasses import dataclass

from zoo.settings import Ask, Run, setting

EMBEDDED = "python_docs"

DATASETS = {
    "python_docs": "the reference texts that come with Python itself, 0.5 million characters of English; embedded",
    "hello": "the word of the founding lecture, over and over: four letters to learn exactly; embedded",
    "tiny_shakespeare": "1.1 million characters of Shakespeare's plays (Karpathy 2015)",
    "lm1b": "0.8 billion words of news, sentence by sentence (Chelba et al. 2013); large",
    "wiki40b": "Wikipedia's articles in 40 languages, by config, e.g. wiki40b/en (Guo et al. 2020); large",
    "imdb_reviews": "film reviews from IMDb, without their labels (Maas et al. 2011)",
}


@dataclass(frozen=True)
class Train(Run):
    """How a language model is trained. The defaults suit the embedded data set."""

    dataset: str = setting(EMBEDDED, "Name from `zoo list datasets`, or a text file.")
    epochs: int = setting(10, "Passes over the training data.", least=1)
    batch_size: int = setting(32, "Streams: rows of a batch, each a contiguous part of the text.", least=1)
    chunk: int = setting(96, "Steps of a batch, through which gradients go; states are carried further.", least=1)
    learning_rate: float = setting(4e-3, "Peak learning rate of Adam.", least=0.0)
    schedule: str = setting("cosine", "How the learning rate falls to zero.", choices=("constant", "linear", "cosine"))
    averaging: float = setting(
        0.99, "Momentum of averaged weights, e.g. 0.999; 0 averages nothing.", least=0.0, most=0.99999
    )
    tokens: str = setting("char", "What a unit is.", choices=("char", "word", "bpe"))
    vocabulary: int = setting(20_000, "Most entries of the vocabulary.", least=5)
    least: int = setting(1, "Occurrences that an entry of the vocabulary needs.", least=1)
    lowercase: bool = setting(False, "Fold case.")
    embedding: int | None = setting(None, "Length of a unit's vector; default the cell's units, at most 128.", least=1)
    units: int = setting(320, "Units of each layer.", least=1)
    depth: int = setting(1, "Recurrent layers on top of each other.", least=1)
    tie_output: bool = setting(False, "Make the output layer of the embedding; needs vectors as long as the units.")
    residual: bool = setting(False, "Add a layer's input to its output.")
    layer_norm: bool = setting(False, "Normalise the output of every layer.")
    word_dropout: float = setting(0.0, "Part of the units hidden while training.", least=0.0, most=0.9)
    embedding_dropout: float = setting(0.0, "Locked dropout on the vectors.", least=0.0, most=0.9)
    dropout: float = setting(0.1, "Locked dropout between layers.", least=0.0, most=0.9)
    output_dropout: float = setting(0.1, "Dropout before the output layer.", least=0.0, most=0.9)


@dataclass(frozen=True)
class Predict(Ask):
    """How `zoo charlm` answers."""

    length: int = setting(300, "Units written after the prompt, at most.", least=1)
    temperature: float = setting(0.8, "Below 1 the probable becomes more probable; 0 takes the best.", least=0.0)
    top_k: int = setting(0, "Draw from this many of the most probable units; 0 from all.", least=0)
    top_p: float = setting(1.0, "Draw from the fewest units with this probability together.", least=0.0, most=1.0)
    seed: int = setting(1, "The same seed writes the same text.", least=0)
    stop: str | None = setting(None, "Stop after this text has been written.")
    score: bool = setting(False, "Write nothing; tell the log-probability of each input.")


INPUTS = "prompts"
"""What the command takes: arguments, or lines of standard input."""

OWN_FIRST = True
"""Where no model is named, the newest of one's own writes: who has just trained one on a text wants to read it."""

PRESETS: dict[str, dict] = {
    "tiny": {"dataset": "hello", "epochs": 1, "batch_size": 8, "chunk": 8, "units": 8, "limit": 80},
    "hello": {"dataset": "hello", "epochs": 4, "units": 32, "chunk": 6, "learning_rate": 1e-2, "dropout": 0.0},
    # The published model of Shakespeare; README.md beside this file tells what was tried.
    "tiny_shakespeare": {
        "dataset": "tiny_shakespeare",
        "cell": "lstm",
        "epochs": 12,
        "batch_size": 32,
        "chunk": 100,
        "learning_rate": 3e-3,
        "warmup": 0.02,
        "averaging": 0.998,  # about one and a half epochs
        "units": 512,
        "depth": 2,
        "embedding": 128,
        "embedding_dropout": 0.1,
        "dropout": 0.3,
        "output_dropout": 0.4,  # a million characters are soon known by heart
        "patience": 0,
        "storage": "float16",
    },
}
"""Named runs: `tiny` is for tests, the others are published models, or lessons."""
