"""`zoo lens shapes`: the five shapes of sequence tasks, drawn from five published models and their real answers.

Reference:
    Karpathy, "The Unreasonable Effectiveness of Recurrent Neural Networks" (2015), first figure.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from zoo import saved
from zoo.data import frames, images
from zoo.lens import diagrams
from zoo.lens.settings import Shapes

SOURCE = "A dog runs."
"""The sentence that the translator translates."""

REVIEW = "a fine film"
"""The text that the classifier of texts reads."""

CLIP_FRAMES = slice(4, 9)
"""Frames of the clip that are shown: the label changes among them."""

Input = str | np.ndarray | None
"""A word, a picture, or nothing."""


@dataclass(frozen=True)
class Shape:
    """A task shape with the model that stands for it.

    Attributes:
        title: Name of the shape.
        task: Task of this project that has it.
        builder: Builder of its net.
        model: The published model.
        sizes: What goes in, what is hidden and what comes out, read off the net.
        inputs: What each time step reads.
        outputs: What each time step writes.
        feeds_back: Whether each output is the next input.
        both_ways: Number of first steps that are read in both directions.
    """

    title: str
    task: str
    builder: str
    model: str
    sizes: tuple[str, str, str]
    inputs: Sequence[Input]
    outputs: Sequence[str | None]
    feeds_back: bool = False
    both_ways: int = 0


def shapes() -> list[Shape]:
    """The five shapes, in the order of the lecture; loads the five published models."""
    return [_one_to_one(), _one_to_many(), _many_to_one(), _many_to_many(), _every_frame()]


def _example(model: saved.SavedModel, number: int = 0) -> tuple[str, Any]:
    """An input that is stored with a model, and the answer that the model must give to it."""
    stored = json.loads((model.path / "golden.json").read_text(encoding="utf-8"))
    return stored["inputs"][number], stored["outputs"][number]


def _one_to_one() -> Shape:
    model = saved.load("classify-perceptron-digits")
    _, height, width = model.net.input_shape[:3]
    units = next(layer.units for layer in model.net.layers if layer.name.startswith("hidden"))
    sizes = (f"{height} x {width} pixels", f"Dense({units})", f"{model.net.output_shape[-1]} probabilities")
    source, answer = _example(model)
    pixels = images.read(source)
    return Shape("one to one", "classify", "perceptron", model.path.name, sizes, [pixels], [answer["label"]])


def _one_to_many() -> Shape:
    model = saved.load("caption-gru-scenes")
    arguments, side = model.net.arguments, model.net.arguments.image_size
    source, answer = _example(model)
    words = answer["caption"].split()
    sizes = (f"{side} x {side} x 3 pixels", _cell(arguments), f"{arguments.vocabulary_size} words")
    inputs = [images.read(source), *[None] * (len(words) - 1)]
    return Shape("one to many", "caption", "captioner", model.path.name, sizes, inputs, words, feeds_back=True)


def _many_to_one() -> Shape:
    model = saved.load("sentiment-gru-reviews")
    vocabulary, recurrent = model.net.get_layer("embedding").vocabulary_size, model.net.get_layer("recurrent")
    units = f"{'2 x ' * recurrent.bidirectional}{model.recipe.cell.upper()}({model.recipe.units})"
    sizes = (f"{vocabulary:,} words", f"{units}, pooling", f"{model.net.output_shape[-1]} probabilities")
    words = REVIEW.split()
    outputs = [*[None] * (len(words) - 1), model.predict(REVIEW)["label"]]
    both = len(words) if recurrent.bidirectional else 0
    return Shape("many to one", "sentiment", "classifier", model.path.name, sizes, words, outputs, both_ways=both)


def _many_to_many() -> Shape:
    model = saved.load("translate-gru-multi30k-en-de")
    arguments = model.net.arguments
    source, target = (_pieces(model, text) for text in (SOURCE, model.predict(SOURCE)["translation"]))
    net = f"{_cell(arguments)}, attention, {arguments.decoder_cell.upper()}({arguments.units})"
    pieces = f"{arguments.source_vocabulary_size:,} pieces of words"
    sizes = (pieces, net, f"{arguments.target_vocabulary_size:,} pieces")
    inputs, outputs = [*source, *[None] * len(target)], [*[None] * len(source), *target]
    name, both = model.path.name, len(source) if arguments.bidirectional else 0
    return Shape("many to many", "translate", "translator", name, sizes, inputs, outputs, True, both)


def _every_frame() -> Shape:
    model = saved.load("tag-gru-clips")
    arguments = model.net.arguments
    height, width, channels = arguments.frame_shape
    source, answer = _example(model)
    clip = frames.read(source, height, width, channels)
    labels = [span["label"] for span in answer["spans"] for _ in range(span["start"], span["end"])]
    sizes = (f"{height} x {width} pixels per frame", _cell(arguments), f"{arguments.num_classes} probabilities")
    shown = list(np.stack(list(clip.frames))[CLIP_FRAMES])
    name, both = model.path.name, len(shown) if arguments.bidirectional else 0
    return Shape("frame by frame", "tag", "tagger", name, sizes, shown, labels[CLIP_FRAMES], both_ways=both)


def _cell(arguments: Any) -> str:
    return f"{'2 x ' * getattr(arguments, 'bidirectional', False)}{arguments.cell.upper()}({arguments.units})"


def _pieces(model: saved.SavedModel, text: str) -> list[str]:
    return [text[start:end] for _, start, end in model.assets["tokenizer"].encode_with_offsets(text) if end > start]


ROWS = ((0, 1, 2), (3, 4))
"""Which shapes stand side by side."""

GAP = 0.9
"""Units between two shapes."""

HEIGHT = 4.7
"""Units of a row of shapes."""

LEGEND = (
    "Below: inputs; middle: hidden vectors; above: outputs. Double arrows: read in both directions. "
    "Dashed: an output is the next input."
)


def draw(found: Sequence[Shape], file: Path | None = None) -> Any:
    """Draws the shapes: inputs below, hidden vectors in the middle, outputs above, time from left to right.

    Args:
        found: The five shapes.
        file: A PNG file, or None for none.

    Returns:
        The `matplotlib.figure.Figure`.
    """
    widths = [max(len(shape.inputs), 2.6) for shape in found]
    wide = max(sum(widths[place] for place in row) + GAP * (len(row) - 1) for row in ROWS) + 0.6
    with diagrams.drawing(file, wide, HEIGHT * len(ROWS) + 0.4) as (figure, axes):
        axes.text(wide / 2, 0.2, LEGEND, ha="center", va="center", fontsize=7.5)
        for line, row in enumerate(ROWS):
            spare = wide - sum(widths[place] for place in row)
            x = spare / (len(row) + 1)
            for place in row:
                _draw_shape(axes, found[place], (x, HEIGHT * (len(ROWS) - 1 - line) + 0.4), widths[place])
                x += widths[place] + spare / (len(row) + 1)
    return figure


def _draw_shape(axes: Any, shape: Shape, corner: tuple[float, float], width: float) -> None:
    left, bottom = corner
    middle = left + width / 2
    axes.text(middle, bottom + 4.35, shape.title, ha="center", fontsize=11, weight="bold")
    axes.text(middle, bottom + 4.05, f"zoo {shape.task}, builders.{shape.builder}", ha="center", fontsize=8)
    first = middle - len(shape.inputs) / 2 + 0.5
    for step, (read, written) in enumerate(zip(shape.inputs, shape.outputs, strict=True)):
        _draw_step(axes, shape, step, (first + step, bottom), read, written)
    axes.text(middle, bottom + 0.45, " → ".join(shape.sizes), ha="center", va="center", fontsize=7.5)
    axes.text(middle, bottom + 0.18, shape.model, ha="center", va="center", fontsize=7, color="#555555")


def _draw_step(
    axes: Any, shape: Shape, step: int, place: tuple[float, float], read: Input, written: str | None
) -> None:
    """A time step; `place` is its x-coordinate and the bottom of the shape."""
    x, bottom = place
    low, middle, high = bottom + 1.25, bottom + 2.3, bottom + 3.45
    name = f"$h_{step + 1}$" if len(shape.inputs) > 1 else "hidden"
    diagrams.box(axes, (x, middle), "", "hidden", (0.78, 0.5))
    axes.text(x, middle, name, ha="center", va="center", fontsize=9)
    if step:
        diagrams.arrow(axes, (x - 0.61, middle), (x - 0.39, middle), both=step < shape.both_ways)
    if isinstance(read, str):
        diagrams.box(axes, (x, low), read, "input")
    elif read is not None:
        diagrams.picture(axes, (x, low), read)
    if read is not None:
        diagrams.arrow(axes, (x, low + (0.25 if isinstance(read, str) else 0.45)), (x, middle - 0.25))
    if written is not None:
        diagrams.box(axes, (x, high), written, "output", (0.96, 0.5))
        diagrams.arrow(axes, (x, middle + 0.25), (x, high - 0.25))
    if shape.feeds_back and step and shape.outputs[step - 1] is not None:
        diagrams.arrow(axes, (x - 0.72, high - 0.25), (x - 0.2, middle + 0.25), dashed=True)


def show_shapes(config: Shapes, models: Sequence = ()) -> Iterator[str]:
    """A line for each shape: task, builder, model and sizes."""
    found = shapes()
    draw(found, Path(config.plot))
    if config.json:
        rows = [
            {"shape": shape.title, "task": shape.task, "builder": shape.builder, "model": shape.model,
             "sizes": list(shape.sizes), "outputs": [text for text in shape.outputs if text is not None]}
            for shape in found
        ]  # fmt: skip
        yield json.dumps({"shapes": rows, "figure": config.plot}, ensure_ascii=False)
        return
    for shape in found:
        yield f"{shape.title}: zoo {shape.task}, builders.{shape.builder} ({shape.model})"
        yield f"  {' -> '.join(shape.sizes)}"
    yield config.plot
