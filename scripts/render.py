"""Rewrites every table and number in the documents from measured files.

    python scripts/render.py           write
    python scripts/render.py --check   exit with 1 if something would change, or a number is in no measured file

Cards and the table of models come from the JSON in `saved_models`; the rest of the numbers from `scripts/measured.json`
(written by the benchmarks), from `scripts/engine.json`, from `scripts/export.json` (by `scripts/export_table.py`), from
`scripts/board.json` (by `scripts/board.py`), from `scripts/scale.json` (by `scripts/scale.py`), from
`scripts/transformer.json` (by `scripts/transformer.py`), from `scripts/ablations.json` (by `scripts/ablations.py`) and
from each task's `experiments.csv`, `experiments-NAME.csv`.
In a document, what stands between `<!-- NAME -->` and `<!-- /NAME -->` is replaced.
"""

import csv
import json
import re
import sys
from pathlib import Path

import ablations
import board_tables
import engine_bars
import engine_chart
import export_table
import measured
import scale_model
import transformer
import unmeasured

from zoo import cards
from zoo.scores import definition
from zoo.storage import model_card
from zoo.terminal import listing

ROOT = Path(__file__).resolve().parent.parent
CHART = ROOT / "scripts" / "engine.png"
MODELS = ROOT / "saved_models"
SCALE = ROOT / "scripts" / "scale.md"
WIDTH = 100
"""Columns of the terminal whose lines the README shows."""

TRANSLATE = ("bleu", "bleu_greedy", "bleu_lc_tok", "bleu_lc_tok_greedy", "chrf")
CAPTION = ("bleu_1", "bleu_2", "bleu_3", "bleu_4", "rouge_l", "cider")
CHARLM = ("loss", "bits_per_character", "perplexity")
TAG = ("accuracy", "macro_f1")
CLASSIFY = ("accuracy", "macro_f1", "log_loss", "ece")
"""The test scores in a task's table."""


def published() -> list[cards.Summary]:
    """The models that pyproject.toml names; others in the folder are somebody's own."""
    names = re.findall(r'^"saved_models/([^"]+)" = ', (ROOT / "pyproject.toml").read_text("utf-8"), re.MULTILINE)
    return [cards.summarize(MODELS / name) for name in sorted(names)]


def blocks() -> dict[str, str]:
    """Text by marker name."""
    facts = measured.read()
    summaries = published()
    first = facts["first_run"]
    tests, served = facts["tests"], facts["evaluate"]["sentiment-gru-imdb"]
    return {
        "models": cards.table(summaries, model_card.about).replace("](", "](saved_models/"),
        "first-run": (
            f"It installs, trains for {first['seconds']} seconds on {first['cores']} cores, and ends with\n\n"
            "    saved_models/sentiment-gru-reviews-2\n" + "\n".join(f"    {line}" for line in _last_lines(first))
        ),
        "tests": (
            f"They take {tests['seconds'] / 60:.1f} minutes on {tests['cores']} cores after the installation, and "
            f"end with `{tests['passed']} passed`."
        ),
        "kills": kills(facts),
        "throughput": (
            f"`zoo evaluate sentiment-gru-imdb` scores {served['examples']:,} reviews at "
            f"{served['examples_per_second']:.0f} per second on {served['cores']} cores, tokenization included."
        ),
        "engine": engine_table(engine()),
        "engine-more": engine_more(engine()),
        "engine-gpu": engine_gpu_table(engine("engine_gpu.json")),
        "translations": scores(summaries, "translate", TRANSLATE),
        "translation-splits": further_splits(summaries, "translate", TRANSLATE[:4]),
        "translation-speed": translation_speed(facts["translate"]),
        "captions": scores(summaries, "caption", CAPTION, some=("fact_accuracy",)),
        "caption-speed": caption_speed(facts["caption"]),
        "charlms": scores(summaries, "charlm", CHARLM, digits=4),
        "shakespeare": shakespeare(facts["evaluate"], facts["shakespeare"]),
        "tags": scores(summaries, "tag", TAG, some=("span_f1",), digits=4),
        "classifiers": scores(summaries, "classify", CLASSIFY, digits=4),
        "memory": memory(facts["memory"]),
        "parity": parity(json.loads((ROOT / "tasks" / "tag" / "parity.json").read_text("utf-8"))),
        "exports": exports(export_table.read()),
        **{f"ablations-{task}": ablations.block(task) for task in ablations.LESS},
        **{f"transformer-{task}": transformer.table(task) for task in transformer.SETTINGS},
        "runtime": runtime_speed(facts.get("runtime")),
        **board_tables.blocks(),
    }


