"""What `scripts/bench_engine.py` lets run against each other: layers, and whole training steps around them."""

import sys
from collections.abc import Callable
from typing import Any


def engine_layer(kind: str, units: int, bidirectional: bool = False) -> Any:
    """A Keras layer that runs cells by the engine's compiled path."""
    import keras

    from zoo import cells, engine

    compiled = engine.Choice("compiled", "this is a benchmark")

    class EngineLayer(keras.layers.Layer):
        def __init__(self) -> None:
            super().__init__()
            self.cells = [cells.make(_cell(kind), units) for _ in range(1 + bidirectional)]

        def build(self, input_shape: tuple) -> None:
            for cell in self.cells:
                cell.build((None, input_shape[-1]))

        def call(self, inputs: Any, training: bool | None = None) -> Any:
            if bidirectional:
                return engine.run_bidirectional(*self.cells, inputs, training=training, choice=compiled)[0]
            return engine.run(*self.cells, inputs, training=training, choice=compiled)[0]

    return EngineLayer()


def our_layer(kind: str, units: int, bidirectional: bool = False) -> Any:
    """What the builders use: `zoo.layers.Recurrent`, which chooses its path itself."""
    from zoo import layers

    return layers.Recurrent(_cell(kind), units, bidirectional=bidirectional)


def _cell(kind: str) -> str:
    """The cell's name in `zoo.cells`."""
    return "min_gru" if kind == "mingru" else kind


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


def torch_step(
    kind: str, shape: tuple, bidirectional: bool = False, device: str = "cpu", bfloat16: bool = False
) -> Callable[[], Any] | None:
    """PyTorch's like of `keras_step`; None where there is no PyTorch, or none that sees the device."""
    try:
        import torch
    except ImportError:
        return None
    if device == "cuda" and not torch.cuda.is_available():
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

    net = Net().to(device)
    optimizer, loss = torch.optim.Adam(net.parameters()), torch.nn.CrossEntropyLoss()
    ids, labels = torch.randint(0, 1000, (batch, steps)).to(device), torch.randint(0, 2, (batch,)).to(device)

    def step() -> float:
        optimizer.zero_grad()
        with torch.autocast(device, torch.bfloat16, enabled=bfloat16):
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
