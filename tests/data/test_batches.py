"""Steps of the data pipeline on small streams, against what numpy says."""

import itertools
from collections.abc import Iterable, Iterator

import numpy as np
import pytest
import tensorflow as tf

from zoo.data import batches

LENGTHS = [3, 1, 0, 7, 4, 2, 2, 8, 5, 0, 6, 1, 3, 3, 8, 4, 1, 2, 7, 6, 5, 2, 1]
BOUNDARIES = [2, 4, 8]


def stream(lengths: Iterable[int]) -> tf.data.Dataset:
    """Examples `([n, n, ...], target n)`: example number n, from 1 on, has so many ids of value n."""

    def rows() -> Iterator[tuple[list[int], int]]:
        for number, length in enumerate(lengths, 1):
            yield [number] * length, number

    signature = (tf.TensorSpec([None], tf.int32), tf.TensorSpec([], tf.int64))
    return tf.data.Dataset.from_generator(rows, output_signature=signature)


def bucketed(lengths: Iterable[int], **options: bool) -> list[tuple[np.ndarray, ...]]:
    return list(batches.bucketed(stream(lengths), 4, BOUNDARIES, **options).as_numpy_iterator())


@pytest.mark.parametrize("fixed", [False, True])
def test_every_example_comes_once_padded_on_the_right(fixed: bool) -> None:
    seen = {}
    for tokens, targets, weights in bucketed(LENGTHS, fixed=fixed):
        assert (tokens.dtype, weights.dtype) == ("int32", "float32")
        for row, target, weight in zip(tokens.tolist(), targets.tolist(), weights, strict=True):
            if weight:
                assert target not in seen
                seen[target] = row
            else:
                assert fixed
                assert (set(row), target) == ({0}, 0)
    assert sorted(seen) == list(range(1, len(LENGTHS) + 1))
    for number, length in enumerate(LENGTHS, 1):
        row = seen[number]
        assert row == [number] * length + [0] * (len(row) - length)


def test_fixed_shapes_are_one_a_bucket() -> None:
    got = bucketed(LENGTHS, fixed=True)
    assert {tokens.shape for tokens, _, _ in got} == {(4, 2), (4, 4), (4, 8)}
    assert {(targets.shape, weights.shape) for _, targets, weights in got} == {((4,), (4,))}
    assert {tuple(weights) for _, _, weights in got} - {(1, 1, 1, 1)}, "some batch must have been filled up"


def test_fixed_shapes_are_known_before_a_batch_comes() -> None:
    tokens, targets, weights = batches.bucketed(stream(LENGTHS), 4, BOUNDARIES, fixed=True).element_spec
    assert (tokens.shape[0], targets.shape[0], weights.shape[0]) == (4, 4, 4)


def test_a_batch_holds_lengths_of_one_bucket_and_no_step_too_many() -> None:
    for tokens, targets, weights in bucketed(LENGTHS, fixed=False):
        lengths = [LENGTHS[number - 1] for number in targets]
        assert len(set(np.searchsorted(BOUNDARIES, lengths))) == 1
        assert tokens.shape == (len(targets), max(1, *lengths, 0))
        assert set(weights) == {1.0}


def test_the_longest_length_that_occurs_has_a_bucket() -> None:
    ((tokens, _, _),) = bucketed([8], fixed=True)
    assert tokens.shape == (4, 8)


@pytest.mark.parametrize("fixed", [False, True])
def test_empty_rows_have_at_least_one_step(fixed: bool) -> None:
    ((tokens, targets, _),) = bucketed([0, 0, 0], fixed=fixed)
    assert tokens.shape[1] >= 1
    assert not tokens.any()
    assert targets.tolist()[:3] == [1, 2, 3]


def test_jax_has_half_the_buckets(monkeypatch: pytest.MonkeyPatch) -> None:
    grid = (8, 12, 16, 24, 32)
    assert batches.boundaries(grid, 30) == [8, 12, 16, 24, 30]
    monkeypatch.setattr(batches.keras.backend, "backend", lambda: "jax")
    assert batches.boundaries(grid, 30) == [12, 24, 30]
    assert batches.boundaries(grid, 8) == [8]


def test_targets_may_have_a_shape_of_their_own() -> None:
    pairs = stream([1, 2, 2]).map(lambda ids, target: (ids, tf.stack([target, -target])))
    ((_, targets, _),) = batches.bucketed(pairs, 4, [2], fixed=True).as_numpy_iterator()
    assert targets.tolist() == [[1, -1], [2, -2], [3, -3], [0, 0]]


def test_encoded_keeps_order_and_companions() -> None:
    texts = ["a bc", "", "def"] * 400  # more than are encoded at once
    dataset = tf.data.Dataset.from_tensor_slices((texts, np.arange(1200)))
    got = list(batches.encoded(dataset, lambda rows: [[len(w) for w in row.split()] for row in rows]))
    assert [ids.numpy().tolist() for ids, _ in got] == [[1, 2], [], [3]] * 400
    assert [int(number) for _, number in got] == list(range(1200))
    assert got[0][0].dtype == tf.int32


def test_encoded_shows_broken_utf8_as_a_replacement_character() -> None:
    dataset = tf.data.Dataset.from_tensors((b"a\xffb",))
    ((ids,),) = batches.encoded(dataset, lambda rows: [[ord(c) for c in row] for row in rows])
    assert ids.numpy().tolist() == [97, 0xFFFD, 98]


