"""The card of a saved model, as Markdown, rendered from its JSON files alone.

Texts about a task come from its `Recipe`, those about its data from the row of the data set. Every number comes from
`recipe.json`, `metrics.json`, `golden.json` and `measured.json` of the model's folder.
"""

import html
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from zoo import __version__, cards, legacy, scores
from zoo.data.datasets import DatasetRow, find_row
from zoo.errors import UserError
from zoo.storage import schema
from zoo.task import installed

LONGEST = 300
"""Characters of an example that are shown."""

MOST_SHOWN = 3
"""Examples with their answers."""

FIRST_KEYS = ("translation", "caption", "text", "label", "spans", "words")
"""Where the answer stands in what a task prints as JSON."""

UNMEASURED = "Not measured for this model."


def render(summary: cards.Summary, folder: Path | None = None) -> str:
    """The card.

    Args:
        summary: What the JSON files say.
        folder: Where they lie, if that is not yet the model's place.
    """
    folder = folder or summary.path
    sections = {
        "Intended use": _purpose(summary),
        "Limits": _limits(summary),
        "License": _license(summary),
        "How to use": _use(summary, folder),
        "Examples": _examples(summary, folder),
        "Data": "\n".join(f"- {key}: {_line(cards.inline(value))}" for key, value in summary.metrics["data"].items()),
        "Training procedure": _procedure(summary, folder),
        "Scores": _scores(summary, folder),
        "Baselines": _baselines(summary),
        "How often the test split was scored": _history(summary),
        "Size and speed": _size(summary),
        "Environment": _environment(summary),
        "How to cite": _citation(summary),
    }
    synthetic = " (synthetic)" if summary.metrics["data"].get("synthetic") else ""
    warning = f"\n> {_RESEARCH}\n" if terms(summary) == "research" else ""
    head = f"""# {summary.name}
{warning}
{_summary(summary)} Cell `{summary.cell}`, trained on `{summary.dataset}`{synthetic}.
{cards.number(summary.metrics["training"]["parameters"])} parameters, {summary.bytes / 1e6:.1f} MB on disk. \
{summary.split.capitalize()} {summary.metrics["monitor"]} {cards.number(summary.shown)}.
"""
    return head + "".join(f"\n## {title}\n\n{text}\n" for title, text in sections.items() if text)


_RESEARCH = (
    "**For research only.** The data of this model may not be used commercially, or were published for research "
    "without a license. Do not use the model commercially unless you have the rights to its data."
)


def row(summary: cards.Summary) -> DatasetRow | None:
    """The row of the data set that a model was trained on; None if its task is not installed or the data are own."""
    task = installed().get(summary.task)
    try:
        found = find_row(summary.recipe["train"].get("dataset", ""), task.recipe.datasets) if task else None
    except UserError:
        return None
    return found[1] if found else None


def terms(summary: cards.Summary) -> str:
    """`"open"`, `"research"` or `"unknown"`: what the license of a model's data comes to.

    The list of data sets says so; of files that were published with a model, its `metrics.json` may.
    """
    found = row(summary)
    return found.terms if found else summary.metrics["data"].get("terms", "unknown")


def _recipe(summary: cards.Summary) -> Any:
    task = installed().get(summary.task)
    return task.recipe if task else None


def _summary(summary: cards.Summary) -> str:
    task = installed().get(summary.task)
    return f"Task `{summary.task}`. {task.summary}" if task else f"Task `{summary.task}`."


def _purpose(summary: cards.Summary) -> str:
    recipe = _recipe(summary)
    lines = [recipe.purpose if recipe and recipe.purpose else "The authors of the task have not said what it is for."]
    if recipe and recipe.not_for:
        lines.append(f"**Not for:** {recipe.not_for}")
    if summary.metrics["data"].get("synthetic"):
        lines.append(
            "Its data are synthetic: a program made them. It is for lessons and tests; it knows nothing of the world."
        )
    return "\n\n".join(lines)


