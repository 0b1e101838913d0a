"""SRU, SSRU, LRU, RG-LRU and the gated delta rule: a sequence equals its steps; variants and starting points."""

import keras
import numpy as np
import pytest
from keras import ops

from zoo import cells, engine, layers, testing
from zoo.cells.cell import advance
from zoo.errors import UserError
from zoo.lens.autodiff import gradient

CELLS = {
    "sru": lambda **options: cells.SRUCell(6, **options),
    "sru without a projection": lambda **options: cells.SRUCell(3, **options),
    "sru peephole": lambda **options: cells.SRUCell(6, peephole=True, **options),
    "ssru": lambda **options: cells.SSRUCell(6, **options),
    "lru": lambda **options: cells.LRUCell(6, **options),
    "lru channels": lambda **options: cells.LRUCell(6, channels=4, activation="linear", use_bias=False, **options),
    "rg_lru": lambda **options: cells.RGLRUCell(6, **options),
    "rg_lru blocks": lambda **options: cells.RGLRUCell(6, num_blocks=3, use_bias=False, **options),
    "rg_lru signed": lambda **options: cells.RGLRUCell(6, signed=True, **options),
    "gated_delta": lambda **options: cells.GatedDeltaCell(6, heads=2, key_dim=4, chunk_size=4, **options),
    "gated_delta signed": lambda **options: cells.GatedDeltaCell(6, signed=True, use_bias=False, **options),
}
TIME = 9
MASK = np.arange(TIME) < np.array([9, 4, 0])[:, None]


