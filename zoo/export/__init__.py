"""Saved models as graphs of other formats, which run without Keras and give the same answers.

    from zoo import saved

    saved.load("sentiment-gru-imdb").export()         # or: zoo export sentiment-gru-imdb --format onnx

writes a folder with the graphs, the tokenizer, labels and settings, a README with a complete program that uses them,
and `parity.json`, a comparison of its answers with those of Keras. `zoo.export.graphs` says which graphs there are,
`zoo.export.formats` which formats.
"""

from pathlib import Path
from typing import Any

from zoo.errors import UserError


def export(
    model: Any,
    output: str | Path | None = None,
    format: str = "onnx",
    *,
    quantize: str | None = None,
    length: int | None = None,
    overwrite: bool = False,
    examples: int = 200,
) -> Path:
    """Exports a saved model.

    Args:
        model: What `zoo.saved.load` returned.
        output: The folder to write; default one of the format's name inside the model's folder, or in the user's cache
            where that folder cannot be written. Commands and `zoo.runtime` find both.
        format: `"onnx"`, `"savedmodel"` or `"litert"`.
        quantize: Weights as `"int8"` or `"float16"`; None keeps float32. Graphs compute in float32 anyway, but for
            products with int8 weights in LiteRT.
        length: Steps that a graph of LiteRT reads; default the model's own `max_length`.
        overwrite: Whether an older export there may be replaced.
        examples: Test examples that are answered by both sides for `parity.json`; 0 compares nothing.

    Returns:
        The folder.

    Raises:
        UserError: If there is no such format, the model has a part that has no export, or the folder cannot be
            written. Then nothing has changed.
    """
    from zoo.export import folder, formats
    from zoo.runtime.choice import place

    formats.find(format, quantize, length=length)
    path = Path(output) if output is not None else place(model.path, format)
    with folder.locked(path):
        folder.check_free(path, overwrite)
        _write(model, path, format, quantize, length, examples)
    return path


def _write(model: Any, path: Path, format: str, quantize: str | None, length: int | None, examples: int) -> None:
    from zoo.export import folder, formats, parity

    found = formats.find(format)
    specs = formats.function(found, "specs")(model, **({} if length is None else {"length": length}))
    files = formats.function(found, "prepare")(model.net, specs, quantize)
    with folder.writing(path) as new:
        folder.fill(new, model, specs, files, found, format, quantize)
        if examples:
            facts = parity.compare(model, formats.function(found, "load")(new), new, examples)
            folder.add_parity(new, model, facts)


def has_export(model: Any) -> bool:
    """Whether the net of a saved model can be exported: some parts cannot."""
    from zoo.export import graphs

    try:
        return bool(graphs.graphs(model.net))
    except UserError:
        return False


def export_once(model: Any) -> Path:
    """Exports a saved model as ONNX into the user's cache, where commands and `zoo.runtime` find it.

    Where another process does so at the same time, this one waits for it. What was exported before is not written
    again; a model with other weights has another place.

    Args:
        model: What `zoo.saved.load` returned.

    Returns:
        The folder.

    Raises:
        UserError: If the model has a part that has no export, or the cache cannot be written.
    """
    from zoo.export import folder
    from zoo.runtime.choice import EXPORT, kept

    path = kept(model.path)
    with folder.locked(path, wait=True):
        if not (path / EXPORT).exists():
            _write(model, path, "onnx", quantize=None, length=None, examples=0)
    return path
