"""Charts of what `scripts/bench_engine.py` measured, for the README.

    python scripts/render.py   draws them anew if the numbers have changed

A chart carries a fingerprint of the numbers that it shows, so that `render.py --check` sees when it is out of date.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

from engine_bars import OTHERS, SHAPES
from PIL import Image

from zoo import figures

OURS = "this project"
NAMES = {"engine": OURS, **OTHERS}
COLORS = {"engine": figures.COLORS[0], "keras": figures.COLORS[1], "torch": figures.COLORS[2], "onnx": "#777777"}
MARKERS = {"engine": "o", "torch": "s"}
SECTIONS = {
    "training": "Training: embedding, layer, pooling, Adam",
    "inference": "Inference: the layer alone",
}
KINDS = {"lstm": "LSTM", "gru": "GRU"}


def fingerprint(found: dict[str, Any]) -> str:
    """Changes with the numbers and with the code that draws them."""
    shown = [row for row in found["rows"] if row["what"] in (*SECTIONS, "scaling")]
    code = Path(__file__).read_bytes()
    return hashlib.sha256(json.dumps([shown, found["cores"]], sort_keys=True).encode() + code).hexdigest()[:16]


def stale(file: Path, found: dict[str, Any]) -> bool:
    """Whether a chart is missing or shows other numbers."""
    if not file.exists():
        return True
    with Image.open(file) as image:
        return image.info.get("Numbers") != fingerprint(found)


def draw(file: Path, found: dict[str, Any]) -> None:
    """Speeds beside each other on top, cost against length and units below."""
    with figures.canvas(file, 10, 9.5) as figure:
        axes = figure.subplots(3, 2, gridspec_kw={"height_ratios": [1.1, 1, 1]})
        for column, (what, title) in zip(axes[0], SECTIONS.items(), strict=True):
            _bars(column, [row for row in found["rows"] if row["what"] == what and row["cell"] in KINDS], title)
        for line, kind in zip(axes[1:], KINDS, strict=True):
            rows = {tuple(r["shape"]): r for r in found["rows"] if r["what"] == "scaling" and r["cell"] == kind}
            _cost(line[0], [row for shape, row in rows.items() if shape[3] == 128], 1, kind)
            _cost(line[1], [row for shape, row in rows.items() if shape[1] == 50], 3, kind)
        figure.suptitle(f"Recurrent layers on {found['cores']} CPU cores, float32", fontsize=11)
    _mark(file, fingerprint(found))


def _bars(axis: Any, rows: list[dict], title: str) -> None:
    """Speed relative to Keras's layer at the first three shapes; Keras is 1."""
    rows = [row for kind in KINDS for row in rows if row["cell"] == kind and tuple(row["shape"]) in SHAPES[:3]]
    names = [name for name in NAMES if any(name in row["ms"] for row in rows)]
    width = 0.8 / max(1, len(names))
    for i, name in enumerate(names):
        places = [place for place, row in enumerate(rows) if name in row["ms"]]
        speeds = [rows[p]["ms"]["keras"]["median"] / rows[p]["ms"][name]["median"] for p in places]
        left = [place + (i - (len(names) - 1) / 2) * width for place in places]
        bars = axis.bar(left, speeds, width, color=COLORS[name], label=NAMES[name], edgecolor="white", linewidth=0.5)
        axis.bar_label(bars, fmt="%.1f", fontsize=6.5, padding=1)
    labels = [f"{KINDS[row['cell']]}\n{row['shape'][0]} x {row['shape'][1]}\n{row['shape'][2]} → {row['shape'][3]}"
              for row in rows]  # fmt: skip
    axis.set_xticks(range(len(rows)), labels, fontsize=7.5)
    axis.set(title=title, ylabel="speed, Keras's layer = 1", xlabel="batch x steps, features → units")
    axis.axhline(1, color="black", linewidth=0.8)
    axis.margins(y=0.2)  # room for the legend
    axis.legend(fontsize=7.5, loc="upper center", ncols=len(names))


def _cost(axis: Any, rows: list[dict], place: int, kind: str) -> None:
    """Milliseconds of a bare layer, forward and backward, against one number of its shape."""
    if not rows:
        axis.set_visible(False)
        return
    rows = sorted(rows, key=lambda row: row["shape"][place])
    for name, marker in MARKERS.items():
        points = [(row["shape"][place], row["ms"][name]["median"]) for row in rows if name in row["ms"]]
        if points:
            axis.plot(*zip(*points, strict=True), marker=marker, color=COLORS[name], label=NAMES[name])
    label = {1: "steps (batch 32, 64 → 128)", 3: "units (batch 32, 50 steps, 64 features)"}[place]
    axis.set(title=f"{KINDS[kind]}, forward and backward", xlabel=label, ylabel="ms", xscale="log", yscale="log")
    ticks = [row["shape"][place] for row in rows]
    axis.set_xticks(ticks, [f"{tick:,}" for tick in ticks])
    axis.minorticks_off()
    axis.yaxis.set_major_formatter("{x:g}")
    axis.grid(True)
    axis.legend(fontsize=7.5)


def _mark(file: Path, digest: str) -> None:
    """Writes the fingerprint into the picture."""
    from PIL.PngImagePlugin import PngInfo

    info = PngInfo()
    info.add_text("Numbers", digest)
    with Image.open(file) as image:
        image.load()
        image.save(file, pnginfo=info, optimize=True)
