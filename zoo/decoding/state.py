"""The state of a step inside a loop: what the loop carries, repeats and reorders, and what stays outside."""

import copy
from collections.abc import Callable
from typing import Any, NamedTuple

from zoo.decoding.operations import ops, take_rows, tree
from zoo.errors import UserError

Step = Callable[[Any, Any], tuple[Any, Any]]
"""`(tokens, state) -> (log_probabilities, state)`; the shapes are in `zoo.decoding`."""


class BatchShared(NamedTuple):
    """Marks a part of a state that all hypotheses of one example share.

    The memory of an encoder, attention's keys, a mask: a beam search neither repeats nor reorders it. It stays
    `(batch, ...)` while everything else has `rows = batch * beam_size`, and the step itself broadcasts it over the
    neighboring rows of its example. With two examples and three hypotheses of each:

        hidden         memory.value       memory of each row
        a0             A                  A
        a1                                A
        a2                                A
        b0             B                  B
        b1                                B
        b2                                B

        grouped = ops.reshape(hidden, (batch, -1, units))             # (2, 3, units)
        scores = ops.einsum("bwu,btu->bwt", grouped, memory.value)    # (2, 3, time), nothing is copied

    A step returns its state with the shared parts in their places; their content is ignored.

    Attributes:
        value: A tensor or a nest of tensors, `(batch, ...)`.
    """

    value: Any


class Emitted(NamedTuple):
    """Marks a part of a state that a step writes and never reads, such as the weights of its attention.

    A search can return it for every step (`record`); it is neither carried through the loop nor reordered. What a step
    finds in its place is the value from before the first step.

    Attributes:
        value: A tensor, `(rows, ...)`.
    """

    value: Any


class Constant(NamedTuple):
    """Marks a part of a state that is the same for all examples and steps, such as weights in another layout.

    Attributes:
        value: A tensor or a nest of tensors, of any shapes.
    """

    value: Any


class _Fixed:
    """A leaf of a nest that stands for a part that the loop does not carry."""

    def __init__(self, part: Any) -> None:
        self.part = part

    def select(self, examples: Any) -> "_Fixed":
        """The part of some examples, `(n,)` indices into the batch."""
        if self.part is None or isinstance(self.part, Constant):
            return self
        some = tree.map_structure(lambda tensor: take_rows(tensor, examples), self.part.value)
        return _Fixed(type(self.part)(some))


def _mark(state: Any) -> Any:
    """The nest with each `BatchShared`, each `Constant`, each `Emitted` and each None as a leaf."""

    def fixed(node: Any) -> _Fixed | None:
        return _Fixed(node) if isinstance(node, (BatchShared, Constant, Emitted)) or node is None else None

    return tree.traverse(fixed, state)


class StateFrame:
    """The structure of a state: converts between the nest that a step takes and the list that a loop carries.

    Args:
        state: A nest of tensors, some of them in `BatchShared`, `Constant` or `Emitted`.
    """

    def __init__(self, state: Any) -> None:
        self.nest = _mark(state)
        self.leaves = tree.flatten(self.nest)

    def tensors(self, state: Any) -> list:
        """The tensors of a state that change from step to step.

        Raises:
            UserError: If the state has another structure.
        """
        marked = _mark(state)
        try:
            tree.assert_same_structure(self.nest, marked)
        except (TypeError, ValueError) as error:
            raise UserError(f"A step must return a state of the same structure as it got: {error}") from error
        pairs = zip(self.leaves, tree.flatten(marked), strict=True)
        return [ops.convert_to_tensor(new) for old, new in pairs if not isinstance(old, _Fixed)]

    def state(self, tensors: list) -> Any:
        """The nest again, with these tensors in it."""
        rest = iter(tensors)
        leaves = [leaf.part if isinstance(leaf, _Fixed) else next(rest) for leaf in self.leaves]
        return tree.pack_sequence_as(self.nest, leaves)

    def select(self, examples: Any) -> "StateFrame":
        """The frame of some examples, `(n,)` indices into the batch: selects from the shared parts."""
        frame = copy.copy(self)
        frame.leaves = [leaf.select(examples) if isinstance(leaf, _Fixed) else leaf for leaf in self.leaves]
        return frame


