"""Kernels on TensorFlow: the same numbers and gradients as the plain loop, and where kernels must not be used."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from zoo import cells, engine
from zoo.engine import Choice, compiled
from zoo.errors import UserError

pytest.importorskip("numba")
pytestmark = pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="of TensorFlow alone")

PATHS = [Choice("plain", ""), Choice("compiled", "")]
MASKS = [None, np.arange(9) < np.array([[9], [3], [0], [1], [7]]), np.random.default_rng(3).random((5, 9)) < 0.5]
KINDS = ["simple_rnn", "lstm", "gru", "min_gru", "signed_min_gru"]


@keras.saving.register_keras_serializable("tests")
class Layer(keras.layers.Layer):
    """The least layer around `engine.run`."""

    def __init__(self, kind: str = "gru", units: int = 8, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.kind = kind
        self.cell = cells.make(kind, units)

    def build(self, input_shape: tuple) -> None:
        self.cell.build((None, input_shape[-1]))

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        return engine.run(self.cell, inputs, training=training)[0]


def model(kind: str = "gru", **options: Any) -> Any:
    keras.utils.set_random_seed(0)
    made = keras.Sequential([keras.layers.Input((9, 6)), Layer(kind), keras.layers.Dense(1)])
    made.compile(keras.optimizers.Adam(0.01), "mse", **options)
    return made


def data() -> tuple[Any, Any]:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(20, 9, 6)).astype("float32")
    return x, x.sum(-1, keepdims=True).cumsum(1)


def cell_of(kind: str, seed: int, dtype: str = "float32") -> Any:
    rng = np.random.default_rng(seed)
    options = {"signed": True} if kind.startswith("signed_") else {}
    cell = cells.find(kind.removeprefix("signed_"))(20, dtype=dtype, **options)
    cell.build((None, 6))
    for variable in cell.weights:
        variable.assign(0.3 * rng.normal(size=variable.shape))
    return cell


@pytest.fixture
def count() -> Iterator[Any]:
    """How many forward and backward kernels ran since the test began."""
    before = dict(compiled.calls)
    return lambda: tuple(compiled.calls[name] - before[name] for name in ("forward", "backward"))


def close(first: list, second: list, tolerance: float) -> None:
    for a, b in zip(first, second, strict=True):
        a, b = (keras.ops.convert_to_numpy(tensor).astype("float64") for tensor in (a, b))
        np.testing.assert_allclose(b, a, rtol=0, atol=tolerance * max(1, np.abs(a).max(initial=0)))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("dtype", "tolerance"), [("float32", 1e-5), ("float64", 1e-10)])
def test_values_and_gradients_are_those_of_the_plain_loop(kind: str, dtype: str, tolerance: float, count: Any) -> None:
    rng = np.random.default_rng(1)
    cell = cell_of(kind, 0, dtype)
    x = tf.constant(rng.normal(size=(5, 9, 6)), dtype)
    begin = [tf.constant(rng.normal(size=(5, 20)), dtype) for _ in range(cell.states)]
    for mask in MASKS:
        for reverse in (False, True):
            results = []
            for path in PATHS:
                with tf.GradientTape() as tape:
                    tape.watch([x, *begin])
                    y, states = engine.run(cell, x, mask, begin, reverse, True, path)
                    loss = tf.reduce_sum(tf.sin(3 * y)) + sum(tf.reduce_sum(state**2) for state in states)
                inputs = [x, *begin, *(variable.value for variable in cell.trainable_variables)]
                results.append([y, *states, *tape.gradient(loss, inputs)])
            close(*results, tolerance)
    assert count() == (6, 6)


@pytest.mark.parametrize("kind", KINDS)
def test_both_directions_in_one_call(kind: str, count: Any) -> None:
    pair = [cell_of(kind, seed) for seed in (1, 2)]
    variables = [variable.value for cell in pair for variable in cell.trainable_variables]
    x = tf.constant(np.random.default_rng(2).normal(size=(5, 9, 6)), "float32")
    for mask in MASKS:
        results = []
        for path in PATHS:
            with tf.GradientTape() as tape:
                tape.watch(x)
                y, states = engine.run_bidirectional(*pair, x, mask, True, path)
                loss = tf.reduce_sum(tf.sin(3 * y)) + sum(tf.reduce_sum(s) for each in states for s in each)
            results.append([y, *states[0], *states[1], *tape.gradient(loss, [x, *variables])])
        close(*results, 1e-5)
    assert count() == (3, 3)


@pytest.mark.parametrize("dtype", ["float32", "complex64"])
def test_linear_recurrences(dtype: str, count: Any) -> None:
    rng = np.random.default_rng(4)

    def normal(*shape: int) -> Any:
        return tf.constant(
            0.5 * (rng.normal(size=shape) + (1j * rng.normal(size=shape) if dtype != "float32" else 0)), dtype
        )

    a, b, h0 = normal(5, 9, 7), normal(5, 9, 7), normal(5, 7)
    for mask in MASKS:
        for reverse in (False, True):
            results = []
            for path in (*PATHS, Choice("associative", "")):
                with tf.GradientTape() as tape:
                    tape.watch([a, b, h0])
                    y, last = engine.linear_recurrence(a, b, h0, mask, reverse, True, path)
                    loss = tf.reduce_sum(tf.abs(y - 0.3) ** 2) + tf.reduce_sum(tf.abs(last) ** 2)
                results.append([tf.abs(t - 1) for t in (y, last, *tape.gradient(loss, [a, b, h0]))])
            close(results[0], results[1], 1e-5)
            close(results[0], results[2], 1e-5)
    assert count() == (6, 6)


def test_half_precision_is_computed_in_single(count: Any) -> None:
    cell = cell_of("gru", 0, "mixed_bfloat16")
    x = tf.constant(np.random.default_rng(0).normal(size=(5, 9, 6)), "bfloat16")
    with tf.GradientTape() as tape:
        y, (state,) = engine.run(cell, x, training=True, choice=PATHS[1])
        loss = tf.reduce_sum(y)
    assert (y.dtype, state.dtype) == (tf.bfloat16, tf.bfloat16)
    assert tape.gradient(loss, cell.kernel.value).dtype == tf.float32
    close([engine.run(cell, x, training=True, choice=PATHS[0])[0]], [y], 0.02)
    assert count() == (1, 1)


@pytest.mark.parametrize("kind", ["lstm"])
def test_fit_evaluate_and_predict_take_the_kernels(kind: str, count: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    x, y = data()
    fast = model(kind)
    history = fast.fit(x, y, batch_size=8, epochs=2, verbose=0).history["loss"]
    assert count() == (6, 6)
    predicted = fast.predict(x, verbose=0)
    fast.evaluate(x, y, verbose=0)
    assert count() == (8, 6)
    again = model(kind).fit(x, y, batch_size=8, epochs=2, verbose=0).history["loss"]
    assert again == history
    monkeypatch.setenv("ZOO_ENGINE", "plain")
    slow = model(kind)
    before = count()
    assert slow.fit(x, y, batch_size=8, epochs=2, verbose=0).history["loss"] == pytest.approx(history, rel=1e-4)
    np.testing.assert_allclose(slow.predict(x, verbose=0), predicted, rtol=0, atol=1e-3)
    assert count() == before


def test_xla_takes_the_plain_path(count: Any) -> None:
    x, y = data()
    history = model(jit_compile=True).fit(x, y, batch_size=10, verbose=0).history["loss"]
    assert count() == (0, 0)
    assert history == pytest.approx(model().fit(x, y, batch_size=10, verbose=0).history["loss"], rel=1e-4)
    assert count() == (2, 2)


def test_exported_and_saved_graphs_take_the_plain_path(count: Any, tmp_path: Path) -> None:
    x, y = data()
    trained = model()
    trained.fit(x, y, verbose=0)
    right = trained.predict(x, verbose=0)
    before = count()
    trained.export(tmp_path / "exported", verbose=False)

    @tf.function(input_signature=[tf.TensorSpec((None, 9, 6))])
    def serve(inputs: Any) -> Any:
        return trained(inputs)

    module = tf.Module()
    module.serve, module.variables_of = serve, [variable.value for variable in trained.variables]
    tf.saved_model.save(module, tmp_path / "saved")
    for name in ("exported", "saved"):
        loaded = tf.saved_model.load(tmp_path / name)
        np.testing.assert_allclose(loaded.serve(x), right, rtol=0, atol=1e-5)
    assert count() == before
    names = {op.name for op in serve.get_concrete_function().graph.get_operations()}
    assert not any("PyFunc" in name for name in names)


def test_a_second_derivative_is_refused_not_wrong() -> None:
    cell, x = cell_of("gru", 0), tf.ones((2, 3, 6))
    with tf.GradientTape() as outer:
        outer.watch(x)
        with tf.GradientTape() as inner:
            inner.watch(x)
            y = tf.reduce_sum(engine.run(cell, x, training=True, choice=PATHS[1])[0])
        slope = tf.reduce_sum(inner.gradient(y, x) ** 2)
    with pytest.raises(UserError, match="second derivative"):
        outer.gradient(slope, x)


def test_a_diverged_loss_is_seen(count: Any) -> None:
    x, y = data()
    x[3, 2, 1] = np.nan
    assert np.isnan(model("lstm").fit(x, y, verbose=0).history["loss"][0])
    assert count() == (1, 1)


TWO_REPLICAS = """
import numpy as np, tensorflow as tf
cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
import keras
from zoo import cells, engine
from zoo.engine import compiled
class Layer(keras.layers.Layer):
    def build(self, shape):
        self.cell = cells.make("gru", 4)
        self.cell.build((None, shape[-1]))
    def call(self, x, training=None):
        return engine.run(self.cell, x, training=training)[0]
