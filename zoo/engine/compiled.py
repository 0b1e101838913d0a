"""The compiled path on numpy arrays: checks shapes, deals out rows to cores, calls the kernels.

A call runs one cell forward or backward in time, or two cells, one each way. Outputs of the two stand side by side;
everything else is a list with one entry per direction. At padded steps outputs are zero and states stay. A kernel is
entered only with arrays whose shapes were checked here.
"""

import importlib
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from zoo.engine import threads
from zoo.engine.arrays import empty, fitted, gathered, narrowed, packed, spread

KINDS = {"simple_rnn": (1, 1), "lstm": (4, 2), "gru": (3, 1), "min_gru": (2, 1), "signed_min_gru": (2, 1)}
"""Kind of cell -> blocks of units in a weight matrix, states."""

FACTORS = {"min_gru": 1, "signed_min_gru": 2}
"""Kind of minGRU -> the number s of its kernel. It has no recurrent matrix: an array without rows is in its place."""

KEPT_BYTES = 256 * 2**20
"""Gates are kept for the gradient up to this size in one layer, else computed once more from outputs and cells.

Measured (LSTM, one core, bare layer): keeping them saves 19 to 34 % of the time; at 10,000 steps, 64 rows and 128
units they are 1.3 GB.
"""

SPLIT_WORK = 4e6
"""Operations below which a second core costs more than it gives: waking a thread takes about 30 us."""

calls = {"forward": 0, "backward": 0}
"""How often kernels have run in this process, for tests and for the training's report."""


class Weights(NamedTuple):
    """Weights of one direction, laid out as in Keras: see `zoo.cells`."""

    kernel: np.ndarray
    recurrent: np.ndarray
    bias: np.ndarray


Arguments = tuple[str, Any, Any, list, list, tuple[bool, ...]]
"""What `forward` and `backward` share: kind, inputs, mask, weights, initial, reverse."""


@dataclass
class Saved:
    """What the gradient needs besides inputs and outputs, by direction; arrays without rows if nothing was kept."""

    gates: list[np.ndarray]
    cells: list[np.ndarray]

    def arrays(self) -> list[np.ndarray]:
        return [*self.gates, *self.cells]


@dataclass
class _Job:
    """Rows of the batch that one core runs, longest first, in one direction."""

    direction: int
    rows: np.ndarray
    offsets: np.ndarray
    kept: slice

    def order(self, lengths: np.ndarray, reverse: bool) -> tuple:
        return self.rows, lengths, self.offsets, reverse


def kernels(kind: str) -> Any:
    """The module with the kernels of a kind of cell; imports numba."""
    return importlib.import_module(f"zoo.engine.kernels.{'min_gru' if kind in FACTORS else kind}")


def units_of(kind: str, kernel: Any) -> int:
    """The units of a cell with this matrix of input weights."""
    return int(np.shape(kernel)[-1]) // KINDS[kind][0]


def forward(
    kind: str,
    inputs: np.ndarray,
    mask: np.ndarray | None,
    weights: list[Weights],
    initial: list[list[np.ndarray]],
    reverse: tuple[bool, ...] = (False,),
    keep: bool = False,
    kept_bytes: int | None = None,
) -> tuple[np.ndarray, list[list[np.ndarray]], Saved]:
    """Runs cells over time.

    Args:
        kind: A key of `KINDS`.
        inputs: `(batch, time, features)`, float32 or float64.
        mask: `(batch, time)`, True = real; None if all steps are.
        weights: One entry per direction.
        initial: States before the first step by direction, each `(batch, units)`.
        reverse: By direction, whether it reads from the last real step to the first.
        keep: Whether a gradient will be asked for.
        kept_bytes: Largest size at which gates are kept for it; default `KEPT_BYTES`.

    Returns:
        Outputs `(batch, time, directions * units)`, final states as `initial`, and what `backward` needs.

    Raises:
        ValueError: If shapes do not fit together.
    """
    weights, initial = _checked(kind, inputs, mask, weights, initial, reverse)
    inputs, lengths, order = packed(inputs, mask)
    batch, time, _ = inputs.shape
    units, dtype, module = units_of(kind, weights[0].kernel), inputs.dtype, kernels(kind)
    outputs = empty((batch, time, len(weights) * units), dtype)
    finals = [[empty((batch, units), dtype) for _ in states] for states in initial]
    saved = _room(saved_shapes(kind, batch * time, units, dtype, len(weights), keep, kept_bytes), dtype)
    run = module.forward.load(dtype)
    jobs = []
    for job in _jobs(lengths, _work(kind, inputs, units), len(weights)):
        d = job.direction
        read = (*job.order(lengths, reverse[d]), *_flat_bias(kind, weights[d]), *initial[d])
        jobs.append((inputs, *read, outputs, d * units, *finals[d], *_kept(kind, saved, job)))
    threads.run(run, jobs)
    calls["forward"] += 1
    return spread(outputs, order), finals, saved


