"""Whether an export answers as the Keras model does: differences, equal answers, scores, sizes, latencies."""

import functools
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from zoo import __version__
from zoo.errors import UserError
from zoo.export import graphs

ROUNDS = 5
"""Timed runs of a batch, of which the fastest counts: others have been disturbed."""

LATENCY_BATCHES = (1, 32)

ANSWERS = ("probabilities", "logits", "attention")
"""Outputs of graphs that are not meant for the next step."""


def compare(model: Any, net: Any, folder: Path, limit: int) -> dict[str, Any]:
    """Answers, scores and latencies of both sides.

    Args:
        model: The saved model.
        net: The exported net.
        folder: Its folder.
        limit: Test examples.

    Returns:
        What `parity.json` says: `max_difference` of what graphs give to the outside, probabilities, logits and
        attention, and `max_state_difference` of what they give to the next step, numbers that have no bounds;
        `equal_answers` as a fraction; `scores` of `keras` and `export`; `bytes` and `milliseconds` of a batch of 1 and
        of 32 on both sides; and which `examples` were answered.
    """
    task = model.installed.task
    batches, source = test_batches(model, limit)
    facts: dict[str, Any] = {"zoo": __version__, "examples": source}
    facts["bytes"] = {"keras": (model.path / "model.keras").stat().st_size, "export": _bytes(folder)}
    inputs = [inputs_of(batch) for batch in batches]
    facts["max_difference"], facts["max_state_difference"] = largest_differences(model.net, net, inputs)
    ours, theirs = (answers(side, batches) for side in (model.net, net))
    facts["equal_answers"] = float(np.mean([equal(*pair) for pair in zip(ours, theirs, strict=True)]))
    facts["answers"] = len(ours)
    facts["scores"] = {
        name: task.score(side, iter(batches), model.assets) for name, side in (("keras", model.net), ("export", net))
    }
    facts["milliseconds"] = {
        name: {str(size): latency(side, batches, size) for size in LATENCY_BATCHES}
        for name, side in (("keras", model.net), ("export", net))
    }
    return facts


def _bytes(folder: Path) -> int:
    """Size of the graphs, whatever the format: all files but JSON and README."""
    files = (file for file in folder.rglob("*") if file.is_file() and file.suffix not in (".json", ".md"))
    return sum(file.stat().st_size for file in files)


def test_batches(model: Any, limit: int) -> tuple[list[Any], dict[str, Any]]:
    """Batches of the test split of the model's data set; where it is not here, of another one that it can read.

    Returns:
        The batches, and from which data set and split they are, with their number.

    Raises:
        UserError: If no data set that the model can read is here.
    """
    recipe, reasons = model.installed.recipe, []
    first, _, variant = model.recipe.dataset.partition("/")
    others = [name for name, row in recipe.datasets.items() if row.builtin and name != first]  # no downloads
    # A variant such as a pair of languages may be one of another data set too.
    names = [model.recipe.dataset, *([f"{name}/{variant}" for name in others] if variant else []), *others]
    for name in names:
        try:
            data = model.installed.task.load(model.recipe.of_data(name), model.assets)
            batches = [_arrays(batch) for batch in data.split("test", limit)]
        except UserError as error:
            reasons.append(str(error))
            continue
        count = sum(int((batch[-1] > 0).sum()) for batch in batches)
        return batches, {"dataset": name, "split": "test", "count": count}
    raise UserError(
        f"No data set is here on which {model.path.name} and its export can be compared ({reasons[0]}). "
        "Give --examples 0 to compare nothing."
    )


def _arrays(batch: Any) -> Any:
    """A batch as arrays."""
    return tuple(_arrays(part) if isinstance(part, (tuple, list)) else np.asarray(part) for part in batch)


def inputs_of(batch: Any) -> list[np.ndarray]:
    """What a net reads of a batch."""
    return list(batch[0]) if isinstance(batch[0], tuple) else [batch[0]]


def largest_differences(keras_net: Any, net: Any, inputs: Sequence[list[np.ndarray]]) -> tuple[float, float]:
    """The largest difference of any number that a graph gives, from the function of the same name in Keras.

    Steps are compared on what `encoder` gave, or after zeros for a language model. Padding is not compared: what comes
    out of it means nothing.

    Returns:
        That of probabilities, logits and attention, and that of states and memory.
    """
    outside, inside = 0.0, 0.0
    for batch in inputs:
        feed: dict[str, np.ndarray] = {}
        for spec in graphs.graphs(keras_net):
            arrays = _inputs(spec, batch, feed)
            expected = [np.asarray(value) for value in spec.call(*arrays)]
            found = [np.asarray(value) for value in net.graphs[spec.name](*arrays)]
            real = _real(spec, arrays)
            for port, one, other in zip(spec.outputs, expected, found, strict=True):
                keep = real if real is not None and one.shape[:2] == real.shape else Ellipsis
                gap = np.abs(one.astype("float64") - other.astype("float64"))[keep]
                gap_max = float(gap.max(initial=0.0))
                if port.name in ANSWERS:
                    outside = max(outside, gap_max)
                else:
                    inside = max(inside, gap_max)
                feed[port.name] = one
    return outside, inside


