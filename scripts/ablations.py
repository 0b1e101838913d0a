"""Ablations: trains a preset, and the same preset with one thing less at a time, and compares them on validation.

    python scripts/ablations.py classify --seeds 1,2,3
    python scripts/ablations.py tag --only whole,no-characters -- --dataset en_ewt-ud-train.conllu --word-vectors v.vec
    python scripts/ablations.py translate -- --epochs 12 --units 128

What follows `--` are further options of `zoo train`, the same for each training, and stand in the table. No training
scores the test split. An interrupted run goes on where it was; trainings that are there are not repeated. The results
are kept in scripts/ablations.json, from which `scripts/render.py` writes the tables of the tasks' READMEs.
"""

import argparse
import json
import shlex
import statistics
import subprocess
import sys
import zlib
from pathlib import Path
from typing import Any

import measured

from zoo import cards
from zoo.errors import UserError
from zoo.settings import seeds

FILE = Path(__file__).parent / "ablations.json"

WHOLE = "whole"
"""The preset itself."""

NO_DROPOUT = "--embedding-dropout 0 --dropout 0 --output-dropout 0"

PRESETS = {
    "sentiment": "imdb", "translate": "multi30k-en-de", "caption": "flickr8k", "charlm": "tiny_shakespeare",
    "tag": "ud_en_ewt", "classify": "spoken_digit",
}  # fmt: skip

LESS: dict[str, dict[str, str]] = {
    "sentiment": {
        "no-pretraining": "--pretrain-epochs 0",
        "no-self-training": "--self-training-epochs 0",
        "no-pseudo-labels": "--no-pseudo-labels --self-training-epochs 0",
        "forward": "--no-bidirectional",
        "no-word-bag": "--no-pool-embeddings",
        "no-word-dropout": "--word-dropout 0",
    },
    "translate": {
        "no-conditional-cell": "--no-conditional-cell",
        "no-average": "--ema-momentum 0",
        "no-smoothing": "--label-smoothing 0",
        "no-word-dropout": "--word-dropout 0",
        "no-dropout": f"--word-dropout 0 {NO_DROPOUT}",
        "two-vocabularies": "--no-shared-vocabulary",
    },
    "caption": {
        "no-reward": "--reward-epochs 0",
        "no-conditional-cell": "--no-conditional-cell",
        "no-average": "--ema-momentum 0",
        "no-smoothing": "--label-smoothing 0",
        "no-dropout": NO_DROPOUT,
    },
    "charlm": {
        "no-average": "--ema-momentum 0",
        "one-layer": "--num-layers 1",
        "no-dropout": NO_DROPOUT,
        "no-output-dropout": "--output-dropout 0",
        "no-warmup": "--warmup 0",
    },
    "tag": {
        "no-characters": "--character-units 0",
        "no-vectors": "without --word-vectors",
        "no-word-dropout": "--word-dropout 0",
        "no-average": "--ema-momentum 0",
        "forward": "--no-bidirectional",
    },
    "classify": {
        "no-convolutions": "--conv-filters 0",
        "forward": "--no-bidirectional",
        "no-attention": "--pooling last",
        "no-speed": "--speed-range 0",
        "no-shift": "--time-shift 0",
        "no-noise": "--noise 0",
        "no-average": "--ema-momentum 0",
    },
}
"""For each task, names and options of what is left out; "without OPTION" takes one of the further options away."""


def variants(task: str) -> dict[str, str]:
    """Names of a task's trainings, with their options."""
    return {WHOLE: "", **LESS[task]}


def arguments(task: str, less: str, more: list[str]) -> list[str]:
    """The arguments of `zoo train`.

    Args:
        task: Its name.
        less: A value of `variants`.
        more: Further options.

    Raises:
        UserError: If an option to take away is not among them.
    """
    taken = less.removeprefix("without ")
    if taken != less:
        if taken not in more:
            raise UserError(f"{less}: give {taken} after --, or leave this ablation out by --only.")
        at = more.index(taken)
        more, less = more[:at] + more[at + 2 :], ""
    return [task, "--preset", PRESETS[task], *more, *shlex.split(less), "--no-score-test"]


def train(arguments: list[str], path: Path, seed: int) -> cards.Summary:
    """Trains, or goes on, or reads what is there.

    Raises:
        CalledProcessError: If the training fails.
    """
    if not (path / cards.METRICS).exists():
        resume = ["--resume"] if cards.under_way(path).exists() else []
        where = ["--models-dir", str(path.parent), "--name", path.name]
        command = [sys.executable, "-m", "zoo", "train", *arguments, *where, "--seed", str(seed), *resume]
        subprocess.run(command, check=True)
    return cards.summarize(path)


