"""The kernels on numpy arrays: values beside the equations, gradients beside finite differences."""

import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("numba")


from zoo.engine import compiled, recurrence, threads
from zoo.engine.compiled import FACTORS, KINDS, Weights

_spec = importlib.util.spec_from_file_location("equations", Path(__file__).with_name("equations.py"))
equations = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(equations)

SHAPES = [(1, 1, 1, 1), (5, 7, 3, 10), (3, 30, 17, 33), (70, 9, 20, 40), (2, 300, 2, 5)]
"""Batch, steps, features, units: least, odd, more than a panel, more rows than a block of steps, many steps."""
WAYS = [(False,), (True,), (False, True)]


def masks(batch: int, steps: int, rng: Any) -> list:
    """None, padding on the right with empty rows, and any mask."""
    return [None, np.arange(steps) < rng.integers(0, steps + 1, (batch, 1)), rng.random((batch, steps)) < 0.6]


def made(kind: str, shape: tuple, ways: tuple, dtype: str, rng: Any) -> tuple:
    batch, steps, features, units = shape
    blocks, states = KINDS[kind]

    def normal(*size: int) -> Any:
        return (0.2 * rng.normal(size=size)).astype(dtype)

    wide = blocks * units
    bias = (2, wide) if kind == "gru" else (wide,)
    rows = 0 if kind in FACTORS else units
    weights = [Weights(normal(features, wide), normal(rows, wide), normal(*bias)) for _ in ways]
    return normal(batch, steps, features), weights, [[normal(batch, units) for _ in range(states)] for _ in ways]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("dtype", "tolerance"), [("float32", 1e-5), ("float64", 1e-10)])
def test_values_are_those_of_the_equations(kind: str, dtype: str, tolerance: float) -> None:
    rng = np.random.default_rng(0)
    for shape in SHAPES:
        for ways in WAYS:
            x, weights, initial = made(kind, shape, ways, dtype, rng)
            for mask in masks(*shape[:2], rng):
                outputs, finals, _ = compiled.forward(kind, x, mask, weights, initial, ways)
                for d, reverse in enumerate(ways):
                    right, last = equations.run(kind, x, mask, weights[d], initial[d], reverse)
                    here = outputs[:, :, d * shape[3] : (d + 1) * shape[3]]
                    np.testing.assert_allclose(here, right, rtol=0, atol=tolerance)
                    for state, expected in zip(finals[d], last, strict=True):
                        np.testing.assert_allclose(state, expected, rtol=0, atol=tolerance)


def flat(lists: list[list]) -> list:
    return [item for each in lists for item in each]


def loss(arguments: tuple, derivatives: list) -> float:
    """A sum of all outputs and states that has these derivatives."""
    outputs, finals, _ = compiled.forward(*arguments)
    return float(sum((a * b).sum() for a, b in zip([outputs, *flat(finals)], derivatives, strict=True)))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("kept", [0, None], ids=["computed-again", "kept"])
def test_gradients_are_finite_differences(kind: str, kept: int | None) -> None:
    rng = np.random.default_rng(1)
    for shape in SHAPES[1:]:
        for ways in WAYS:
            x, weights, initial = made(kind, shape, ways, "float64", rng)
            for mask in masks(*shape[:2], rng):
                outputs, finals, saved = compiled.forward(kind, x, mask, weights, initial, ways, True, kept)
                by_outputs = rng.normal(size=outputs.shape)
                by_finals = [[rng.normal(size=state.shape) for state in each] for each in finals]

                by_all = [by_outputs, *flat(by_finals)]
                arguments = (kind, x, mask, weights, initial, ways)
                dx, dweights, dinitial = compiled.backward(
                    kind, x, mask, weights, initial, ways, outputs, saved, by_outputs, by_finals
                )
                gradients = [
                    dx,
                    *(a for each in dweights for a in each),
                    *flat(dinitial),
                ]
                inputs = [x, *(a for each in weights for a in each), *flat(initial)]
                for array, gradient in zip(inputs, gradients, strict=True):
                    assert gradient.shape == array.shape
                    way, before, size = rng.normal(size=array.shape), array.copy(), 1e-6
                    array += size * way
                    above = loss(arguments, by_all)
                    array[...] = before - size * way
                    slope = (above - loss(arguments, by_all)) / (2 * size)
                    array[...] = before
                    assert (gradient * way).sum() == pytest.approx(slope, rel=2e-6, abs=2e-7)


