"""What a training step costs with N workers, from what `scripts/scale.py` measured; and the document that says so.

T(N) = compute(rows of a worker) + all-reduce(N) + stragglers(N)

compute(r)    = a + c r, a line through the measured steps
all-reduce(N) = 2 (N - 1) / N * bytes / bandwidth + 2 (N - 1) * latency, a ring (Patarasuk and Yuan 2009)
stragglers(N) = s sqrt(2 ln N), about the largest of N normal deviations s: all wait for the slowest
"""

import math
from typing import Any

import numpy as np

from zoo import cards

COUNTS = (1, 2, 4, 8, 64, 512)

LINKS = {"1 Gbit/s, 0.1 ms": (125e6, 1e-4), "10 Gbit/s, 0.05 ms": (1.25e9, 5e-5), "100 Gbit/s, 0.01 ms": (12.5e9, 1e-5)}
"""Name of a link -> bytes per second, seconds one way."""


def compute(measured: dict[str, Any]) -> tuple[float, float]:
    """Seconds of a step with no rows, and of each row: the line with least squares, neither of them negative."""
    rows = np.array([float(count) for count in measured["rows"]])
    seconds = np.array([each["seconds"] for each in measured["rows"].values()])
    each, fixed = np.polyfit(rows, seconds, 1)
    return max(float(fixed), 0.0), max(float(each), 0.0)


def reduce(size: float, workers: int, link: tuple[float, float]) -> float:
    """Seconds of an all-reduce of so many bytes."""
    bandwidth, latency = link
    return 2 * (workers - 1) / workers * size / bandwidth + 2 * (workers - 1) * latency


def step(measured: dict[str, Any], rows: float, workers: int, link: tuple[float, float]) -> float:
    """Seconds of a step in which each worker has so many rows."""
    fixed, each = compute(measured)
    deviation = min(one["deviation"] for one in measured["rows"].values())
    late = deviation * math.sqrt(2 * math.log(workers)) if workers > 1 else 0.0
    return fixed + each * rows + reduce(4 * measured["parameters"], workers, link) + late


def speedup(measured: dict[str, Any], batch: int, workers: int, link: tuple[float, float], grows: bool) -> float:
    """Examples per second of so many workers over those of one.

    Args:
        measured: Of a task.
        batch: Rows of the whole batch of one worker.
        workers: Their number.
        link: Between them.
        grows: Whether each worker has a whole batch of its own; else they share one.
    """
    rows = batch if grows else batch / workers
    alone = batch / step(measured, batch, 1, link)
    return rows * workers / step(measured, rows, workers, link) / alone


def pays_until(measured: dict[str, Any], batch: int, link: tuple[float, float]) -> int:
    """The largest number of workers, doubled from one, with which sharing one batch is still faster."""
    best = 1
    while 2 * best <= batch and speedup(measured, batch, 2 * best, link, False) > speedup(
        measured, batch, best, link, False
    ):
        best *= 2
    return best


def document(found: dict[str, Any]) -> str:
    """`scripts/scale.md`."""
    parts = [
        "# Training on several workers: measured, and computed\n\nRendered from `scripts/scale.json` by "
        f"`scripts/render.py`. Measured on a machine of {found['cores']} cores; each process had one core.",
        _measured(found),
        _computed(found),
    ]
    return "\n\n".join(parts) + "\n"