def _limits(summary: cards.Summary) -> str:
    text = "Inputs unlike the training data get an answer too, and the answer does not say so."
    rows = [(item["what"], _cell(item["input"]), _cell(item["answer"])) for item in summary.measured.get("limits", ())]
    if not rows:
        return f"{text} {UNMEASURED}"
    return f"{text} Two measured examples:\n\n{cards.markdown(('what is unusual', 'input', 'answer'), rows)}"


def _license(summary: cards.Summary) -> str:
    found, data = row(summary), summary.metrics["data"]
    stated = found.license if found else data.get("license") or "not stated"
    weights = {
        "open": "The license of the data allows commercial use; follow what it asks for, such as attribution. The "
        "weights come under the license of the code.",
        "research": f"The weights were learned from these data. {_RESEARCH}",
        "unknown": "The weights were learned from data whose license zoo does not know. Find it out before you use "
        "the model commercially or pass it on.",
    }[terms(summary)]
    lines = [f"- Code: Apache-2.0.\n- Data: {stated}.\n- Weights: {weights}"]
    if "encoder" in data:
        lines.append(f"- Pretrained part: {data['encoder']}.")
    return "\n".join(lines)


def _use(summary: cards.Summary, folder: Path) -> str:
    recipe = _recipe(summary)
    texts = readable_inputs(folder)
    kind = recipe.inputs.removesuffix("s") if recipe else "input"
    asked = json.dumps(texts[0] if texts else f"{kind}.png" if kind in ("file", "image") else kind, ensure_ascii=False)
    return f"""    zoo {summary.task} --model {summary.name} {asked}

```python
from zoo import saved

model = saved.load("{summary.name}")
model.predict({asked})
```"""


def readable_inputs(folder: Path) -> list[str]:
    """Inputs that are kept with a model and that a person can read."""
    return [item["input"] for item in _golden(folder)]


def _shown(summary: cards.Summary, folder: Path) -> list[Mapping[str, str]]:
    """Inputs with their answers: measured ones, else those kept with the model."""
    return list(summary.measured.get("shown") or _golden(folder))[:MOST_SHOWN]


def _golden(folder: Path) -> list[Mapping[str, str]]:
    """Inputs that are kept with a model, as far as they can be read, with their answers."""
    try:
        golden = schema.read(folder, "golden.json")
        pairs = list(zip(golden["inputs"], golden["outputs"], strict=True))
    except (UserError, KeyError, TypeError, ValueError):
        return []
    return [
        {"input": text, "answer": answer_text(answer)}
        for text, answer in pairs
        if isinstance(text, str) and is_readable(text)
    ]


def is_readable(text: str) -> bool:
    """Whether an input is a text that a person can read: no picture as a `data:` URI, no list of numbers."""
    return bool(text) and not text.startswith(("data:", "["))


def answer_text(answer: Any) -> str:
    """What a task answered, as one line: the main entry of its JSON object, with its probability."""
    if not isinstance(answer, Mapping):
        return str(answer)
    for key in ("answer", *FIRST_KEYS):
        if key in answer:
            return _value_text(answer[key]) + (f" ({answer['probability']:.3f})" if "probability" in answer else "")
    return json.dumps(answer, ensure_ascii=False)


def _value_text(value: Any) -> str:
    if isinstance(value, Sequence) and not isinstance(value, str):
        parts = [item if isinstance(item, Mapping) else {} for item in value]
        if all("word" in part for part in parts):
            return " ".join(f"{part['word']}/{part.get('label')}" for part in parts)
        if all("label" in part for part in parts):
            return "; ".join(f"{part.get('start')}-{part.get('end')} {part['label']}" for part in parts)
    return str(value)


def _examples(summary: cards.Summary, folder: Path) -> str:
    shown = _shown(summary, folder)
    if not shown:
        return UNMEASURED
    truths = any(item.get("truth") for item in shown)
    head = ("input", "answer", "truth") if truths else ("input", "answer")
    return cards.markdown(head, ([_cell(item.get(name, "")) for name in head] for item in shown))


