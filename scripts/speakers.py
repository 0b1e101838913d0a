"""Spoken digits of unseen speakers: trains once for each speaker without any recording of his, and scores those.

    python scripts/speakers.py --models-dir saved_models --output tasks/classify/speakers.json

The recipe is the preset `spoken_digit`, whatever it is; nothing is chosen by these scores. An interrupted run goes on
where it was.
"""

import argparse
import dataclasses
import json
from pathlib import Path


def main() -> None:
    """Trains, and writes a table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n\n")[0])
    parser.add_argument("--models-dir", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--epochs", type=int, help="default that of the preset")
    options = parser.parse_args()
    from zoo.tasks.classify.spoken_digit.spoken_digit_dataset_builder import SPEAKERS

    from zoo import cards, saved, training
    from zoo.task import find

    task = find("classify")
    preset = task.recipe.train(**task.recipe.presets["spoken_digit"], seed=options.seed)
    preset = dataclasses.replace(preset, epochs=options.epochs or preset.epochs)
    rows = {}
    for speaker in SPEAKERS:
        path = options.models_dir / f"spoken_digit-without-{speaker}"
        recipe = dataclasses.replace(preset, dataset=f"spoken_digit/{speaker}")
        if (path / "metrics.json").exists():
            model = saved.load(path)
        else:
            model = training.train(task, recipe, path, resume=cards.under_way(path).exists())
        metrics = model.metrics
        rows[speaker] = {
            "accuracy": round(metrics["scores"]["test"]["accuracy"], 4),
            "validation": round(metrics["scores"]["validation"]["accuracy"], 4),
            "minutes": metrics["training"]["minutes"],
        }
        mean = sum(row["accuracy"] for row in rows.values()) / len(rows)
        result = {"seed": options.seed, "epochs": recipe.epochs, "mean": round(mean, 4), "speakers": rows}
        options.output.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
        print(speaker, rows[speaker], flush=True)


if __name__ == "__main__":
    main()
