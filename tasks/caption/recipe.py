"""Settings of the captioning task. Standard library and `zoo.settings` only: `--help` reads this file."""

from dataclasses import dataclass

from zoo.settings import PredictConfig, TrainConfig, setting
from zoo.task import Recipe

from .datasets import DATASETS

ATTENTION = ("additive", "dot", "general", "none")
POOLING = ("mean", "max", "mean+max", "attention")


@dataclass(frozen=True)
class Train(TrainConfig):
    """How a captioner is trained. The defaults suit the built-in data set."""

    dataset: str = setting("scenes", "Name from `zoo list datasets`, or a folder of images with captions.csv.")
    epochs: int = setting(12, "Passes over the training data.", minimum=1)
    batch_size: int = setting(32, "Images per training step, each with --captions-per-image captions.", minimum=1)
    learning_rate: float = setting(2e-3, "Peak learning rate of Adam.", minimum=0.0)
    warmup: float = setting(0.05, "Fraction of steps in which the learning rate rises.", minimum=0.0, maximum=1.0)
    patience: int = setting(5, "Stop after this many epochs without improvement; 0 never stops.", minimum=0)
    encoder: str = setting(
        "convolutional", "Image encoder: 'convolutional', a model of keras.applications, or a .keras file."
    )
    encoder_license: str | None = setting(None, "License of a pretrained encoder's weights, for the model's card.")
    fine_tune: bool = setting(False, "Fine-tune a pretrained encoder instead of freezing it.")
    image_size: int = setting(64, "Height and width in pixels to which images are resized.", minimum=8)
    random_flip: bool = setting(
        False, "Mirror half of the training images, left to right; not those whose captions say left or right."
    )
    captions_per_image: int = setting(5, "Captions per training example; its image is encoded once.", minimum=1)
    tokenizer: str = setting("word", "What a token is.", choices=("char", "word", "bpe", "unigram"))
    vocabulary_size: int = setting(4_000, "Largest number of entries of the vocabulary.", minimum=10)
    min_count: int = setting(1, "Occurrences a word needs to enter the vocabulary.", minimum=1)
    max_length: int = setting(40, "Largest number of tokens of a caption; longer ones are not learned.", minimum=2)
    embedding_dim: int = setting(96, "Length of a token's vector.", minimum=1)
    units: int = setting(128, "Units of the decoder.", minimum=1)
    num_layers: int = setting(1, "Recurrent layers of the decoder.", minimum=1)
    projection: int | None = setting(None, "Length to which image features are projected.  [default: units]", minimum=1)
    pooling: str = setting("mean+max", "How image features become the decoder's initial state.", choices=POOLING)
    position_embeddings: bool = setting(True, "Add a learned position embedding to the image features.")
    attention: str = setting("additive", "Attention over the image features.", choices=ATTENTION)
    conditional_cell: bool = setting(False, "Two decoder steps per token with attention between them.")
    input_feeding: bool = setting(False, "Feed the decoder's readout back into its next step.")
    context_gate: bool = setting(False, "Gate the attended context at each step (Xu et al. 2015).")
    doubly_stochastic: float = setting(
        0.0, "Weight of the loss that makes attention cover the whole image (Xu et al. 2015).", minimum=0.0
    )
    tie_output: bool = setting(False, "Share weights between embedding and output layer.")
    layer_norm: bool = setting(False, "Normalize the inputs of the readout.")
    word_dropout: float = setting(0.0, "Fraction of words dropped during training.", minimum=0.0, maximum=0.9)
    embedding_dropout: float = setting(0.0, "Spatial dropout rate of word vectors.", minimum=0.0, maximum=0.9)
    dropout: float = setting(0.1, "Dropout rate of image features and between layers.", minimum=0.0, maximum=0.9)
    output_dropout: float = setting(0.1, "Dropout rate before the output layer.", minimum=0.0, maximum=0.9)
    label_smoothing: float = setting(0.0, "Label smoothing.", minimum=0.0, maximum=0.9)
    scheduled_sampling: float = setting(
        0.0, "Fraction of decoder inputs replaced by the model's own predictions.", minimum=0.0, maximum=1.0
    )
    reward_epochs: int = setting(0, "Epochs of self-critical training on CIDEr, after all others.", minimum=0)
    # 2e-4, at temperature 1, ended in babble.
    reward_learning_rate: float = setting(1e-4, "Learning rate of these epochs.", minimum=0.0)
    reward_bleu: float = setting(3.0, "Weight of BLEU-1 (0 to 1) beside CIDEr (0 to 10) in the reward.", minimum=0.0)
    num_samples: int = setting(5, "Captions sampled per image and compared with each other.", minimum=2)
    temperature: float = setting(
        0.7, "Sampling temperature; below 1, samples are more like what beam search finds.", minimum=0.05, maximum=2.0
    )
    beam_size: int = setting(3, "Beam size with which the test split is scored; 1 is greedy search.", minimum=1)
    length_penalty: float = setting(0.6, "Exponent of length normalization; larger gives longer captions.", minimum=0.0)
    consensus: float = setting(
        0.0,
        "Rank hypotheses by their likeness to all, weighted by the softmax of this times their scores; 0 is off.",
        minimum=0.0,
    )
    meteor: bool = setting(False, "Also score METEOR; needs Java and the extra 'meteor'.")

    def conflict(self) -> str | None:
        """Settings that do not go together."""
        needs = {
            "--conditional-cell": self.conditional_cell,
            "--context-gate": self.context_gate,
            "--doubly-stochastic": self.doubly_stochastic,
        }
        given = [name for name, on in needs.items() if on]
        if self.attention == "none" and given:
            return f"{' and '.join(given)}: this needs an attention. Choose another --attention, or leave it out."
        if self.random_flip and self.encoder != "convolutional" and not self.fine_tune:
            return (
                "--random-flip: a frozen encoder sees each image once, before the training. Give --fine-tune, or leave "
                "--random-flip out."
            )
        return super().conflict()


