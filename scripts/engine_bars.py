"""What `scripts/bench_engine.py` compares with what: shapes, least ratios, and the tables that it prints."""

from collections.abc import Iterable

SHAPES = [(64, 200, 64, 128), (64, 24, 256, 256), (32, 1000, 128, 256), (8, 50, 64, 128), (1, 200, 64, 128)]
"""Batch, steps, features, units."""

GPU_SHAPES = [(256, 256, 256, 512)]
"""The first of those of `engine_gpu.py`."""

BARS: dict[tuple[str, str, str], list[float | None]] = {
    ("training", "lstm", "keras"): [1.8, 1.4, None, 1.0, 1.0],
    ("training", "gru", "keras"): [1.9, 1.5, None, 1.0, 1.0],
    ("training", "lstm", "torch"): [1.2, 0.85, 1.0],
    ("training", "gru", "torch"): [1.5, 1.1, 1.0],
    ("training", "mingru", "torch"): [4, 3, 5],
    ("bidirectional", "lstm", "keras"): [1.8, 1.4],
    ("bidirectional", "gru", "keras"): [1.9, 1.5],
    ("bare", "mingru", "torch"): [6.5, 4, 7.5],
    ("inference", "lstm", "torch"): [1.0, 1.0],
    ("inference", "gru", "torch"): [1.0, 1.0],
    ("inference", "lstm", "keras"): [None, None, None, 1.0, 1.0],
    ("inference", "gru", "keras"): [None, None, None, 1.0, 1.0],
    ("inference", "lstm", "onnx"): [0.8, 0.8],
    ("inference", "gru", "onnx"): [0.8, 0.8],
    ("gpu tensorflow float32", "lstm", "torch"): [0.95],
    ("gpu tensorflow float32", "gru", "torch"): [0.95],
    ("gpu tensorflow float32", "mingru", "torch"): [3.0],
    ("gpu jax float32", "lstm", "torch"): [0.95],
    ("gpu jax float32", "gru", "torch"): [0.95],
    ("gpu jax float32", "mingru", "torch"): [3.0],
    ("jax", "lstm", "keras"): [1.2, 1.2],
    ("jax", "gru", "keras"): [1.2, 1.2],
}
"""What, cell, against whom -> least ratio at each of `SHAPES`, as far as there is one."""

OTHERS = {"keras": "Keras", "torch": "PyTorch", "onnx": "ONNX Runtime"}


def bar(row: dict, other: str) -> float | None:
    """The least ratio that a comparison should have, if there is one."""
    bars = BARS.get((row["what"], row["cell"], other), [])
    shape, shapes = tuple(row["shape"]), GPU_SHAPES if row["what"].startswith("gpu") else SHAPES
    return bars[shapes.index(shape)] if shape in shapes[: len(bars)] else None


def sizes(row: dict) -> str:
    """Batch, steps, features and units of a row, as the tables show them."""
    batch, steps, features, units = row["shape"]
    return f"{batch:2} x {steps:5}, {features:3} -> {units:4}"


def line(row: dict) -> str:
    """One comparison: best and median of the engine, and the ratios beside their bars."""
    cells = [f"{row['what']:13} {row['cell']:10} {sizes(row)}"]
    for unit, name in (("megabytes", "MB"), ("seconds", "s")):
        if unit in row:
            return "  ".join([*cells, *(f"{who} {value:.1f} {name}" for who, value in row[unit].items())])
    cells.append(f"engine {row['ms']['engine']['best']:7.2f} / {row['ms']['engine']['median']:7.2f} ms")
    for name, ratio in row["ratio"].items():
        least = bar(row, name)
        verdict = "" if least is None else f" (bar {least}: {'reached' if ratio >= least else 'MISSED'})"
        cells.append(f"{name} x {ratio:.2f}{verdict}")
    return "  ".join(cells)


def verdicts(rows: Iterable[dict]) -> str:
    """The table of all ratios that have a bar, with those that are missed marked, and how many are reached."""
    lines, reached = [f"{'what':13} {'cell':7} {'shape':27} {'against':13} {'ratio':>6} {'bar':>5}"], 0
    for row in rows:
        for name, ratio in row.get("ratio", {}).items():
            least = bar(row, name)
            if least is not None:
                reached += ratio >= least
                mark = "" if ratio >= least else "  MISSED"
                head = f"{row['what']:13} {row['cell']:7} {sizes(row):27} {OTHERS[name]:13}"
                lines.append(f"{head} {ratio:6.2f} {least:5.2f}{mark}")
    return "\n".join([*lines, f"{reached} of {len(lines) - 1} bars reached"])
