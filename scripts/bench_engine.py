"""How fast recurrent layers run here: this project's engine, Keras's stock layers, PyTorch, ONNX Runtime.

    python scripts/bench_engine.py --json scripts/engine.json  # what the README shows; minutes on two quiet cores
    python scripts/bench_engine.py --only training,inference

Each comparison runs in one process, the candidates in turn, so that whatever else the machine does hits all of them.
A number is the best and the median of many rounds in milliseconds; a ratio is the other's median over the engine's.
PyTorch and ONNX Runtime take part if they are installed (`pip install torch onnxruntime`).
"""

import argparse
import gc
import json
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

SHAPES = [(64, 200, 64, 128), (64, 24, 256, 256), (32, 1000, 128, 256), (8, 50, 64, 128), (1, 200, 64, 128)]
"""Batch, steps, features, units."""
LENGTHS = [50, 200, 800, 3200]
UNITS = [32, 128, 512, 1024]
BARS = {
    ("training", "lstm", "keras"): [1.8, 1.4, None, 1.0, 1.0],
    ("training", "gru", "keras"): [1.9, 1.5, None, 1.0, 1.0],
    ("training", "lstm", "torch"): [1.2, 0.85, 1.0, None, None],
    ("training", "gru", "torch"): [1.5, 1.1, 1.0, None, None],
    ("training", "mingru", "torch"): [4, 3, 5, None, None],
    ("bidirectional", "lstm", "keras"): [1.8, 1.4],
    ("bidirectional", "gru", "keras"): [1.9, 1.5],
    ("bare", "mingru", "torch"): [6.5, 4, 7.5, None, None],
    ("inference", "lstm", "torch"): [1.0, 1.0, None, None, None],
    ("inference", "gru", "torch"): [1.0, 1.0, None, None, None],
    ("inference", "lstm", "keras"): [None, None, None, 1.0, 1.0],
    ("inference", "gru", "keras"): [None, None, None, 1.0, 1.0],
    ("inference", "lstm", "onnx"): [0.8, 0.8, None, None, None],
    ("inference", "gru", "onnx"): [0.8, 0.8, None, None, None],
    ("jax", "lstm", "keras"): [1.2, 1.2],
    ("jax", "gru", "keras"): [1.2, 1.2],
}
"""What, cell, against whom -> least ratio at each of `SHAPES`."""


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
            run()  # untimed: the threads of whoever ran before still spin on the other core for a while
            for _ in range(3):
                start = time.perf_counter()
                run()
                times[name].append(1000 * (time.perf_counter() - start))
    return {name: {"best": min(each), "median": statistics.median(each)} for name, each in times.items()}


def engine_layer(kind: str, units: int, bidirectional: bool = False) -> Any:
    """A Keras layer that runs cells by the engine's compiled path."""
    import keras
    from keras import ops

    from zoo import cells, engine

    compiled = engine.Choice("compiled", "this is a benchmark")

    class EngineLayer(keras.layers.Layer):
        def __init__(self) -> None:
            super().__init__()
            self.cells = [] if kind == "mingru" else [cells.make(kind, units) for _ in range(1 + bidirectional)]
            self.dense = keras.layers.Dense(2 * units) if kind == "mingru" else None

        def build(self, input_shape: tuple) -> None:
            for cell in [*self.cells, *([self.dense] if self.dense else [])]:
                cell.build((None, input_shape[-1]))

        def call(self, inputs: Any, training: bool | None = None) -> Any:
            if self.dense:  # h = h + z (n - h)
                z, n = ops.split(self.dense(inputs), 2, axis=-1)
                z = ops.sigmoid(z)
                return engine.linear_recurrence(1 - z, z * n, training=training, choice=compiled)[0]
            if bidirectional:
                return engine.run_bidirectional(*self.cells, inputs, training=training, choice=compiled)[0]
            return engine.run(*self.cells, inputs, training=training, choice=compiled)[0]

    return EngineLayer()


