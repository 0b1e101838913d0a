"""The page itself, made with gradio: a tab for each demo."""

import base64
import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import gradio as gr

from zoo.data import images
from zoo.demo import markup
from zoo.demo.limits import KEPT_SECONDS, MOST_WAITING
from zoo.demo.part import Demo, Input, Picture, Sketch, Slider, Text
from zoo.demo.shelf import Shelf
from zoo.lens.demo import DEMOS as LENS
from zoo.task import installed

CSS = Path(__file__).with_name("page.css")

FONTS = ["system-ui", "-apple-system", "Segoe UI", "Helvetica", "Arial", "sans-serif"]
"""Fonts of the system: none is fetched."""

MONOSPACE = ["ui-monospace", "Menlo", "Consolas", "monospace"]

ANSWERS = {"concurrency_id": "answers", "concurrency_limit": 1, "show_progress": "hidden", "api_visibility": "private"}
"""All answers wait for each other: models are not made for several threads."""


def theme() -> Any:
    """Gradio's base theme in blue and gray."""
    return gr.themes.Base(primary_hue="blue", secondary_hue="blue", neutral_hue="slate", font=FONTS, font_mono=MONOSPACE)


def tabs() -> Iterator[tuple[str | None, Demo]]:
    """The tabs: those of the installed tasks, each with the task's name, and those of the lens."""
    for name, task in installed().items():
        if task.demo is not None:
            yield name, task.demo
    for demo in LENS:
        yield None, demo


def build(shelf: Shelf, folder: Path) -> gr.Blocks:
    """The page.

    Args:
        shelf: The models.
        folder: Where examples are written, so that they can be shown.
    """
    with gr.Blocks(title="zoo", analytics_enabled=False, delete_cache=(KEPT_SECONDS, KEPT_SECONDS)) as blocks:
        gr.HTML('<h1 class="zoo-heading">zoo</h1><p class="zoo-note">Recurrent sequence models, on this computer.</p>')
        with gr.Tabs():
            first = [_tab(shelf, demo, shelf.choices(demo, task), folder) for task, demo in tabs()][0]
        if first is not None:
            blocks.load(**first, **ANSWERS)
    blocks.queue(max_size=MOST_WAITING)
    return blocks


def _tab(shelf: Shelf, demo: Demo, names: list[str], folder: Path) -> dict[str, Any] | None:
    """A tab.

    Returns:
        What loads its first model, for the tab that is open when the page is; None if it has no model.
    """
    with gr.Tab(demo.title, elem_id=f"tab-{demo.name}") as tab:
        gr.HTML(f'<p class="zoo-shape">{markup.text(demo.shape)}</p>')
        if not names:
            gr.HTML(markup.message("No saved model does this yet. `zoo train --help` says how to make one."))
            return None
        with gr.Row():
            with gr.Column(min_width=300):
                model = gr.Dropdown(names, value=names[0], label="Model", elem_id=f"model-{demo.name}")
                fields = [_component(field, f"{demo.name}-{place}") for place, field in enumerate(demo.inputs)]
                button = gr.Button(demo.button, variant="primary", elem_id=f"run-{demo.name}")
                status = gr.HTML(elem_id=f"status-{demo.name}")
            with gr.Column(min_width=300):
                answer = gr.HTML(elem_id=f"answer-{demo.name}", min_height=80)
        examples = gr.Examples(
            [[_example(demo.inputs[0], value, folder)] for value in demo.examples()],
            fields[0],
            label="Examples",
            cache_examples=False,
            api_visibility="private",
            elem_id=f"examples-{demo.name}",
        )
    loading = {"fn": _loader(shelf, demo), "inputs": model, "outputs": status}
    gr.on([tab.select, model.change], **loading, **ANSWERS)
    run = {"fn": _runner(shelf, demo), "inputs": [model, *fields], "outputs": answer, **ANSWERS}
    triggers = [button.click]
    if isinstance(demo.inputs[0], Text):
        triggers.append(fields[0].submit)
        examples.load_input_event.then(**run)
    else:  # a picture that is there is an input; an example is one too
        triggers.append(fields[0].change)
    gr.on(triggers, trigger_mode="always_last", **run)
    return loading


def _loader(shelf: Shelf, demo: Demo) -> Callable[..., Iterator[str]]:
    def load(name: str) -> Iterator[str]:
        yield from shelf.load(demo, name)

    return load


def _runner(shelf: Shelf, demo: Demo) -> Callable[..., Iterator[str]]:
    def run(name: str, *values: Any) -> Iterator[str]:
        yield from shelf.answers(demo, name, values)

    return run


def _component(field: Input, name: str) -> Any:
    """The component of gradio for a field."""
    if isinstance(field, Text):
        return gr.Textbox(
            label=field.label, lines=field.lines, max_lines=8, placeholder=field.placeholder, elem_id=name, autofocus=False
        )
    if isinstance(field, Slider):
        return gr.Slider(field.minimum, field.maximum, field.value, step=field.step, label=field.label, elem_id=name)
    if isinstance(field, Picture):
        sources: Any = ["upload", "webcam"] if field.webcam else ["upload"]
        picture = gr.Image(
            type="filepath", image_mode=None, sources=sources, label=field.label, height=260, buttons=[], elem_id=name
        )
        picture.preprocess = _path  # type: ignore[method-assign]  # gradio would decode the file before it is checked
        return picture
    return gr.Sketchpad(
        type="numpy",
        canvas_size=(field.size, field.size),
        fixed_canvas=True,
        height=field.size + 100,
        brush=gr.Brush(default_size=field.brush, colors=["#000000"], color_mode="fixed"),
        eraser=gr.Eraser(default_size=field.brush),
        layers=False,
        transforms=(),
        sources=(),
        buttons=[],
        label=field.label,
        elem_id=name,
    )


def _path(payload: Any) -> str | None:
    """The file that was uploaded, as it is."""
    if payload is None:
        return None
    uri = payload.url or ""
    return uri if uri.startswith("data:") else payload.path


def _example(field: Input, value: str, folder: Path) -> Any:
    """An example as gradio takes it: a text, or the path of a file."""
    if not value.startswith("data:image/") or isinstance(field, Text):
        return value
    head, _, body = value.partition(",")
    content = base64.b64decode(body)
    kind = head.removeprefix("data:image/").partition(";")[0]
    path = folder / f"example-{hashlib.sha256(content).hexdigest()[:12]}.{kind}"
    path.write_bytes(content)
    if isinstance(field, Sketch):
        picture = images.read(path)
        return {"background": picture, "layers": [], "composite": picture}
    return str(path)