def order(seed: int, epoch: int) -> list[int]:
    return [int(i) for i in batches.shuffled(tf.data.Dataset.range(50), seed, epoch)]


def test_seed_and_epoch_decide_the_order() -> None:
    assert order(1, 0) == order(1, 0)
    assert sorted(order(1, 0)) == list(range(50)) != order(1, 0)
    assert len({tuple(order(seed, epoch)) for seed in (0, 1, 2) for epoch in (0, 1, 2)}) == 9


def test_a_second_pass_over_one_epoch_is_the_same() -> None:
    once = batches.shuffled(tf.data.Dataset.range(50), 1, 0)
    assert [int(i) for i in once] == [int(i) for i in once]


def test_shuffle_batches_moves_whole_batches() -> None:
    whole = tf.data.Dataset.range(40).batch(4)
    got = [batch.tolist() for batch in batches.shuffle_batches(whole, 1, 0).as_numpy_iterator()]
    straight = [batch.tolist() for batch in whole.as_numpy_iterator()]
    assert sorted(got) == straight != got


def test_an_endless_stream_is_read_as_far_as_it_is_needed() -> None:
    read = itertools.count()

    def endless() -> Iterator[tuple[str, int]]:
        while True:
            yield "x" * (next(read) % 8), 0

    signature = (tf.TensorSpec([], tf.string), tf.TensorSpec([], tf.int64))
    dataset = tf.data.Dataset.from_generator(endless, output_signature=signature)
    ids = batches.encoded(dataset, lambda rows: [[5] * len(row) for row in rows])
    ready = batches.shuffle_batches(
        batches.bucketed(batches.shuffled(ids, 1, 0, buffer=100), 4, BOUNDARIES), 1, 0, buffer=3
    )
    assert len(list(ready.take(3))) == 3
    assert next(read) < 10 * batches.ENCODE_AT_ONCE


def test_buckets_waste_less_than_one_batch_of_all() -> None:
    steps = sum(tokens.size for tokens, _, _ in bucketed(LENGTHS, fixed=False))
    assert sum(LENGTHS) < steps < len(LENGTHS) * max(LENGTHS)


def grouped(shapes: Iterable[tuple[int, int]]) -> tf.data.Dataset:
    """Examples `(number, captions)`: example number n, from 1 on, has so many captions of so many ids of value n."""

    def rows() -> Iterator[tuple[int, np.ndarray]]:
        for number, shape in enumerate(shapes, 1):
            yield number, np.full(shape, number)

    signature = (tf.TensorSpec([], tf.int32), tf.TensorSpec([2, None], tf.int32))
    return tf.data.Dataset.from_generator(rows, output_signature=signature)


@pytest.mark.parametrize("fixed", [False, True])
def test_what_is_teacher_forced_with_several_targets_may_have_any_shape(fixed: bool) -> None:
    lengths = [3, 2, 8, 4, 4, 2, 7, 3, 2]
    stream = grouped((2, length) for length in lengths)
    ready = batches.teacher_forced(stream, 3, BOUNDARIES, fixed=fixed, length=lambda _, ids: tf.shape(ids)[1])
    seen, shapes = {}, set()
    for (numbers, before), after, weights in ready.as_numpy_iterator():
        assert before.shape == after.shape == (len(weights), 2, before.shape[2])
        assert numbers.shape == weights.shape
        shapes.add(before.shape)
        for number, inputs, targets, weight in zip(numbers.tolist(), before, after, weights, strict=True):
            if not weight:
                assert fixed
                assert [inputs.sum(), targets.sum(), number] == [0, 0, 0]
                continue
            assert number not in seen
            seen[number] = (inputs.tolist(), targets.tolist())
    assert sorted(seen) == list(range(1, len(lengths) + 1))
    for number, (inputs, targets) in seen.items():
        whole = [number] * lengths[number - 1] + [0] * (len(inputs[0]) + 1 - lengths[number - 1])
        assert inputs == [whole[:-1]] * 2
        assert targets == [whole[1:]] * 2
    if fixed:
        assert shapes == {(3, 2, upper - 1) for upper in BOUNDARIES}


@pytest.mark.parametrize("fixed", [False, True])
def test_plain_batches_of_pictures_and_texts(fixed: bool) -> None:
    pictures = np.arange(1, 6, dtype="uint8")[:, None, None] * np.ones((5, 2, 3), "uint8")
    texts = [f"text {number}" for number in range(1, 6)]
    dataset = tf.data.Dataset.from_tensor_slices((pictures, texts))
    got = list(batches.batched(dataset, 3, fixed=fixed).as_numpy_iterator())
    assert [item[0].shape for item in got] == [(3, 2, 3), (3 if fixed else 2, 2, 3)]
    assert [item[2].tolist() for item in got] == [[1, 1, 1], [1, 1, 0] if fixed else [1, 1]]
    images, strings, weights = (np.concatenate(parts) for parts in zip(*got, strict=True))
    np.testing.assert_array_equal(images[weights > 0], pictures)
    assert [string.decode() for string in strings[weights > 0]] == texts
    assert images.dtype == np.uint8
    assert not images[weights == 0].any()
    assert set(strings[weights == 0]) <= {b""}