for devices in (["CPU:0", "CPU:1"], ["CPU:0"]):
    with tf.distribute.MirroredStrategy(devices).scope():
        model = keras.Sequential([keras.layers.Input((5, 3)), Layer(), keras.layers.Dense(1)])
        model.compile("sgd", "mse")
    model.fit(np.ones((4, 5, 3)), np.ones((4, 5, 1)), batch_size=4, verbose=0)
    print(compiled.calls["forward"])
"""


def test_several_replicas_take_the_plain_path() -> None:
    environment = {**os.environ, "KERAS_BACKEND": "tensorflow"}
    done = subprocess.run(
        [sys.executable, "-c", TWO_REPLICAS], capture_output=True, text=True, env=environment, check=False
    )
    assert done.stdout.split() == ["0", "1"], done.stderr[-2000:]


SIZES = [
    (32, 6, 32, 32),
    (31, 5, 33, 31),
    (16, 12, 8, 40),
    (64, 3, 24, 48),
    (2, 40, 16, 64),
    (17, 17, 17, 17),
    (1, 90, 9, 30),
]
"""Batch, steps, features, units around the work at which a second core is worth waking."""


@pytest.mark.parametrize("kind", ["simple_rnn", "lstm", "gru", "min_gru", "min_lstm"])
def test_gradients_of_many_sizes_are_those_of_the_plain_loop(kind):
    rng = np.random.default_rng(0)
    for batch, steps, features, units in SIZES:
        cell = cells.make(kind, units)
        cell.build((None, features))
        cell.set_weights([rng.normal(0, 0.2, weight.shape) for weight in cell.get_weights()])
        inputs = tf.constant(rng.normal(size=(batch, steps, features)).astype("float32"))
        lengths = rng.integers(1, steps + 1, batch)
        direction = tf.constant(rng.normal(size=(batch, steps, units)).astype("float32"))
        for mask in (None, np.arange(steps) < lengths[:, None]):
            results = []
            for path in ("plain", "compiled"):
                with tf.GradientTape() as tape:
                    tape.watch(inputs)
                    outputs, states = engine.run(
                        cell, inputs, mask, training=True, choice=engine.Choice(path, "this is a test")
                    )
                    loss = tf.reduce_sum(outputs * direction) + sum(tf.reduce_sum(state) for state in states)
                results.append(tape.gradient(loss, [inputs, *cell.trainable_variables]))
            for plain, ours in zip(*results, strict=True):
                scale = float(tf.reduce_max(tf.abs(plain)))
                np.testing.assert_allclose(ours, plain, rtol=0, atol=2e-5 * scale, err_msg=str((batch, steps, units)))