def noise(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


def built(name, dtype="float64"):
    cell = CELLS[name](dtype=dtype)
    cell.build((None, 3))
    for seed, weight in enumerate(cell.weights):
        weight.assign(ops.convert_to_numpy(weight) + 0.3 * noise(*weight.shape, seed=seed))
    return cell


def by_steps(cell, inputs, state, reverse):
    """Outputs and the last state of as many calls; padded steps change nothing."""
    outputs = [None] * TIME
    for time in reversed(range(TIME)) if reverse else range(TIME):
        output, (new,) = advance(cell, inputs[:, time], [state])
        real = ops.convert_to_tensor(MASK[:, time, None])
        outputs[time] = ops.where(real, output, ops.zeros_like(output))
        state = ops.where(real, new, state)
    return ops.stack(outputs, axis=1), state


def results(cell, run, dtype):
    """Outputs, last state, and the derivatives of a weighted sum of both by inputs, first state and all weights."""
    parts = [noise(3, TIME, 3, seed=7), noise(3, cell.state_size, seed=8), *map(ops.convert_to_numpy, cell.weights)]
    weigh, weigh_last = noise(3, TIME, cell.units, seed=9), noise(3, cell.state_size, seed=10)

    def outputs_and_last(vector):
        tensors = ops.split(vector, np.cumsum([part.size for part in parts])[:-1].tolist())
        inputs, state, *weights = (ops.reshape(t, part.shape) for t, part in zip(tensors, parts, strict=True))
        with keras.StatelessScope(state_mapping=list(zip(cell.weights, weights, strict=True))):
            return run(inputs, state)

    def loss(vector):
        outputs, last = outputs_and_last(vector)
        return ops.sum(outputs * weigh.astype(dtype)) + ops.sum(last * weigh_last.astype(dtype))

    vector = np.concatenate([part.ravel() for part in parts]).astype(dtype)
    outputs, last = outputs_and_last(ops.convert_to_tensor(vector))
    values = {"outputs": outputs, "last": last, "gradient": gradient(loss, vector)}
    return {name: ops.convert_to_numpy(value) for name, value in values.items()}


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("name", CELLS)
@pytest.mark.parametrize(("dtype", "tolerance"), [("float32", 1e-4), ("float64", 1e-9)])
def test_a_sequence_equals_its_steps_in_values_and_gradients(name, reverse, dtype, tolerance):
    """With padding, from a given state, both ways, on every path."""
    cell = built(name, dtype)
    expected = results(cell, lambda inputs, state: by_steps(cell, inputs, state, reverse), dtype)
    assert np.abs(expected["gradient"]).max() > 0.1
    for path in ("compiled", "plain", "associative"):

        def run(inputs, state, path=path):
            outputs, (last,) = cell.sequence(inputs, MASK, [state], reverse, True, engine.Choice(path, ""))
            return outputs, last

        for what, value in results(cell, run, dtype).items():
            np.testing.assert_allclose(value, expected[what], rtol=tolerance, atol=tolerance, err_msg=f"{path} {what}")


@pytest.mark.parametrize("name", CELLS)
def test_variants_keep_the_contract_of_cells(name):
    testing.check_contract(CELLS[name]())
    testing.check_padding(CELLS[name]())


@pytest.mark.parametrize("name", CELLS)
def test_half_precision_is_near_single_precision_over_many_steps(name):
    """Decays are close to 1: rounded to bfloat16 they would be 1 or far from it."""
    keras.utils.set_random_seed(0)
    inputs = noise(2, 300, 3, seed=1).astype("float32")
    whole = layers.Recurrent(built(name, "float32"), return_state=True)
    whole.build((None, None, 3))
    whole.set_weights(built(name, "float32").get_weights())
    half = layers.Recurrent(CELLS[name](dtype="mixed_bfloat16"), return_state=True, dtype="mixed_bfloat16")
    half.build((None, None, 3))
    half.set_weights(whole.get_weights())
    expected, _ = whole(inputs)
    found, [[last]] = half(inputs)
    assert keras.backend.standardize_dtype(found.dtype) == keras.backend.standardize_dtype(last.dtype) == "bfloat16"
    expected, found = (ops.convert_to_numpy(ops.cast(part, "float32")) for part in (expected, found))
    assert np.abs(found - expected).max() < 0.08 * np.abs(expected).max()


def test_the_full_sru_lets_its_gates_see_the_state():
    """Equations 1 to 4 with v."""
    cell = built("sru peephole")
    w = {weight.name: ops.convert_to_numpy(weight) for weight in cell.weights}
    x, c = noise(4, 3), noise(4, 6, seed=1)
    w_c, w_f, w_r, w_x = np.split(w["kernel"], 4, axis=1)
    v_f, v_r = w["recurrent_kernel"]
    b_f, b_r = np.split(w["bias"], 2)
    f, r = (1 / (1 + np.exp(-part)) for part in (x @ w_f + v_f * c + b_f, x @ w_r + v_r * c + b_r))
    new = f * c + (1 - f) * (x @ w_c)
    output, [state] = cell(ops.convert_to_tensor(x), [ops.convert_to_tensor(c)])
    np.testing.assert_allclose(ops.convert_to_numpy(state), new, atol=1e-12)
    np.testing.assert_allclose(ops.convert_to_numpy(output), r * new + (1 - r) * (x @ w_x), atol=1e-12)
    assert engine.choose(cell, training=True).path == "plain"
    assert "previous state" in engine.choose(cell, training=True).reason


def test_the_sru_passes_inputs_of_its_own_size_on():
    cell = cells.SRUCell(3)
    cell.build((None, 3))
    assert cell.kernel.shape == (3, 9)
    cell.bias.assign([0.0] * 3 + [-50.0] * 3)  # the reset gate is shut
    x = noise(2, 3).astype("float32")
    output, _ = cell(ops.convert_to_tensor(x), [ops.ones((2, 3))])
    np.testing.assert_allclose(ops.convert_to_numpy(output), x, atol=1e-6)


def test_the_lru_starts_on_its_ring_with_a_state_of_the_size_of_its_inputs():
    keras.utils.set_random_seed(0)
    cell = cells.LRUCell(8, channels=4000, r_min=0.5, r_max=0.9, max_phase=1.0)
    cell.build((None, 1))
    nu, theta, gamma = (np.exp(ops.convert_to_numpy(w)) for w in (cell.nu_log, cell.theta_log, cell.gamma_log))
    square = np.exp(-2 * nu)
    assert 0.25 <= square.min() < 0.26
    assert 0.80 < square.max() <= 0.81 + 1e-6
    assert square.mean() == pytest.approx((0.25 + 0.81) / 2, abs=0.01), "evenly over the area of the ring"
    assert 0.99 < theta.max() <= 1 + 1e-6
    np.testing.assert_allclose(gamma, np.sqrt(1 - square), rtol=1e-5)


@pytest.mark.parametrize(("signed", "least"), [(False, 0.9), (True, 0.1)])
def test_the_rg_lru_starts_with_the_decays_of_the_paper(signed, least):
    keras.utils.set_random_seed(0)
    cell = cells.RGLRUCell(4000, num_blocks=1000, signed=signed)
    cell.build((None, 1))
    power = (1 / (1 + np.exp(-ops.convert_to_numpy(cell.decay).astype("float64")))) ** 8
    assert least <= power.min() < least + 0.01
    assert 0.998 < power.max() <= 0.9991
    assert power.mean() == pytest.approx((least + 0.999) / 2, abs=0.01)


def test_blocks_of_the_rg_lru_do_not_mix():
    cell = built("rg_lru blocks")
    x = noise(1, 6)
    gates = np.concatenate([ops.convert_to_numpy(part) for part in cell._gates(ops.convert_to_tensor(x))])
    for block in range(3):
        own = slice(2 * block, 2 * block + 2)
        r, i = np.split(x[0, own] @ ops.convert_to_numpy(cell.gate_kernel)[block], 2)
        np.testing.assert_allclose(gates[:, own], 1 / (1 + np.exp([-r, -i])), atol=1e-12)


def test_a_signed_rg_lru_reaches_minus_one():
    cell = cells.RGLRUCell(2, signed=True)
    cell.build((None, 2))
    cell.decay.assign([-20.0, -20.0])
    for bias, factor in ((-50.0, 1.0), (50.0, -1.0)):  # the recurrence gate shut and open
        cell.gate_bias.assign([bias, bias, 0.0, 0.0])
        a, b = cell.coefficients(ops.ones((1, 2)))
        np.testing.assert_allclose(ops.convert_to_numpy(a), factor, atol=1e-6)
        assert np.abs(ops.convert_to_numpy(b)).max() < 2e-3, "nothing is added where all is kept"


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: cells.RGLRUCell(6, num_blocks=4), "must divide units; got num_blocks=4, units=6"),
        (lambda: cells.LRUCell(6, channels=0), "at least one channel"),
        (lambda: cells.LRUCell(6, r_min=0.9, r_max=0.5), "0 <= r_min < r_max <= 1; got r_min=0.9, r_max=0.5"),
        (lambda: cells.LRUCell(6, max_phase=7.0), "at most 2 pi"),
        (lambda: cells.LRUCell(6, activation="gelo"), "gelu"),
    ],
)
def test_what_a_cell_cannot_have_is_refused_in_a_sentence(make, text):
    with pytest.raises(UserError, match=text):
        make()


@pytest.mark.parametrize("name", CELLS)
def test_gates_are_between_shut_and_open(name):
    cell = built(name, "float32")
    values = cell.gate_values(ops.ones((2, 3)), [ops.ones((2, cell.state_size))])
    assert bool(values) != isinstance(cell, cells.LRUCell)
    for value in values.values():
        assert tuple(value.shape) == (2, cell.units)
        assert 0 <= ops.convert_to_numpy(value).min() <= ops.convert_to_numpy(value).max() <= 1