def kills(facts: dict) -> str:
    """What `scripts/kill.py` counted, with one process and with several."""
    texts = []
    for name, of in (("kills", "trainings"), ("kills_of_workers", "trainings by two workers")):
        if row := facts.get(name):
            signals = ", ".join(f"{count} {signal}" for signal, count in row["signals"].items())
            texts.append(
                f"{sum(row['signals'].values())} kills at random moments ({signals}) of {row['trainings']} {of} "
                f"({', '.join(row['tasks'])}): {row['identical']} ended as undisturbed ones do."
            )
    return "\n".join(texts)


def scores(
    summaries: list[cards.Summary], task: str, names: tuple[str, ...], some: tuple[str, ...] = (), digits: int = 2
) -> str:
    """Scores of a task's published models on their test split; `some` are those that not every model has."""
    return cards.markdown(
        ("model", *names, *some, "seed", "epochs", "minutes"),
        (
            (
                f"[{item.name}](../../saved_models/{item.name}/README.md)",
                *(f"{item.metrics['scores']['test'][name]:.{digits}f}" for name in names),
                *(_rounded(item.metrics["scores"]["test"].get(name), digits) for name in some),
                item.recipe["train"]["seed"],
                item.metrics["training"]["epochs"],
                cards.minutes(item.metrics["training"]),
            )
            for item in summaries
            if item.task == task
        ),
    )


def further_splits(summaries: list[cards.Summary], task: str, names: tuple[str, ...]) -> str:
    """Scores of a task's published models on splits beside validation and test."""
    return cards.markdown(
        ("model", "split", *names),
        (
            (item.name, split, *(f"{row[name]:.2f}" for name in names))
            for item in summaries
            for split, row in item.metrics["scores"].items()
            if item.task == task and split not in ("validation", "test")
        ),
    )


def _rounded(value: float | None, digits: int = 2) -> str:
    return "" if value is None else f"{value:.{digits}f}"


def translation_speed(rows: dict[str, dict]) -> str:
    """How fast translators answer and learn, as `scripts/bench_translate.py` measured it."""
    texts = []
    for name, row in rows.items():
        both = row.get("beside_joey_beam5_batch64")
        ratio = (
            f" In one run beside Joey NMT with a like model, beam 5 in batches of 64: {both['ours']:.0f} and "
            f"{both['joey']:.0f}, {both['ours'] / both['joey']:.1f} times as many."
            if both
            else ""
        )
        texts.append(
            f"`{name}` on {row['cores']} cores, the {row['sentences']:,} sentences of its test split: beam 5 in "
            f"batches of 64, {row['beam5_batch64']:.0f} sentences per second; one at a time "
            f"{row['beam5_batch1']:.0f}; greedy {row['beam1_batch64']:.0f} and {row['beam1_batch1']:.0f}. "
            f"The whole `zoo translate`, loading included, takes {row['command_seconds']:.0f} seconds. "
            f"It learns from {row['training_tokens_per_second']:,} target tokens per second.{ratio}"
        )
    return "\n\n".join(texts)


def caption_speed(rows: dict[str, dict]) -> str:
    """How fast captioners answer and learn, as `scripts/bench_caption.py` measured it."""
    return "\n\n".join(
        f"`{name}` on {row['cores']} cores: the {row['pictures']:,} pictures of its test split are read, seen and "
        f"described by a beam of {row['beam']} in {row['test_seconds']:.0f} seconds; an epoch over "
        f"{row['captions']:,} captions, with what the encoder saw from the disk, takes {row['epoch_seconds']:.0f}."
        for name, row in rows.items()
    )


def shakespeare(rows: dict[str, dict], others: dict[str, dict]) -> str:
    """Nats per character on what others report, the last tenth of the plays, on its two halves, and in other ways."""
    return cards.markdown(
        ("model", "validation+test", "validation", "test", "windows of 256", "dynamic evaluation", "chunks per second"),
        (
            (
                name,
                *(f"{rows[f'{name} {split}']['loss']:.4f}" for split in ("validation+test", "validation", "test")),
                f"{other['windows']:.4f}",
                f"{other['dynamic']:.4f} at a rate of {other['rate']}",
                f"{whole['examples_per_second']:.0f} on {whole['cores']} cores",
            )
            for name, other in others.items()
            for whole in [rows[f"{name} validation+test"]]
        ),
    )


def memory(found: dict) -> str:
    """What `zoo lens memory` came to."""
    distances = list(found["results"][0]["accuracy"])
    return cards.markdown(
        ("cell", "seed", *(f"{distance} steps" for distance in distances), "right up to"),
        (
            (row["cell"], row["seed"], *(f"{row['accuracy'][d]:.2f}" for d in distances), row["remembers"])
            for row in found["results"]
        ),
    )