def backward(
    kind: str,
    inputs: np.ndarray,
    mask: np.ndarray | None,
    weights: list[Weights],
    initial: list[list[np.ndarray]],
    reverse: tuple[bool, ...],
    outputs: np.ndarray,
    saved: Saved,
    doutputs: np.ndarray,
    dfinals: list[list[np.ndarray]],
) -> tuple[np.ndarray, list[Weights], list[list[np.ndarray]]]:
    """The gradient of `forward`.

    Args:
        outputs, saved: As `forward` returned them; without kept cells the forward pass is run once more.
        doutputs, dfinals: Derivatives of the loss by outputs and final states.

    Returns:
        Derivatives by inputs, weights and initial states.

    Raises:
        ValueError: If shapes do not fit together.
    """
    weights, initial = _checked(kind, inputs, mask, weights, initial, reverse)
    if kind == "lstm" and len(saved.cells[0]) == 0:
        outputs, _, saved = forward(kind, inputs, mask, weights, initial, reverse, keep=True)
    inputs, lengths, order = packed(inputs, mask)
    units, dtype, module = units_of(kind, weights[0].kernel), inputs.dtype, kernels(kind)
    shape = (*inputs.shape[:2], len(weights) * units)
    outputs, doutputs = (fitted(gathered(array, order), shape, dtype, "outputs") for array in (outputs, doutputs))
    dfinals = [[fitted(state, (shape[0], units), dtype, "gradients of states") for state in each] for each in dfinals]
    _check_saved(saved, kind, inputs.shape[0] * inputs.shape[1], units, len(weights))
    dinputs = [empty(inputs.shape, dtype) for _ in weights]
    dinitial = [[empty((shape[0], units), dtype) for _ in states] for states in initial]
    shares: list[list[Weights]] = [[] for _ in weights]
    run = module.backward.load(dtype)
    jobs = []
    for job in _jobs(lengths, _work(kind, inputs, units), len(weights)):  # dealt as in `forward`, which kept by job
        d = job.direction
        shares[d].append(_share(kind, weights[d], dtype))
        read = (*job.order(lengths, reverse[d]), *_flat_bias(kind, weights[d]), *initial[d])
        given = (outputs, d * units, *_kept(kind, saved, job), doutputs, *dfinals[d])
        jobs.append((inputs, *read, *given, dinputs[d], *shares[d][-1], *dinitial[d]))
    threads.run(run, jobs)
    calls["backward"] += 1
    for other in dinputs[1:]:
        dinputs[0] += other
    return spread(dinputs[0], order), [_total(kind, share, units) for share in shares], dinitial


def _checked(
    kind: str, inputs: Any, mask: Any, weights: list[Weights], initial: list, reverse: tuple
) -> tuple[list[Weights], list[list[np.ndarray]]]:
    """Weights and states as contiguous arrays of the inputs' dtype.

    Raises:
        ValueError: If anything does not fit.
    """
    if inputs.ndim != 3 or inputs.dtype not in (np.float32, np.float64):
        raise ValueError(f"A kernel needs float32 or float64 inputs (batch, time, features); got {inputs.dtype} "
                         f"{inputs.shape}.")  # fmt: skip
    if not len(weights) == len(initial) == len(reverse) > 0:
        raise ValueError(f"Got {len(weights)} weights, {len(initial)} states and {len(reverse)} directions.")
    if mask is not None and mask.shape != inputs.shape[:2]:
        raise ValueError(f"A mask is (batch, time) = {inputs.shape[:2]}; got {mask.shape}.")
    blocks, states = KINDS[kind]
    units, dtype = units_of(kind, weights[0].kernel), inputs.dtype
    wide = blocks * units
    bias = (2, wide) if kind == "gru" else (wide,)
    recurrent = (0 if kind in FACTORS else units, wide)
    shapes = {"kernel": (inputs.shape[2], wide), "recurrent kernel": recurrent, "bias": bias}
    fitting = [
        Weights(*(fitted(array, shape, dtype, name) for array, (name, shape) in zip(each, shapes.items(), strict=True)))
        for each in weights
    ]
    for each in initial:
        if len(each) != states:
            raise ValueError(f"A cell of kind {kind!r} has {states} states; got {len(each)}.")
    begin = [[fitted(state, (inputs.shape[0], units), dtype, "state") for state in each] for each in initial]
    return fitting, begin


def _work(kind: str, inputs: np.ndarray, units: int) -> float:
    """Operations of one direction's forward pass."""
    batch, time, features = inputs.shape
    return 2.0 * batch * time * (features + (0 if kind in FACTORS else units)) * KINDS[kind][0] * units