def read() -> dict[str, Any]:
    """What was measured, by task."""
    return measured.read(FILE)


def shown(more: list[str]) -> str:
    """Further options as a line, without the folders of files."""
    return shlex.join(Path(word).name if "/" in word and not word.startswith("-") else word for word in more)


def check_options(task: str, more: list[str]) -> None:
    """Refuses options other than those of the table.

    Raises:
        UserError: If the table has trainings with other options.
    """
    table = read().get(task, {})
    if table and (table["preset"], table["options"]) != (PRESETS[task], shown(more)):
        raise UserError(
            f"{FILE.name} has trainings of {task} with the options {table['options']!r}; got {shown(more)!r}. Use the "
            "same, or delete the entry."
        )


def keep(task: str, name: str, more: list[str], summary: cards.Summary) -> None:
    """Writes the validation score of a training."""
    kept, metrics = read(), summary.metrics
    table = kept.setdefault(
        task, {"preset": PRESETS[task], "options": shown(more), "monitor": metrics["monitor"], "rows": {}}
    )
    table["rows"].setdefault(name, {})[str(summary.recipe["train"]["seed"])] = {
        "score": metrics["scores"]["validation"][table["monitor"]],
        "minutes": metrics["training"]["minutes"],
        "cores": metrics["machine"]["cores"],
    }
    measured.write(kept, FILE)


def block(task: str) -> str:
    """The table of a task's README, with the command that measures it."""
    found = read().get(task, {})
    options, rows = found.get("options", ""), found.get("rows", {})
    whole = {seed: item["score"] for seed, item in rows.get(WHOLE, {}).items()}
    lines = [
        (
            name, ", ".join(rows.get(name, {})), *_scores(rows.get(name, {}), whole if name != WHOLE else {}),
            f"`{less}`" if less else "",
        )
        for name, less in variants(task).items()
    ]  # fmt: skip
    head = ("what", "seeds", f"validation {found.get('monitor', '')}".rstrip(), "minus the whole", "minutes", "options")
    command = f"python scripts/ablations.py {task} --seeds 1,2,3" + (f" -- {options}" if options else "")
    return f"    {command}\n\n{cards.markdown(head, lines)}"


def _scores(row: dict[str, Any], whole: dict[str, float]) -> tuple[str, str, str]:
    """Mean and deviation of the scores, mean difference of equal seeds, and minutes."""
    if not row:
        return "not measured", "", ""
    scores = {seed: item["score"] for seed, item in row.items()}
    digits = 2 if max(map(abs, scores.values())) > 2 else 4
    text = f"{statistics.mean(scores.values()):.{digits}f}"
    if len(scores) > 1:
        text += f" ({statistics.stdev(scores.values()):.{digits}f})"
    differences = [scores[seed] - whole[seed] for seed in scores if seed in whole]
    minutes = [item["minutes"] for item in row.values()]
    return text, f"{statistics.mean(differences):+.{digits}f}" if differences else "", f"{statistics.mean(minutes):.1f}"


def main() -> None:
    """Trains what is missing."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("task", choices=list(LESS))
    parser.add_argument("--only", help="names of trainings, separated by commas; default all")
    parser.add_argument("--seeds", default="1", help="seeds, separated by commas")
    parser.add_argument("--folder", type=Path, default=Path("comparisons/ablations"), help="folder of the trainings")
    words = sys.argv[1:]
    end = words.index("--") if "--" in words else len(words)
    options, more = parser.parse_args(words[:end]), words[end + 1 :]
    task, known = options.task, variants(options.task)
    names = options.only.split(",") if options.only else list(known)
    if unknown := [name for name in names if name not in known]:
        parser.error(f"no ablation of {task} is called {unknown[0]!r}; known: {', '.join(known)}")
    try:
        check_options(task, more)
        # Trainings with other options have a folder of their own.
        folder = options.folder / f"{task}-{zlib.crc32(json.dumps(more).encode()):08x}"
        for seed in seeds(options.seeds):
            for name in names:
                summary = train(arguments(task, known[name], more), folder / f"{name}-{seed}", seed)
                keep(task, name, more, summary)
    except UserError as error:
        sys.exit(f"Error: {error}")


if __name__ == "__main__":
    main()
