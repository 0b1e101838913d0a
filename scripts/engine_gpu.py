"""The sections of `scripts/bench_engine.py --device gpu`: layers on one GPU beside Keras's and PyTorch's with cuDNN.

Whole training steps of LSTM, GRU and minGRU at several sizes, in float32 (TensorFloat-32 as each library has it by
default) and mixed_bfloat16, on TensorFlow and on JAX, each backend in a process of its own. A row names the path that
the engine chose and the card. What saturates the card shows in the row's `gflops`, of the products alone, and in how a
step grows with batch and units.
"""

import contextlib
import statistics
import time
from collections.abc import Callable, Iterator
from typing import Any

from engine_candidates import keras_step, our_layer, stock_layer, torch_step

SHAPES = [(256, 256, 256, 512), (64, 200, 64, 128), (1024, 256, 256, 512)]
"""Batch, steps, features, units; the first one has the bars."""

PRECISIONS = ("float32", "mixed_bfloat16")

PATHS = {
    "tensorflow": {"lstm": "fused", "gru": "fused", "mingru": "associative"},
    "jax": {"lstm": "scanned", "gru": "scanned", "mingru": "associative"},
}
"""The path of each cell that is expected on a GPU; another one is an error, not a slow result."""

BLOCKS = {"lstm": 4, "gru": 3, "mingru": 2}


def card() -> str:
    """Name of the GPU.

    Raises:
        SystemExit: If the backend sees none.
    """
    import keras

    from zoo import engine

    if not (found := engine.gpu()):
        raise SystemExit(f"{keras.backend.backend()} sees no GPU here.")
    return found


def path_of(layer: Any, kind: str) -> str:
    """The path that a layer takes in training.

    Raises:
        SystemExit: If it is not the one for GPUs.
    """
    import keras

    choice, expected = layer.choice(training=True), PATHS[keras.backend.backend()][kind]
    if choice.path != expected:
        raise SystemExit(f"A GPU should run this by {expected!r}; chosen was {choice}.")
    return choice.path


@contextlib.contextmanager
def precision(name: str) -> Iterator[None]:
    """Layers that are made within it compute in this dtype policy."""
    import keras

    keras.config.set_dtype_policy(name)
    try:
        yield
    finally:
        keras.config.set_dtype_policy("float32")


def gpu(seconds: float, cells: list[str]) -> list[dict]:
    """All comparisons of this process's backend."""
    import keras

    name, rows = card(), []
    for kind in (kind for kind in BLOCKS if kind in cells):
        for shape in SHAPES:
            for policy in PRECISIONS:
                with precision(policy):
                    ours = our_layer(kind, shape[3])
                    candidates = {"engine": keras_step(ours, shape)}
                    # For bfloat16, Keras 3.15 calls an LSTM of cuDNN on JAX that has none, and fails.
                    refused = keras.backend.backend() == "jax" and policy != "float32" and kind == "lstm"
                    if kind != "mingru" and not refused:
                        candidates["keras"] = keras_step(stock_layer(kind, shape[3]), shape)
                if step := torch_step(kind, shape, device="cuda", bfloat16=policy != "float32"):
                    candidates["torch"] = step
                row = {"what": f"gpu {keras.backend.backend()} {policy}", "cell": kind, "shape": shape, "card": name}
                rows.append({**row, "path": path_of(ours, kind), **compared(candidates, kind, shape, seconds)})
    return rows


def compared(candidates: dict[str, Callable[[], Any]], kind: str, shape: tuple, seconds: float) -> dict[str, Any]:
    """Medians and best times in milliseconds, ratios to the engine, and the rate of the products of a step."""
    times: dict[str, list[float]] = {name: [] for name in candidates}
    for run in candidates.values():
        for _ in range(3):
            run()
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or len(times["engine"]) < 5:
        for name, run in candidates.items():
            begin = time.perf_counter()
            run()  # returns numbers, for which the card has to be done
            times[name].append(1000 * (time.perf_counter() - begin))
    ms = {name: {"best": min(each), "median": statistics.median(each)} for name, each in times.items()}
    ratio = {name: each["median"] / ms["engine"]["median"] for name, each in ms.items() if name != "engine"}
    best = {name: each["best"] / ms["engine"]["best"] for name, each in ms.items() if name != "engine"}
    batch, steps, features, units = shape
    inner = features + (0 if kind == "mingru" else units)
    work = 3 * 2 * batch * steps * inner * BLOCKS[kind] * units  # forward once, backward twice
    return {"ms": ms, "ratio": ratio, "ratio_of_best": best, "gflops": work / ms["engine"]["median"] / 1e6}