def _cell(text: str) -> str:
    """A text as a cell of a Markdown table: in one line, shortened, nothing in it is read as markup."""
    text = text if len(text) <= LONGEST else f"{text[:LONGEST]} …"
    escaped = re.sub(r"([\\`*_{}\[\]|#])", r"\\\1", html.escape(text, quote=False))
    return escaped.replace("\r", " ").replace("\n", "<br>")


def _line(text: str) -> str:
    """A text in one line in which nothing is read as HTML."""
    return " ".join(html.escape(text, quote=False).split())


def _scores(summary: cards.Summary, folder: Path) -> str:
    metrics = summary.metrics
    splits = list(metrics["scores"])
    names = list(dict.fromkeys(name for split in splits for name in metrics["scores"][split]))
    table = cards.markdown(
        ("score", *splits, "what it is"),
        (
            (name, *(cards.number(metrics["scores"][s].get(name, "")) for s in splits), scores.definition(name))
            for name in names
        ),
    )
    training = metrics["training"]
    chosen = training.get("chosen_by", metrics["monitor"])
    text = (
        f"Weights are those of epoch {training['best_epoch']} of {training['epochs']}, chosen by validation "
        f"`{chosen}`; {_scored(summary)}."
    )
    recipe, interval = _recipe(summary), summary.measured.get("interval")
    if recipe and recipe.validation:
        text += f" {recipe.validation}"
    if interval:
        text += (
            f"\n\n`{interval['score']}` {cards.number(summary.monitored)}, 95 % interval "
            f"{cards.number(interval['low'])} to {cards.number(interval['high'])}: {cards.number(interval['draws'])} "
            "bootstrap draws over test examples. Another seed of the training is not counted."
        )
    if summary.measured.get("scores"):
        text += f"\n\nTest scores are of the saved weights, measured on {summary.measured['examples']:,} examples."
        text += _changed(summary, folder)
    if signatures := metrics["data"].get("scoring"):
        lines = signatures.items() if isinstance(signatures, Mapping) else [("scoring", signatures)]
        text += "\n\nSignatures:\n\n" + "\n".join(f"- {name}: `{value}`" for name, value in lines)
    return f"{table}\n\n{text}"


def _scored(summary: cards.Summary) -> str:
    """Whether the test split was scored, and by what."""
    if summary.split != "test":
        return "the test split was not scored"
    if summary.measured.get("scorings"):
        return "the test split was scored after that choice"
    return "the training scored the test split once, after that choice"


def _changed(summary: cards.Summary, folder: Path) -> str:
    """What the training itself had reported, where that is another number."""
    first = legacy.metrics(schema.read(folder, cards.METRICS))["scores"]["test"].get(summary.metrics["monitor"])
    if first is None or abs(first - summary.monitored) < 5e-5 * max(1.0, abs(first)):
        return ""
    return f" The training had reported {summary.metrics['monitor']} {cards.number(first)} before it saved them."


def _baselines(summary: cards.Summary) -> str:
    rows = summary.measured.get("baselines", {})
    if not rows:
        return UNMEASURED
    ours = {summary.name: summary.metrics["scores"]["test"]}
    names = list(dict.fromkeys(name for row in rows.values() for name in row))
    table = cards.markdown(
        ("what", *names),
        ((_cell(what), *(cards.number(row.get(name, "")) for name in names)) for what, row in {**ours, **rows}.items()),
    )
    return f"On the same test split, learned from the same training data.\n\n{table}"


def _history(summary: cards.Summary) -> str:
    earlier, scorings = summary.measured.get("test_split"), summary.measured.get("scorings", ())
    if not earlier and not scorings:
        own = "Once by this training, after the weights were chosen." if summary.split == "test" else "Not by this one."
        return f"{own} What was scored before, by other trainings on these data, is not known to this card."
    texts = []
    if earlier:
        times = f"{earlier['scored']:,} time{'s' * (earlier['scored'] != 1)}"
        texts.append(f"{times} that are written down, this model included. {earlier['note']}".rstrip())
    if scorings:
        texts.append(_ledger(scorings))
    return "\n\n".join(texts)


