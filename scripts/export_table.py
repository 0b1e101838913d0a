"""Export published models in all formats, compare each export with Keras, and write `scripts/export.json`.

    python scripts/export_table.py                                   all published models, in about an hour
    python scripts/export_table.py tag-gru-clips --examples 20       one of them; rows of others stay as they are

Everything is written to a temporary folder. `scripts/render.py` makes the table of what was measured. Run it where
nothing else runs: latencies are the fastest of a few runs, on all cores.
"""

import argparse
import json
import os
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FILE = ROOT / "scripts" / "export.json"

WRITTEN = (
    ("onnx", None), ("onnx", "int8"),
    ("savedmodel", None), ("savedmodel", "int8"),
    ("litert", None), ("litert", "int8"),
)  # fmt: skip
"""Formats, with what the weights are stored as."""


def measured(model, format: str, quantize: str | None, examples: int) -> dict:
    """A row: an export beside Keras."""
    with tempfile.TemporaryDirectory() as folder:
        path = model.export(Path(folder) / format, format, quantize=quantize, examples=examples)
        facts = json.loads((path / "parity.json").read_text(encoding="utf-8"))
    monitor = model.metrics["monitor"]
    scores = {side: facts["scores"][side].get(monitor) for side in ("keras", "export")}
    return {
        "model": model.path.name,
        "format": format,
        "quantize": quantize,
        "examples": facts["examples"],
        "max_difference": facts["max_difference"],
        "equal_answers": facts["equal_answers"],
        "score": {"name": monitor, **scores},
        "bytes": facts["bytes"],
        "milliseconds": facts["milliseconds"],
    }


def read() -> dict:
    """What was measured before."""
    return json.loads(FILE.read_text(encoding="utf-8")) if FILE.is_file() else {"cores": 0, "rows": []}


def write(rows: list[dict]) -> None:
    """Puts rows into the place of older ones of the same model, format and weights."""
    every = {(row["model"], row["format"], row["quantize"] or ""): row for row in [*read()["rows"], *rows]}
    found = {"cores": os.cpu_count(), "rows": [every[key] for key in sorted(every)]}
    FILE.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


def main() -> None:
    import render

    from zoo import saved

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="*", help="names; default all that are published")
    parser.add_argument("--examples", type=int, default=200)
    given = parser.parse_args()
    for name in given.models or [item.name for item in render.published()]:
        model = saved.load(ROOT / "saved_models" / name)
        for format, quantize in WRITTEN:
            row = measured(model, format, quantize, given.examples)
            write([row])
            print(
                f"{name} {format} {quantize or ''}: difference {row['max_difference']:.1e}, "
                f"equal {row['equal_answers']:.3f}, {row['bytes']['export']:,} bytes",
                flush=True,
            )


if __name__ == "__main__":
    main()
