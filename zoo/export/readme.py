"""The README of an exported folder."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from zoo import cards
from zoo.export.formats import FORMATS

PROGRAMS, RUNNERS = Path(__file__).parent / "programs", Path(__file__).parent / "runners"
"""Programs that use an export, each a file, and what runs a graph in each format, which stands above the program."""

RUNNER = "from zoo.export.runners.onnx import load\n"
"""The line of a program in whose place the runner of the format comes."""

ARGUMENTS = {
    "texts": '"a fine film"',
    "arrays": "input.npy",
    "steps": "clip.npy",
    "words": '"George Washington lived in Virginia ."',
    "spelled": '"George Washington lived in Virginia ."',
    "writer": '"a man is standing on a ladder ."',
    "captions": "picture.jpg",
    "language": '"the "',
}
"""Name of a program -> what it is called with in the README."""

PACKAGES = dict.fromkeys(("texts", "words", "spelled", "writer", "language"), " tokenizers")
PACKAGES["captions"] = " tokenizers pillow"

SIGNATURES = {"model": "serve", "encoder": "encode"}
"""Name of a graph -> its signature in a SavedModel, where that has another name."""

TITLES = {"onnx": "ONNX", "savedmodel": "SavedModel", "litert": "LiteRT"}

ABOUT = {
    "onnx": "The graphs run without Keras and TensorFlow, and compute in float32.",
    "savedmodel": "The signatures run with TensorFlow alone, and compute in float32.",
    "litert": "The graphs run without Keras and TensorFlow. They have LiteRT's built-in operators only, a batch of 1, "
    "and fixed lengths: shorter inputs are padded with zeros. Loops over time are inside the graphs; a search runs "
    "outside, over the graph `step`, one token at a time.",
}
MORE = {
    "onnx": "With the package, `zoo {task} --model FOLDER` answers from this folder, with every option of the\n"
    "command; `zoo.runtime.load(FOLDER)` does the same in Python.",
    "savedmodel": "TensorFlow Serving reads this folder as it is:\n\n"
    "    tensorflow_model_server --rest_api_port=8501 --model_name={name} --model_base_path=$PWD",
    "litert": "Phones and small devices run the same files with LiteRT's libraries for Kotlin, Swift and C++.",
}
"""By format: what the README says first, and after the program."""

NOTES = {
    "tokens": "Ids are int64; 0 is padding, which stands on the right.",
    "characters": "`characters` are the ids of the characters of each word, padded with 0 on the right.",
    "mask": "`mask` is True at real steps; padding stands on the right.",
    "lengths": "`lengths` are the numbers of real steps; padding stands on the right.",
    "memory_values": "Rows of `step` are a multiple of the rows of `memory_*`: hypotheses of one example side by side.",
}
"""Name of an input -> what has to be known of it."""


def program(facts: Mapping[str, Any]) -> str:
    """The name of the program for an export: what `export.json` says."""
    inputs = [port["name"] for port in next(iter(facts["graphs"].values()))["inputs"]]
    first = inputs[0]
    if "characters" in inputs:
        return "spelled"
    if facts["kind"] == "encoder_decoder":
        return "captions" if first != "tokens" else "writer"
    if facts["kind"] == "language_model":
        return "language"
    if facts["kind"] == "tagger":
        return "words" if first == "tokens" else "steps"
    return "texts" if first == "tokens" else "arrays"


def program_text(name: str, format: str) -> str:
    """A complete program that uses an export without this package: imports, the runner of the format, the program."""
    parts = [(RUNNERS / f"{format}.py"), (PROGRAMS / f"{name}.py")]
    found = [_split(part.read_text(encoding="utf-8").replace(RUNNER, "")) for part in parts]
    imports = {line for lines, _ in found for line in lines}
    standard = sorted(line for line in imports if line.split()[1] in sys.stdlib_module_names)
    others = sorted(imports - set(standard), key=lambda line: line.split()[1].lower())
    above, below = (code for _, code in found)
    return "\n".join([*standard, "", *others, "", above, "", below])


def _split(text: str) -> tuple[list[str], str]:
    """The imports that a file begins with, and the rest."""
    lines = text.splitlines()
    number = next(i for i, line in enumerate(lines) if line and not line.startswith(("import ", "from ")))
    return [line for line in lines[:number] if line], "\n".join(lines[number:]) + "\n"


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
    code, found = program_text(name, facts["format"]), FORMATS[facts["format"]]
    return f"""# {facts["model"]} as {TITLES[facts["format"]]}

Task `{model.installed.name}`. {ABOUT[facts["format"]]}{weights}

{_graphs(facts)}

{_notes(facts)}

## Use it

This program needs nothing of the package that wrote this folder:

    pip install numpy {found.package}{PACKAGES.get(name, "")}
    python use.py {ARGUMENTS[name]}

```python
{code}```

{MORE[facts["format"]].format(task=model.installed.name, name=facts["model"])}
{_parity(parity)}"""


def _graphs(facts: Mapping[str, Any]) -> str:
    """A table of all inputs and outputs."""
    rows = [
        (
            f"`{_graph_name(name, graph)}`",
            way,
            f"`{port['name']}`",
            port["dtype"],
            f"({', '.join(map(str, port['shape']))})",
        )
        for name, graph in facts["graphs"].items()
        for way, ports in (("in", graph["inputs"]), ("out", graph["outputs"]))
        for port in ports
    ]
    return cards.markdown(("graph", "", "name", "dtype", "shape"), rows)


def _shape(port: Mapping[str, Any]) -> str:
    return f"({', '.join(map(str, port['shape']))})"


def _graph_name(name: str, graph: Mapping[str, Any]) -> str:
    """Its file; of a graph that shares a file with others, its signature."""
    return SIGNATURES.get(name, name) if "/" in graph["file"] else graph["file"]


def _notes(facts: Mapping[str, Any]) -> str:
    inputs = {port["name"] for graph in facts["graphs"].values() for port in graph["inputs"]}
    single = "memory_values" if facts["format"] == "litert" else ""  # one row of everything
    notes = [note for name, note in NOTES.items() if name in inputs and name != single]
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
