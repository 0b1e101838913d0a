"""Contiguous streams of tokens for truncated backpropagation, off the disk.

Documents are cut into as many rows as a batch has; each batch holds the next chunk of every row, so that a model can
carry its state from one to the next. A document begins at the start of a chunk, and what its last chunk has left over
is padding, so a state is reset between chunks, never within one. Two rows, chunks of 4, of the texts abcdefg and xyz
(< begins, > ends, 0 pads):

    batch 0: tokens -> targets      batch 1
    < a b c -> a b c d   begins     d e 0 0 -> e f 0 0
    f g 0 0 -> g > 0 0   begins     < x y z -> x y z >   begins

Each row makes half of all twelve predictions, so the first text goes on in the second row.
"""

import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf

from zoo.data.text import END, START


@dataclass(frozen=True)
class Corpus:
    """Documents one after another, each from its start to its end token, in a file: memory holds none of them.

    Attributes:
        ids: All ids, `(n,)`, a map of the file.
        borders: Where each document begins, and where the last one ends, `(documents + 1,)`.
    """

    ids: np.ndarray
    borders: np.ndarray

    @property
    def predictions(self) -> int:
        """How many tokens there are to predict: all but the first of each document."""
        return int(self.borders[-1]) - len(self.borders) + 1


def corpus(
    documents: Iterable[Iterable[Sequence[int] | np.ndarray]], vocabulary: int, most: int | None = None
) -> Corpus:
    """Writes documents to a temporary file, which goes away with the last reference to it.

    Args:
        documents: Each an iterable of pieces, each of which is ids; a piece is all that memory must hold.
        vocabulary: Number of ids: it decides how many bytes each takes.
        most: Stop after so many ids, starts and ends not counted.
    """
    kind = np.uint8 if vocabulary <= 1 << 8 else np.uint16 if vocabulary <= 1 << 16 else np.uint32
    borders = [0]
    with tempfile.TemporaryFile(prefix="zoo-corpus-") as file:
        for pieces in documents:
            count = 2
            file.write(kind(START).tobytes())
            for ids in pieces:
                taken = ids if most is None else ids[:most]
                most = None if most is None else most - len(taken)
                file.write(np.asarray(taken, kind).tobytes())
                count += len(taken)
                if most == 0:
                    break
            file.write(kind(END).tobytes())
            borders.append(borders[-1] + count)
            if most == 0:
                break
        file.flush()
        whole = np.memmap(file, kind, "r", shape=(borders[-1],)) if borders[-1] else np.zeros(0, kind)
    return Corpus(whole, np.array(borders, "int64"))


class Span(NamedTuple):
    """A part of a document: predictions made from the ids at `first` to `last - 1`.

    What is read from `context` on, before `first`, is not scored: it only warms the state up.
    """

    context: int
    first: int
    last: int


def rows(
    corpus: Corpus, streams: int, *, generator: np.random.Generator | None = None, context: int = 0
) -> list[list[Span]]:
    """Cuts documents into rows with the same number of predictions, or one less.

    Args:
        corpus: The documents.
        streams: Number of rows.
        generator: Shuffles documents, and moves all cuts by a random distance. Without it documents keep their order.
        context: Tokens that are read again, unscored, where a document is cut.
    """
    starts, stops = corpus.borders[:-1], corpus.borders[1:] - 1  # the end token predicts nothing
    order = np.arange(len(starts))
    offset, total = 0, corpus.predictions
    if generator is not None:
        order = generator.permutation(len(starts))
        offset = int(generator.integers(max(total, 1)))
    # All predictions stand in one circle; the row k holds those from edge k to edge k + 1.
    edges = (np.arange(streams + 1) * total) // streams
    result: list[list[Span]] = [[] for _ in range(streams)]
    place = -offset
    for start, stop in (*zip(starts[order], stops[order], strict=True), *zip(starts[order], stops[order], strict=True)):
        start, stop = int(start), int(stop)
        low, high = max(place, 0), min(place + stop - start, total)
        row = int(np.searchsorted(edges, low, "right")) - 1
        while low < high:
            upto = min(high, int(edges[row + 1]))
            if low < upto:
                first = start + low - place
                result[row].append(Span(max(start, first - context), first, start + upto - place))
            low, row = upto, row + 1
        place += stop - start
        if place >= total:
            break
    return result


def batches(
    corpus: Corpus,
    cut: Sequence[Sequence[Span]],
    chunk: int,
    limit: int | None = None,
    *,
    fixed: bool | None = None,
) -> tf.data.Dataset:
    """The chunks of rows, one of each row a batch: `((tokens, begins), targets, weights)`.

    Args:
        corpus: The documents.
        cut: What `rows` returned.
        chunk: Time steps of a batch.
        limit: Hand out only the first so many chunks that hold something.
        fixed: Pad to a whole chunk also where no row has one. Default: only on JAX, which compiles each shape anew.

    Returns:
        tokens and targets `(streams, time)` int32, `time` a chunk or what its longest row needs, where the target 0
        is not scored; begins `(streams,)` bool, True where the state must be zero; weights `(streams,)` float32, 0
        for rows that are at their end.
    """

    fixed = keras.backend.backend() == "jax" if fixed is None else fixed

    def generate() -> Iterator[tuple]:
        queues = [_pieces(spans, chunk) for spans in cut]
        left = limit
        while left is None or left > 0:
            tokens, targets = np.zeros((2, len(cut), chunk), "int32")
            begins, weights = np.ones(len(cut), bool), np.zeros(len(cut), "float32")
            longest = chunk if fixed else 1
            for row, queue in enumerate(queues):
                piece = next(queue, None) if left is None or weights.sum() < left else None
                if piece is None:
                    continue
                (start, scored, stop), begins[row] = piece
                longest = max(longest, stop - start)
                tokens[row, : stop - start] = corpus.ids[start:stop]
                targets[row, scored - start : stop - start] = corpus.ids[scored + 1 : stop + 1]
                weights[row] = 1
            if not weights.any():
                return
            left = None if left is None else left - int(weights.sum())
            yield (tokens[:, :longest], begins), targets[:, :longest], weights

    count = len(cut)
    ids = tf.TensorSpec((count, chunk if fixed else None), tf.int32)
    signature = (
        (ids, tf.TensorSpec((count,), tf.bool)), ids, tf.TensorSpec((count,), tf.float32),
    )  # fmt: skip
    return tf.data.Dataset.from_generator(generate, output_signature=signature).prefetch(4)


def _pieces(spans: Iterable[Span], chunk: int) -> Iterator[tuple[Span, bool]]:
    """`((start, first scored, stop), whether a span begins)` of each chunk of a row."""
    for context, first, last in spans:
        for start in range(context, last, chunk):
            stop = min(start + chunk, last)
            yield Span(start, min(max(first, start), stop), stop), start == context
