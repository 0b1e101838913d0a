"""How fast recurrent layers run here: this project's engine, Keras's stock layers, PyTorch, ONNX Runtime.

    python scripts/bench_engine.py --json scripts/engine.json  # what the README shows; 8 minutes on two quiet cores
    python scripts/bench_engine.py --only training,inference --cells lstm
    python scripts/bench_engine.py --device gpu --json scripts/engine_gpu.json  # on a GPU: see engine_gpu.py

Each comparison runs in one process, the candidates in turn, so that whatever else the machine does hits all of them.
A number is the best and the median of many rounds in milliseconds; a ratio is the other's median over the engine's.
PyTorch and ONNX Runtime take part if they are installed (`pip install torch onnxruntime`).
"""

import argparse
import gc
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import engine_gpu
from engine_bars import SHAPES, line, verdicts
from engine_candidates import bare, engine_layer, keras_step, our_layer, stock_layer, torch_step

CELLS = ("lstm", "gru", "simple_rnn", "mingru")
LENGTHS = [50, 200, 800, 3200]
UNITS = [32, 128, 512, 1024]
PAUSE = 0.02
"""Seconds between candidates: threads of whoever ran before spin on the other core for a while."""
LONG = (16, 10_000, 32, 64)
"""What memory is measured at."""


def measure(candidates: dict[str, Callable[[], Any]], seconds: float) -> dict[str, dict[str, float]]:
    """Runs the candidates in turn for some seconds: name -> best and median in milliseconds."""
    for run in candidates.values():
        run()
        run()
    times: dict[str, list[float]] = {name: [] for name in candidates}
    gc.collect()
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or len(times[next(iter(times))]) < 3:
        for name, run in candidates.items():
            time.sleep(PAUSE)
            run()  # untimed: caches and threads are its own again
            for _ in range(3):
                start = time.perf_counter()
                run()
                times[name].append(1000 * (time.perf_counter() - start))
    return {name: {"best": min(each), "median": statistics.median(each)} for name, each in times.items()}


def training(seconds: float, cells: list[str]) -> list[dict]:
    """Whole training steps in one direction."""
    rows = []
    for kind in (kind for kind in ("lstm", "gru", "simple_rnn", "mingru") if kind in cells):
        for shape in SHAPES[:1] if kind == "simple_rnn" else SHAPES:
            candidates = {"engine": keras_step(our_layer(kind, shape[3]), shape)}
            if kind != "mingru":
                candidates["keras"] = keras_step(stock_layer(kind, shape[3]), shape)
            if step := torch_step(kind, shape):
                candidates["torch"] = step
            rows.append(_row("training", kind, shape, candidates, seconds))
    return rows


def bidirectional(seconds: float, cells: list[str]) -> list[dict]:
    """Whole training steps in both directions."""
    rows = []
    for kind in (kind for kind in ("lstm", "gru") if kind in cells):
        for shape in SHAPES[:2]:
            candidates = {"engine": keras_step(our_layer(kind, shape[3], True), shape)}
            candidates["keras"] = keras_step(stock_layer(kind, shape[3], True), shape)
            if step := torch_step(kind, shape, True):
                candidates["torch"] = step
            rows.append(_row("bidirectional", kind, shape, candidates, seconds))
    return rows


def layers(seconds: float, cells: list[str]) -> list[dict]:
    """Bare layers, forward and backward."""
    kinds = [kind for kind in ("lstm", "gru", "mingru") if kind in cells]
    return [_row("bare", kind, shape, bare(kind, shape, True), seconds / 2) for kind in kinds for shape in SHAPES[:3]]


def inference(seconds: float, cells: list[str]) -> list[dict]:
    """Bare layers, forward."""
    kinds = [kind for kind in ("lstm", "gru") if kind in cells]
    return [_row("inference", kind, shape, bare(kind, shape, False), seconds) for kind in kinds for shape in SHAPES]


def jax(seconds: float, cells: list[str]) -> list[dict]:
    """Whole training steps on JAX, in a process of their own: Keras has one backend."""
    command = ["--only", "in_jax", "--seconds", str(seconds), "--cells", ",".join(cells), "--json", "-"]
    done = _process(command, KERAS_BACKEND="jax", JAX_PLATFORMS="cpu")
    rows = json.loads(done)["rows"] if done else []
    for row in rows:
        print(line(row), file=sys.stderr, flush=True)
    return rows


def in_jax(seconds: float, cells: list[str]) -> list[dict]:
    """What `jax` runs in its process."""
    rows = []
    for kind in (kind for kind in ("lstm", "gru") if kind in cells):
        for shape in SHAPES[:2]:
            makers = {"engine": our_layer, "keras": stock_layer}
            candidates = {name: keras_step(make(kind, shape[3]), shape) for name, make in makers.items()}
            rows.append(_row("jax", kind, shape, candidates, seconds))
    return rows


