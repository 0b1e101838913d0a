"""The tab of `zoo demo`: a beginning, and what the model writes after it, as it comes."""

from collections.abc import Iterator

from zoo.demo import markup
from zoo.demo.part import Demo, Slider, Text
from zoo.ids import UNKNOWN
from zoo.saved import SavedModel
from zoo.task import Chunk

from .data import encoder
from .predict import predict
from .recipe import Predict


def answer(saved: SavedModel, prompt: str, temperature: float, length: int) -> Iterator[str]:
    """The text so far, again and again until it is complete."""
    config = Predict(inputs=[prompt], temperature=temperature, max_new_tokens=length)
    (ids,) = encoder(saved.assets)([prompt])
    unknown = [int(token) for token in ids].count(UNKNOWN)
    below = [markup.note("The beginning is bold; all else is written by the model, which knows no facts.")]
    if unknown:
        below.append(
            markup.note(
                f"{unknown} of {len(ids)} tokens of the beginning did not occur in training; they count as one."
            )
        )
    written = ""
    for chunk in predict(saved, config):
        written += chunk if isinstance(chunk, Chunk) else ""
        yield markup.block(markup.written(prompt, written[len(prompt) :]), *below)


def examples() -> list[str]:
    """Beginnings in the manner of Shakespeare, of Python's documentation, and of neither."""
    return ["ROMEO:\n", "The function returns", "Once upon a time"]


DEMO = Demo(
    title="Writing",
    shape="Many to many, shifted by one: after each character the next one is predicted, drawn, and read in turn "
    "(language model).",
    inputs=[
        Text("Beginning", max_length=500, placeholder="Write the beginning of a text", empty=True),
        Slider("Temperature", 0.0, 1.5, 0.7, 0.1),
        Slider("Characters to write", 20, 1_000, 300, 20),
    ],
    answer=answer,
    examples=examples,
    button="Write",
)
