"""Texts of files and of TFDS by split, their ids, and errors for what is no text."""

import collections
import gzip
import itertools
import tracemalloc
import unicodedata
from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf
from zoo.tasks.charlm import data as charlm
from zoo.tasks.charlm import raw as texts
from zoo.tasks.charlm.datasets import DATASETS
from zoo.tasks.charlm.python_docs import python_docs_dataset_builder as python_docs
from zoo.tasks.charlm.recipe import Train

from zoo.data import tfds as sources
from zoo.data.datasets import DatasetCard
from zoo.data.raw import RawDataset
from zoo.data.text import Tokenizer
from zoo.errors import UserError

SPLITS = ("train", "validation", "test")


def joined(raw, split):
    return ["".join(document) for document in raw.split(split)]


@pytest.mark.parametrize(("most", "sizes"), [(1_000_000, (160, 20, 20)), (7, (186, 7, 7))])
def test_the_splits_of_a_file_are_its_beginning_middle_and_end(tmp_path, monkeypatch, most, sizes):
    monkeypatch.setattr(texts, "MAX_PART", most)
    monkeypatch.setattr(texts, "PIECE", 11)
    (tmp_path / "own.txt").write_text("".join(chr(97 + i % 26) for i in range(200)))
    raw = texts.open_texts(str(tmp_path / "own.txt"))
    parts = ["".join(joined(raw, split)) for split in SPLITS]
    assert tuple(map(len, parts)) == sizes
    assert ["".join(parts)] == joined(raw, "all") == [(tmp_path / "own.txt").read_text()]
    assert raw.card.splits.startswith(f"the last {sizes[2]} characters test")


def test_a_large_file_is_streamed(tmp_path):
    """Memory holds pieces only: 2.4 million characters, whose ids alone would take 9.6 MB."""
    file = tmp_path / "large.txt"
    file.write_text("the same line once more\n" * 100_000)
    recipe = Train(dataset=str(file))
    tracemalloc.start()
    data = charlm.load(recipe)
    next(iter(data.train(0)))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert data.sizes()["train"] > 1_900_000
    assert peak < 2 * 4 * 0x110000  # little more than the table of all code points


def endless(split):
    assert split == "test", "no other split is read"
    return ((f"text {number} ",) for number in itertools.count())


def test_a_limit_encodes_no_more_than_it_needs(monkeypatch):
    raw = RawDataset(endless, SPLITS, DatasetCard("endless"))
    monkeypatch.setattr(charlm, "open_texts", lambda *_: raw)
    assets = {"tokenizer": Tokenizer.train(["text 0123456789 "], "char"), "tokens": "char"}
    data = charlm.load(Train(sequence_length=8), assets)
    for limit, rows in ((10, 1), (50, 3), (1_000, 16)):
        batches = [item for (item, _), _, _ in data.split("test", limit)]
        assert {len(tokens) for tokens in batches} == {rows}
        weights = [float(np.sum(weights)) for *_, weights in data.split("test", limit)]
        assert sum(weights) == limit


def test_a_split_without_text_is_not_scored(monkeypatch):
    raw = RawDataset(lambda split: [[""], []], SPLITS, DatasetCard("blank"))
    monkeypatch.setattr(charlm, "open_texts", lambda *_: raw)
    data = charlm.load(Train(dataset="blank"), {"tokenizer": Tokenizer.train(["a"], "char"), "tokens": "char"})
    with pytest.raises(UserError, match="The split 'test' of blank has no text to score"):
        data.split("test")
    with pytest.raises(UserError, match="No split is called 'tset'; did you mean 'test'"):
        data.split("validation+tset")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"a", "too short"),
        (b"ab" * 20, "too short"),
        (b"\xff\xfe\x00", "not UTF-8"),
    ],
)
def test_what_is_no_text_is_refused(tmp_path, content, message):
    file = tmp_path / "bad.txt"
    file.write_bytes(content)
    with pytest.raises(UserError, match=message):
        charlm.load(Train(dataset=str(file)))


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (".", "has no text files"),
        ("helo", "No data set is called 'helo'; did you mean 'hello'"),
        ("hello/nope", "has no configs"),
        ("python_docs/nope", "has no configs"),
        ("wiki40b", "has several configs. Name one: wiki40b/en"),
        ("wiki40b/xx", "No config of wiki40b is called 'xx'"),
    ],
)
def test_names_that_are_no_data_set(name, message):
    with pytest.raises(UserError, match=message):
        charlm.load(Train(dataset=name))


# Splits as the TFDS catalog has them, and which of them are read here.
CATALOG = {
    "tiny_shakespeare": ("train validation test", ["train", "validation", "test"]),
    "lm1b": ("train test", ["train[:99%]", "train[99%:]", "test"]),
    "wiki40b/en": ("train validation test", ["train", "validation", "test"]),
    "imdb_reviews": ("train test unsupervised", ["train[:90%]+unsupervised", "train[90%:]", "test"]),
}


def test_the_catalog_has_all_sets_of_tfds():
    assert {name.partition("/")[0] for name in CATALOG} == {n for n, row in DATASETS.items() if not row.builtin}


