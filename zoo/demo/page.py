"""The page itself, made with gradio: a tab for each demo."""

import base64
import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import gradio as gr

from zoo.demo import markup
from zoo.demo.limits import KEPT_SECONDS, MOST_WAITING
from zoo.demo.model_cache import ModelCache
from zoo.demo.part import Demo, Input, Picture, Sketch, Slider, Text
from zoo.lens.demo import DEMOS as LENS
from zoo.task import installed

CSS = Path(__file__).with_name("page.css")

SKETCH = Path(__file__).with_name("sketch.js")

FONTS = ["system-ui", "-apple-system", "Segoe UI", "Helvetica", "Arial", "sans-serif"]
"""Fonts of the system: none is fetched."""

MONOSPACE = ["ui-monospace", "Menlo", "Consolas", "monospace"]

ANSWERS = {"concurrency_id": "answers", "concurrency_limit": 1, "show_progress": "hidden", "api_visibility": "private"}
"""All answers wait for each other: models are not made for several threads."""


def theme() -> Any:
    """Gradio's base theme in blue and gray."""
    return gr.themes.Base(
        primary_hue="blue", secondary_hue="blue", neutral_hue="slate", font=FONTS, font_mono=MONOSPACE
    )


def tabs() -> Iterator[tuple[str | None, Demo]]:
    """The tabs: those of the installed tasks, each with the task's name, and those of the lens.

    The tasks stand in the order of their shapes, from one to one to many to many.
    """
    yield from sorted(
        ((name, task.demo) for name, task in installed().items() if task.demo is not None),
        key=lambda tab: tab[1].shape,
        reverse=True,
    )
    for demo in LENS:
        yield None, demo


def build(models: ModelCache, folder: Path) -> gr.Blocks:
    """The page.

    Args:
        models: The models.
        folder: Where examples are written, so that they can be shown.
    """
    with gr.Blocks(title="zoo", analytics_enabled=False, delete_cache=(KEPT_SECONDS, KEPT_SECONDS)) as blocks:
        gr.HTML('<h1 class="zoo-heading">zoo</h1><p class="zoo-note">Recurrent sequence models, on this computer.</p>')
        with gr.Tabs():
            loading = [_tab(models, demo, models.choices(demo, task), folder) for task, demo in tabs()]
        if loading and loading[0] is not None:
            blocks.load(**loading[0], **ANSWERS)
    blocks.queue(max_size=MOST_WAITING)
    return blocks


def _tab(models: ModelCache, demo: Demo, names: list[str], folder: Path) -> dict[str, Any] | None:
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
                fields = [_component(demo, place) for place in range(len(demo.inputs))]
                button = gr.Button(demo.button, variant="primary", elem_id=f"run-{demo.name}")
                status = gr.HTML(elem_id=f"status-{demo.name}")
                clicked = _examples(demo, fields[0], folder)
            with gr.Column(min_width=300, scale=2):
                answer = gr.HTML(markup.note("The answer appears here."), elem_id=f"answer-{demo.name}")
    loading = {"fn": _loader(models, demo), "inputs": model, "outputs": status}
    gr.on([tab.select, model.change], **loading, **ANSWERS)
    run = {"fn": _runner(models, demo), "inputs": [model, *fields], "outputs": answer, **ANSWERS}
    # Whoever chooses a picture or draws wants an answer at once; a text is complete when its writer says so.
    begin = fields[0].submit if isinstance(demo.inputs[0], Text) else fields[0].input
    gr.on([button.click, begin], trigger_mode="always_last", **run)
    if clicked is not None:
        clicked.then(**run)
    return loading


def _examples(demo: Demo, field: Any, folder: Path) -> Any:
    """Examples of the first field, to click.

    Returns:
        The event of a click; None for a drawing, whose square has its examples itself.
    """
    if isinstance(demo.inputs[0], Sketch):
        return None
    shown = gr.Examples(
        [[_example(demo.inputs[0], value, folder)] for value in demo.examples()],
        field,
        label="Examples",
        cache_examples=False,
        api_visibility="private",
        elem_id=f"examples-{demo.name}",
    )
    return shown.load_input_event


def _loader(models: ModelCache, demo: Demo) -> Callable[..., Iterator[str]]:
    def load(name: str) -> Iterator[str]:
        yield from models.load(demo, name)

    return load


def _runner(models: ModelCache, demo: Demo) -> Callable[..., Iterator[str]]:
    def run(name: str, *values: Any) -> Iterator[str]:
        yield from models.answers(demo, name, values)

    return run


def _component(demo: Demo, place: int) -> Any:
    """The component of gradio for a field."""
    field, name = demo.inputs[place], f"{demo.name}-{place}"
    if isinstance(field, Text):
        return gr.Textbox(
            label=field.label,
            lines=field.lines,
            max_lines=8,
            placeholder=field.placeholder,
            elem_id=name,
            autofocus=False,
        )
    if isinstance(field, Slider):
        return gr.Slider(field.minimum, field.maximum, field.value, step=field.step, label=field.label, elem_id=name)
    if isinstance(field, Picture):
        sources: Any = ["upload", "webcam"] if field.webcam else ["upload"]
        picture = gr.Image(
            type="filepath",
            image_mode=None,
            sources=sources,
            label=field.label,
            height=260,
            buttons=[],
            elem_id=name,
            elem_classes="zoo-picture",
        )
        picture.preprocess = _path  # type: ignore[method-assign]  # gradio would decode the file before it is checked
        return picture
    return _board(demo, field, name)


def _board(demo: Demo, field: Sketch, name: str) -> gr.HTML:
    """A square to draw into, with its examples; gradio's own one needs WebGL and sends a dozen files per stroke."""
    template = (
        f'<div class="zoo-board"><p>{markup.text(field.label)} <button class="zoo-clear">Clear</button></p>'
        f'<canvas width="{field.size}" height="{field.size}" data-brush="{field.brush}"></canvas>'
        f"{markup.thumbnails(demo.examples(), f'examples-{demo.name}')}</div>"
    )
    script = SKETCH.read_text(encoding="utf-8")
    return gr.HTML("", html_template=template, js_on_load=script, apply_default_css=False, elem_id=name)


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
    return str(path)
