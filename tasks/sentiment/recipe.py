"""Settings of the sentiment task. Standard library and `zoo.settings` only: `--help` reads this file."""

from dataclasses import dataclass

from zoo.settings import Ask, Run, setting

EMBEDDED = "reviews"

DATASETS = {
    "reviews": "synthetic reviews in which word order decides; embedded, generated offline in seconds",
    "imdb_reviews": "50,000 film reviews from IMDb, two labels (Maas et al. 2011)",
    "glue/sst2": "Stanford Sentiment Treebank, sentences, two labels; its test labels are secret, so validation serves",
    "yelp_polarity_reviews": "598,000 reviews from Yelp, two labels (Zhang, Zhao and LeCun 2015)",
    "ag_news_subset": "127,600 news items, four topics (Zhang, Zhao and LeCun 2015)",
}

POOLING = ("last", "mean", "max", "attention", "mean+max")


@dataclass(frozen=True)
class Train(Run):
    """How a sentiment classifier is trained. The defaults suit the embedded data set."""

    dataset: str = setting(EMBEDDED, "Name from `zoo list datasets`, or a CSV or TSV file with columns text,label.")
    epochs: int = setting(6, "Passes over the training data.", least=1)
    learning_rate: float = setting(3e-3, "Peak learning rate of Adam.", least=0.0)
    tokens: str = setting(
        "word", "What a token is: whole words suit sentiment.", choices=("char", "word", "bpe", "unigram")
    )
    vocabulary: int = setting(30_000, "Most entries of the vocabulary.", least=10)
    least: int = setting(2, "Occurrences a word needs to enter the vocabulary.", least=1)
    lowercase: bool = setting(True, "Fold case.")
    longest: int = setting(400, "Tokens read of one text.", least=2)
    head: float = setting(
        0.4, "Part of them taken from the front when a text is longer; verdicts stand at the end.", least=0.0, most=1.0
    )
    embedding: int = setting(64, "Length of a word's vector.", least=1)
    units: int = setting(64, "Units of each direction.", least=1)
    depth: int = setting(1, "Recurrent layers on top of each other.", least=1)
    bidirectional: bool = setting(True, "Read backward as well.")
    pooling: str = setting("mean+max", "How states over time become one vector.", choices=POOLING)
    pool_embeddings: bool = setting(False, "Also show the output layer the mean word vector.")
    word_dropout: float = setting(0.02, "Part of the words hidden while training.", least=0.0, most=0.9)
    embedding_dropout: float = setting(0.1, "Locked dropout on word vectors.", least=0.0, most=0.9)
    dropout: float = setting(0.2, "Dropout between layers and before the output.", least=0.0, most=0.9)
    pretrain_epochs: int = setting(
        0, "First read all texts so often, also those without labels, and learn to predict their words.", least=0
    )
    pretrain_rate: float = setting(3e-3, "Peak learning rate of that.", least=0.0)
    teacher: bool = setting(
        False, "Also learn from unlabelled texts, which an n-gram classifier trained on the labels answers for."
    )
    pretrain_window: int = setting(160, "Tokens of a text that one such pass reads, from a random place.", least=2)


@dataclass(frozen=True)
class Predict(Ask):
    """How `zoo sentiment` answers."""

    explain: bool = setting(False, "Mark the words whose hiding moves the answer most.")


INPUTS = "texts"
"""What the command takes: arguments, or lines of standard input."""

PRESETS: dict[str, dict] = {
    "tiny": {"epochs": 1, "limit": 400, "embedding": 8, "units": 8, "longest": 60},
    # The published model; README.md beside this file tells what each part is worth.
    "imdb": {
        "dataset": "imdb_reviews",
        "epochs": 2,
        "batch_size": 96,
        "learning_rate": 2e-3,
        "schedule": "cosine",
        "warmup": 0.05,
        "least": 3,
        "embedding": 128,  # 30,000 vectors are most of the file: 7.7 MB in half precision
        "units": 128,
        "pool_embeddings": True,
        "word_dropout": 0.1,
        "embedding_dropout": 0.2,
        "dropout": 0.3,  # less than labels alone would need: 50,000 more texts regularise as well
        "pretrain_epochs": 2,
        "teacher": True,
        "storage": "float16",
    },
}
"""Named runs: `tiny` is for tests, the others are published models."""