@pytest.mark.parametrize("name", CATALOG)
def test_sets_that_tfds_has(name, monkeypatch):
    theirs, expected = CATALOG[name]

    def as_dataset(split, **options):
        return tf.data.Dataset.from_tensors({"text": f"{split} é"})

    info = SimpleNamespace(splits=dict.fromkeys(theirs.split()), features={"text": None}, version="1.0.0")
    builder = SimpleNamespace(info=info, as_dataset=as_dataset, builder_config=None)
    monkeypatch.setattr(sources, "prepared", lambda *_: builder)
    raw = texts.open_texts(name)
    assert [joined(raw, split) for split in SPLITS] == [[f"{split} é"] for split in expected]
    assert raw.card.name == name


def test_a_null_byte_is_a_character_like_others(tmp_path):
    file = tmp_path / "null.txt"
    file.write_bytes(b"a\0b\r\n" * 400)
    data = charlm.load(Train(dataset=str(file)))
    assert data.assets["tokenizer"].decode(charlm.encoder(data.assets)(["a\0b\r\n"])) == ["a\0b\r\n"]


def test_characters_are_looked_up_as_the_tokenizer_would():
    tokenizer = Tokenizer.train(["Ünïcode, e\u0301 and 🙂\n"], "char")
    encode = charlm.encoder({"tokenizer": tokenizer, "tokens": "char"})
    samples = ["Ünïcode e\u0301", "🙂 new sign: ß", ""]
    for sample, ids in zip(samples, encode(samples), strict=True):
        assert list(ids) == tokenizer.encode([sample])[0]
    (ids,) = encode(["\ud800"])  # half a character, as a command line of another encoding gives it
    assert len(ids) == 1


def test_python_docs_are_split_by_topic():
    topics = {f"topic{i}": "x" * (100 + i) for i in range(50)} | {"huge": "x" * 5_000}
    sides = python_docs.splits(topics)
    assert sorted(itertools.chain(*sides.values())) == sorted(topics)
    assert "huge" in sides["train"]
    assert sides == python_docs.splits(dict(reversed(topics.items())))
    assert all(sides.values())


def test_python_docs_load_and_no_topic_is_in_two_splits():
    raw = texts.open_texts("python_docs")
    documents = {split: set(joined(raw, split)) for split in SPLITS}
    assert not documents["train"] & documents["test"]
    assert not documents["validation"] & documents["test"]
    assert sum(map(len, documents["train"])) > 200_000
    assert raw.card.details["config"].startswith("python3.")


def test_a_byte_order_mark_is_no_character(tmp_path):
    (tmp_path / "own.txt").write_bytes("\ufeffabc \u2028 d\r\n".encode() * 1)
    assert joined(texts.open_texts(str(tmp_path / "own.txt")), "all") == ["abc \u2028 d\r\n"]


def test_compressed_texts_and_folders(tmp_path):
    for number in range(5):
        (tmp_path / f"{number}.txt.gz").write_bytes(gzip.compress(str(number).encode() * 100))
    (tmp_path / "picture.png").write_bytes(b"\x89PNG")
    raw = texts.open_texts(str(tmp_path))
    assert sorted(joined(raw, "all")) == [str(number) * 100 for number in range(5)]
    assert [sum(map(len, joined(raw, split))) for split in SPLITS] == [400, 50, 50]
    assert "".join(itertools.chain(*(joined(raw, split) for split in SPLITS))) == "".join(joined(raw, "all"))


@pytest.mark.parametrize("title", ["The Train", "test"])
def test_a_book_is_no_split(title, tmp_path):
    for name in (title, "Emma", "Moby Dick"):
        (tmp_path / f"{name}.txt").write_text(name * 50)
    assert sorted(joined(texts.open_texts(str(tmp_path)), "all")) == sorted(
        name * 50 for name in (title, "Emma", "Moby Dick")
    )


def test_hidden_files_are_not_read_and_others_are_named(tmp_path, capsys):
    for name in ("README.md", "a.py", "b.py", "c/d.py", "e.png", ".git/config", ".cache/f.txt", "__MACOSX/g.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name * 50)
    assert joined(texts.open_texts(str(tmp_path)), "all") == ["README.md" * 50]
    assert capsys.readouterr().err == f"{tmp_path}: left out: a.py, b.py, c/d.py and 1 more (3 .py, 1 .png).\n"


def test_a_folder_with_files_for_the_splits(tmp_path):
    for name in ("train", "valid", "test"):
        (tmp_path / f"{name}.txt").write_text(name * 50)
    raw = texts.open_texts(str(tmp_path))
    assert [joined(raw, split) for split in SPLITS] == [["train" * 50], ["valid" * 50], ["test" * 50]]
    assert raw.card.splits == "its own"


def test_a_vocabulary_of_characters_is_counted_as_the_library_counts(tmp_path):
    sample = "Ünïcode, e\u0301 and 🙂\n\0x" * 3 + "once"
    ours = Tokenizer.train([sample, "more e\u0301"], "char", min_count=2)
    expected = collections.Counter(unicodedata.normalize("NFC", sample + "more e\u0301"))
    found = [ours.token(i) for i in range(4, ours.size)]
    assert sorted(found) == sorted(c for c, n in expected.items() if n > 1)
    counts = [expected[c] for c in found]
    assert counts == sorted(counts, reverse=True)
    small = Tokenizer.train([sample], "char", 7)
    assert small.size == 7
