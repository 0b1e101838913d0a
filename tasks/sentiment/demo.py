"""The tab of `zoo demo`: a text, its label, and the words that count."""

from zoo.demo import markup
from zoo.demo.part import Demo, Text
from zoo.ids import UNKNOWN
from zoo.saved import SavedModel

from .predict import in_parts


def answer(saved: SavedModel, text: str) -> str:
    """The label, all probabilities, and the text with each word colored by its effect."""
    result = saved.predict(text, explain=True)
    marks = [(word["start"], word["end"], word["effect"]) for word in result["words"]]
    ranked = sorted(result["probabilities"].items(), key=lambda item: -item[1])
    return markup.block(
        markup.head(result["label"]),
        markup.bars(ranked),
        markup.title("Words that count"),
        markup.words(in_parts(text, marks)),
        markup.note(
            f"Blue words support {result['label']!r}, orange ones with a dashed line speak against it: how much its "
            "probability changes when the word is hidden from the model."
        ),
        _unknown(saved, text),
    )


def _unknown(saved: SavedModel, text: str) -> str:
    """A remark on words that the model does not know."""
    tokens = saved.assets["tokenizer"].encode_with_offsets(text)
    words = list(dict.fromkeys(text[start:end] for token, start, end in tokens if token == UNKNOWN))
    if not words:
        return ""
    shown = ", ".join(words[:8]) + (", ..." if len(words) > 8 else "")
    return markup.note(f"Not in the model's vocabulary, so that it cannot count: {shown}.")


def examples() -> list[str]:
    """Reviews that are easy, mixed and ironic."""
    return [
        "A fine film: moving, funny and beautifully acted.",
        "The actors do their best, but the story is dull and far too long.",
        "I wanted to like it. Two hours of my life that I will never get back.",
        "Not bad at all!",
    ]


DEMO = Demo(
    title="Sentiment",
    shape="Many to one: a text is read word by word, and one label is answered at its end (text classification).",
    inputs=[Text("Text", max_length=5_000, lines=3, placeholder="Write a review of a film")],
    answer=answer,
    examples=examples,
)
