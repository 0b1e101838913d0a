"""The gated delta rule: its chunks against numpy, long sequences, what it remembers, and its heads."""

import numpy as np
import pytest
from keras import ops

from zoo import cells, layers
from zoo.cells import delta_rule
from zoo.cells.delta_rule import chunkwise
from zoo.errors import UserError


def noise(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


def unit(vectors):
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


def by_numpy(q, k, v, log_alpha, beta, state):
    """Equation 10 of the paper, step by step, of one row and head; the states given and returned are S^T."""
    memory, outputs = state.T, []
    for t in range(len(q)):
        memory = memory @ (np.exp(log_alpha[t]) * (np.eye(len(k[t])) - beta[t] * np.outer(k[t], k[t])))
        memory = memory + beta[t] * np.outer(v[t], k[t])
        outputs.append(memory @ q[t])
    return np.stack(outputs), memory.T


def compare(q, k, v, log_alpha, beta, chunk=32, dtype="float32"):
    """The largest difference of outputs and last states, relative to the largest output."""
    state = noise(*q.shape[:1], q.shape[2], q.shape[3], v.shape[3], seed=5)
    tensors = [ops.convert_to_tensor(part.astype(dtype)) for part in (q, k, v, log_alpha, beta, state)]
    outputs, last = (ops.convert_to_numpy(part) for part in chunkwise(*tensors, chunk))
    worst = 0.0
    for row in range(q.shape[0]):
        for head in range(q.shape[2]):
            own = (part[row, :, head] for part in (q, k, v, log_alpha, beta))
            expected, end = by_numpy(*own, state[row, head])
            size = max(np.abs(expected).max(), np.abs(end).max())
            worst = max(worst, np.abs(outputs[row, :, head] - expected).max() / size)
            worst = max(worst, np.abs(last[row, head] - end).max() / size)
    return worst


def parts(time, keys=4, values=3, signed=False, decay=0.1):
    """q, k, v, log alpha and beta of 2 rows and 2 heads."""
    return (
        unit(noise(2, time, 2, keys, seed=1)),
        unit(noise(2, time, 2, keys, seed=2)),
        noise(2, time, 2, values, seed=3),
        -decay * np.abs(noise(2, time, 2, seed=4)),
        (2 if signed else 1) / (1 + np.exp(-3 * noise(2, time, 2, seed=6))),
    )


@pytest.mark.parametrize("chunk", [1, 4, 32])
@pytest.mark.parametrize("time", [1, 4, 7, 33])
def test_chunks_equal_the_equation(time, chunk):
    assert compare(*parts(time), chunk=chunk, dtype="float64") < 1e-12


@pytest.mark.parametrize(("time", "chunks"), [(8, 1), (33, 2), (40, 2)])
def test_a_few_steps_are_not_filled_up_to_a_whole_chunk(time, chunks, monkeypatch):
    seen = []

    def spy(k, *others):
        seen.append(k.shape[2:4])
        return solved(k, *others)

    solved = delta_rule._solved
    monkeypatch.setattr(delta_rule, "_solved", spy)
    assert compare(*parts(time), dtype="float64") < 1e-12
    [(number, steps)] = seen
    assert number == chunks
    assert number * steps - time < number  # at most one step of padding in each


@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize("decay", [0.0, 0.001, 1.0, 30.0])
def test_a_thousand_steps_lose_no_precision(signed, decay):
    """Also where alpha is 1, where products of alphas vanish within a chunk (exp(-30 * 32) is 0), and signed."""
    assert compare(*parts(1000, signed=signed, decay=decay)) < 3e-5


@pytest.mark.parametrize("beta", [0.5, 1.0, 2.0])
def test_a_thousand_writes_under_one_key_lose_no_precision(beta):
    """A series of powers of the triangular system would have terms of 3^32 here, which cancel."""
    q, k, v, log_alpha, _ = parts(1000, decay=0.01)
    assert compare(q, np.repeat(k[:, :1], 1000, axis=1), v, log_alpha, np.full((2, 1000, 2), beta)) < 3e-5


def test_a_write_replaces_what_was_under_its_key():
    """S_t k_t = v_t where beta is 1, other keys keep theirs: the memory of the delta rule."""
    keys, values = np.eye(3)[[0, 1, 2, 1]], noise(4, 2)
    ones = np.ones((1, 4, 1))
    tensors = (keys[None, :, None], keys[None, :, None], values[None, :, None], 0 * ones, ones, np.zeros((1, 1, 3, 2)))
    _, last = chunkwise(*(ops.convert_to_tensor(part.astype("float32")) for part in tensors))
    np.testing.assert_allclose(ops.convert_to_numpy(last)[0, 0], values[[0, 3, 2]], atol=1e-6)


def test_signed_turns_a_direction_around():
    """Beta = 2 under one key: a reflection, whose square is the identity; without `signed` it can only be cleared."""
    cell = cells.GatedDeltaCell(4, signed=True)
    cell.build((None, 3))
    cell.bias.assign([40.0])
    cell.log_decay.assign([-40.0])
    cell.kernel.assign(np.concatenate([noise(3, 8), np.zeros((3, 4)), noise(3, 4)], axis=1))  # v = 0
    x, state = (
        ops.convert_to_tensor(noise(1, 3).astype("float32")),
        ops.convert_to_tensor(noise(1, 16).astype("float32")),
    )
    _, [once] = cell(x, [state])
    _, [twice] = cell(x, [once])
    assert np.abs(ops.convert_to_numpy(once - state)).max() > 0.1
    np.testing.assert_allclose(ops.convert_to_numpy(twice), ops.convert_to_numpy(state), atol=1e-4)


@pytest.mark.parametrize(("units", "heads"), [(5, 1), (32, 1), (64, 2), (100, 4), (128, 4), (192, 6)])
def test_heads_have_at_most_32_values_by_default(units, heads):
    cell = cells.GatedDeltaCell(units)
    assert cell.heads == heads
    assert cell.state_size == units * units // heads


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: cells.GatedDeltaCell(6, heads=4), "heads must divide units; got heads=4, units=6.*1, 2, 3, 6"),
        (lambda: cells.GatedDeltaCell(97), "units=97 has no good divisor: take units=128"),
        (lambda: cells.GatedDeltaCell(8, key_dim=0), "key_dim is at least 1; got 0"),
        (lambda: cells.GatedDeltaCell(8, chunk_size=0), "chunk_size is at least 1; got 0"),
    ],
)
def test_what_it_cannot_have_is_refused_in_a_sentence(make, text):
    with pytest.raises(UserError, match=text):
        make()


def test_the_layer_computes_by_chunks():
    layer = layers.Recurrent(cells.GatedDeltaCell(6, heads=2), bidirectional=True, return_state=True)
    outputs, [[state]] = layer(noise(2, 5, 3).astype("float32"))
    assert tuple(outputs.shape) == (2, 5, 12)
    assert tuple(state.shape) == (2, 2 * 2 * 9)
    assert layer.choice(training=True).path == "sequence"
