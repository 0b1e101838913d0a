"""Chooses among trainings by their validation score, scores the best one on the test split once, and publishes it.

    zoo train tag --preset ud_en_ewt --no-score-test --seed 1 --name tag-1      # and so on for other seeds
    python scripts/publish.py tag-lstm-ud_en_ewt saved_models/tag-1 saved_models/tag-2 saved_models/tag-3

The candidates differ in their seed alone. The scores, the commit and the date go into scripts/ledger.json. These rows,
the bootstrap interval and the baselines on the same split go into `measured.json` of the published folder, from which
the card is rendered. A test split that was scored before for a model of this name is refused; `--again REASON` scores
it once more, and the reason is written down and shown.
"""

import argparse
import csv
import dataclasses
import json
import re
import shutil
import statistics
import sys
from pathlib import Path
from typing import Any

import describe
import ledger

from zoo import cards, figures, saved
from zoo.task import find

ROOT = Path(__file__).parents[1]

SAMPLE = {"seed": None, "max_minutes": None}
"""Settings in which candidates may differ."""


def candidate(path: Path) -> dict[str, Any]:
    """What is known of a training: its folder, recipe, metrics and validation score.

    Raises:
        SystemExit: If its test split was scored already: then it may have been chosen by that.
    """
    recipe, metrics = (
        json.loads((path / name).read_text(encoding="utf-8")) for name in ("recipe.json", "metrics.json")
    )
    if metrics["scores"]["test"]:
        sys.exit(f"{path} has a test score already. Train candidates with --no-score-test.")
    score = metrics["scores"]["validation"][metrics["monitor"]]
    return {"path": path, "recipe": recipe, "metrics": metrics, "seed": recipe["train"]["seed"], "validation": score}


def best(candidates: list[dict[str, Any]]) -> dict[str, Any]:
    """The candidate with the best validation score.

    Raises:
        SystemExit: If they differ in more than their seeds, so that they are no sample of one recipe.
    """
    recipes = [
        # Settings that came into the program later had their default then.
        {**dataclasses.asdict(find(item["recipe"]["task"]).recipe.configure(item["recipe"]["train"])), **SAMPLE}
        for item in candidates
    ]
    if any(recipe != recipes[0] for recipe in recipes):
        sys.exit("The candidates' recipes differ in more than the seed. Give trainings of one recipe.")
    higher = candidates[0]["metrics"]["higher_is_better"]
    return (max if higher else min)(candidates, key=lambda item: item["validation"])


def without_paths(recipe: dict[str, Any]) -> dict[str, Any]:
    """The recipe as others may use it: files are called by their names, and the test split is scored."""
    train, command = dict(recipe["train"]), recipe.get("command", "")
    for name, value in train.items():
        for word in value.split(",") if isinstance(value, str) else ():  # --teachers has several
            if Path(word).is_absolute():
                train[name] = train[name].replace(word, Path(word).name)
                command = command.replace(word, Path(word).name)
    # Where the candidate lay, and that it was one of several.
    command = re.sub(r" --(name|models-dir) \S+| --no-(score-test|plot)", "", command)
    return {**recipe, "train": {**train, "score_test": True}, "command": command}


def spread(candidates: list[dict[str, Any]]) -> dict[str, Any]:
    """Mean and standard deviation of the validation scores, and each of them by seed."""
    values = [item["validation"] for item in candidates]
    deviation = statistics.stdev(values) if len(values) > 1 else 0.0
    by_seed = {str(item["seed"]): round(item["validation"], 5) for item in candidates}
    return {"mean": round(statistics.mean(values), 5), "deviation": round(deviation, 5), "seeds": by_seed}


def main(arguments: list[str] | None = None) -> None:
    """Publishes a model."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n\n")[0])
    parser.add_argument("name", help="name of the published model")
    parser.add_argument("candidates", nargs="+", type=Path, help="folders of trainings of one recipe")
    parser.add_argument("--dataset", help="where the data lie now, if not where they were")
    parser.add_argument("--split", default="test")
    parser.add_argument("--also", nargs="*", default=(), metavar="SPLIT", help="further splits that are scored as well")
    parser.add_argument("--again", metavar="REASON", help="score a split that was scored before, and say why")
    parser.add_argument("--models-dir", type=Path, default=ROOT / "saved_models")
    options = parser.parse_args(arguments)
    candidates = [candidate(path) for path in options.candidates]
    chosen = best(candidates)
    dataset = chosen["metrics"]["data"]["name"]
    before = {split: ledger.earlier(options.name, dataset, split) for split in (options.split, *options.also)}
    for split, rows in before.items():
        if rows and not options.again:
            sys.exit(
                f"{options.name} was scored on {split} of {dataset} on {rows[-1]['date']}. A split that was looked at "
                "flatters; if there is a reason, give --again REASON, which the ledger and the card show."
            )
    target = options.models_dir / options.name
    model = describe.located(saved.load(chosen["path"]), options.dataset)
    measured, rows = {split: describe.scores(model, split) for split in before}, []
    for split, scored in measured.items():
        rows.append(ledger.record(
            options.name, dataset, split, scored["scores"], chosen["metrics"]["monitor"],
            candidates=spread(candidates), **({"again": options.again} if before[split] else {}),
        ))  # fmt: skip
    found = measured[options.split] | describe.baselines(model, options.split)
    if target.exists():
        shutil.rmtree(target)
    shutil.copytree(chosen["path"], target)
    metrics = {**chosen["metrics"], "candidates": spread(candidates)}
    metrics["scores"] = {**metrics["scores"], **{split: scored["scores"] for split, scored in measured.items()}}
    (target / "recipe.json").write_text(
        json.dumps(without_paths(chosen["recipe"]), indent=1, ensure_ascii=False) + "\n", encoding="utf-8"
    )
    with (target / "history.csv").open(encoding="utf-8", newline="") as stream:
        history = [{name: float(value) for name, value in row.items() if value} for row in csv.DictReader(stream)]
    figures.draw_curves(target / "curves.png", history, metrics["monitor"])
    (target / cards.MEASURED).unlink(missing_ok=True)
    # The card shows interval and baselines beside the scores of the split called test.
    describe.keep(target, {**(found if options.split == "test" else {}), "scorings": ledger.for_card(options.name)})
    saved.update_metrics(target, metrics)
    saved.load(target)
    print(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
