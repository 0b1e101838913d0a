"""Data sets as values: splits, sizes, limits, and the one rule for held-out parts."""

import dataclasses
import hashlib

import numpy as np
import pytest
import tensorflow as tf

from zoo.data.datasets import DatasetCard, DatasetRow, find_row
from zoo.data.raw import SEED, RawDataset, check_number_of_labels, index_labels
from zoo.errors import UserError


def raw(texts, labels=None, **splits):
    """Texts with a label each; `splits` are further splits."""
    parts = {"train": texts, **splits}
    reads = []

    def read(name):
        reads.append(name)
        numbers = labels if labels is not None and name == "train" else [0] * len(parts[name])
        return tf.data.Dataset.from_tensor_slices((parts[name], np.array(numbers, "int64")))

    made = RawDataset(read, tuple(parts), DatasetCard("toy"), ("no", "yes"), lambda name: len(parts[name]))
    return made, reads


def rows(data, split):
    return [text.decode() for text, _ in data.split(split).as_numpy_iterator()]


TEXTS = [f"text {i}" for i in range(100)]


def test_held_out_parts_are_a_partition_in_the_order_of_the_data():
    data = raw(TEXTS)[0].hold_out()
    parts = {name: rows(data, name) for name in ("train", "validation", "test")}
    assert sorted(text for part in parts.values() for text in part) == sorted(TEXTS)
    assert {name: len(part) for name, part in parts.items()} == {"train": 80, "validation": 10, "test": 10}
    assert data.sizes() == {"train": 80, "validation": 10, "test": 10}
    for part in parts.values():
        assert part == [text for text in TEXTS if text in part]


def test_the_rule_is_the_rank_of_a_sha256():
    ranked = sorted(TEXTS, key=lambda text: hashlib.sha256(b"%d " % SEED + text.encode()).digest())
    data = raw(TEXTS)[0].hold_out()
    assert sorted(rows(data, "validation")) == sorted(ranked[:10])
    assert sorted(rows(data, "test")) == sorted(ranked[10:20])


def test_equal_texts_stay_together_whatever_their_white_space():
    doubled = [*TEXTS, *(text.replace(" ", "   ") for text in TEXTS[::2])]
    data = raw(doubled)[0].hold_out()
    side = {}
    assert data.names == ("train", "validation", "test", "all")
    assert sorted(rows(data, "all")) == sorted(doubled)
    assert data.size("all") == len(doubled)
    for name in data.names[:3]:
        for text in rows(data, name):
            side.setdefault(" ".join(text.split()), set()).add(name)
    assert len(side) == 100
    assert all(len(found) == 1 for found in side.values())


def test_an_own_split_stays_and_only_the_missing_one_is_held_out():
    data = raw(TEXTS, test=["other"])[0].hold_out()
    assert rows(data, "test") == ["other"]
    assert len(rows(data, "validation")) == 10
    assert "validation (10%) held out of train" in data.card.splits


def test_each_class_gives_its_fraction():
    labels = [0] * 90 + [1] * 10
    data = raw(TEXTS, labels)[0].hold_out({"validation": 0.2}, stratum=lambda example: int(example[1]))
    held = [int(label) for _, label in data.split("validation").as_numpy_iterator()]
    assert (held.count(0), held.count(1)) == (18, 2)


@pytest.mark.parametrize(("rare", "sides"), [(1, (1, 0, 0)), (2, (1, 1, 0)), (3, (1, 1, 1)), (4, (2, 1, 1))])
def test_each_class_keeps_a_group(rare, sides):
    labels = [0] * (100 - rare) + [1] * rare
    data = raw(TEXTS, labels)[0].hold_out({"validation": 0.1, "test": 0.2}, stratum=lambda example: int(example[1]))
    found = {split: sum(label for _, label in data.split(split).as_numpy_iterator()) for split in data.names}
    assert (found["train"], found["validation"], found["test"]) == sides


def test_labels_without_a_training_example_are_said(capsys):
    one = raw(TEXTS, [0] * 100)[0]
    with pytest.raises(UserError, match=r"toy: no training example has the label 'yes'\. Give more examples of it"):
        one.check_trained()
    sorted_by_label = raw(TEXTS, [0] * 50 + [1] * 50)[0]
    with pytest.raises(UserError, match=r"no training example among the first 50 has the label 'yes'\. Shuffle"):
        sorted_by_label.take(50).check_trained(50)
    sorted_by_label.take(51).check_trained(51)
    assert not capsys.readouterr().err
    dataclasses.replace(sorted_by_label, labels=("no", "yes", "never")).check_trained()
    assert capsys.readouterr().err.startswith("Warning: toy: no training example has the label 'never'.")


def test_examples_that_name_their_split():
    made = raw(TEXTS[:4])[0]
    whole = dataclasses.replace(made, read=lambda name: made.read("train"), count=lambda name: 4)
    assert whole.divided([]) is whole
    data = whole.divided(["test", "train", "test", "train"])
    assert data.names == ("train", "test", "all")
    assert (rows(data, "test"), rows(data, "train")) == (["text 0", "text 2"], ["text 1", "text 3"])
    assert rows(data, "all") == TEXTS[:4]
    assert (data.size("test"), data.size("all"), data.size("validation")) == (2, 4, 0)