def our_layer(kind: str, units: int, bidirectional: bool = False) -> Any:
    """What the builders use: `zoo.layers.Recurrent`, which chooses its path itself."""
    from zoo import layers

    return engine_layer(kind, units) if kind == "mingru" else layers.Recurrent(kind, units, bidirectional=bidirectional)


def stock_layer(kind: str, units: int, bidirectional: bool = False) -> Any:
    """Keras's own layer."""
    import keras

    cls = {"lstm": keras.layers.LSTM, "gru": keras.layers.GRU, "simple_rnn": keras.layers.SimpleRNN}[kind]
    layer = cls(units, return_sequences=True)
    return keras.layers.Bidirectional(layer) if bidirectional else layer


def keras_step(layer: Any, shape: tuple) -> Callable[[], Any]:
    """A whole training step: embedding, layer, max pooling, dense layer, Adam."""
    import keras
    import numpy as np

    batch, steps, features, _ = shape
    model = keras.Sequential([
        keras.layers.Input((steps,), dtype="int32"),
        keras.layers.Embedding(1000, features),
        layer,
        keras.layers.GlobalMaxPooling1D(),
        keras.layers.Dense(2),
    ])  # fmt: skip
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(), loss, jit_compile=keras.backend.backend() == "jax")
    rng = np.random.default_rng(0)
    ids, labels = rng.integers(0, 1000, (batch, steps), "int32"), rng.integers(0, 2, batch)
    if keras.backend.backend() != "tensorflow":
        return lambda: model.train_on_batch(ids, labels)
    import tensorflow as tf

    data = iter(tf.data.Dataset.from_tensors((ids, labels)).repeat())
    model.make_train_function()
    return lambda: {name: float(value) for name, value in model.train_function(data).items()}