def _jobs(lengths: np.ndarray, work: float, directions: int) -> list[_Job]:
    """Deals rows out like cards, longest first, so that each core gets about as many steps."""
    batch, chunks = lengths.size, 1
    if directions * work > SPLIT_WORK:
        chunks = max(1, min(threads.cores() // directions, batch))
    longest = np.argsort(-lengths, kind="stable")
    jobs = []
    for direction in range(directions):
        start = 0
        for chunk in range(chunks):
            rows = np.ascontiguousarray(longest[chunk::chunks], np.intp)
            ends = np.bincount(lengths[rows], minlength=1)  # how many rows have each length
            running = rows.size - np.cumsum(ends)[:-1]  # rows longer than 0, 1, 2, ... steps
            offsets = np.concatenate([[0], np.cumsum(running)]).astype(np.intp)
            jobs.append(_Job(direction, rows, offsets, slice(start, start + int(offsets[-1]))))
            start += int(offsets[-1])
    return jobs


def _gate_width(kind: str, units: int, dtype: Any, kept: bool = False) -> int:
    """Columns of a row of gates, or of what is kept of them: see the kernels."""
    from zoo.engine.kernels.product import VECTOR, WIDE

    panel = WIDE * VECTOR // np.dtype(dtype).itemsize

    def padded(columns: int) -> int:
        return -(-columns // panel) * panel

    if kind == "gru":
        return 3 * units + padded(units)
    return padded(units if kept and kind in FACTORS else KINDS[kind][0] * units)


def saved_shapes(
    kind: str, steps: int, units: int, dtype: Any, directions: int, keep: bool, kept_bytes: int | None = None
) -> list[tuple[int, int]]:
    """Shapes of `Saved.arrays`: they follow from `batch * time` steps, whatever the mask."""
    wide, limit = _gate_width(kind, units, dtype, kept=True), KEPT_BYTES if kept_bytes is None else kept_bytes
    kept = keep and kind != "simple_rnn" and steps * wide * np.dtype(dtype).itemsize <= limit
    gates, cells = (steps if kept else 0, wide), (steps if keep and kind == "lstm" else 0, units)
    return [gates] * directions + [cells] * directions


def nothing_saved(kind: str, weights: list[Weights], dtype: Any) -> Saved:
    """What `backward` gets where nothing was kept."""
    units = units_of(kind, np.asarray(weights[0].kernel))
    return _room(saved_shapes(kind, 0, units, dtype, len(weights), False), dtype)


def _room(shapes: list[tuple[int, int]], dtype: Any) -> Saved:
    """Arrays for what is kept."""
    arrays, half = [empty(shape, dtype) for shape in shapes], len(shapes) // 2
    return Saved(arrays[:half], arrays[half:])


def _check_saved(saved: Saved, kind: str, steps: int, units: int, directions: int) -> None:
    """Raises ValueError if arrays are not those of this call's forward pass."""
    rows = {len(gates) for gates in saved.gates}
    cells = [array.shape for array in saved.cells]
    wide = _gate_width(kind, units, saved.gates[0].dtype, kept=True)
    right = all(array.shape[1] == wide for array in saved.gates) and len(saved.gates) == directions
    if not right or rows - {0, steps} or (kind == "lstm" and cells != [(steps, units)] * directions):
        raise ValueError(f"What was kept, {[a.shape for a in saved.arrays()]}, is not of these {steps} steps.")


def _kept(kind: str, saved: Saved, job: _Job) -> tuple:
    """A job's part of what is kept, and further arguments of its kernel."""
    if kind == "simple_rnn":
        return ()
    gates = saved.gates[job.direction][job.kept]
    if kind in FACTORS:
        return gates, FACTORS[kind]
    return (gates,) if kind == "gru" else (gates, saved.cells[job.direction][job.kept])


def _flat_bias(kind: str, weights: Weights) -> Weights:
    """A GRU's two biases as the kernel adds them: z, r, n of the inputs, and n of the state."""
    if kind != "gru":
        return weights
    units = units_of(kind, weights.kernel)
    of_inputs, of_state = weights.bias
    bias = np.concatenate(
        [of_inputs[: 2 * units] + of_state[: 2 * units], of_inputs[2 * units :], of_state[2 * units :]]
    )
    return weights._replace(bias=bias)


def _share(kind: str, weights: Weights, dtype: Any) -> Weights:
    """Zeros to which a job adds its gradients of weights."""
    features, wide = weights.kernel.shape[0], _gate_width(kind, units_of(kind, weights.kernel), dtype)
    share = Weights(*(empty(shape, dtype) for shape in ((features, wide), (weights.recurrent.shape[0], wide), (wide,))))
    for array in share:
        array.fill(0)
    return share


def _total(kind: str, shares: list[Weights], units: int) -> Weights:
    """The sum over jobs, without the columns that fill up a panel."""
    kernel, recurrent, bias = (_sum([share[i] for share in shares]) for i in range(3))
    wide = KINDS[kind][0] * units
    if kind != "gru":
        return Weights(*(narrowed([array], wide) for array in (kernel, recurrent, bias)))
    two, last = slice(2 * units), slice(3 * units, 4 * units)
    both = np.stack([bias[:wide], np.concatenate([bias[two], bias[last]])])
    return Weights(narrowed([kernel], wide), narrowed([recurrent[:, two], recurrent[:, last]], wide), both)


def _sum(arrays: list[np.ndarray]) -> np.ndarray:
    """Adds the others to the first, in order."""
    for other in arrays[1:]:
        arrays[0] += other
    return arrays[0]