def test_nothing_is_read_before_it_is_asked_for():
    made, reads = raw(TEXTS, test=["a", "b"])
    data = made.hold_out().take(50)
    assert reads == []
    assert rows(data, "test") == ["a", "b"]
    assert reads == ["test"], "the test split does not hash the training texts"


def test_a_limit_is_for_training_alone():
    data = raw(TEXTS, test=TEXTS)[0].hold_out().take(7)
    assert len(rows(data, "train")) == data.size("train") == 7
    assert len(rows(data, "test")) == data.size("test") == 100


@pytest.mark.parametrize("texts", [[], ["one"], ["same"] * 50, ["one", "two"]])
def test_too_few_texts_are_refused_with_the_count_of_distinct_ones(texts):
    made, _ = raw(np.array(texts, object) if texts else np.array([], object).astype(str))
    with pytest.raises(UserError, match=rf"has {len(texts)} texts to train on, {len(set(texts))} of them distinct"):
        made.hold_out(what="texts").sizes()


def test_an_unknown_split_is_named_with_the_nearest():
    with pytest.raises(UserError, match="No split is called 'trian'; did you mean 'train'"):
        raw(TEXTS)[0].split("trian")


def test_labels_of_a_saved_model_must_agree():
    made, _ = raw(TEXTS)
    assert made.check_labels(["no", "yes"]) is made
    with pytest.raises(UserError, match="has the labels no, yes; the model knows yes, no"):
        made.check_labels(["yes", "no"])


def test_labels_of_a_file():
    assert index_labels(["b", "a", "b"], None, "f") == ["a", "b"]
    assert index_labels(["b"], ["b", "a"], "f") == ["b", "a"]
    with pytest.raises(UserError, match="No label is called 'bb'; did you mean 'b'"):
        index_labels(["bb"], ["b", "a"], "f")
    with pytest.raises(UserError, match="every example has the label 'a'"):
        index_labels(["a"], None, "f")


@pytest.mark.parametrize(
    "labels",
    [
        ("pos", "Pos"), ("1", "1.0"), ("sch\u00f6n", "scho\u0308n"), ("up", "up\u200b"), ("up", '"up"'), ("07", "7"),
        ("new  york", "new york"), ("\uff11", "1"),
    ],
)  # fmt: skip
def test_spellings_of_one_label_are_refused_or_said(labels, capsys):
    message = "f: labels that differ only in case, blanks, quotation marks, invisible characters or"
    with pytest.raises(UserError) as error:
        index_labels([*labels, labels[0], "other"], None, "f", strict=True)
    assert str(error.value).startswith(message)
    assert "(1)" in str(error.value)
    assert "(2)" in str(error.value)
    assert str(error.value).isprintable()
    assert index_labels(labels, None, "f") == sorted(labels)
    assert capsys.readouterr().err.startswith(f"Warning: {message}")
    assert index_labels(labels, labels, "f", strict=True) == list(labels), "as the saved model knows them"


def test_labels_that_are_not_spellings_of_one(capsys):
    labels = ["3.1", "3.10", "a", "b", "''", "``", '"', "-", "", "PRP", "PRP$", "1", "-1", "9" * 30, "9" * 29 + "8"]
    assert index_labels(labels, None, "f", strict=True) == sorted(labels)
    assert not capsys.readouterr().err


TABLE = {
    "own": DatasetRow("built in", builtin=True),
    "steps": DatasetRow("built in, with configs", builtin=True, config="100"),
    "glue/sst2": DatasetRow("of TFDS"),
    "wmt": DatasetRow("of TFDS, with configs"),
}


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("own", ("own", "")),
        ("steps", ("steps", "100")),
        ("steps/20", ("steps", "20")),
        ("glue/sst2", ("glue/sst2", "")),
        ("wmt/de-en", ("wmt", "de-en")),
        ("other", None),
        ("glue", None),
    ],
)
def test_names_and_configs(name, found):
    row = find_row(name, TABLE)
    assert (row and (row[0], row[2])) == found


@pytest.mark.parametrize("name", ["own/nope", "own/../../x", "steps/", "own/"])
def test_a_config_that_cannot_be_is_refused(name):
    with pytest.raises(UserError, match="Write"):
        find_row(name, TABLE)


def test_a_card_is_flat_and_has_no_empty_fields():
    card = DatasetCard("toy", labels=("a", "b")).with_details(kind="tokens")
    assert card.to_json() == {
        "name": "toy", "splits": "its own", "builtin": False, "synthetic": False, "labels": ["a", "b"],
        "kind": "tokens",
    }  # fmt: skip


def test_labels_that_are_no_classes_are_refused() -> None:
    check_number_of_labels([str(n) for n in range(20)], "own.csv", "--label-column")
    check_number_of_labels([str(n % 50) for n in range(100)], "own.csv", "--label-column")
    with pytest.raises(UserError, match="60 different labels for 61 examples, such as '0'; these are no classes"):
        check_number_of_labels([str(n % 60) for n in range(61)], "own.csv", "--label-column")
