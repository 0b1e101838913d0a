"""Shared checks, for authors of new cells, tasks and saved models as much as for our own.

Each raises `AssertionError` with what differs; use them in a test of your package:

    def test_my_cell():
        zoo.testing.check_cell(MyCell)
"""

import hashlib
import json
import random
import shutil
import tempfile
from collections.abc import Callable
from itertools import chain
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import ops

from zoo import builders, cards, cells, saved, training
from zoo.cells.cell import Cell, advance, initial_states, output_size, state_sizes
from zoo.errors import UserError
from zoo.layers import Recurrent
from zoo.task import Installed

TOLERANCE = 2e-5
"""Largest difference between two float32 computations of the same thing in another order, of numbers up to 1."""


def check_cell(cell: Any, numpy_step: Callable[..., Any] | None = None, units: int = 5) -> None:
    """Checks a cell against Keras's contract, and against a second source of its equations.

    Args:
        cell: What every builder takes: a name, a class, an instance, a list of cells to be stacked.
        numpy_step: The equations in numpy: `(weights, inputs, states)` -> a list of new states, whose first is the
            output; or a tuple of the output and that list.
        units: Units of a name or a class.
    """
    if isinstance(cell, (type, str)):
        cell = cells.make(cell, units)
    check_contract(cell)
    check_padding(cell)
    check_learning(cell)
    if numpy_step:
        check_equations(cell, numpy_step)
    made = cells.make(cell, units)
    if isinstance(made, Cell) and made.fused() is not None:
        check_fused(cell)


def check_contract(cell: Any) -> None:
    """Sizes, config, initial state and a plain `keras.layers.RNN`."""
    made = cells.make(cell, 5)
    sizes, size = state_sizes(made), output_size(made)
    inputs = _noise(3, 4)
    states = [_noise(3, units) for units in sizes]
    if not made.built:
        made.build((None, 4))
    output, new = advance(made, ops.convert_to_tensor(inputs), [ops.convert_to_tensor(state) for state in states])
    assert tuple(output.shape) == (3, size), f"output has shape {output.shape}, its size is {size}"
    assert [tuple(state.shape) for state in new] == [(3, units) for units in sizes], "new states have other shapes"
    copy = cells.make(made, 5)
    assert _nameless(copy) == _nameless(made), "from_config(get_config()) is another cell"
    sequence = _noise(2, 6, 4)
    by_layer = keras.layers.RNN(made, return_sequences=True)(sequence)
    state = initial_states(made, 2)
    for time in range(6):
        output, state = advance(made, ops.convert_to_tensor(sequence[:, time]), state)
        _same(output, by_layer[:, time], f"step {time} alone and in keras.layers.RNN")


def _nameless(cell: Any) -> dict[str, Any]:
    """A cell's config without names, which Keras counts up."""
    config = cell.get_config()
    inner = [_nameless(part) for part in getattr(cell, "cells", ())]
    return {name: value for name, value in config.items() if name not in ("name", "cells")} | {"cells": inner}


def check_equations(cell: Any, numpy_step: Callable[..., Any]) -> None:
    """The cell equals the equations, written down a second time in numpy, over several steps and random weights."""
    made = cells.make(cell, 5)
    made.build((None, 4))
    made.set_weights([_noise(*weight.shape, seed=i) for i, weight in enumerate(made.weights)])
    weights = {weight.name: ops.convert_to_numpy(weight) for weight in made.weights}
    ours = initial_states(made, 3)
    states = [ops.convert_to_numpy(state) for state in ours]
    for time in range(4):
        inputs = _noise(3, 4, seed=100 + time)
        result = numpy_step(weights, inputs, states)
        expected, states = result if isinstance(result, tuple) else (result[0], result)
        output, ours = advance(made, ops.convert_to_tensor(inputs), ours)
        _same(output, expected, f"output at step {time}")
        for number, (a, b) in enumerate(zip(ours, states, strict=True)):
            _same(a, b, f"state {number} at step {time}")


def check_fused(cell: Any) -> None:
    """Keras's fused layer computes the same from the same weights, copied in order."""
    made = cells.make(cell, 5)
    loop = keras.layers.RNN(made, return_sequences=True)
    fused = made.fused(return_sequences=True)
    sequence = _noise(3, 7, 4)
    loop(sequence)
    fused(sequence)
    loop.set_weights([_noise(*weight.shape, seed=i) for i, weight in enumerate(loop.weights)])
    fused.set_weights(loop.get_weights())
    _same(loop(sequence), fused(sequence), "the loop and the fused layer")


