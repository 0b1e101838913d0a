"""The conditional cell's kernel: values and gradients of the plain loop, and where it must not be used."""

import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
import pytest
from keras import ops

from zoo import builders, engine
from zoo.engine import Choice, available, compiled, conditional
from zoo.layers import RecurrentDecoder

pytest.importorskip("numba")
tensorflow_only = pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="gradients by TensorFlow's tape")

SHAPES = [(1, 1, 2, 1, 4, 5, 3), (5, 7, 6, 1, 20, 9, 33), (6, 9, 5, 3, 33, 40, 17), (70, 12, 6, 1, 40, 33, 32)]
"""Batch, steps, positions, rows that read one memory, units, features, size of attention: least, odd, several targets
of one memory, enough work for two cores."""


@pytest.fixture
def count() -> Iterator[Any]:
    """How many forward and backward kernels ran since the test began."""
    before = dict(compiled.calls)
    return lambda: tuple(compiled.calls[name] - before[name] for name in ("forward", "backward"))


def made(cell: str, shape: tuple, dtype: str = "float32", **options: Any) -> Any:
    """A decoder with random weights everywhere, and its inputs: tokens, states, memory's values and two masks."""
    batch, steps, positions, group, units, features, size = shape
    rng = np.random.default_rng(0)

    def normal(*size: int) -> Any:
        return ops.convert_to_tensor(rng.normal(size=size), decoder.compute_dtype)

    options = {"conditional_cell": True, **options}
    decoder = RecurrentDecoder(cell, units, attention_units=size, dtype=dtype, **options)
    decoder.build((None, None, 7), (None, None, features))
    for variable in decoder.weights:
        variable.assign(0.2 * rng.normal(size=variable.shape))
    states = [[normal(batch, units) for _ in layer] for layer in decoder.state_sizes]
    least = 0 if batch > 3 else 1  # rows without a step, and memories without a position
    real = np.arange(positions) < rng.integers(least, positions + 1, (batch // group, 1))
    mask = np.arange(steps) < rng.integers(least, steps + 1, (batch, 1))
    return decoder, normal(batch, steps, 7), states, normal(batch // group, positions, features), real, mask


def results(path: str, decoder: Any, x: Any, states: list, values: Any, real: Any, mask: Any, monkeypatch: Any) -> list:
    """Readouts and the gradients by everything."""
    import tensorflow as tf

    monkeypatch.setattr(RecurrentDecoder, "choice", lambda *_, **__: Choice(path, ""))
    flat = [state for layer in states for state in layer]
    with tf.GradientTape() as tape:
        tape.watch([x, values, *flat])
        out = decoder(x, states, decoder.prepare(values, real), training=True, mask=mask)
        if mask is not None:
            out = out * ops.cast(mask[:, :, None], out.dtype)
        loss = tf.reduce_sum(tf.sin(3 * out))
    return [out, *tape.gradient(loss, [x, values, *flat, *(v.value for v in decoder.trainable_variables)])]


def close(first: list, second: list, tolerance: float) -> None:
    for a, b in zip(first, second, strict=True):
        a, b = ops.convert_to_numpy(a), ops.convert_to_numpy(b)
        np.testing.assert_allclose(b, a, rtol=0, atol=tolerance * max(1, np.abs(a).max(initial=0)))


@tensorflow_only
@pytest.mark.parametrize("cell", ["gru", "lstm"])
@pytest.mark.parametrize(("dtype", "tolerance"), [("float32", 1e-5), ("float64", 1e-10)])
def test_values_and_gradients_are_those_of_the_plain_loop(
    cell: str, dtype: str, tolerance: float, count: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for shape in SHAPES:
        decoder, x, states, values, real, mask = made(cell, shape, dtype)
        for masks in ((None, None), (real, mask)):
            both = [results(path, decoder, x, states, values, *masks, monkeypatch) for path in ("plain", "compiled")]
            close(*both, tolerance)
    assert count() == (8, 8)


@tensorflow_only
def test_layers_above_run_by_their_own_kernels(count: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    decoder, *rest = made("lstm", SHAPES[1], num_layers=2)
    both = [results(path, decoder, *rest, monkeypatch) for path in ("plain", "compiled")]
    close(*both, 1e-5)
    assert count() == (2, 2), "the conditional cell's kernel and the second layer's"


@tensorflow_only
@pytest.mark.parametrize(
    ("cell", "options"),
    [
        ("gru", {}),
        ("lstm", {"num_layers": 2, "attention": "dot", "context_gate": True}),
        ("simple_rnn", {"attention": "general", "layer_norm": True}),
    ],
)
def test_without_a_conditional_cell_attention_is_computed_for_all_steps_at_once(
    cell: str, options: dict, count: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for shape in SHAPES[:3]:
        decoder, *rest = made(cell, shape, conditional_cell=False, **options)
        both = [results(path, decoder, *rest, monkeypatch) for path in ("plain", "compiled")]
        close(*both, 1e-5)
    layers = len(decoder.cells)
    assert count() == (3 * layers, 3 * layers)
    weights = decoder(rest[0], rest[1], decoder.prepare(rest[2], rest[3]), return_attention=True)[1]
    monkeypatch.setattr(RecurrentDecoder, "choice", lambda *_, **__: Choice("plain", ""))
    plain = decoder(rest[0], rest[1], decoder.prepare(rest[2], rest[3]), return_attention=True)[1]
    close([plain], [weights], 1e-5)


@tensorflow_only
def test_half_precision_is_computed_in_single(count: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    decoder, *rest = made("gru", SHAPES[1], "mixed_bfloat16")
    plain, fast = (results(path, decoder, *rest, monkeypatch) for path in ("plain", "compiled"))
    assert [tensor.dtype for tensor in fast] == [tensor.dtype for tensor in plain]
    close([ops.cast(plain[0], "float32")], [ops.cast(fast[0], "float32")], 0.05)
    assert count() == (1, 1)


def test_which_decoders_have_a_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        engine.choice,
        "backend_module",
        lambda: type("Module", (), {"device": lambda: "cpu", "refusal": lambda _: None}),
    )
    cases = [
        ("gru", {}, "compiled"),
        ("lstm", {"num_layers": 2, "layer_norm": True}, "compiled"),
        ("simple_rnn", {}, "plain"),
        ("gru", {"conditional_cell": False}, "compiled"),
        ("simple_rnn", {"conditional_cell": False, "attention": None}, "compiled"),
        ("gru", {"attention": "dot"}, "plain"),
        ("gru", {"input_feeding": True}, "plain"),
        ("gru", {"context_gate": True}, "plain"),
    ]
    for cell, options, path in cases:
        decoder = RecurrentDecoder(cell, 4, **{"conditional_cell": True, **options})
        assert decoder.choice(training=True).path == path, (cell, options)
    monkeypatch.setattr(available, "loaded", lambda kind: kind != "conditional")
    monkeypatch.setattr(available, "ready", lambda kind: kind != "conditional")
    assert "do not compile" in RecurrentDecoder("gru", 4, conditional_cell=True).choice(training=False).reason
    monkeypatch.setenv("ZOO_ENGINE", "plain")
    assert "ZOO_ENGINE" in RecurrentDecoder("gru", 4, conditional_cell=True).choice(training=True).reason


def test_wrong_shapes_are_refused_before_the_kernel() -> None:
    def arrays() -> list:
        shapes = [(4, 3, 6), (4, 2), (4, 2), (2, 5, 3), (2, 5, 4), (2, 6), (8,), (2, 3), (3,), (4, 6), (2, 6), (8,)]
        return [np.zeros(shape, "float32") for shape in shapes] + [np.ones((2, 5), bool), np.ones((4, 3), bool)]

    assert conditional.forward(*arrays())[0].shape == (4, 3, 2)
    for place, array in enumerate(arrays()):
        wrong = arrays()
        wrong[place] = np.zeros([size + 1 for size in array.shape], array.dtype)
        with pytest.raises(ValueError, match=r"should be|do not fit"):
            conditional.forward(*wrong)


def translator(**options: Any) -> Any:
    keras.utils.set_random_seed(0)
    model = builders.translator(12, 12, units=6, embedding_dim=5, conditional_cell=True, **options)
    model.compile(keras.optimizers.Adam(0.01), model.default_loss(), jit_compile=False)
    return model


@tensorflow_only
def test_fit_and_evaluate_of_a_translator_take_the_kernel(
    count: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    rng = np.random.default_rng(0)
    ids = rng.integers(4, 12, (16, 7)).astype("int32")
    ids[np.arange(7) >= rng.integers(2, 8, (16, 1))] = 0
    pairs, targets = (ids, ids[:, :-1]), ids[:, 1:]
    fast = translator()
    history = fast.fit(pairs, targets, batch_size=8, epochs=2, verbose=0).history["loss"]
    assert count() == (8, 8), "the encoder's kernel and the decoder's"
    loss = fast.evaluate(pairs, targets, verbose=0)
    before = count()
    fast.save(tmp_path / "model.keras")
    monkeypatch.setenv("ZOO_ENGINE", "plain")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert loaded.evaluate(pairs, targets, verbose=0) == pytest.approx(loss, rel=1e-5)
    slow = translator().fit(pairs, targets, batch_size=8, epochs=2, verbose=0).history["loss"]
    assert slow == pytest.approx(history, rel=1e-4)
    assert count() == before


JAX = """
import jax, keras, numpy as np
from zoo.engine import Choice, compiled, conditional
from zoo.layers import RecurrentDecoder
rng = np.random.default_rng(0)
for cell in ("gru", "lstm"):
    decoder = RecurrentDecoder(cell, 20, attention_units=33, conditional_cell=True)
    decoder.build((None, None, 7), (None, None, 9))
    weights = [0.2 * rng.normal(size=v.shape).astype("float32") for v in decoder.trainable_variables]
    x, values = rng.normal(size=(6, 7, 7)).astype("float32"), rng.normal(size=(3, 5, 9)).astype("float32")
    states = [[rng.normal(size=(6, 20)).astype("float32") for _ in layer] for layer in decoder.state_sizes]
    real, mask = np.arange(5) < np.array([[5], [2], [0]]), np.arange(7) < np.array([[7], [1], [0], [3], [7], [5]])
    def loss(x, values, states, weights, path):
        conditional.decide = lambda *_: Choice(path, "")
        with keras.StatelessScope(list(zip(decoder.trainable_variables, weights))):
            out = decoder(x, states, decoder.prepare(values, real), training=True, mask=mask)
        return (jax.numpy.sin(3 * out) * mask[:, :, None]).sum()
    run = jax.jit(jax.value_and_grad(loss, argnums=(0, 1, 2, 3)), static_argnums=4)
    plain, fast = (jax.tree.leaves(run(x, values, states, weights, path)) for path in ("plain", "compiled"))
    for a, b in zip(plain, fast, strict=True):
        np.testing.assert_allclose(b, a, rtol=0, atol=1e-5 * max(1, np.abs(a).max()))
assert compiled.calls == {"forward": 2, "backward": 2}, compiled.calls
print("right")
"""


def test_jax() -> None:
    pytest.importorskip("jax")
    environment = {**os.environ, "KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu"}
    done = subprocess.run([sys.executable, "-c", JAX], capture_output=True, text=True, env=environment, check=False)
    assert done.stdout.strip().endswith("right"), done.stderr[-3000:]