@pytest.mark.parametrize("kind", KINDS)
def test_single_precision_gradients_are_those_of_double(kind: str) -> None:
    rng = np.random.default_rng(2)
    for shape in SHAPES:
        x, weights, initial = made(kind, shape, (False, True), "float64", rng)
        mask = masks(*shape[:2], rng)[1]
        results = []
        for dtype in ("float64", "float32"):
            here = x.astype(dtype)
            w = [Weights(*(a.astype(dtype) for a in each)) for each in weights]
            s = [[a.astype(dtype) for a in each] for each in initial]
            arguments = (kind, here, mask, w, s, (False, True))
            outputs, finals, saved = compiled.forward(*arguments, keep=True)
            dx, dw, ds = compiled.backward(*arguments, outputs, saved, np.ones_like(outputs), finals)
            results.append([dx, *(a for each in dw for a in each), *flat(ds)])
        for double, single in zip(*results, strict=True):
            assert single.dtype == np.float32
            scale = max(1, np.abs(double).max(initial=0))
            np.testing.assert_allclose(single / scale, double / scale, rtol=0, atol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_without_kept_arrays_the_forward_pass_is_run_again(kind: str) -> None:
    rng = np.random.default_rng(3)
    x, weights, initial = made(kind, (5, 7, 3, 10), (False,), "float32", rng)
    results = []
    for keep in (True, False):
        outputs, finals, saved = compiled.forward(kind, x, None, weights, initial, keep=keep)
        gradient = compiled.backward(kind, x, None, weights, initial, (False,), outputs, saved, outputs, finals)
        results.append(gradient)
    np.testing.assert_allclose(results[0][0], results[1][0], rtol=0, atol=1e-6)
    np.testing.assert_allclose(results[0][1][0].kernel, results[1][1][0].kernel, rtol=0, atol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_two_calls_give_the_same_bits_also_side_by_side(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "cores", lambda: 3)  # 2 and 3 jobs, uneven
    monkeypatch.setattr(compiled, "SPLIT_WORK", 0)
    rng = np.random.default_rng(4)
    x, weights, initial = made(kind, (7, 20, 5, 36), (False,), "float32", rng)
    mask = np.arange(20) < np.array([20, 3, 0, 7, 20, 1, 9])[:, None]
    assert len(compiled._jobs(mask.sum(1), 1e9, 1)) == 3
    results = []
    for _ in range(2):
        outputs, finals, saved = compiled.forward(kind, x, mask, weights, initial, keep=True)
        dx, dw, _ = compiled.backward(kind, x, mask, weights, initial, (False,), outputs, saved, outputs, finals)
        results.append([outputs, dx, *dw[0]])
    for first, second in zip(*results, strict=True):
        np.testing.assert_array_equal(first, second)
    right, _ = equations.run(kind, x, mask, weights[0], initial[0], False)
    np.testing.assert_allclose(results[0][0], right, rtol=0, atol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_bad_number_spoils_its_row_from_there_on_and_no_other(kind: str, bad: float) -> None:
    rng = np.random.default_rng(5)
    x, weights, initial = made(kind, (3, 6, 4, 9), (False,), "float32", rng)
    initial[0][0][1, 2] = bad
    x[1, 0, 0] = bad
    outputs, finals, saved = compiled.forward(kind, x, None, weights, initial, keep=True)
    if np.isnan(bad):
        assert np.isnan(outputs[1]).all()
    assert np.isfinite(outputs[[0, 2]]).all()
    _, dw, _ = compiled.backward(kind, x, None, weights, initial, (False,), outputs, saved, outputs, finals)
    assert not np.isfinite(dw[0].kernel).all()


@pytest.mark.parametrize("kind", KINDS)
def test_wrong_shapes_are_refused_before_a_kernel_is_entered(kind: str) -> None:
    x, weights, initial = made(kind, (3, 6, 4, 9), (False,), "float32", np.random.default_rng(6))
    before = dict(compiled.calls)
    narrow = [weights[0]._replace(recurrent=weights[0].recurrent[:, :-1])]
    cases = [
        (x[0], None, weights, initial),
        (x.astype("int32"), None, weights, initial),
        (x[:, :, :3], None, weights, initial),
        (x, np.ones((3, 5), bool), weights, initial),
        (x, None, narrow, initial),
        (x, None, weights, [[state[:2] for state in initial[0]]]),
        (x, None, weights, [initial[0] * 2]),
        (x, None, weights * 2, initial),
    ]
    for arguments in cases:
        with pytest.raises(ValueError, match=r"needs|should be|mask is|states"):
            compiled.forward(kind, *arguments)
    outputs, finals, saved = compiled.forward(kind, x, None, weights, initial, keep=True)
    arguments = (kind, x, None, weights, initial, (False,), outputs)
    with pytest.raises(ValueError, match="outputs should be"):
        compiled.backward(*arguments, saved, outputs[:, 1:], finals)
    if kind != "simple_rnn":
        saved.gates[0] = saved.gates[0][:-1]
        with pytest.raises(ValueError, match="kept"):
            compiled.backward(*arguments, saved, outputs, finals)
    assert compiled.calls == {**before, "forward": before["forward"] + 1}


def test_an_empty_batch_and_no_steps() -> None:
    for shape in ((0, 5, 3, 4), (2, 0, 3, 4)):
        x, weights, initial = made("lstm", shape, (False,), "float32", np.random.default_rng(7))
        outputs, finals, saved = compiled.forward("lstm", x, None, weights, initial, keep=True)
        assert outputs.shape == (*shape[:2], 4)
        np.testing.assert_array_equal(finals[0][0], initial[0][0])
        dx, dw, _ = compiled.backward("lstm", x, None, weights, initial, (False,), outputs, saved, outputs, finals)
        assert dx.shape == x.shape
        assert not dw[0].kernel.any()


@pytest.mark.parametrize("dtype", ["float32", "complex64"])
@pytest.mark.parametrize("shape", [(1, 1, 1), (5, 9, 20), (1, 400, 300)])
def test_linear_recurrences(dtype: str, shape: tuple) -> None:
    rng = np.random.default_rng(8)

    def normal(*size: int) -> Any:
        return (0.5 * (rng.normal(size=size) + (1j * rng.normal(size=size) if dtype == "complex64" else 0))).astype(
            dtype
        )

    a, b, h0 = normal(*shape), normal(*shape), normal(shape[0], shape[2])
    for mask in masks(*shape[:2], rng):
        for reverse in (False, True):
            y, last = recurrence.forward(a, b, h0, mask, reverse)
            dy, dlast = normal(*shape), normal(shape[0], shape[2])
            da, db, dh0 = recurrence.backward(a, h0, mask, reverse, y, dy, dlast)
            for row in range(shape[0]):
                times = [t for t in range(shape[1]) if mask is None or mask[row, t]]
                times = times[::-1] if reverse else times
                h, states = h0[row], []
                for t in times:
                    states.append(h)
                    h = a[row, t] * h + b[row, t]
                    np.testing.assert_allclose(y[row, t], h, rtol=1e-4, atol=1e-5)
                np.testing.assert_allclose(last[row], h, rtol=1e-4, atol=1e-5)
                carried = dlast[row]
                for t, before in zip(times[::-1], states[::-1], strict=True):
                    carried = carried + dy[row, t]
                    np.testing.assert_allclose(db[row, t], carried, rtol=1e-4, atol=1e-5)
                    np.testing.assert_allclose(da[row, t], carried * before.conj(), rtol=1e-4, atol=1e-4)
                    carried = carried * a[row, t].conj()
                np.testing.assert_allclose(dh0[row], carried, rtol=1e-4, atol=1e-5)
            if mask is not None:
                assert not y[~mask].any()
                assert not db[~mask].any()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("ways", WAYS, ids=str)
def test_gradients_do_not_depend_on_how_rows_are_dealt_out(
    kind: str, ways: tuple, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also between the sizes at which a forward and a backward pass would be worth a second core."""
    rng = np.random.default_rng(5)
    x, weights, initial = made(kind, (9, 6, 5, 12), ways, "float64", rng)
    mask = masks(9, 6, rng)[1]
    work = compiled._work(kind, x, 12)
    monkeypatch.setattr(threads, "cores", lambda: 4)
    results = []
    for limit in (0, *(factor * work * len(ways) for factor in (0.5, 0.9, 1.1, 1.5, 1.9, 2.1, 3)), np.inf):
        monkeypatch.setattr(compiled, "SPLIT_WORK", limit)
        outputs, finals, saved = compiled.forward(kind, x, mask, weights, initial, ways, keep=True)
        dy, dh = np.cos(outputs), [[np.ones_like(state) for state in each] for each in finals]
        dx, dw, d0 = compiled.backward(kind, x, mask, weights, initial, ways, outputs, saved, dy, dh)
        results.append([outputs, dx, *flat([list(each) for each in dw]), *flat(d0)])
    for other in results[1:]:
        for one, same in zip(results[0], other, strict=True):
            np.testing.assert_allclose(one, same, rtol=0, atol=1e-12)
