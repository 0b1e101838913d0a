"""Settings of the sentiment task. Standard library and `zoo.settings` only: `--help` reads this file."""

from dataclasses import dataclass

from zoo.settings import PredictConfig, TrainConfig, setting
from zoo.task import Recipe

from .datasets import DATASETS

POOLING = ("last", "mean", "max", "attention", "mean+max")


@dataclass(frozen=True)
class Train(TrainConfig):
    """How a sentiment classifier is trained. The defaults suit the built-in data set."""

    dataset: str = setting("reviews", "Name from `zoo list datasets`, or a path: a table of texts and labels.")
    text_column: str | None = setting(None, "Column of the texts; by default found by its name, e.g. text or review.")
    label_column: str | None = setting(None, "Column of the labels; by default found by its name, e.g. label or class.")
    epochs: int = setting(6, "Passes over the training data.", minimum=1)
    learning_rate: float = setting(3e-3, "Peak learning rate of Adam.", minimum=0.0)
    tokenizer: str = setting(
        "word", "What a token is: whole words suit sentiment.", choices=("char", "word", "bpe", "unigram")
    )
    vocabulary_size: int = setting(30_000, "Largest number of entries of the vocabulary.", minimum=10)
    min_count: int = setting(2, "Occurrences a word needs to enter the vocabulary.", minimum=1)
    lowercase: bool = setting(True, "Fold case.")
    max_length: int = setting(400, "Largest number of tokens read of one text.", minimum=2)
    head_fraction: float = setting(
        0.4,
        "Fraction of them taken from the front when a text is longer; verdicts stand at the end.",
        minimum=0.0,
        maximum=1.0,
    )
    embedding_dim: int = setting(64, "Length of a word's vector.", minimum=1)
    units: int = setting(64, "Units of each direction.", minimum=1)
    num_layers: int = setting(1, "Recurrent layers on top of each other.", minimum=1)
    bidirectional: bool = setting(True, "Also read the text backward.")
    pooling: str = setting("mean+max", "How states over time become one vector.", choices=POOLING)
    pool_embeddings: bool = setting(False, "Also give the output layer the mean word vector.")
    word_dropout: float = setting(0.02, "Fraction of words dropped during training.", minimum=0.0, maximum=0.9)
    embedding_dropout: float = setting(0.1, "Spatial dropout rate of word vectors.", minimum=0.0, maximum=0.9)
    dropout: float = setting(0.2, "Dropout rate between layers and before the output.", minimum=0.0, maximum=0.9)
    pretrain_epochs: int = setting(
        0, "Epochs of language-model pretraining on all texts, those without labels included.", minimum=0
    )
    pretrain_learning_rate: float = setting(3e-3, "Peak learning rate of pretraining.", minimum=0.0)
    pretrain_window: int = setting(
        160, "Tokens of a text that one epoch of pretraining reads, from a random position.", minimum=2
    )
    pseudo_labels: bool = setting(
        False, "Also learn from unlabeled texts, with the predictions of an n-gram classifier as labels."
    )
    unlabeled: bool = setting(
        False, "Also read unlabeled texts in training, for --virtual-adversarial and --entropy-minimization."
    )

    self_training_epochs: int = setting(
        0,
        "Epochs of a further stage that learns from the predictions of n-grams and net together on unlabeled texts.",
        minimum=0,
        maximum=1_000_000,
    )
    self_training_learning_rate: float = setting(
        1e-3, "Peak learning rate of that stage.", minimum=0.0, maximum=1_000.0
    )

    @property
    def reads_unlabeled(self) -> bool:
        """Whether unlabeled texts take part in the training with labels."""
        return self.pseudo_labels or self.unlabeled

    def conflict(self) -> str | None:
        """Settings that do not go together."""
        if self.self_training_epochs and not self.pseudo_labels:
            return (
                f"--self-training-epochs {self.self_training_epochs} continues what --pseudo-labels begins. Give that "
                "as well, or --self-training-epochs 0."
            )
        if self.unlabeled and not (self.pseudo_labels or self.virtual_adversarial or self.entropy_minimization):
            return (
                "--unlabeled alone changes nothing: give the texts something to teach, such as "
                "--virtual-adversarial 1, --entropy-minimization 0.1 or --pseudo-labels."
            )
        return super().conflict()


@dataclass(frozen=True)
class Predict(PredictConfig):
    """How `zoo sentiment` answers."""

    explain: bool = setting(False, "Mark the words whose removal changes the answer most.")
    html: str | None = setting(None, "HTML file to write the texts into, each word colored by what it counts.")


RECIPE = Recipe(
    train=Train,
    predict=Predict,
    datasets=DATASETS,
    inputs="texts",
    lines=True,
    example='"a fine film"',
    pipeline_tag="text-classification",
    purpose=(
        "Sorts texts like those of its training data into the labels it was trained on, with a probability for each; "
        "for lessons on recurrent nets, baselines, and sorting large amounts of text where single errors do no harm."
    ),
    not_for=(
        "Decisions about people, moderation without a person who checks, irony, other languages or kinds of text."
    ),
    presets={
        "tiny": {"epochs": 1, "limit": 400, "embedding_dim": 8, "units": 8, "max_length": 60},
        # For tables that compare cells (tasks/README.md): about a minute on a core with the cell gru.
        # Fewer steps leave slow cells at chance.
        "board": {
            "epochs": 10,
            "limit": 10_000,
            "batch_size": 32,
            "learning_rate": 2e-3,
            "patience": 0,
            "embedding_dim": 32,
            "units": 32,
        },
        # The published model; README.md in this folder says what each part is worth.
        "imdb": {
            "dataset": "imdb_reviews",
            "epochs": 2,
            "batch_size": 96,
            "learning_rate": 2e-3,
            "schedule": "cosine",
            "warmup": 0.05,
            "min_count": 3,
            "max_length": 600,
            "embedding_dim": 128,  # 30,000 vectors are most of the file: 7.7 MB in half precision
            "units": 256,
            "pool_embeddings": True,
            "word_dropout": 0.1,
            "embedding_dropout": 0.2,
            "dropout": 0.3,  # less than labels alone would need: 50,000 more texts regularize as well
            "pretrain_epochs": 8,  # its loss still falls then
            "pseudo_labels": True,
            "self_training_epochs": 1,
            "weights_dtype": "float16",
        },
    },
)
