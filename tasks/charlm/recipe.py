"""Settings of the language model task. Standard library and `zoo.settings` only: `--help` reads this file."""

from dataclasses import dataclass

from zoo.errors import UserError
from zoo.names import split
from zoo.settings import MAXIMA, PredictConfig, TrainConfig, setting
from zoo.task import Recipe

from .datasets import BUILTIN, DATASETS


@dataclass(frozen=True)
class Train(TrainConfig):
    """How a language model is trained. The defaults suit the built-in data set."""

    dataset: str = setting(BUILTIN, "Name from `zoo list datasets`, or a text file.")
    epochs: int = setting(10, "Passes over the training data.", minimum=1)
    batch_size: int = setting(32, "Rows of a batch, each a contiguous stream of the text.", minimum=1)
    sequence_length: int = setting(
        96, "Time steps of a batch: gradients stop at its beginning, states are carried further.", minimum=1
    )
    learning_rate: float = setting(4e-3, "Peak learning rate of Adam.", minimum=0.0)
    schedule: str = setting("cosine", "How the learning rate decays to zero.", choices=("constant", "linear", "cosine"))
    ema_momentum: float = setting(
        0.99,
        "Momentum of the moving average of the weights, e.g. 0.999; 0 turns averaging off.",
        minimum=0.0,
        maximum=0.99999,
    )
    tokenizer: str = setting("char", "What a token is.", choices=("char", "word", "bpe"))
    vocabulary_size: int = setting(20_000, "Largest number of entries of the vocabulary.", minimum=5)
    min_count: int = setting(1, "Occurrences a token needs to enter the vocabulary.", minimum=1)
    lowercase: bool = setting(False, "Fold case.")
    embedding_dim: int | None = setting(
        None, "Length of a token's vector; default the cell's units, at most 128.", minimum=1
    )
    units: int = setting(320, "Units of each layer.", minimum=1)
    num_layers: int = setting(1, "Recurrent layers on top of each other.", minimum=1)
    tie_output: bool = setting(
        False, "Share weights between embedding and output layer; needs vectors as long as the units."
    )
    residual: bool = setting(False, "Add a layer's input to its output.")
    layer_norm: bool = setting(False, "Normalize the output of each layer.")
    word_dropout: float = setting(0.0, "Fraction of tokens dropped during training.", minimum=0.0, maximum=0.9)
    embedding_dropout: float = setting(0.0, "Spatial dropout rate of token vectors.", minimum=0.0, maximum=0.9)
    dropout: float = setting(0.1, "Spatial dropout rate between layers.", minimum=0.0, maximum=0.9)
    output_dropout: float = setting(0.1, "Dropout rate before the output layer.", minimum=0.0, maximum=0.9)

    def conflict(self) -> str | None:
        """Settings that do not go together."""
        if self.tie_output and self.embedding_dim not in (None, self.units):
            return (
                f"--tie-output needs vectors as long as the units; got --embedding-dim {self.embedding_dim} and "
                f"--units {self.units}. Leave --embedding-dim out."
            )
        return super().conflict()


@dataclass(frozen=True)
class Predict(PredictConfig):
    """How `zoo charlm` answers."""

    max_new_tokens: int = setting(300, "Largest number of tokens written after the prompt.", minimum=1)
    temperature: float = setting(
        0.8, "Below 1 makes probable tokens more probable; 0 always takes the most probable.", minimum=0.0
    )
    temperatures: str | None = setting(
        None, "Write one text for each of these temperatures, such as 0.3,0.7,1.0,1.3; each is named in the output."
    )
    top_k: int = setting(0, "Sample from this many of the most probable tokens; 0 from all.", minimum=0)
    top_p: float = setting(
        1.0, "Sample from the fewest tokens that have this probability together.", minimum=1e-6, maximum=1.0
    )
    seed: int = setting(1, "Seed of sampling: the same one writes the same text.", minimum=0)
    stop: str | None = setting(None, "Stop after this text has been written.")
    score: bool = setting(False, "Write nothing; print the log-probability of each input.")

    def conflict(self) -> str | None:
        """Settings that do not go together."""
        if self.score and self.temperatures is not None:
            return "--score writes nothing, so it has no temperatures: omit one of --score and --temperatures."
        self.sampled_temperatures()
        return None

    def sampled_temperatures(self) -> list[float]:
        """The numbers of `temperatures`, each once.

        Raises:
            UserError: If they are no numbers that a temperature takes.
        """
        if self.temperatures is None:
            return []
        try:
            numbers = list(dict.fromkeys(map(float, split(self.temperatures))))
        except ValueError:
            numbers = []
        if not numbers or not all(0 <= number <= MAXIMA["temperature"] for number in numbers):
            raise UserError(
                f"--temperatures {self.temperatures!r}: give numbers from 0 to {MAXIMA['temperature']:,.0f}, separated "
                "by commas, such as 0.3,0.7,1.0."
            )
        return numbers


RECIPE = Recipe(
    train=Train,
    predict=Predict,
    datasets=DATASETS,
    inputs="prompts",
    example='"def "',
    pipeline_tag="text-generation",
    purpose=(
        "Continues a text in the manner of its training data and measures how predictable a text is; for lessons on "
        "language models and comparisons of cells."
    ),
    not_for=(
        "Information: what it writes looks like its training data and states nothing that is known to be true. It is "
        "no assistant and follows no instructions."
    ),
    presets={
        "tiny": {"dataset": "hello", "epochs": 1, "batch_size": 8, "sequence_length": 8, "units": 8, "limit": 80},
        # For tables that compare cells (tasks/README.md): half a minute on two cores with the cell gru.
        "board": {"epochs": 5, "units": 192},
        "hello": {
            "dataset": "hello",
            "epochs": 4,
            "units": 32,
            "sequence_length": 6,
            "learning_rate": 1e-2,
            "dropout": 0.0,
        },
        # The published model of Shakespeare; README.md in this folder says what was tried.
        "tiny_shakespeare": {
            "dataset": "tiny_shakespeare",
            "cell": "lstm",
            "epochs": 12,
            "batch_size": 32,
            "sequence_length": 100,
            "learning_rate": 3e-3,
            "warmup": 0.02,
            "ema_momentum": 0.998,  # about one and a half epochs
            "units": 512,
            "num_layers": 2,
            "embedding_dim": 128,
            "embedding_dropout": 0.1,
            "dropout": 0.3,
            "output_dropout": 0.4,  # a million characters are few for 3.5 million weights
            "patience": 0,
            "weights_dtype": "float16",
        },
    },
    prefer_latest=True,  # whoever has just trained a model on a text wants to read what it writes
)
