"""Kernels on JAX, in one process of its own: Keras has one backend."""

import os
import subprocess
import sys

import pytest

pytest.importorskip("numba")
pytest.importorskip("jax")

SCRIPT = """
import os
import jax, keras, numpy as np
import jax.numpy as jnp
from keras import ops
from zoo import cells, engine, layers
from zoo.engine import Choice, compiled
from zoo.engine.saved_activations import SavedActivations

from zoo.engine import jax as backend, scanned

never = backend.scans = lambda kind, shape: False
rng = np.random.default_rng(0)
def normal(*shape, dtype="float32"):
    imaginary = 0.5j * rng.normal(size=shape) if dtype == "complex64" else 0
    return jnp.asarray((0.5 * rng.normal(size=shape) + imaginary).astype(dtype))
def close(first, second):
    for a, b in zip(jax.tree.leaves(first), jax.tree.leaves(second), strict=True):
        np.testing.assert_allclose(b, a, rtol=0, atol=1e-5 * max(1, np.abs(a).max()))
right = np.arange(9) < np.array([[9], [3], [0], [1], [7]])
for kind in ("simple_rnn", "lstm", "gru", "min_gru", "min_lstm"):
    cell = cells.make(kind, 20)
    cell.build((None, 6))
    weights, x, begin = [normal(*v.shape) * 0.6 for v in cell.weights], normal(5, 9, 6), [normal(5, 20)] * cell.states
    for mask, reverse in ((None, False), (right, True)):
        def loss(x, begin, weights, path):
            with keras.StatelessScope(list(zip(cell.trainable_variables, weights))):
                y, states = engine.run(cell, x, mask, begin, reverse, True, Choice(path, ""))
            return ops.sum(ops.sin(y * 3)) + sum(ops.sum(s * s) for s in states), (y, states)
        run = jax.jit(jax.value_and_grad(loss, argnums=(0, 1, 2), has_aux=True), static_argnums=3)
        close(run(x, begin, weights, "plain"), run(x, begin, weights, "compiled"))
        if kind in ("lstm", "gru"):
            backend.scans = lambda kind, shape: True
            right_one = run(x, begin, weights, "plain")
            jax.clear_caches()
            close(right_one, run(x, begin, weights, "compiled"))
            backend.scans = never
            scanned.UNROLL, on_cpu = 4, jax.default_backend  # as on a GPU; 9 steps are no multiple of 4
            jax.default_backend = lambda: "gpu"
            assert engine.choose(cell, training=True).path == engine.choose(cell, training=False).path == "scanned"
            jax.clear_caches()
            close(right_one, run(x, begin, weights, "scanned"))
            jax.default_backend = on_cpu
assert not backend.SAVED._items
assert compiled.calls == {"forward": 10, "backward": 10}, compiled.calls
backend.SAVED = SavedActivations(0)  # has the last one only: of two layers, the first computes once more
def two(x, begin, weights, path):
    with keras.StatelessScope(list(zip(cell.trainable_variables, weights))):
        y = engine.run(cell, x, None, begin, False, True, Choice(path, ""))[0]
        y = engine.run(cell, y[:, :, :6], None, begin, True, True, Choice(path, ""))[0]
    return ops.sum(ops.sin(y))
run = jax.jit(jax.value_and_grad(two, argnums=(0, 1, 2)), static_argnums=3)
close(run(x, begin, weights, "plain"), run(x, begin, weights, "compiled"))
for dtype in ("float32", "complex64"):
    a, b, h0 = normal(5, 9, 7, dtype=dtype), normal(5, 9, 7, dtype=dtype), normal(5, 7, dtype=dtype)
    for mask, reverse in ((None, False), (right, True)):
        def loss(a, b, h0, path):
            y, last = engine.linear_recurrence(a, b, h0, mask, reverse, True, Choice(path, ""))
            return jnp.sum(jnp.abs(y - 0.3) ** 2) + jnp.sum(jnp.abs(last) ** 2), (y, last)
        run = jax.jit(jax.value_and_grad(loss, argnums=(0, 1, 2), has_aux=True), static_argnums=3)
        plain = run(a, b, h0, "plain")
        close(plain, run(a, b, h0, "compiled"))
        close(plain, run(a, b, h0, "associative"))

jax.default_backend = lambda: "gpu"
stack = layers.Recurrent("gru", 4, num_layers=2, bidirectional=True, return_state=True)
assert stack.choice(training=True).path == "scanned"
seen, states = stack(x, right, training=False)
assert backend.gpu_path("simple_rnn") == "fused"
jax.default_backend = on_cpu
os.environ["ZOO_ENGINE"] = "plain"
outputs, finals = stack(x, right, training=False)
close((outputs * right[:, :, None], finals), (seen * right[:, :, None], states))
del os.environ["ZOO_ENGINE"]

class Layer(keras.layers.Layer):
    def build(self, shape):
        self.cell = cells.make("gru", 4)
        self.cell.build((None, shape[-1]))
    def call(self, x, training=None):
        return engine.run(self.cell, x, training=training)[0]
model = keras.Sequential([keras.layers.Input((5, 3)), Layer(), keras.layers.Dense(1)])
model.compile("sgd", "mse")
before = dict(compiled.calls)
model.fit(np.ones((4, 5, 3)), np.ones((4, 5, 1)), verbose=0)
assert compiled.calls == {name: number + 1 for name, number in before.items()}
model.predict(np.ones((4, 5, 3)), verbose=0)
assert compiled.calls["forward"] == before["forward"] + 1, "a function that may be exported has no callback"
keras.distribution.set_distribution(keras.distribution.DataParallel(devices=["cpu:0"]))
assert engine.choose(cell, training=True).path == "compiled"  # each device runs its own rows
assert "spread over several devices" in engine.choose(cell, training=False).reason
print("right")
"""


def test_values_gradients_and_choice() -> None:
    environment = {**os.environ, "KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu"}
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, env=environment, check=False)
    assert done.stdout.strip().endswith("right"), done.stderr[-3000:]
