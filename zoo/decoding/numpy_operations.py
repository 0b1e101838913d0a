"""What searches use of `keras.ops` and `keras.tree`, in numpy: the same names, arguments and results."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy import (  # noqa: F401
    any,
    arange,
    broadcast_to,
    clip,
    concatenate,
    full,
    full_like,
    log,
    logical_and,
    logical_or,
    max,
    maximum,
    minimum,
    ones,
    ones_like,
    pad,
    repeat,
    reshape,
    shape,
    sort,
    stack,
    take,
    take_along_axis,
    transpose,
    where,
    zeros,
)

convert_to_tensor = np.asarray


def quiet() -> Any:
    """Infinite scores mark what is excluded: numpy shall not warn about them."""
    return np.errstate(all="ignore")


def cast(x: Any, dtype: str) -> np.ndarray:
    """`keras.ops.cast`."""
    return np.asarray(x).astype(dtype, copy=False)


def sum(x: np.ndarray, axis: Any = None, keepdims: bool = False) -> np.ndarray:
    """`keras.ops.sum`, which keeps the dtype."""
    return np.sum(x, axis=axis, keepdims=keepdims, dtype=x.dtype)


def cumsum(x: np.ndarray, axis: int) -> np.ndarray:
    """`keras.ops.cumsum`, which keeps the dtype."""
    return np.cumsum(x, axis=axis, dtype=x.dtype)


def argsort(x: np.ndarray, axis: int = -1) -> np.ndarray:
    """`keras.ops.argsort`: equal values stay in their order."""
    return np.argsort(x, axis=axis, kind="stable").astype("int32")


def top_k(x: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """`keras.ops.top_k`: the `k` largest values of the last axis and their places; of equal ones the first."""
    index = np.argmax(x, axis=-1)[..., None] if k == 1 else np.argsort(-x, axis=-1, kind="stable")[..., :k]
    return np.take_along_axis(x, index, axis=-1), index.astype("int32")


def softmax(x: np.ndarray, axis: int = -1) -> np.ndarray:
    """`keras.ops.softmax`."""
    powers = np.exp(x - np.max(x, axis=axis, keepdims=True))
    return powers / np.sum(powers, axis=axis, keepdims=True)


def log_softmax(x: np.ndarray, axis: int = -1) -> np.ndarray:
    """`keras.ops.log_softmax`."""
    shifted = x - np.max(x, axis=axis, keepdims=True)
    return shifted - np.log(np.sum(np.exp(shifted), axis=axis, keepdims=True))


def logsumexp(x: np.ndarray, axis: int) -> np.ndarray:
    """`keras.ops.logsumexp`."""
    largest = np.max(x, axis=axis, keepdims=True)
    return np.squeeze(largest, axis) + np.log(np.sum(np.exp(x - largest), axis=axis))


def scatter_update(x: np.ndarray, indices: np.ndarray, updates: np.ndarray) -> np.ndarray:
    """`keras.ops.scatter_update` along the first axis."""
    result = x.copy()
    result[indices[:, 0]] = updates
    return result


def while_loop(condition: Callable[..., Any], body: Callable[..., tuple], variables: tuple) -> tuple:
    """`keras.ops.while_loop`."""
    while condition(*variables):
        variables = tuple(body(*variables))
    return variables


def categorical(logits: np.ndarray, seed: Any, time: Any) -> np.ndarray:
    """One random token for each row: the largest of logits with Gumbel noise. Other numbers than Keras draws."""
    generator = np.random.default_rng([int(seed) % 2**63, int(time)])
    return np.argmax(logits + generator.gumbel(size=logits.shape), axis=-1).astype("int32")


def _parts(nest: Any) -> list[Any] | None:
    """The parts of a nest, those of a dictionary by their keys; None for a leaf."""
    if isinstance(nest, Mapping):
        return [nest[key] for key in sorted(nest)]
    return list(nest) if isinstance(nest, (list, tuple)) else None


def _whole(nest: Any, parts: Sequence[Any]) -> Any:
    """A nest like another, with other parts."""
    if isinstance(nest, Mapping):
        return dict(zip(sorted(nest), parts, strict=True))
    return type(nest)(*parts) if hasattr(nest, "_fields") else type(nest)(parts)


def flatten(nest: Any) -> list[Any]:
    """`keras.tree.flatten`; None is a leaf."""
    parts = _parts(nest)
    return [nest] if parts is None else [leaf for part in parts for leaf in flatten(part)]


def map_structure(function: Callable[..., Any], *nests: Any) -> Any:
    """`keras.tree.map_structure`."""
    parts = [_parts(nest) for nest in nests]
    if parts[0] is None:
        return function(*nests)
    return _whole(nests[0], [map_structure(function, *some) for some in zip(*parts, strict=True)])


def traverse(function: Callable[[Any], Any], nest: Any) -> Any:
    """`keras.tree.traverse`: from the top down, what `function` returns stands for a part, unless it is None."""
    result = function(nest)
    if result is not None:
        return result
    parts = _parts(nest)
    return nest if parts is None else _whole(nest, [traverse(function, part) for part in parts])


def pack_sequence_as(nest: Any, leaves: Sequence[Any]) -> Any:
    """`keras.tree.pack_sequence_as`."""
    rest = iter(leaves)
    return map_structure(lambda _: next(rest), nest)


def assert_same_structure(one: Any, other: Any) -> None:
    """`keras.tree.assert_same_structure`.

    Raises:
        ValueError: If the structures differ.
    """
    parts, others = _parts(one), _parts(other)
    keys = sorted(one) == sorted(other) if isinstance(one, Mapping) and isinstance(other, Mapping) else True
    if not keys or (parts is None) != (others is None) or len(parts or ()) != len(others or ()):
        raise ValueError(f"{type(one).__name__} and {type(other).__name__} have other parts.")
    for part, counterpart in zip(parts or (), others or (), strict=True):
        assert_same_structure(part, counterpart)