@dataclass(frozen=True)
class Predict(PredictConfig):
    """How `zoo caption` answers."""

    beam_size: int | None = setting(None, "Beam size; 1 is greedy search.  [default: the model's]", minimum=1)
    num_return: int = setting(1, "Captions per image, best first, with tabs between them.", minimum=1)
    length_penalty: float | None = setting(
        None, "Exponent of length normalization.  [default: the model's]", minimum=0.0
    )
    consensus: float | None = setting(
        None,
        "Rank hypotheses by their likeness to all, weighted by scores times this.  [default: the model's]",
        minimum=0.0,
    )
    attention: bool = setting(False, "With --json: also the attention of each token over the image.")
    attention_plot: str | None = setting(None, "PNG file to draw the attention of each word over the image into.")

    def conflict(self) -> str | None:
        """Settings that do not go together."""
        if self.attention and not self.json:
            return (
                "--attention adds numbers to the JSON output: give --json too, or --attention-plot FILE for a picture."
            )
        return None


RECIPE = Recipe(
    train=Train,
    predict=Predict,
    datasets=DATASETS,
    inputs="images",
    example='photo.jpg',
    pipeline_tag="image-to-text",
    purpose=(
        "Describes pictures like those of its training data in one sentence; for lessons on attention over pictures "
        "and as a baseline for research on captioning."
    ),
    not_for=(
        "Descriptions that somebody relies on, such as those for people who cannot see a picture; recognizing persons; "
        "medical, satellite or surveillance pictures. It names what was frequent in its data, whether it is there or "
        "not."
    ),
    validation="Validation scores are those of greedy search, test scores those of beam search.",
    presets={
        "tiny": {
            "epochs": 1, "limit": 40, "image_size": 16, "embedding_dim": 8, "units": 8, "beam_size": 1,
            "max_length": 24, "captions_per_image": 2,
        },
        # For tables that compare cells (tasks/README.md): half a minute on two cores with the cell gru.
        "board": {"epochs": 5, "limit": 1_500, "image_size": 32, "embedding_dim": 64, "units": 96, "beam_size": 1},
        # The published model of photographs: `--encoder efficientnet_lite0.keras` names the file of the backbone.
        "flickr8k": {
            "dataset": "flickr8k",
            "epochs": 10,
            "batch_size": 64,
            "captions_per_image": 1,
            "learning_rate": 1.5e-3,
            "schedule": "cosine",
            "ema_momentum": 0.999,
            "encoder": "EfficientNetB0",
            "image_size": 224,
            "min_count": 4,
            "embedding_dim": 256,
            "units": 320,
            "projection": 320,
            "conditional_cell": True,
            "position_embeddings": False,
            "pooling": "mean",
            "embedding_dropout": 0.2,
            "dropout": 0.3,
            "output_dropout": 0.3,
            "label_smoothing": 0.1,
            "reward_epochs": 3,
            "length_penalty": 1.4,  # what is learned from a reward is short
            "patience": 0,
            "weights_dtype": "float16",
        },
    },
)  # fmt: skip
