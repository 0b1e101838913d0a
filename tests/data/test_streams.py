"""Streams: each prediction once, documents from their beginning, contexts unscored, ids on disk."""

import numpy as np
import pytest

from zoo.data import streams

TEXTS = [[10, 11, 12, 13, 14, 15, 16], [20, 21, 22]]
PAIRS = sorted(
    (a, b) for text in TEXTS for a, b in zip([2, *text], [*text, 3], strict=True)
)  # what the two texts ask for: each token after the one before


def corpus_of(*texts, **options):
    return streams.corpus([[text] for text in texts], 30, **options)


def arrays(batches):
    return [tuple(np.asarray(item) for item in (*inputs, *rest)) for inputs, *rest in batches]


def pairs(batches):
    return sorted(
        (int(a), int(b))
        for tokens, _, targets, _ in batches
        for a, b in zip(tokens.ravel(), targets.ravel(), strict=True)
        if b
    )


def test_documents_lie_one_after_another_between_start_and_end():
    corpus = streams.corpus([[[10, 11], [12]], [], [[13]]], 30)
    assert corpus.ids.tolist() == [2, 10, 11, 12, 3, 2, 3, 2, 13, 3]
    assert corpus.borders.tolist() == [0, 5, 7, 10]
    assert (corpus.predictions, corpus.tokens) == (7, 4)


@pytest.mark.parametrize(("vocabulary", "kind"), [(256, "uint8"), (257, "uint16"), (70_000, "uint32")])
def test_ids_take_as_few_bytes_as_they_can_and_lie_on_the_disk(vocabulary, kind):
    corpus = streams.corpus([[[vocabulary - 1]]], vocabulary)
    assert corpus.ids.dtype == kind
    assert isinstance(corpus.ids, np.memmap)
    assert corpus.ids[1] == vocabulary - 1


def test_a_limit_takes_the_first_ids_only():
    assert corpus_of(*TEXTS, max_tokens=4).ids.tolist() == [2, 10, 11, 12, 13, 3]
    assert corpus_of(*TEXTS, max_tokens=8).ids.tolist() == [2, *TEXTS[0], 3, 2, 20, 3]


def test_the_toy_of_the_docstring():
    corpus = corpus_of(*TEXTS)
    first, second = arrays(streams.batches(corpus, streams.cut(corpus, 2), 4, fixed=True))
    tokens, begins, targets, weights = first
    assert tokens.tolist() == [[2, 10, 11, 12], [15, 16, 0, 0]]
    assert targets.tolist() == [[10, 11, 12, 13], [16, 3, 0, 0]]
    assert begins.tolist() == [True, True]
    assert weights.tolist() == [1, 1]
    tokens, begins, targets, weights = second
    assert tokens.tolist() == [[13, 14, 0, 0], [2, 20, 21, 22]]
    assert targets.tolist() == [[14, 15, 0, 0], [20, 21, 22, 3]]
    assert begins.tolist() == [False, True]


@pytest.mark.parametrize(
    ("count", "length", "seed"),
    [
        (1, 1, None),
        (1, 64, 0),
        (2, 3, 1),
        (2, 1, 2),
        (3, 64, None),
        (3, 3, 0),
        (5, 1, 1),
        (5, 64, 2),
        (40, 3, None),
        (40, 1, 0),
    ],
)
def test_every_prediction_is_made_once_however_the_text_is_cut(count, length, seed):
    corpus = corpus_of(*TEXTS)
    generator = None if seed is None else np.random.default_rng(seed)
    rows = streams.cut(corpus, count, generator=generator)
    sizes = [sum(last - first for _, first, last in spans) for spans in rows]
    assert max(sizes) - min(sizes) <= 1
    assert pairs(arrays(streams.batches(corpus, rows, length))) == PAIRS


def test_a_context_is_read_and_not_scored():
    corpus = corpus_of(*TEXTS)
    rows = streams.cut(corpus, 3, context=3)
    batches = arrays(streams.batches(corpus, rows, 4))
    assert pairs(batches) == PAIRS
    tokens, _, targets, _ = batches[0]
    assert tokens[1].tolist() == [10, 11, 12, 13]  # the second row begins with what predicts 14: 13, after its context
    assert targets[1].tolist() == [0, 0, 0, 14]


def test_another_epoch_cuts_elsewhere_and_the_same_one_does_not():
    corpus = corpus_of(list(range(4, 30)))
    cuts = [streams.cut(corpus, 2, generator=np.random.default_rng([1, epoch])) for epoch in (0, 1, 0)]
    assert cuts[0] == cuts[2] != cuts[1]


def test_a_limit_counts_rows():
    corpus = corpus_of(*TEXTS)
    rows = streams.cut(corpus, 2)
    batches = arrays(streams.batches(corpus, rows, 2, limit=3))
    assert sum(weights.sum() for *_, weights in batches) == 3


def test_batches_are_as_long_as_their_longest_row():
    corpus = corpus_of([10], [11, 12])
    batches = arrays(streams.batches(corpus, streams.cut(corpus, 1), 64))
    assert [tokens.shape for tokens, *_ in batches] == [(1, 2), (1, 3)]
    fixed = arrays(streams.batches(corpus, streams.cut(corpus, 1), 64, fixed=True))
    assert [tokens.shape for tokens, *_ in fixed] == [(1, 64), (1, 64)]