def _inputs(spec: graphs.GraphSpec, batch: list[np.ndarray], feed: dict[str, np.ndarray]) -> list[np.ndarray]:
    """The inputs of a graph: those of the batch, and what an earlier graph gave."""
    rest, rows, arrays = iter(batch), len(batch[0]), []
    for port in spec.inputs:
        if port.name in feed:
            array = feed[port.name]
        elif port.name.startswith("state_"):
            array = np.zeros((rows, int(port.shape[-1])), "float32")
        elif spec.name == "step" and port.name == "tokens" and port.shape == (graphs.ROWS,):
            array = np.full(rows, 2)  # the start token
        elif spec.name == "step" and port.name == "lengths":
            array = np.full(rows, batch[0].shape[1])
        elif (given := next(rest, None)) is not None:
            array = given
        else:
            array = np.full(rows, batch[0].shape[1])  # lengths that a batch leaves out
        arrays.append(array.astype(port.dtype))
    return arrays


def _real(spec: graphs.GraphSpec, arrays: list[np.ndarray]) -> np.ndarray | None:
    """`(batch, time)`, which steps of the inputs are real; None: all."""
    for port, array in zip(spec.inputs, arrays, strict=True):
        if port.name in ("mask", "memory_mask"):
            return array.astype(bool)
        if port.name == "lengths":
            return np.arange(arrays[0].shape[1]) < array[:, None]
    tokens = next((a for p, a in zip(spec.inputs, arrays, strict=True) if p.name == "tokens" and a.ndim == 2), None)
    return None if tokens is None else tokens != 0


def answers(net: Any, batches: Sequence[Any]) -> list[np.ndarray]:
    """The answer to each real row: a label, a label for each step, or the ids of a sentence or of next tokens."""
    result: list[np.ndarray] = []
    for batch in batches:
        real = batch[-1] > 0
        result += [row for row, keep in zip(_answer(net, batch), real, strict=True) if keep]
    return result


def _answer(net: Any, batch: Any) -> Sequence[np.ndarray]:
    """The answers to a batch."""
    inputs = batch[0]
    if hasattr(net, "search"):
        return net.search(inputs, beam_size=1, max_new_tokens=60)["tokens"][:, 0]
    if hasattr(net, "read"):
        tokens = inputs[0] if isinstance(inputs, tuple) else inputs
        return np.asarray(net.read(tokens.astype("int32"), net.begin(len(tokens)))[0]).argmax(axis=-1)
    best = np.asarray(net.predict_on_batch(_given(inputs))).argmax(axis=-1)
    if best.ndim == 1:
        return best
    return [row[target >= 0] for row, target in zip(best, batch[1], strict=True)]


def _given(inputs: Any) -> Any:
    """Inputs as a model of Keras is called with them."""
    return list(inputs) if isinstance(inputs, tuple) else inputs


def equal(one: np.ndarray, other: np.ndarray) -> float:
    """1 for the same answer, where there is one for each step all of them; else 0."""
    one, other = np.atleast_1d(one), np.atleast_1d(other)
    return float(one.shape == other.shape and (one == other).all())


def latency(net: Any, batches: Sequence[Any], size: int) -> float:
    """Milliseconds of the answers to a batch: the fastest of some runs, after one that may compile."""
    batch = _resized(batches[0], size)
    run = functools.partial(_answer, net, batch)
    if hasattr(net, "begin"):  # a language model: its reader is compiled in Keras, as `read` is not
        tokens, targets = inputs_of(batch)[0], batch[1]
        given = {"tokens": tokens, "targets": targets, "begins": np.ones(size, bool), "states": net.begin(size)}
        run = functools.partial(net.reader().predict_on_batch, given)

    run()
    return round(1000 * min(_timed(run) for _ in range(ROUNDS)), 3)


def _resized(batch: Any, size: int) -> Any:
    """The first rows of a batch, repeated where it has fewer."""
    if isinstance(batch, tuple):
        return tuple(_resized(part, size) for part in batch)
    return np.resize(batch, (size, *batch.shape[1:])) if len(batch) < size else batch[:size]


def _timed(run: Callable[[], Any]) -> float:
    began = time.perf_counter()
    run()
    return time.perf_counter() - began
