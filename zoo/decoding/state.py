"""The state of a step while it goes around a loop: what is carried, repeated, reordered, and what stays."""

import copy
from collections.abc import Callable
from typing import Any, NamedTuple

from keras import ops, tree

Step = Callable[[Any, Any], tuple[Any, Any]]
"""`(tokens, state) -> (log_probabilities, state)`; `zoo.decoding` says which shapes."""


class Shared(NamedTuple):
    """Marks a part of a state that all hypotheses of one example have in common.

    The memory of an encoder, attention's keys, a mask: a beam search neither repeats nor reorders it. It stays
    `(batch, ...)` while everything else has `rows = batch * width`, and the step itself broadcasts it over the
    neighbouring rows of its example. With two examples and three hypotheses of each:

        hidden         memory.value       memory of each row
        a0             A                  A
        a1                                A
        a2                                A
        b0             B                  B
        b1                                B
        b2                                B

        grouped = ops.reshape(hidden, (batch, -1, units))             # (2, 3, units)
        scores = ops.einsum("bwu,btu->bwt", grouped, memory.value)    # (2, 3, time), nothing was copied

    A step returns its state with the shared parts in their places; what it puts there is ignored.

    Attributes:
        value: A tensor or a nest of tensors, `(batch, ...)`.
    """

    value: Any


class _Fixed:
    """Stands in a nest, as a leaf, for a part that no loop carries."""

    def __init__(self, part: Any) -> None:
        self.part = part

    def only(self, examples: Any) -> "_Fixed":
        """The part of some examples, `(n,)` indices into the batch."""
        if self.part is None:
            return self
        taken = tree.map_structure(lambda tensor: ops.take(tensor, examples, axis=0), self.part.value)
        return _Fixed(Shared(taken))


def _mark(state: Any) -> Any:
    """The nest with each `Shared` and each None as one leaf."""

    def fixed(node: Any) -> _Fixed | None:
        return _Fixed(node) if isinstance(node, Shared) or node is None else None

    return tree.traverse(fixed, state)


class Frame:
    """The structure of a state, between the nest that a step knows and the list that a loop carries.

    Args:
        state: A nest of tensors, some of them in `Shared`.
    """

    def __init__(self, state: Any) -> None:
        self.nest = _mark(state)
        self.leaves = tree.flatten(self.nest)

    def tensors(self, state: Any) -> list:
        """The tensors of a state that change from step to step.

        Raises:
            ValueError: If the state has another structure.
        """
        marked = _mark(state)
        try:
            tree.assert_same_structure(self.nest, marked)
        except (TypeError, ValueError) as error:
            raise ValueError(f"A step must return a state of the structure that it was given: {error}") from error
        pairs = zip(self.leaves, tree.flatten(marked), strict=True)
        return [ops.convert_to_tensor(new) for old, new in pairs if not isinstance(old, _Fixed)]

    def state(self, tensors: list) -> Any:
        """The nest again, with these tensors in it."""
        rest = iter(tensors)
        leaves = [leaf.part if isinstance(leaf, _Fixed) else next(rest) for leaf in self.leaves]
        return tree.pack_sequence_as(self.nest, leaves)

    def only(self, examples: Any) -> "Frame":
        """The frame of some examples, `(n,)` indices into the batch: of their shared parts."""
        frame = copy.copy(self)
        frame.leaves = [leaf.only(examples) if isinstance(leaf, _Fixed) else leaf for leaf in self.leaves]
        return frame


def first_tokens(start: Any, state: Any) -> Any:
    """The start token of each example.

    Args:
        start: An id for all, or `(batch,)` ids.
        state: Its first tensor tells the size of the batch if `start` does not.

    Returns:
        `(batch,)` int32.

    Raises:
        ValueError: If neither tells the size of the batch.
    """
    start = ops.cast(ops.convert_to_tensor(start), "int32")
    if len(start.shape) == 1:
        return start
    for leaf in tree.flatten(state):
        if leaf is not None:
            return ops.broadcast_to(start, ops.shape(leaf)[:1])
    raise ValueError("The size of the batch is unknown: the state is empty, so give `start` for each example.")


def loop(going: Callable[..., Any], body: Callable[..., tuple], variables: tuple) -> tuple:
    """`keras.ops.while_loop`, whose body may forget static shapes and change the precision of what it is given.

    Raises:
        ValueError: If the body changes a shape.
    """

    def steady(*before: Any) -> tuple:
        return tree.map_structure(_like, before, tuple(body(*before)))

    return ops.while_loop(going, steady, variables)


def _like(before: Any, after: Any) -> Any:
    old, new = tuple(before.shape), tuple(after.shape)
    if len(old) != len(new) or any(None not in sizes and sizes[0] != sizes[1] for sizes in zip(old, new, strict=True)):
        raise ValueError(f"A step must keep the shapes of its state; {old} became {new}.")
    after = ops.cast(after, before.dtype) if after.dtype != before.dtype else after
    return ops.reshape(after, ops.shape(before)) if old != new else after


def pick(table: Any, index: Any) -> Any:
    """`table[b, index[b, i]]` of every `b` and `i`.

    Args:
        table: `(batch, n, ...)`.
        index: `(batch, m)` int32.

    Returns:
        `(batch, m, ...)`.
    """
    batch, size = ops.shape(table)[:2]
    rows = index + size * ops.arange(batch, dtype="int32")[:, None]
    return ops.take(ops.reshape(table, (batch * size, *ops.shape(table)[2:])), rows, axis=0)


def write(buffer: Any, time: Any, values: Any) -> Any:
    """A buffer `(length, ...)` with values `(...)` in place `time`."""
    return ops.scatter_update(buffer, ops.reshape(time, (1, 1)), values[None])


class Prefix:
    """Tokens that are forced.

    Args:
        tokens: `(batch, time)` ids, padded with 0 on the right, or None.
    """

    def __init__(self, tokens: Any | None) -> None:
        self.tokens = None
        if tokens is not None:
            by_time = ops.transpose(ops.cast(ops.convert_to_tensor(tokens), "int32"))
            # One more step of zeros, for all the time after the prefix.
            self.tokens = ops.pad(by_time, ((0, 1), (0, 0)))

    def only(self, examples: Any) -> "Prefix":
        """The prefixes of some examples, `(n,)` indices into the batch."""
        some = copy.copy(self)
        some.tokens = None if self.tokens is None else ops.take(self.tokens, examples, axis=1)
        return some

    def at(self, time: Any) -> Any | None:
        """`(batch,)` the token that is forced at this time, 0 for none; None if there is no prefix at all."""
        if self.tokens is None:
            return None
        return ops.take(self.tokens, ops.minimum(time, ops.shape(self.tokens)[0] - 1), axis=0)