def on_tensorflow(seconds: float, cells: list[str]) -> list[dict]:
    """The comparisons on a GPU, on TensorFlow."""
    return _on_gpu("tensorflow", seconds, cells)


def on_jax(seconds: float, cells: list[str]) -> list[dict]:
    """The comparisons on a GPU, on JAX."""
    return _on_gpu("jax", seconds, cells)


def _on_gpu(backend: str, seconds: float, cells: list[str]) -> list[dict]:
    command = ["--only", "gpu", "--seconds", str(seconds), "--cells", ",".join(cells), "--json", "-"]
    memory = {"TF_FORCE_GPU_ALLOW_GROWTH": "true", "XLA_PYTHON_CLIENT_PREALLOCATE": "false"}
    done = _process(command, KERAS_BACKEND=backend, **memory)
    rows = json.loads(done)["rows"] if done else []
    for row in rows:
        print(line(row), f"  {row['path']}", file=sys.stderr, flush=True)
    return rows


def scaling(seconds: float, cells: list[str]) -> list[dict]:
    """Bare training of the LSTM and the GRU against length and units, engine beside PyTorch."""
    rows = []
    for kind in (kind for kind in ("lstm", "gru") if kind in cells):
        shapes = [(32, length, 64, 128) for length in LENGTHS] + [(32, 50, 64, units) for units in UNITS]
        for shape in shapes:
            candidates = bare(kind, shape, True)
            candidates.pop("keras")
            rows.append(_row("scaling", kind, shape, candidates, seconds / 3))
    return rows


def decoder(seconds: float, cells: list[str]) -> list[dict]:
    """Whole training steps of the translator and the captioner at the sizes of their published models.

    The decoder's loop runs by the engine or in the backend; all else is the same, the encoder's kernels included.
    """
    from zoo import builders

    def translator() -> Any:
        options = {"share_embeddings": True, "word_dropout": 0.1, "embedding_dropout": 0.3, "dropout": 0.3}
        return builders.translator(4000, 4000, "gru", 256, conditional_cell=True, output_dropout=0.4, **options)

    def captioner() -> Any:
        options = {"encoder": None, "feature_shape": (49, 1280), "projection": 320, "embedding_dropout": 0.2}
        return builders.captioner(2800, "gru", 320, conditional_cell=True, dropout=0.3, output_dropout=0.3, **options)

    rows = []
    for make, shape in ((translator, (64, 18, 256, 256)), (captioner, (64, 13, 256, 320))):
        candidates = {name: _decoder_step(make(), shape, name == "plain") for name in ("engine", "plain")}
        rows.append(_row("decoder", make.__name__, shape, candidates, seconds))
    return rows


def _decoder_step(model: Any, shape: tuple, plain: bool) -> Callable[[], Any]:
    """A training step on random tokens, whose lengths differ as those in a bucket do."""
    import keras
    import numpy as np
    import tensorflow as tf

    from zoo import engine, losses

    batch, steps, _, _ = shape
    if plain:
        model.decoder.choice = lambda *_: engine.Choice("plain", "this is a benchmark")
    model.compile(keras.optimizers.Adam(), losses.TokenCrossentropy(label_smoothing=0.1), jit_compile=False)
    model.make_train_function()
    rng = np.random.default_rng(0)

    def tokens(time: int) -> Any:
        ids = rng.integers(4, model.target_embedding.vocabulary_size, (batch, time), "int32")
        return np.where(np.arange(time) < rng.normal(0.86 * time, 2.5, (batch, 1)).clip(4, time), ids, 0)

    target, inputs = tokens(steps + 1), tokens(steps)
    if hasattr(model, "grid"):
        inputs = rng.normal(size=(batch, *model.grid)).astype("float32")
    data = iter(tf.data.Dataset.from_tensors(((inputs, target[:, :-1]), target[:, 1:])).repeat())
    return lambda: {name: float(value) for name, value in model.train_function(data).items()}


def memory(seconds: float, cells: list[str]) -> list[dict]:
    """Peak memory of a training step over 10,000 steps, each candidate in a process of its own."""
    rows = []
    for kind in (kind for kind in ("lstm", "gru") if kind in cells):
        row: dict[str, Any] = {"what": "memory", "cell": kind, "shape": LONG, "megabytes": {}}
        for name in ("engine", "keras"):
            row["megabytes"][name] = float(_process(["--peak", f"{name},{kind}"]) or "nan")
        print(line(row), file=sys.stderr, flush=True)
        rows.append(row)
    return rows