def _ledger(scorings: Sequence[Mapping[str, Any]]) -> str:
    """The scorings of a model as the ledger has them."""
    table = cards.markdown(
        ("date", "commit", "split", "score", "chosen among", "why again"),
        (
            (
                *(_cell(row[name]) for name in ("date", "commit", "split")),
                f"{_cell(row['monitor'])} {cards.number(row['scores'].get(row['monitor'], ''))}",
                _candidates(row),
                _cell(row.get("again", "")),
            )
            for row in scorings
        ),
    )
    return (
        "Every scoring of a model of this name on a test split, the oldest first. Candidates differ in their seed "
        f"alone and were compared by the validation split.\n\n{table}"
    )


def _candidates(row: Mapping[str, Any]) -> str:
    """How many candidates there were, and their validation scores: mean and standard deviation."""
    found = row.get("candidates")
    if not found:
        return ""
    count, mean = len(found["seeds"]), cards.number(found["mean"])
    if count == 1:
        return f"1 seed, validation {mean}"
    return f"{count} seeds, validation {mean} ± {cards.number(found['deviation'])}"


def _procedure(summary: cards.Summary, folder: Path) -> str:
    recipe = summary.recipe
    curves = f"![Learning curves]({cards.CURVES})\n\n" if (folder / cards.CURVES).is_file() else ""
    table = cards.markdown(
        ("setting", "value"), ((key, _cell(cards.inline(value))) for key, value in recipe["train"].items())
    )
    return f"""    {recipe["command"]}

{curves}<details>
<summary>All settings</summary>

{table}

</details>"""


def _size(summary: cards.Summary) -> str:
    lines = [
        f"- {cards.number(summary.metrics['training']['parameters'])} parameters; {summary.bytes / 1e6:.1f} MB on "
        f"disk; weights saved as {summary.recipe['train'].get('weights_dtype', 'float32')}."
    ]
    latency = summary.measured.get("latency", {})
    lines += [f"- {name}: {value:.4g}" for name, value in latency.items()]
    if not latency:
        lines.append("- Latency: not measured for this model.")
    else:
        lines.append(f"- Measured on {cards.cores(summary.measured)} ({summary.measured['machine']['processor']}).")
    return "\n".join(lines)


def _environment(summary: cards.Summary) -> str:
    metrics = summary.metrics
    before = metrics["training"].get("minutes_before")
    earlier = f", after {cards.inline(before)} of the models from which it started" if before else ""
    return (
        f"Trained for {cards.inline(metrics['training']['minutes'])} minutes{earlier}, "
        f"{cards.inline(metrics['training']['examples_per_second'])} examples per second, on {cards.cores(metrics)} "
        f"({metrics['machine']['processor']}), Keras {metrics['versions']['keras']} on "
        f"{metrics['versions']['backend']}, Python {metrics['versions']['python']}."
    )


def _citation(summary: cards.Summary) -> str:
    key = re.sub(r"\W", "_", summary.name)
    found = row(summary)
    text = f"""```bibtex
@software{{{key},
  title = {{{summary.name}: a recurrent model of the package zoo}},
  author = {{The authors of zoo}},
  version = {{{__version__}}},
  note = {{Task {summary.task}, cell {summary.cell}, data set {summary.dataset}}}
}}
```"""
    return f"{text}\n\nCite the data as well: {found.description}." if found else text


def about(summary: cards.Summary) -> Iterator[str]:
    """What a list of models says of the data of one: that they are synthetic, or for research only."""
    if summary.metrics["data"].get("synthetic"):
        yield "synthetic data"
    if terms(summary) == "research":
        yield "research only"
