"""From pairs of texts to batches: what is shifted, filtered, cut and left alone."""

import dataclasses

import numpy as np
import pytest
from zoo.tasks.translate import data, encoding, model, raw
from zoo.tasks.translate.recipe import Train

from zoo.data import batches
from zoo.errors import UserError
from zoo.ids import END, PAD, START, UNKNOWN

COUNTS = ["null", "eins", "zwei", "drei", "vier", "fünf", "sechs", "sieben", "acht", "neun"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Numbers in digits and in German words: 200 pairs, one of them far too long."""
    path = tmp_path_factory.mktemp("numbers")
    numbers = [str(7 * i) for i in range(199)] + ["5" * 80]
    for split, some in {"train": numbers, "validation": numbers[:20], "test": numbers[20:50]}.items():
        (path / f"{split}.xx").write_text("".join(f"{n}\n" for n in some))
        (path / f"{split}.yy").write_text("".join(" ".join(COUNTS[int(d)] for d in n) + "\n" for n in some))
    return path


@pytest.fixture(scope="module")
def recipe(folder):
    return Train(dataset=str(folder), vocabulary_size=60, batch_size=16, max_length=20)


@pytest.fixture(scope="module")
def loaded(recipe):
    return data.load(recipe)


@pytest.fixture(scope="module")
def epoch(loaded):
    """All batches of the first epoch."""
    return [
        ((source, before), after, weights) for (source, before), after, weights in loaded.train(0).as_numpy_iterator()
    ]


def test_targets_are_the_inputs_one_step_later(epoch):
    for (source, before), after, weights in epoch:
        assert before.shape == after.shape
        assert (before[:, 0] == START).all()
        lengths = (after != PAD).sum(axis=1)
        for row in range(len(after)):
            assert after[row, lengths[row] - 1] == END
            np.testing.assert_array_equal(before[row, 1 : lengths[row]], after[row, : lengths[row] - 1])
            assert source[row][source[row] != PAD][-1] == END
        assert (weights == 1).all()


def test_pairs_stay_pairs_and_the_one_that_is_too_long_is_left_out(loaded, epoch):
    tokenizer, seen = loaded.assets["tokenizer"], {}
    for (source, _), after, _ in epoch:
        seen |= dict(zip(tokenizer.decode(source), tokenizer.decode(after), strict=True))
    assert len(seen) == 199
    assert all(words == " ".join(COUNTS[int(d)] for d in digits) for digits, words in seen.items())


def test_the_lengths_are_those_by_which_pairs_are_left_out(loaded):
    lengths = list(loaded.lengths("train", None))
    assert len(lengths) == 200
    assert sum(length > 20 for length in lengths) == 1
    assert lengths[:40] == list(loaded.lengths("train", 40))


def test_an_epoch_has_its_own_order_and_the_same_one_again(loaded, epoch):
    def first(batches):
        (source, _), *_ = next(iter(batches))
        return source.tolist()

    assert first(loaded.train(0).take(1).as_numpy_iterator()) == first(epoch)
    assert first(loaded.train(1).take(1).as_numpy_iterator()) != first(epoch)


def test_digits_are_spelled_one_by_one(loaded):
    tokenizer = loaded.assets["tokenizer"]
    (ids,) = tokenizer.encode(["483"])
    assert [tokenizer.token(i) for i in ids][-3:] == ["4", "8", "3"]


def test_a_split_comes_with_its_references(loaded):
    references = [line.decode() for _, targets, _ in loaded.split("test") for line in np.asarray(targets)]
    assert len(references) == 30
    assert "eins vier null" in references
    assert sum(len(np.asarray(weights)) for *_, weights in loaded.split("test", 7)) == 7


def test_each_side_can_have_its_own_vocabulary(recipe):
    separate = data.load(dataclasses.replace(recipe, shared_vocabulary=False))
    source, target = separate.assets["source_tokenizer"], separate.assets["target_tokenizer"]
    assert "null" in target.decode(target.encode(["null"]))
    assert source.encode(["null"])[0].count(UNKNOWN) >= 3
    assert source.size != target.size
    net = model.build(dataclasses.replace(recipe, shared_vocabulary=False, units=4, embedding_dim=4), separate)
    shapes = [tuple(weight.shape) for weight in net.weights]
    assert (source.size, 4) in shapes
    assert (target.size, 4) in shapes


def test_sides_can_be_swapped(recipe):
    swapped = data.load(dataclasses.replace(recipe, reverse=True))
    assert swapped.assets["languages"] == ["yy", "xx"]
    references = [line.decode() for _, targets, _ in swapped.split("test") for line in np.asarray(targets)]
    assert "140" in references


def test_a_saved_model_is_not_scored_on_other_languages(recipe, loaded):
    with pytest.raises(UserError, match="goes from yy to xx; the model translates from xx to yy"):
        data.load(dataclasses.replace(recipe, reverse=True), loaded.assets)


def test_a_saved_model_is_scored_without_reading_the_training_files(recipe, loaded, monkeypatch):
    opened = []
    lines = raw.files.lines
    monkeypatch.setattr(raw.files, "lines", lambda path: opened.append(path.name) or lines(path))
    (batch,) = data.load(recipe, loaded.assets).split("test", 7)
    assert len(np.asarray(batch[-1])) == 7
    assert {name.partition(".")[0] for name in opened} == {"test"}


def test_limit_takes_the_first_pairs(recipe):
    limited = data.load(dataclasses.replace(recipe, limit=40))
    assert limited.sizes() == {"train": 40, "validation": 20, "test": 30}
    assert sum(len(np.asarray(weights)) for *_, weights in limited.train(0)) == 40


def test_a_saved_model_keeps_its_tokenizer_and_search(recipe, loaded):
    again = data.load(dataclasses.replace(recipe, beam_size=9), loaded.assets)
    assert again.assets is loaded.assets
    assert loaded.assets["search"] == {
        "beam_size": 5, "length_penalty": 0.6, "coverage_penalty": 0.0, "consensus": 0.0,
        "max_new_tokens": 20,
    }  # fmt: skip
    assert set(loaded.card.details["scoring"]) == {"bleu", "bleu_lc_tok", "chrf"}


def test_a_long_source_is_cut_where_it_is_scored(loaded, recipe):
    (row,) = encoding.source_encoder(loaded.assets, recipe.max_length)(["5" * 80])
    assert len(row) == recipe.max_length
    assert row[-1] == END


@pytest.mark.parametrize("rows", [16, 5])
def test_for_jax_every_bucket_has_one_shape(rows):
    import tensorflow as tf

    pairs = [(list(range(4, 4 + i % 6 + 1)), [2, *range(4, 4 + i % 4), 3]) for i in range(rows)]
    signature = (tf.TensorSpec((None,), "int32"), tf.TensorSpec((None,), "int32"))
    examples = tf.data.Dataset.from_generator(lambda: pairs, output_signature=signature)
    shapes, real = set(), 0
    for (source, before), after, weights in batches.teacher_forced(examples, 4, [4, 8], fixed=True):
        shapes.add((tuple(source.shape), tuple(before.shape), tuple(after.shape)))
        real += int(np.asarray(weights).sum())
        assert len(np.asarray(weights)) == 4
    assert shapes <= {((4, 4), (4, 3), (4, 3)), ((4, 8), (4, 7), (4, 7))}
    assert real == rows


def test_bpe_dropout_gives_each_epoch_other_pieces_of_the_same_texts(folder):
    recipe = Train(dataset=str(folder), vocabulary_size=60, batch_size=4, bpe_dropout=0.5)
    loaded = data.load(recipe)
    tokenizer = loaded.assets["tokenizer"]

    def texts(epoch):
        rows = [(row, target) for (ids, _), targets, _ in loaded.train(epoch).as_numpy_iterator()
                for row, target in zip(ids, targets, strict=True)]  # fmt: skip
        return [tuple(tokenizer.decode(pair)) for pair in rows], [[ids.tolist() for ids in pair] for pair in rows]

    (first, ids), (again, same), (second, others) = texts(0), texts(0), texts(1)
    assert (first, ids) == (again, same)
    assert sorted(first) == sorted(second)
    assert sorted(ids) != sorted(others)