def _measured(found: dict[str, Any]) -> str:
    parts = ["## Measured"]
    if "workers" in found:
        rows = [
            (task, f"{row['one']:.0f}", f"{row['two']:.0f}", f"{row['ratio']:.2f}")
            for task, row in found["workers"].items()
        ]
        parts.append("Examples per second of whole trainings on JAX, the same batch shared by all workers:")
        parts.append(cards.markdown(("task", "one worker", "two workers", "ratio"), rows))
    if "links" in found and "missing" not in found["links"]:
        tasks = list(found["tasks"])
        rows = [(name, *(f"{row[task]:.0f}" for task in tasks)) for name, row in found["links"].items()]
        parts.append("Examples per second of two workers over a link that was slowed down:")
        parts.append(cards.markdown(("link", *tasks), rows))
    if missing := found.get("links", {}).get("missing"):
        parts.append(f"Slow links could not be simulated on this machine ({missing}).")
    if "reduce" in found:
        rows = [(f"{row['bytes']:,}", f"{1000 * row['seconds']:.2f}") for row in found["reduce"]]
        parts.append("An all-reduce between two processes over loopback (gloo):")
        parts.append(cards.markdown(("bytes", "ms"), rows))
    if "reading" in found:
        texts = [
            f"{row['seconds']:.2f} s for the {row['batches']} batches of {task}"
            for task, row in found["reading"].items()
        ]
        parts.append(f"Every worker makes all batches and takes its rows; an epoch's take {', '.join(texts)}.")
    if "bulk" in found:
        parts.append(_bulk(found["bulk"]))
    if "ray" in found:
        one, two = found["ray"]["1"], found["ray"]["2"]
        parts.append(
            f"Eight trainings on a local Ray: {one:.0f} s in one slot of one core, {two:.0f} s in two, "
            f"{one / two:.2f} times as fast."
        )
    return "\n\n".join(parts)


def _bulk(row: dict[str, Any]) -> str:
    """How fast a large file is translated, in how much memory, and what kills cost."""
    one, two, few, killed = row["1"], row["2"], row["few"], row["killed"]
    moments = ", ".join(f"{seconds:.0f}" for seconds in killed["after"])
    return (
        f"`zoo translate --input` of {row['lines']:,} lines, loading included: {one['seconds']:.0f} s by one worker, "
        f"{two['seconds']:.0f} s by two, {one['seconds'] / two['seconds']:.2f} times as fast. The largest process "
        f"takes {two['memory'] / 1e6:.0f} MB; with {few['lines']:,} lines it takes {few['memory'] / 1e6:.0f} MB. Two "
        f"workers that were killed three times, {moments} s after each start, then ended in {killed['seconds']:.0f} s; "
        "the output of all three is the same, byte for byte."
    )


def _computed(found: dict[str, Any]) -> str:
    parts = [
        "## Computed\n\n"
        "    T(N) = a + c r + 2 (N - 1) / N * bytes / bandwidth + 2 (N - 1) * latency + s sqrt(2 ln N)\n\n"
        "`a + c r` is a line through the measured steps of r rows, the next two terms are a ring's all-reduce of the "
        "gradient (4 bytes a parameter), the last is about the largest of N normal deviations s, as all wait for the "
        "slowest. How many times the examples per second of one worker, if all share one batch (and, in brackets, if "
        "each worker has a whole batch):"
    ]
    for task, measured in found.get("steps", {}).items():
        batch = found["tasks"][task]["batch_size"]
        fixed, each = compute(measured)
        rows = []
        for name, link in LINKS.items():
            ratios = [
                (speedup(measured, batch, count, link, False), speedup(measured, batch, count, link, True))
                for count in COUNTS[1:]
            ]
            shared = [
                f"{one:.1f} ({grown:.1f})" if count <= batch else f"- ({grown:.1f})"
                for count, (one, grown) in zip(COUNTS[1:], ratios, strict=True)
            ]
            rows.append((name, *shared, pays_until(measured, batch, link)))
        parts.append(
            f"### {task}\n\n{measured['parameters']:,} parameters, a batch of {batch} rows, a = {1000 * fixed:.1f} ms, "
            f"c = {1000 * each:.2f} ms a row.\n\n"
            + cards.markdown(("link", *(f"{count} workers" for count in COUNTS[1:]), "sharing pays until"), rows)
        )
    parts.append(
        "The model leaves out that gloo sums each array by itself, and that threads which receive wait for those which "
        "compute where a process has one core: two workers of one machine stay below what it says, as the first table "
        "shows. It says what is possible where an all-reduce costs no more than its bytes.\n\n"
        "What follows. The nets here are small: a step is short, and its fixed part and the latency of a ring soon are "
        "all of it. Workers that share one batch pay up to the last column. Beyond that, in this order: give each "
        "worker a whole batch, and raise the learning rate with the batch, as long as the scores stay; train "
        "independent seeds and cells side by side (`zoo compare --ray`), which needs no all-reduce at all; only then "
        "think of local steps between two averages, which this project does not have."
    )
    return "\n\n".join(parts)