def check_padding(cell: Any) -> None:
    """Padding on either side changes neither outputs nor final states, in any direction and number of layers."""
    for bidirectional in (False, True):
        layer = Recurrent(cell, 5, num_layers=2, bidirectional=bidirectional, return_state=True)
        short = _noise(1, 4, 3)
        long = np.concatenate([short, 99 * np.ones((1, 3, 3), "float32")], axis=1)
        mask = np.array([[True] * 4 + [False] * 3])
        bare, bare_states = layer(short)
        padded, padded_states = layer(long, mask=mask)
        _same(padded[:, :4], bare, f"outputs with and without padding, bidirectional={bidirectional}")
        for a, b in zip(chain(*padded_states), chain(*bare_states), strict=True):
            _same(a, b, f"final states with and without padding, bidirectional={bidirectional}")
        left = np.concatenate([long[:, 4:], short], axis=1)
        _same(layer(left, mask=mask[:, ::-1])[0][:, 3:], bare, f"outputs after padding, bidirectional={bidirectional}")


def check_learning(cell: Any) -> None:
    """One training step moves every weight; the model saves, loads, and answers as before."""
    model = builders.classifier(20, 3, cell, 5, embedding_dim=4)
    model.compile(keras.optimizers.Adam(1e-2), "sparse_categorical_crossentropy")
    # All ids occur, so that every row of the embedding has a gradient; 0 is padding.
    tokens = np.array([[*range(1, 20), 0, 0], [*range(19, 0, -1), 0, 0], [1, 3, 5, *[0] * 18]], "int32")
    before = [ops.convert_to_numpy(weight) for weight in model.trainable_weights]
    model.fit(tokens, np.array([0, 1, 2]), verbose=0)
    for weight, old in zip(model.trainable_weights, before, strict=True):
        assert not np.array_equal(ops.convert_to_numpy(weight), old), f"{weight.path} did not move in a training step"
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "model.keras"
        model.save(file)
        loaded = keras.saving.load_model(file)
    _same(loaded(tokens), model(tokens), "answers before and after loading")


def check_task(task: Installed, models_dir: Path) -> saved.SavedModel:
    """Trains a task's `tiny` preset, saves, reloads, evaluates and predicts.

    Returns:
        The saved model.
    """
    recipe = task.recipe.train(**task.recipe.presets["tiny"])
    trained = training.train(task, recipe, models_dir / f"{task.name}-tiny", plot=False)
    weights = trained.net.get_weights()
    scores = training.evaluate(trained, split="test", limit=50)
    assert scores["examples"] == 50, f"evaluate counted {scores['examples']} examples, not 50"
    for before, after in zip(weights, trained.net.get_weights(), strict=True):
        assert np.array_equal(before, after), "evaluate changed a weight"
    examples = json.loads((trained.path / "golden.json").read_text(encoding="utf-8"))["inputs"]
    assert len(trained.predict(examples)) == len(examples), "predict does not give one answer for each input"
    check_saved(trained.path)
    return trained


def check_saved(folder: Path) -> saved.SavedModel:
    """A saved model loads, is whole, and answers its golden inputs as it did when it was saved."""
    model = saved.load(folder)
    golden = json.loads((folder / "golden.json").read_text(encoding="utf-8"))
    assert golden["inputs"], "golden.json has no inputs"
    answers = model.predict(golden["inputs"])
    for question, answer, expected in zip(golden["inputs"], answers, golden["outputs"], strict=True):
        _alike(answer, expected, f"the answer to {question!r}")
    return model


