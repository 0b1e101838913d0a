"""Contiguous streams of tokens for truncated backpropagation through time, read from disk.

Documents are cut into as many streams as a batch has rows; each batch holds the next tokens of every stream, so that a
model can carry its state from one batch to the next. A document begins at the start of a row, and the rest of its last
row is padding, so a state is reset between batches, never within one. Two streams, four time steps, of the texts
abcdefg and xyz (< is the start token, > the end token, 0 padding):

    batch 0: tokens -> targets      batch 1
    < a b c -> a b c d   begins     d e 0 0 -> e f 0 0
    f g 0 0 -> g > 0 0   begins     < x y z -> x y z >   begins

Each stream makes half of all twelve predictions, so the first text continues in the second stream.
"""

import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from zoo.data.batches import one_shape, without_autotune
from zoo.ids import END, START


@dataclass(frozen=True)
class Corpus:
    """Documents one after another, each from its start to its end token, in a file that is mapped into memory.

    Attributes:
        ids: All ids, `(tokens,)`.
        borders: Where each document begins, and where the last one ends, `(documents + 1,)`.
    """

    ids: np.ndarray
    borders: np.ndarray

    @property
    def tokens(self) -> int:
        """Number of tokens without start and end."""
        return int(self.borders[-1]) - 2 * (len(self.borders) - 1)

    @property
    def predictions(self) -> int:
        """Number of tokens to predict: all but the first of each document."""
        return int(self.borders[-1]) - (len(self.borders) - 1)


def corpus(
    documents: Iterable[Iterable[Sequence[int] | np.ndarray]], vocabulary_size: int, max_tokens: int | None = None
) -> Corpus:
    """Writes documents to a temporary file, which is deleted with the last reference to it.

    Args:
        documents: Each an iterable of pieces of ids; only one piece is in memory at a time.
        vocabulary_size: Number of ids: it decides how many bytes each takes.
        max_tokens: Stop after this many tokens, start and end tokens not counted.
    """
    kind = np.uint8 if vocabulary_size <= 1 << 8 else np.uint16 if vocabulary_size <= 1 << 16 else np.uint32
    borders = [0]
    with tempfile.TemporaryFile(prefix="zoo-corpus-") as file:
        for pieces in documents:
            count = 2
            file.write(kind(START).tobytes())
            for ids in pieces:
                taken = ids if max_tokens is None else ids[:max_tokens]
                max_tokens = None if max_tokens is None else max_tokens - len(taken)
                file.write(np.asarray(taken, kind).tobytes())
                count += len(taken)
                if max_tokens == 0:
                    break
            file.write(kind(END).tobytes())
            borders.append(borders[-1] + count)
            if max_tokens == 0:
                break
        file.flush()
        ids = np.memmap(file, kind, "r", shape=(borders[-1],)) if borders[-1] else np.zeros(0, kind)
    return Corpus(ids, np.array(borders, "int64"))


class Span(NamedTuple):
    """A part of a document: predictions made from the ids at `first` to `last - 1`.

    The ids from `context` to `first - 1` are read before, unscored, so that the state is not that of a beginning.
    """

    context: int
    first: int
    last: int


def cut(
    corpus: Corpus, num_streams: int, *, generator: np.random.Generator | None = None, context: int = 0
) -> list[list[Span]]:
    """Cuts documents into streams with the same number of predictions, or one less.

    Args:
        corpus: The documents.
        num_streams: Number of streams.
        generator: Shuffles documents, and moves all cuts by a random distance. Without it documents keep their order.
        context: Tokens that are read again, unscored, where a document is cut.
    """
    starts, stops = corpus.borders[:-1], corpus.borders[1:] - 1  # nothing is predicted from the end token
    order = np.arange(len(starts))
    offset, total = 0, corpus.predictions
    if generator is not None:
        order = generator.permutation(len(starts))
        offset = int(generator.integers(max(total, 1)))
    # All predictions form a circle; stream k has those from edge k to edge k + 1.
    edges = (np.arange(num_streams + 1) * total) // num_streams
    streams: list[list[Span]] = [[] for _ in range(num_streams)]
    place = -offset
    once = list(zip(starts[order].tolist(), stops[order].tolist(), strict=True))
    for start, stop in (*once, *once):
        low, high = max(place, 0), min(place + stop - start, total)
        row = int(np.searchsorted(edges, low, "right")) - 1
        while low < high:
            upto = min(high, int(edges[row + 1]))
            if low < upto:
                first = start + low - place
                streams[row].append(Span(max(start, first - context), first, start + upto - place))
            low, row = upto, row + 1
        place += stop - start
        if place >= total:
            break
    return streams


def batches(
    corpus: Corpus,
    streams: Sequence[Sequence[Span]],
    sequence_length: int,
    limit: int | None = None,
    *,
    fixed: bool | None = None,
) -> tf.data.Dataset:
    """Batches of the next tokens of each stream: `((tokens, begins), targets, weights)`.

    Args:
        corpus: The documents.
        streams: What `cut` returned.
        sequence_length: Time steps of a batch.
        limit: Largest number of rows that hold tokens, over all batches.
        fixed: Pad to `sequence_length` also where no row is that long. Default: only on JAX, which compiles each
            shape anew.

    Returns:
        tokens and targets `(streams, time)` int32, `time` that of the longest row, at most `sequence_length`; a target
        0 is not scored; begins `(streams,)` bool, True where the state must be zero; weights `(streams,)` float32, 0
        for streams that have ended.
    """
    fixed = one_shape() if fixed is None else fixed

    def generate() -> Iterator[tuple]:
        queues = [_rows(spans, sequence_length) for spans in streams]
        left = limit
        while left is None or left > 0:
            tokens, targets = np.zeros((2, len(streams), sequence_length), "int32")
            begins, weights = np.ones(len(streams), bool), np.zeros(len(streams), "float32")
            longest = sequence_length if fixed else 1
            for row, queue in enumerate(queues):
                item = next(queue, None) if left is None or weights.sum() < left else None
                if item is None:
                    continue
                (start, scored, stop), begins[row] = item
                longest = max(longest, stop - start)
                tokens[row, : stop - start] = corpus.ids[start:stop]
                targets[row, scored - start : stop - start] = corpus.ids[scored + 1 : stop + 1]
                weights[row] = 1
            if not weights.any():
                return
            left = None if left is None else left - int(weights.sum())
            yield (tokens[:, :longest], begins), targets[:, :longest], weights

    count = len(streams)
    ids = tf.TensorSpec((count, sequence_length if fixed else None), tf.int32)
    signature = (
        (ids, tf.TensorSpec((count,), tf.bool)), ids, tf.TensorSpec((count,), tf.float32),
    )  # fmt: skip
    return without_autotune(tf.data.Dataset.from_generator(generate, output_signature=signature)).prefetch(4)


def _rows(spans: Iterable[Span], sequence_length: int) -> Iterator[tuple[Span, bool]]:
    """`((start, first scored, stop), whether a span begins)` of each row of a stream."""
    for context, first, last in spans:
        for start in range(context, last, sequence_length):
            stop = min(start + sequence_length, last)
            yield Span(start, min(max(first, start), stop), stop), start == context