def torch_step(kind: str, shape: tuple, bidirectional: bool = False) -> Callable[[], Any] | None:
    """PyTorch's like of `keras_step`."""
    try:
        import torch
    except ImportError:
        return None
    batch, steps, features, units = shape

    class Net(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.embedding = torch.nn.Embedding(1000, features)
            self.layer = torch_layer(kind, features, units, bidirectional)
            self.out = torch.nn.Linear(units * (1 + bidirectional), 2)

        def forward(self, ids: Any) -> Any:
            return self.out(self.layer(self.embedding(ids))[0].max(dim=1).values)

    net = Net()
    optimizer, loss = torch.optim.Adam(net.parameters()), torch.nn.CrossEntropyLoss()
    ids, labels = torch.randint(0, 1000, (batch, steps)), torch.randint(0, 2, (batch,))

    def step() -> float:
        optimizer.zero_grad()
        value = loss(net(ids), labels)
        value.backward()
        optimizer.step()
        return float(value.detach())

    return step


def torch_layer(kind: str, features: int, units: int, bidirectional: bool = False) -> Any:
    """PyTorch's layer for a cell; minGRU is compared with its LSTM."""
    import torch

    cls = {"gru": torch.nn.GRU, "simple_rnn": torch.nn.RNN}.get(kind, torch.nn.LSTM)
    return cls(features, units, batch_first=True, bidirectional=bidirectional)


def bare(kind: str, shape: tuple, training: bool) -> dict[str, Callable[[], Any]]:
    """One layer alone: forward, or forward and backward."""
    import numpy as np
    import tensorflow as tf

    batch, steps, features, units = shape
    x = np.random.default_rng(0).normal(size=(batch, steps, features)).astype("float32")
    found: dict[str, Callable[[], Any]] = {}
    layers = {"engine": engine_layer(kind, units)}
    if kind != "mingru":
        layers["keras"] = stock_layer(kind, units)
    for name, layer in layers.items():
        layer.build(x.shape)
        found[name] = _bare_keras(layer, tf.constant(x), training)
    try:
        import torch
    except ImportError:
        return found
    layer, tensor = torch_layer(kind, features, units), torch.tensor(x, requires_grad=training)

    def step() -> None:
        with torch.set_grad_enabled(training):
            out, _ = layer(tensor)
            if training:
                out.sum().backward()

    found["torch"] = step
    if not training and (session := _onnx(layer, x)):
        found["onnx"] = session
    return found


def _bare_keras(layer: Any, x: Any, training: bool) -> Callable[[], Any]:
    import tensorflow as tf

    variables = [variable.value for variable in layer.trainable_variables]

    @tf.function
    def run() -> Any:
        if not training:
            return layer(x, training=False)
        with tf.GradientTape() as tape:
            tape.watch(x)
            out = tf.reduce_sum(layer(x, training=True))
        return tape.gradient(out, [x, *variables])

    return run


def _onnx(layer: Any, x: Any) -> Callable[[], Any] | None:
    """The same layer in ONNX Runtime, exported by PyTorch."""
    try:
        import io

        import onnxruntime
        import torch

        file = io.BytesIO()
        torch.onnx.export(layer.eval(), (torch.tensor(x),), file, input_names=["x"], dynamo=False)
        session = onnxruntime.InferenceSession(file.getvalue(), providers=["CPUExecutionProvider"])
    except Exception as error:
        print(f"ONNX Runtime does not take part: {type(error).__name__}", file=sys.stderr)
        return None
    return lambda: session.run(None, {"x": x})


def training(seconds: float) -> list[dict]:
    """Whole training steps in one direction."""
    rows = []
    for kind in ("lstm", "gru", "simple_rnn", "mingru"):
        for shape in SHAPES[:1] if kind == "simple_rnn" else SHAPES:
            candidates = {"engine": keras_step(our_layer(kind, shape[3]), shape)}
            if kind != "mingru":
                candidates["keras"] = keras_step(stock_layer(kind, shape[3]), shape)
            if step := torch_step(kind, shape):
                candidates["torch"] = step
            rows.append(_row("training", kind, shape, candidates, seconds))
    return rows


def bidirectional(seconds: float) -> list[dict]:
    """Whole training steps in both directions."""
    rows = []
    for kind in ("lstm", "gru"):
        for shape in SHAPES[:2]:
            candidates = {"engine": keras_step(our_layer(kind, shape[3], True), shape)}
            candidates["keras"] = keras_step(stock_layer(kind, shape[3], True), shape)
            if step := torch_step(kind, shape, True):
                candidates["torch"] = step
            rows.append(_row("bidirectional", kind, shape, candidates, seconds))
    return rows


def layers(seconds: float) -> list[dict]:
    """Bare layers, forward and backward."""
    kinds = ("lstm", "gru", "mingru")
    return [_row("bare", kind, shape, bare(kind, shape, True), seconds) for kind in kinds for shape in SHAPES[:3]]


def inference(seconds: float) -> list[dict]:
    """Bare layers, forward."""
    kinds = ("lstm", "gru")
    return [_row("inference", kind, shape, bare(kind, shape, False), seconds) for kind in kinds for shape in SHAPES]


def jax(seconds: float) -> list[dict]:
    """Whole training steps on JAX, in a process of their own: Keras has one backend."""
    command = [sys.executable, __file__, "--only", "in_jax", "--seconds", str(seconds), "--json", "-"]
    environment = {**os.environ, "KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        print(f"JAX does not take part: {done.stderr.strip().splitlines()[-1:]}", file=sys.stderr)
        return []
    rows = json.loads(done.stdout)["rows"]
    for row in rows:
        row["shape"] = tuple(row["shape"])
        print(line(row), file=sys.stderr, flush=True)
    return rows


def in_jax(seconds: float) -> list[dict]:
    rows = []
    for kind in ("lstm", "gru"):
        for shape in SHAPES[:2]:
            candidates = {
                name: keras_step(make(kind, shape[3]), shape)
                for name, make in (("engine", our_layer), ("keras", stock_layer))
            }
            rows.append(_row("jax", kind, shape, candidates, seconds))
    return rows


def scaling(seconds: float) -> list[dict]:
    """Bare training of the LSTM and the GRU against length and units, engine beside PyTorch."""
    rows = []
    for kind in ("lstm", "gru"):
        shapes = [(32, length, 64, 128) for length in LENGTHS] + [(32, 50, 64, units) for units in UNITS]
        for shape in shapes:
            candidates = bare(kind, shape, True)
            candidates.pop("keras")
            rows.append(_row("scaling", kind, shape, candidates, seconds / 2))
    return rows


def decoder(seconds: float) -> list[dict]:
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


def memory(seconds: float) -> list[dict]:
    """Peak memory of a training step over 10,000 steps, each candidate in a process of its own."""
    rows = []
    for kind in ("lstm", "gru"):
        row: dict[str, Any] = {"what": "memory", "cell": kind, "shape": (16, 10_000, 32, 64), "megabytes": {}}
        for name in ("engine", "keras"):
            command = [sys.executable, __file__, "--peak", f"{name},{kind}"]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            row["megabytes"][name] = float(done.stdout or "nan")
        print(f"memory         {kind:10} 16 x 10000, 32 -> 64        {row['megabytes']}", file=sys.stderr)
        rows.append(row)
    return rows


def peak(name: str, kind: str) -> float:
    """Megabytes that two training steps over a long sequence take above the process before them."""
    make = engine_layer if name == "engine" else stock_layer
    keras_step(make(kind, 64), (16, 50, 32, 64))()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    step = keras_step(make(kind, 64), (16, 10_000, 32, 64))
    step()
    step()
    return (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024


def _row(what: str, kind: str, shape: tuple, candidates: dict, seconds: float) -> dict:
    times = measure(candidates, seconds)
    ratios = {name: each["median"] / times["engine"]["median"] for name, each in times.items() if name != "engine"}
    best = {name: each["best"] / times["engine"]["best"] for name, each in times.items() if name != "engine"}
    row = {"what": what, "cell": kind, "shape": shape, "ms": times, "ratio": ratios, "ratio_of_best": best}
    print(line(row), file=sys.stderr, flush=True)
    return row


def line(row: dict) -> str:
    """A row of the table: times, ratios, and the bar beside each ratio that has one."""
    batch, steps, features, units = row["shape"]
    cells = [f"{row['what']:14} {row['cell']:10} {batch:3} x {steps:5}, {features:3} -> {units:4}"]
    cells.append(f"engine {row['ms']['engine']['best']:8.2f} / {row['ms']['engine']['median']:8.2f} ms")
    for name, ratio in row["ratio"].items():
        bars = BARS.get((row["what"], row["cell"], name), [])
        shape = tuple(row["shape"])
        bar = bars[SHAPES.index(shape)] if shape in SHAPES[: len(bars)] else None
        verdict = "" if bar is None else f" (bar {bar}: {'reached' if ratio >= bar else 'MISSED'})"
        cells.append(f"{name} x {ratio:.2f}{verdict}")
    return "  ".join(cells)


def main() -> None:
    sections = {f.__name__: f for f in (training, bidirectional, layers, inference, jax, scaling, memory, decoder)}
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", help="File for the numbers; - for standard output.")
    parser.add_argument("--only", help=f"Sections, separated by commas: {', '.join(sections)}.")
    parser.add_argument("--seconds", type=float, default=3.0, help="Seconds for each comparison.")
    parser.add_argument("--peak", help=argparse.SUPPRESS)
    options = parser.parse_args()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    if options.peak:
        print(peak(*options.peak.split(",")))
        return
    chosen = options.only.split(",") if options.only else list(sections)
    if unknown := set(chosen) - set(sections) - {"in_jax"}:
        parser.error(f"No section {', '.join(sorted(unknown))}; there are {', '.join(sections)}.")
    start = time.perf_counter()
    rows = [row for name in chosen for row in {**sections, "in_jax": in_jax}[name](options.seconds)]
    result = {"rows": rows, "seconds": time.perf_counter() - start, "cores": os.cpu_count()}
    if options.json == "-":
        print(json.dumps(result))
    elif options.json:
        with open(options.json, "w") as file:
            json.dump(result, file)
            file.write("\n")


if __name__ == "__main__":
    main()