def check_refuses_damage(folder: Path, pick: Callable[[Path], bool] = lambda file: True) -> None:
    """Copies of a saved model in which one file is damaged are refused by a `UserError`, whichever file it is.

    First each file is changed or removed, which its hash in `files.json` shows. Then the hash is made to fit, as
    whoever changes a file can do that too: a file of JSON becomes `null`, is nested too deep, has half a character or
    loses its end, and `model.keras` loses its end. Last, the file is a link out of the folder.

    Args:
        folder: A saved model.
        pick: Which files of it, by their paths, are damaged; default all that `files.json` names.
    """
    named = json.loads((folder / cards.FILES).read_text(encoding="utf-8"))["files"]
    for name in (name for name in named if pick(folder / name)):
        content = (folder / name).read_bytes()
        _check_refused(folder, name, content[:-1] + b"#", fits=False)
        _check_refused(folder, name, None, fits=False)
        _check_refused(folder, name, folder / name, fits=False)
        if name == "model.keras":
            _check_refused(folder, name, content[: len(content) // 2], fits=True)
        elif name.endswith(".json") and name != "golden.json":
            for damaged in (b"null", b'{"a": ' * 10_000, b'["\\ud800"', content[: len(content) // 2]):
                _check_refused(folder, name, damaged, fits=True)


def _check_refused(folder: Path, name: str, content: bytes | Path | None, fits: bool) -> None:
    """A copy with another content of a file, a link in its place, or without it, is refused.

    Args:
        folder: A saved model.
        name: The file's path within it.
        content: What the file has in the copy; a path to which it is a link; None if it is missing.
        fits: Whether size and hash of the file are corrected.
    """
    with tempfile.TemporaryDirectory() as scratch:
        copy = Path(scratch, folder.name)
        shutil.copytree(folder, copy)
        (copy / name).unlink()
        if isinstance(content, Path):
            (copy / name).symlink_to(content.resolve())
        elif content is not None:
            (copy / name).write_bytes(content)
        if fits and isinstance(content, bytes):
            manifest = json.loads((copy / cards.FILES).read_text(encoding="utf-8"))
            manifest["files"][name] = {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
            (copy / cards.FILES).write_text(json.dumps(manifest), encoding="utf-8")
        what = (
            "missing"
            if content is None
            else f"a link to {content}"
            if isinstance(content, Path)
            else repr(content[:40])
        )
        assert _refusal(saved.load, copy), f"{folder.name} was loaded although {name} was {what}"


def _refusal(read: Callable[[Path], Any], path: Path) -> str:
    """The sentence by which something is refused; empty if it is not."""
    try:
        read(path)
    except UserError as error:
        sentence = str(error)
    else:
        return ""
    assert sentence, "the error says nothing"
    assert "\n" not in sentence, f"the error has several lines: {sentence}"
    return sentence


def check_reader(read: Callable[[Path], Any], sample: bytes, name: str, rounds: int = 200, seed: int = 0) -> None:
    """A reader of users' files reads damaged copies of a sample, or refuses them by a `UserError` of one line.

    Args:
        read: Reads a file, all of it.
        sample: The content of a good file.
        name: Its name, by which many readers know its format.
        rounds: Number of damaged copies; bytes are replaced, deleted and repeated at random.
        seed: Seed of these.
    """
    rng = random.Random(seed)
    for number in range(rounds):
        begin = rng.randint(0, len(sample))
        end = min(len(sample), begin + rng.choice((0, 1, 4, 40)))
        new = rng.choice((b"", rng.randbytes(3), b"\0", b"\xff", b"\n", b'"', sample[begin:end] * 3, b"9" * 5000))
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder, name)
            file.write_bytes(sample if number == 0 else sample[:begin] + new + sample[end:])
            refused = _refusal(read, file)
            assert number or not refused, f"the sample itself was refused: {refused}"


def _alike(answer: Any, expected: Any, what: str) -> None:
    """Equal, but numbers may differ by what another machine's rounding does."""
    if isinstance(expected, dict):
        assert answer.keys() >= expected.keys(), f"{what} lacks keys"  # a later version may say more
        for key in expected:
            _alike(answer[key], expected[key], f"{what}, {key}")
    elif isinstance(expected, list):
        assert len(answer) == len(expected), f"{what} has another length"
        for one, other in zip(answer, expected, strict=True):
            _alike(one, other, what)
    elif isinstance(expected, float):
        assert abs(answer - expected) < 1e-3, f"{what} is {answer}, was {expected}"
    else:
        assert answer == expected, f"{what} is {answer!r}, was {expected!r}"


def _noise(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed + sum(shape)).normal(0, 0.5, shape).astype("float32")


def _same(one: Any, other: Any, what: str) -> None:
    one, other = ops.convert_to_numpy(one), ops.convert_to_numpy(other)
    gap = float(np.abs(one - other).max())
    size = max(1.0, float(np.abs(other).max()))
    assert gap < TOLERANCE * size, f"{what} differ by {gap:.2g}"