def peak(name: str, kind: str) -> float:
    """Megabytes that two training steps over a long sequence take above the process before them."""
    make = engine_layer if name == "engine" else stock_layer
    batch, _, features, units = LONG
    keras_step(make(kind, units), (batch, 50, features, units))()
    before = _high_water()
    step = keras_step(make(kind, units), LONG)
    step()
    step()
    return (_high_water() - before) / 1024


def _high_water() -> int:
    """Most kilobytes that this process has had. `getrusage` would count those of the process that started it."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))


def first(seconds: float, cells: list[str]) -> list[dict]:
    """Seconds of a first epoch of 20 batches, tracing included, each candidate in a process of its own."""
    rows = []
    for kind in (kind for kind in ("lstm",) if kind in cells):
        row: dict[str, Any] = {"what": "first epoch", "cell": kind, "shape": SHAPES[0], "seconds": {}}
        with tempfile.TemporaryDirectory() as empty:
            for name, environment in {
                "engine": {},
                "engine, compiling": {"NUMBA_CACHE_DIR": empty},
                "keras": {},
            }.items():
                done = _process(["--first", f"{name.split(',')[0]},{kind}"], **environment)
                row["seconds"][name] = float(done or "nan")
        print(line(row), file=sys.stderr, flush=True)
        rows.append(row)
    return rows


def first_epoch(name: str, kind: str) -> float:
    """Seconds from an unbuilt model to the end of its first 20 training steps."""
    import keras  # noqa: F401  (its import is no part of an epoch)

    make = our_layer if name == "engine" else stock_layer
    start = time.perf_counter()
    step = keras_step(make(kind, SHAPES[0][3]), SHAPES[0])
    for _ in range(20):
        step()
    return time.perf_counter() - start


def _process(arguments: list[str], **environment: str) -> str:
    """What this script writes when it is run with other arguments; nothing if it fails, which is said."""
    command = [sys.executable, __file__, *arguments]
    done = subprocess.run(command, env={**os.environ, **environment}, capture_output=True, text=True, check=False)
    if done.returncode:
        print(f"{' '.join(arguments)} failed: {done.stderr.strip().splitlines()[-1:]}", file=sys.stderr)
        return ""
    return done.stdout


def _row(what: str, kind: str, shape: tuple, candidates: dict, seconds: float) -> dict:
    times = measure(candidates, seconds)
    ratios = {name: each["median"] / times["engine"]["median"] for name, each in times.items() if name != "engine"}
    best = {name: each["best"] / times["engine"]["best"] for name, each in times.items() if name != "engine"}
    row = {"what": what, "cell": kind, "shape": shape, "ms": times, "ratio": ratios, "ratio_of_best": best}
    print(line(row), file=sys.stderr, flush=True)
    return row


def main() -> None:
    sections = {
        f.__name__: f for f in (training, bidirectional, layers, inference, jax, scaling, memory, first, decoder)
    }
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", help="File for the numbers; - for standard output.")
    parser.add_argument("--only", help=f"Sections, separated by commas: {', '.join(sections)}.")
    parser.add_argument("--cells", default=",".join(CELLS), help=f"Some of {','.join(CELLS)}; default all.")
    parser.add_argument("--seconds", type=float, default=1.5, help="Seconds for each comparison.")
    parser.add_argument("--device", default="cpu", choices=("cpu", "gpu"), help="gpu: the sections of engine_gpu.py.")
    parser.add_argument("--peak", help=argparse.SUPPRESS)
    parser.add_argument("--first", help=argparse.SUPPRESS)
    options = parser.parse_args()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    if options.peak or options.first:
        print(peak(*options.peak.split(",")) if options.peak else first_epoch(*options.first.split(",")))
        return
    if options.device == "gpu":
        sections = {f.__name__: f for f in (on_tensorflow, on_jax)}
    chosen, cells = options.only.split(",") if options.only else list(sections), options.cells.split(",")
    if unknown := set(chosen) - set(sections) - {"in_jax", "gpu"}:
        parser.error(f"No section {', '.join(sorted(unknown))}; there are {', '.join(sections)}.")
    if unknown := set(cells) - set(CELLS):
        parser.error(f"No cell {', '.join(sorted(unknown))}; there are {', '.join(CELLS)}.")
    start, rows, spent = time.perf_counter(), [], {}
    for name in chosen:
        begin = time.perf_counter()
        rows += {**sections, "in_jax": in_jax, "gpu": engine_gpu.gpu}[name](options.seconds, cells)
        spent[name] = time.perf_counter() - begin
    total = time.perf_counter() - start
    result = {"rows": rows, "seconds": total, "sections": spent, "cores": os.cpu_count()}
    if options.json == "-":
        print(json.dumps(result))
        return
    print(verdicts(rows))
    print(f"{total / 60:.1f} minutes: {', '.join(f'{name} {seconds:.0f} s' for name, seconds in spent.items())}")
    if options.json:
        Path(options.json).write_text(json.dumps(result) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
