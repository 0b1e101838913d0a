"""The tab of `zoo demo`: a clip, and what happens in it when."""

import functools

from zoo.cards import Summary
from zoo.data import images
from zoo.demo import markup
from zoo.demo.part import Demo, Picture, has_assets
from zoo.errors import UserError
from zoo.saved import SavedModel
from zoo.storage import schema

from .clips import compose, drawing

MOST_TOLD = 8
"""Labels in the headline; the table has all."""


def answer(saved: SavedModel, path: str) -> str:
    """The labels along time."""
    result = saved.predict(path)
    if "error" in result:
        raise UserError(result["error"])
    spans = [(*span["seconds"], span["label"], span["probability"]) for span in result["spans"]]
    steps = result["frames"]
    still = "One frame is no clip: upload an animation. " if steps == 1 else ""
    return markup.block(
        markup.head(_story([label for _, _, label, _ in spans])),
        markup.timeline(spans, "s"),
        markup.note(f"{still}{steps} frames, one label for each; neighbors with the same label are one span."),
    )


def _story(labels: list[str]) -> str:
    """The labels in their order."""
    return ", ".join(labels[:MOST_TOLD]) + (", ..." if len(labels) > MOST_TOLD else "")


def accepts(summary: Summary) -> bool:
    """Whether a model reads clips, not words or numbers."""
    if not has_assets(summary, "input"):
        return False
    return schema.read(summary.path, "assets/input.json", schema.Input)["kind"] == "frames"


@functools.cache
def examples() -> list[str]:
    """Clips of the built-in test split, as GIF."""
    clips = (frames[..., 0] for frames, _ in compose.examples("test", 4))
    return [images.data_uri(clip, drawing.DURATION) for clip in clips]


DEMO = Demo(
    title="Tagging",
    shape="Many to many, step by step: each frame of a clip gets a label, which depends on the frames around it "
    "(sequence labeling).",
    inputs=[Picture("Clip (GIF, WebP or PNG animation)")],
    answer=answer,
    examples=examples,
    accepts=accepts,
    button="Tag",
)