def first_tokens(start: Any, state: Any) -> Any:
    """The start token of each example.

    Args:
        start: One id for all, or `(batch,)` ids.
        state: Its first tensor gives the batch size if `start` does not.

    Returns:
        `(batch,)` int32.

    Raises:
        UserError: If neither gives the batch size.
    """
    start = ops.cast(ops.convert_to_tensor(start), "int32")
    if len(start.shape) == 1:
        return start
    for leaf in tree.flatten(state):
        if leaf is not None:
            return ops.broadcast_to(start, ops.shape(leaf)[:1])
    raise UserError("The size of the batch is unknown: the state is empty, so give `start` as (batch,) ids.")


def while_loop(condition: Callable[..., Any], body: Callable[..., tuple], variables: tuple) -> tuple:
    """`keras.ops.while_loop` with a body that may lose static shapes and change the dtype of its variables.

    Raises:
        UserError: If the body changes a shape.
    """

    def restoring(*before: Any) -> tuple:
        return tree.map_structure(_restore, before, tuple(body(*before)))

    return ops.while_loop(condition, restoring, variables)


def _restore(before: Any, after: Any) -> Any:
    """`after` with the dtype and the static shape of `before`."""
    old, new = tuple(before.shape), tuple(after.shape)
    if len(old) != len(new) or any(None not in sizes and sizes[0] != sizes[1] for sizes in zip(old, new, strict=True)):
        raise UserError(f"A step must keep the shapes of its state; {old} became {new}.")
    after = ops.cast(after, before.dtype) if after.dtype != before.dtype else after
    return ops.reshape(after, ops.shape(before)) if old != new else after


def gather(table: Any, index: Any) -> Any:
    """`table[b, index[b, i]]` for every `b` and `i`.

    Args:
        table: `(batch, n, ...)`.
        index: `(batch, m)` int32.

    Returns:
        `(batch, m, ...)`.
    """
    batch, size = ops.shape(table)[:2]
    rows = index + size * ops.arange(batch, dtype="int32")[:, None]
    return take_rows(ops.reshape(table, (batch * size, *ops.shape(table)[2:])), rows)


def recorded(state: Any, key: str) -> Any:
    """The part of a state that a search returns for every step, `(rows, source_time)`."""
    part = state[key]
    return part.value if isinstance(part, Emitted) else part


def merged(whole: Any, part: Any, order: Any, half: Any, axis: int) -> Any:
    """A batch again of which some examples went on alone.

    Args:
        whole: All examples, along `axis`.
        part: Those of `order[:half]`, in that order.
        order: `(batch,)` indices of all examples.
        half: Number of those that went on.
        axis: The axis of the batch.
    """
    others = ops.take(whole, order[half:], axis=axis)
    return ops.take(ops.concatenate([part, others], axis=axis), ops.argsort(order), axis=axis)


def write(buffer: Any, time: Any, values: Any) -> Any:
    """A buffer `(max_new_tokens, ...)` with values `(...)` at `time`."""
    return ops.scatter_update(buffer, ops.reshape(time, (1, 1)), values[None])


class ForcedPrefix:
    """Tokens that every row must begin with.

    Args:
        tokens: `(batch, time)` ids, padded with 0 on the right, or None.
    """

    def __init__(self, tokens: Any | None) -> None:
        self.tokens = None
        if tokens is not None:
            by_time = ops.transpose(ops.cast(ops.convert_to_tensor(tokens), "int32"))  # (time, batch)
            # One more step of zeros stands for all the time after the prefix.
            self.tokens = ops.pad(by_time, ((0, 1), (0, 0)))

    def select(self, examples: Any) -> "ForcedPrefix":
        """The prefixes of some examples, `(n,)` indices into the batch."""
        some = copy.copy(self)
        some.tokens = None if self.tokens is None else ops.take(self.tokens, examples, axis=1)
        return some

    def at(self, time: Any) -> Any | None:
        """`(batch,)` the token that is forced at this time, 0 for none; None if there is no prefix at all."""
        if self.tokens is None:
            return None
        return take_rows(self.tokens, ops.minimum(time, ops.shape(self.tokens)[0] - 1))