def exports(found: dict) -> str:
    """Exports beside Keras, as `scripts/export_table.py` measured them."""
    if not found["rows"]:
        return "Not measured yet: `python scripts/export_table.py`."
    table = cards.markdown(
        ("model", "format", "largest difference", "equal answers", "score", "MB", "batch of 1, ms", "batch of 32, ms"),
        (
            (
                row["model"],
                " ".join(filter(None, (row["format"], row["quantize"]))),
                f"{row['max_difference']:.0e}",
                f"{100 * row['equal_answers']:.1f} % of {row['examples']['count']}",
                f"{row['score']['name']} {cards.number(row['score']['export'])}, "
                f"in Keras {cards.number(row['score']['keras'])}",
                f"{row['bytes']['export'] / 1e6:.2f}",
                *(_beside(row["milliseconds"], size) for size in ("1", "32")),
            )
            for row in found["rows"]
        ),
    )
    have = {row["model"] for row in found["rows"]}
    without = ", ".join(f"`{item.name}`" for item in published() if item.name not in have)
    return (
        f"Measured on {found['cores']} cores, on the first examples of each test split; latencies of the export / of "
        f"Keras. Without an export{f': {without}' if without else ': none'}.\n\n{table}"
    )


def _last_lines(first: dict) -> list[str]:
    """What a training says of its test scores, as `zoo train` prints it."""
    names = [name for name in first if name not in ("seconds", "cores")]
    rows = [(f"test {name}", cards.number(first[name]), definition(name)) for name in names]
    return listing.table(rows, WIDTH)


def runtime_speed(row: dict | None) -> str:
    """ONNX Runtime beside Keras, as `scripts/bench_runtime.py` measured it."""
    if row is None:
        return "Not measured yet: `python scripts/bench_runtime.py`."
    return cards.markdown(
        (f"on {row['cores']} cores", "ONNX Runtime", "Keras", "Keras without compiled kernels"),
        (
            (
                "`translate-gru-multi30k-en-de`, greedy, one at a time",
                *_sides(row, "translate_batch1_per_second", "/s"),
            ),
            ("`sentiment-gru-imdb`, a batch of 32 reviews", *_sides(row, "sentiment_batch32_ms", " ms")),
            ('the whole `zoo sentiment "a fine film"`', _cold(row, "sentiment"), "", ""),
            ("the whole `zoo translate` of a sentence", _cold(row, "translate"), "", ""),
        ),
    )


def _sides(row: dict, name: str, unit: str) -> list[str]:
    return [f"{row[f'{name}_{side}']:.1f}{unit}" for side in ("onnx", "keras", "plain")]


def _cold(row: dict, name: str) -> str:
    return f"{row[f'{name}_cold_seconds']:.2f} s, of the CPU {row[f'{name}_cold_cpu_seconds']:.2f} s"


def _beside(milliseconds: dict, size: str) -> str:
    return f"{milliseconds['export'][size]:.1f} / {milliseconds['keras'][size]:.1f}"


def engine(name: str = "engine.json") -> dict:
    """What `scripts/bench_engine.py` measured."""
    return json.loads((ROOT / "scripts" / name).read_text(encoding="utf-8"))


def parity(found: dict) -> str:
    """What `zoo lens memory --test parity` came to: for each cell the mean over seeds, and the range if they differ."""
    cells = list(dict.fromkeys(row["cell"] for row in found["results"]))
    distances = list(found["results"][0]["accuracy"])
    rows = []
    for cell in cells:
        mine = [row["accuracy"] for row in found["results"] if row["cell"] == cell]
        rows.append((f"`{cell}`", len(mine), *(_mean_and_range([row[d] for row in mine]) for d in distances)))
    return cards.markdown(("cell", "seeds", *(f"{distance} bits" for distance in distances)), rows)


def _mean_and_range(values: list[float]) -> str:
    mean = f"{sum(values) / len(values):.2f}"
    least, most = f"{min(values):.2f}", f"{max(values):.2f}"
    return mean if least == most else f"{mean} ({least} to {most})"


