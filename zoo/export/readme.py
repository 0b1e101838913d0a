"""The README of an exported folder."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from zoo import cards

PROGRAMS = Path(__file__).parent / "programs"
"""Complete programs that use an export without this package; each is a file."""

ARGUMENTS = {
    "texts": '"a fine film"',
    "arrays": "input.npy",
    "steps": "clip.npy",
    "words": '"George Washington lived in Virginia ."',
    "writer": '"a man is standing on a ladder ."',
    "captions": "picture.jpg",
    "language": '"the "',
}
"""Name of a program -> what it is called with in the README."""

PACKAGES = {"texts": " tokenizers", "words": " tokenizers", "writer": " tokenizers", "language": " tokenizers"}
PACKAGES["captions"] = " tokenizers pillow"

NOTES = {
    "tokens": "Ids are int64; 0 is padding, which stands on the right.",
    "mask": "`mask` is True at real steps; padding stands on the right.",
    "lengths": "`lengths` are the numbers of real steps; padding stands on the right.",
    "memory_values": "Rows of `step` are a multiple of the rows of `memory_*`: hypotheses of one example side by side.",
}
"""Name of an input -> what has to be known of it."""


def program(facts: Mapping[str, Any]) -> str:
    """The name of the program for an export: what `export.json` says."""
    first = next(iter(facts["graphs"].values()))["inputs"][0]["name"]
    if facts["kind"] == "encoder_decoder":
        return "captions" if first != "tokens" else "writer"
    if facts["kind"] == "language_model":
        return "language"
    if facts["kind"] == "tagger":
        return "words" if first == "tokens" else "steps"
    return "texts" if first == "tokens" else "arrays"


def readme(folder: Path, model: Any, facts: Mapping[str, Any], parity: Mapping[str, Any] | None) -> str:
    """The README.

    Args:
        folder: The exported folder.
        model: The saved model.
        facts: What `export.json` says.
        parity: What `parity.json` says, if there is one.
    """
    name = program(facts)
    weights = f" Weights are stored as {facts['quantize']}." if facts["quantize"] else ""
    code = (PROGRAMS / f"{name}.py").read_text(encoding="utf-8")
    return f"""# {facts["model"]} as {facts["format"].upper()}

Task `{model.installed.name}`. The graphs run without Keras and TensorFlow, and compute in float32.{weights}

{_graphs(facts)}

{_notes(facts)}

## Use it

This program needs nothing of the package that wrote this folder:

    pip install numpy onnxruntime{PACKAGES.get(name, "")}
    python use.py {ARGUMENTS[name]}

```python
{code}```

With the package, `zoo {model.installed.name} --model FOLDER` answers from this folder, with every option of the
command; `zoo.runtime.load(FOLDER)` does the same in Python.
{_parity(parity)}"""


def _graphs(facts: Mapping[str, Any]) -> str:
    """A table of all inputs and outputs."""
    rows = [
        (f"`{graph['file']}`", way, f"`{port['name']}`", port["dtype"], f"({', '.join(map(str, port['shape']))})")
        for graph in facts["graphs"].values()
        for way, ports in (("in", graph["inputs"]), ("out", graph["outputs"]))
        for port in ports
    ]
    return cards.markdown(("graph", "", "name", "dtype", "shape"), rows)


def _notes(facts: Mapping[str, Any]) -> str:
    inputs = {port["name"] for graph in facts["graphs"].values() for port in graph["inputs"]}
    notes = [note for name, note in NOTES.items() if name in inputs]
    if facts["kind"] == "language_model":
        notes.append("States are zeros before the first token; a row of `lengths` 0 reads nothing of use.")
        if facts["suppress_tokens"]:
            notes.append(f"Ids that are never written: {', '.join(map(str, facts['suppress_tokens']))}.")
    return "\n".join(f"- {note}" for note in notes)


def _parity(parity: Mapping[str, Any] | None) -> str:
    if parity is None:
        return ""
    examples, size, speed = parity["examples"], parity["bytes"], parity["milliseconds"]
    rows = [
        ("size of the weights", f"{size['keras'] / 1e6:.2f} MB", f"{size['export'] / 1e6:.2f} MB"),
        *((f"batch of {n}", f"{speed['keras'][n]:.1f} ms", f"{speed['export'][n]:.1f} ms") for n in speed["keras"]),
        *(
            (name, cards.number(value), cards.number(parity["scores"]["export"][name]))
            for name, value in parity["scores"]["keras"].items()
        ),
    ]
    return f"""
## Beside Keras

{examples["count"]} examples of `{examples["dataset"]}` ({examples["split"]}): {100 * parity["equal_answers"]:.1f} % of
the answers are equal, the largest difference of any output is {parity["max_difference"]:.1e}.

{cards.markdown(("", "Keras", "export"), rows)}
"""
