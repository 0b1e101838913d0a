"""Settings of the captioning task. Standard library and `zoo.settings` only: `--help` reads this file."""

from dataclasses import dataclass

from zoo.settings import Ask, Run, setting

EMBEDDED = "scenes"

DATASETS = {
    "scenes": "drawn scenes of coloured shapes, five true captions each; embedded",
    "flickr8k": "8,000 photographs, five captions each (Hodosh et al. 2013); two archives fetched by hand",
    "coco_captions": "123,000 photographs, five captions each (Chen et al. 2015); large",
}

ATTENTION = ("additive", "dot", "general", "none")


@dataclass(frozen=True)
class Train(Run):
    """How a captioner is trained. The defaults suit the embedded data set."""

    dataset: str = setting(EMBEDDED, "Name from `zoo list datasets`, or a folder of images with captions.csv.")
    epochs: int = setting(12, "Passes over the training data.", least=1)
    batch_size: int = setting(32, "Pictures, or groups of captions of one, a training step.", least=1)
    learning_rate: float = setting(2e-3, "Peak learning rate of Adam.", least=0.0)
    warmup: float = setting(0.05, "Part of all steps in which the rate first rises from zero.", least=0.0, most=1.0)
    patience: int = setting(5, "Stop after so many epochs without a better validation score; 0 never stops.", least=0)
    encoder: str = setting(
        "convolutional",
        "What sees: 'convolutional', a name in keras.applications, or a .keras file.",
    )
    encoder_licence: str | None = setting(None, "Licence of a pretrained encoder's weights, for the model's card.")
    fine_tune: bool = setting(False, "Train an encoder of pretrained weights further; default is to freeze it.")
    image_size: int = setting(64, "Side in pixels to which pictures are scaled.", least=8)
    group: int = setting(5, "Captions of a picture that are learned from together: it is encoded once.", least=1)
    tokens: str = setting("word", "What a token is.", choices=("char", "word", "bpe", "unigram"))
    vocabulary: int = setting(4_000, "Most entries of the vocabulary.", least=10)
    least: int = setting(1, "Occurrences that an entry of the vocabulary needs.", least=1)
    longest: int = setting(40, "Tokens of a caption with its end; longer ones are not learned from.", least=2)
    embedding: int = setting(96, "Length of a token's vector.", least=1)
    units: int = setting(128, "Units of the decoder.", least=1)
    depth: int = setting(1, "Recurrent layers of the decoder.", least=1)
    projection: int | None = setting(None, "Length of a place's vector; default the units.", least=1)
    summary: str = setting(
        "mean+max", "What the first state knows of all places.", choices=("mean", "max", "mean+max", "attention")
    )
    places: bool = setting(True, "Give each place of the picture a learned vector that tells which one it is.")
    attention: str = setting("additive", "How the decoder looks at the picture.", choices=ATTENTION)
    conditional: bool = setting(False, "Two decoder steps a token with attention between them.")
    input_feeding: bool = setting(False, "Feed the decoder's readout back into it.")
    context_gate: bool = setting(False, "Let each step weigh how much it looks (Xu et al. 2015).")
    doubly_stochastic: float = setting(0.0, "Weight of the loss that wants all places looked at.", least=0.0)
    tie_output: bool = setting(False, "Make the output layer of the embedding; pays with a large vocabulary.")
    layer_norm: bool = setting(False, "Normalise what the readout is made of.")
    word_dropout: float = setting(0.0, "Part of the tokens hidden while training.", least=0.0, most=0.9)
    embedding_dropout: float = setting(0.0, "Locked dropout on token vectors.", least=0.0, most=0.9)
    dropout: float = setting(0.1, "Locked dropout on the memory and between layers.", least=0.0, most=0.9)
    output_dropout: float = setting(0.1, "Dropout before the output layer.", least=0.0, most=0.9)
    smoothing: float = setting(0.0, "Label smoothing.", least=0.0, most=0.9)
    scheduled_sampling: float = setting(
        0.0, "Part of the decoder's inputs that is its own guess while training.", least=0.0, most=1.0
    )
    reward_epochs: int = setting(
        0, "After all epochs, so many more in which the model learns from what captions it draws are worth.", least=0
    )
    reward_rate: float = setting(1e-4, "Learning rate of these.", least=0.0)  # 2e-4, at temperature 1, ended in babble
    reward_bleu: float = setting(3.0, "What BLEU-1, 0 to 1, counts beside CIDEr, 0 to 10.", least=0.0)
    samples: int = setting(5, "Captions of a picture that are drawn and compared.", least=2)
    temperature: float = setting(
        0.7, "Below 1 the captions drawn are more like those that a beam finds.", least=0.05, most=2.0
    )
    beam: int = setting(3, "Width of the beam that scores the test split.", least=1)
    penalty: float = setting(0.6, "Exponent of the length normalisation; more prefers longer captions.", least=0.0)
    meteor: bool = setting(False, "Also score METEOR, which needs Java and the extra 'meteor'.")


@dataclass(frozen=True)
class Predict(Ask):
    """How `zoo caption` answers."""

    beam: int | None = setting(None, "Width of the beam, 1 is greedy; default what the model was scored with.", least=1)
    nbest: int = setting(1, "Captions of each picture, best first, a tab between them.", least=1)
    penalty: float | None = setting(None, "Exponent of the length normalisation.", least=0.0)
    attention: str | None = setting(None, "PNG file to draw into where the model looked for each word.")


INPUTS = "images"
"""What the command takes: file names as arguments, or one a line on standard input."""

PRESETS: dict[str, dict] = {
    "tiny": {
        "epochs": 1, "limit": 40, "image_size": 16, "embedding": 8, "units": 8, "beam": 1, "longest": 24, "group": 2,
    },
    # The published model of photographs: `--encoder efficientnet_lite0.keras` names the file of the backbone.
    "flickr8k": {
        "dataset": "flickr8k",
        "epochs": 10,
        "batch_size": 64,
        "group": 1,
        "learning_rate": 1.5e-3,
        "schedule": "cosine",
        "averaging": 0.999,
        "encoder": "EfficientNetB0",
        "image_size": 224,
        "least": 4,
        "embedding": 256,
        "units": 320,
        "projection": 320,
        "conditional": True,
        "places": False,
        "summary": "mean",
        "embedding_dropout": 0.2,
        "dropout": 0.3,
        "output_dropout": 0.3,
        "smoothing": 0.1,
        "reward_epochs": 3,
        "penalty": 1.4,  # what is learned from a reward is short
        "patience": 0,
        "storage": "float16",
    },
}  # fmt: skip
"""Named runs: `tiny` is for tests, the others are published models."""