def engine_table(found: dict) -> str:
    """Speed of the engine beside Keras, PyTorch and ONNX Runtime, in training and inference."""
    names = {"training": "training", "bidirectional": "training, both directions", "inference": "inference",
             "jax": "training on JAX"}  # fmt: skip
    rows = [row for row in found["rows"] if row["what"] in names and row["cell"] != "mingru"]
    table = cards.markdown(
        ("what", "cell", "batch x steps, features -> units", "ms", *engine_bars.OTHERS.values()),
        (
            (
                names[row["what"]],
                row["cell"],
                "{} x {}, {} -> {}".format(*row["shape"]),
                f"{row['ms']['engine']['median']:.1f}",
                *(_rounded(row["ratio"].get(other)) for other in engine_bars.OTHERS),
            )
            for row in rows
        ),
    )
    return (
        f"Medians on {found['cores']} cores. The last three columns say how many times as long the others take: above "
        f"1, ours is faster.\n\n{table}"
    )


def engine_gpu_table(found: dict) -> str:
    """Speed of training steps on a GPU beside Keras and PyTorch."""
    others = {name: engine_bars.OTHERS[name] for name in ("keras", "torch")}
    rows = (
        (
            *row["what"].split()[1:],
            row["cell"].replace("mingru", "min_gru"),
            "{} x {}, {} -> {}".format(*row["shape"]),
            row["path"],
            f"{row['ms']['engine']['median']:.1f}",
            *(_rounded(row["ratio"].get(other)) for other in others),
        )
        for row in found["rows"]
    )
    head = ("backend", "precision", "cell", "batch x steps, features -> units", "path", "ms", *others.values())
    return f"One {found['rows'][0]['card']}:\n\n{cards.markdown(head, rows)}"


def engine_more(found: dict) -> str:
    """Memory and first epoch."""
    texts = []
    for row in found["rows"]:
        if row["what"] == "memory":
            batch, steps, features, units = row["shape"]
            ours, keras = row["megabytes"]["engine"], row["megabytes"]["keras"]
            texts.append(
                f"A training step over {steps:,} steps ({row['cell']}, {batch} sequences, {features} -> {units}) takes "
                f"{ours:.0f} MB, with Keras's layer {keras:.0f} MB."
            )
        if row["what"] == "first epoch":
            spent = row["seconds"]
            texts.append(
                f"A first epoch of 20 batches ({row['cell']}, the first shape above), tracing included, takes "
                f"{spent['engine']:.1f} s, with Keras's layer {spent['keras']:.1f} s, and "
                f"{spent['engine, compiling']:.1f} s if kernels have to be compiled."
            )
    return "\n".join(texts)


def experiments(file: Path) -> str:
    """A task's table of what was tried."""
    with file.open(encoding="utf-8", newline="") as stream:
        head, *rows = csv.reader(stream)
    return cards.markdown(head, rows)


def filled(text: str, values: dict[str, str]) -> str:
    """The document with each marked block replaced."""
    for name, value in values.items():
        pattern = re.compile(rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)", re.DOTALL)
        text = pattern.sub(lambda match, value=value: f"{match[1]}{value}\n{match[2]}", text)
    return text


def documents() -> dict[Path, str]:
    """Every document as it should be."""
    values = blocks()
    expected = {ROOT / "README.md": filled((ROOT / "README.md").read_text(encoding="utf-8"), values)}
    others = [ROOT / "zoo" / "export" / "README.md", ROOT / "tasks" / "README.md"]
    for readme in sorted([*others, *(ROOT / "tasks").glob("*/README.md")]):
        own = dict(values)
        own |= {file.stem: experiments(file) for file in sorted(readme.parent.glob("experiments*.csv"))}
        expected[readme] = filled(readme.read_text(encoding="utf-8"), own)
    summaries = published()
    for item in summaries:
        expected[item.path / cards.CARD] = model_card.render(item)
    if SCALE.with_suffix(".json").exists():
        expected[SCALE] = scale_model.document(json.loads(SCALE.with_suffix(".json").read_text(encoding="utf-8")))
    head = "# Published models\n\nRendered from the JSON files of each folder.\n\n"
    expected[MODELS / "README.md"] = head + cards.table(summaries, model_card.about) + "\n"
    return expected


def main() -> int:
    check = "--check" in sys.argv
    expected = documents()
    stale = [file for file, text in expected.items() if not file.exists() or file.read_text("utf-8") != text]
    for file in stale:
        print("stale:" if check else "wrote", file.relative_to(ROOT))
        if not check:
            file.write_text(expected[file], encoding="utf-8")
    written_by_hand = {file: text for file, text in expected.items() if MODELS not in file.parents and file != SCALE}
    unknown = unmeasured.check(written_by_hand)
    print(*unknown, sep="\n", end="\n" if unknown else "")
    if old := engine_chart.stale(CHART, engine()):
        print("stale:" if check else "wrote", CHART.relative_to(ROOT))
        if not check:
            engine_chart.draw(CHART, engine())
    return int(check and bool(stale or old or unknown))


if __name__ == "__main__":
    sys.exit(main())
