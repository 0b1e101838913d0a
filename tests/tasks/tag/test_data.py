"""CoNLL files, TFDS sets and clips, down to batches; scores and spans."""

from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_datasets as tfds
from PIL import Image
from zoo.tasks.tag import conll, data, folder, scoring, sequences
from zoo.tasks.tag.clips import compose
from zoo.tasks.tag.recipe import Predict, Train, fits

from zoo.data import tfds as sources
from zoo.errors import UserError

NAMES, PLACES = ["Ann", "Bob", "Eve"], ["Rome", "Oslo", "Lima"]


def written(path: Path, count: int = 60, blank: str = " ") -> Path:
    """Sentences of which each is another: who lives where."""
    lines = ["-DOCSTART- -X- O", ""]
    for i in range(count):
        lines += [f"{NAMES[i % 3]} NNP B-PER", f"number{i} CD O", "lives VB O", f"{PLACES[i // 3 % 3]} NNP B-LOC"]
        lines += ["City NNP I-LOC", ". . O", ""]
    path.write_text("\n".join(line.replace(" ", blank) for line in lines), encoding="utf-8")
    return path


def ids_and_labels(batches: Any) -> list[tuple[list[int], list[int]]]:
    """Every real step of every real row."""
    found = []
    for tokens, labels, weights in batches.as_numpy_iterator():
        assert tokens.shape == labels.shape
        assert weights.shape == (len(tokens),)
        assert ((tokens == 0) == (labels == -1)).all()
        found += [(row[row > 0].tolist(), own[row > 0].tolist()) for row, own in zip(tokens, labels, strict=True)]
    return found


@pytest.mark.parametrize("blank", [" ", "\t"])
def test_a_conll_file_down_to_batches(tmp_path: Path, blank: str) -> None:
    loaded = data.load(Train(dataset=str(written(tmp_path / "own.conll", blank=blank)), least=1, batch_size=8))
    labels, tokenizer = loaded.assets["labels"], loaded.assets["tokenizer"]
    assert labels == ["B-LOC", "B-PER", "I-LOC", "O"]
    assert sum(loaded.sizes.values()) == 60
    assert loaded.facts["kind"] == "tokens"
    assert list(loaded.examples) == list(data.SENTENCES)
    rows = [row for split in ("validation", "test") for row in ids_and_labels(loaded.split(split))]
    rows += ids_and_labels(loaded.train(0))
    assert len(rows) == 60
    for tokens, numbers in rows:
        assert [labels[i] for i in numbers] == ["B-PER", "O", "O", "B-LOC", "I-LOC", "O"]
        assert tokenizer.token(tokens[0]) in NAMES
        assert tokenizer.token(tokens[4]) == "City"
    assert len(ids_and_labels(loaded.split("all", 7))) == 7


def test_one_id_a_word_whatever_the_word(tmp_path: Path) -> None:
    loaded = data.load(Train(dataset=str(written(tmp_path / "own.conll")), least=1))
    words = ["Ann", "U.S.A.", "", "12,5", "two words", "😀", "lives"]
    found = data.ids(loaded.assets["tokenizer"], words)
    assert len(found) == len(words)
    assert found[0] != 1
    assert found[1:6] == [1] * 5


def test_a_long_sentence_is_learned_in_part_and_scored_as_a_whole(tmp_path: Path) -> None:
    loaded = data.load(Train(dataset=str(written(tmp_path / "own.conll")), least=1, longest=4))
    assert {len(row) for row, _ in ids_and_labels(loaded.train(0))} == {4}
    assert {len(row) for row, _ in ids_and_labels(loaded.split("test"))} == {6}


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("a O\nb\n", "line 2: a word and its label"),
        ("a\tO\n\tO\n", "line 2: a word and its label"),
        ("a X O\n\nb O\n", "line 3: 2 columns; the lines before have 3"),
        (b"a O\n\xff\xfe O\n", "line 2: not UTF-8"),
        ("", "0 sentences and 0 labels"),
        ("a O\n\nb O\n", "two labels are the least"),
        ("a X\n\nb O\n", "too few: none fell into"),
    ],
)
def test_lines_that_cannot_be_used_are_told_with_their_number(tmp_path: Path, content: Any, told: str) -> None:
    path = tmp_path / "own.conll"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(UserError, match=told):
        data.load(Train(dataset=str(path)))


def test_what_there_is_not_is_told(tmp_path: Path) -> None:
    path = written(tmp_path / "own.conll")
    with pytest.raises(UserError, match="clips"):
        data.load(Train(dataset="clisp"))
    with pytest.raises(UserError, match="last column"):
        data.load(Train(dataset=str(path), labels="ner"))
    loaded = data.load(Train(dataset=str(path)))
    with pytest.raises(UserError, match="No split is called 'tset'"):
        loaded.split("tset")
    other = tmp_path / "other.conll"
    other.write_text("a B-PRE\n\nb O\n")
    with pytest.raises(UserError, match="'B-PER'"):
        data.load(Train(dataset=str(other)), loaded.assets)


def test_copies_of_a_sentence_stay_together(tmp_path: Path) -> None:
    path = written(tmp_path / "own.conll")
    twice = tmp_path / "twice.conll"
    twice.write_text(path.read_text() + "\n\n" + path.read_text())
    parts = sequences.from_file(twice, 1)
    sides = [{b" ".join(words) for words, _ in parts.split(name).as_numpy_iterator()} for name in sequences.SPLITS]
    assert sum(map(len, sides)) == 60
    assert sum(parts.sizes.values()) == 120


def rolling(path: Path, start: int, steps: int, size: int = 32) -> Path:
    """A GIF of 0.1 s a frame in which something white goes to the right from a place, two pixels a frame."""
    frames = [Image.new("L", (size, size)) for _ in range(steps)]
    for step, frame in enumerate(frames):
        frame.paste(255, (start + 2 * step, start, start + 2 * step + 6, start + 6))
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=100)
    return path


@pytest.fixture
def own_clips(tmp_path: Path) -> Path:
    """Twelve clips, of which the last two are equal; the first three frames are `early`, the next two are not told."""
    lines = ["clip,start,end,label"]
    for i in range(12):
        rolling(tmp_path / f"{i}.gif", min(i, 10), 8)
        lines += [f"{i}.gif,0.5,9,late", f"{i}.gif,0,0.3,early"]
    (tmp_path / folder.TABLE).write_text("\n".join(lines))
    return tmp_path


def test_a_folder_of_clips_down_to_batches(own_clips: Path) -> None:
    loaded = data.load(Train(dataset=str(own_clips), image_size=16, colour=True))
    assert loaded.assets == {"labels": ["early", "late"], "input": {"kind": "frames", "shape": [16, 16, 3]}}
    assert sum(loaded.sizes.values()) == 12
    assert loaded.sizes["train"] >= 8
    assert loaded.facts["seconds"] == 0.1
    for name in ("validation", "test", "all"):
        for (frames, lengths), labels, weights in loaded.split(name).as_numpy_iterator():
            assert frames.shape[2:] == (16, 16, 3)
            real = weights > 0
            assert (lengths[real] == 8).all()
            assert (labels[real, :8] == [0, 0, 0, -1, -1, 1, 1, 1]).all()
    clips = [
        {clip.tobytes() for (frames, _), _, weights in loaded.split(name) for clip in frames.numpy()[weights > 0]}
        for name in sequences.SPLITS
    ]
    assert sum(map(len, clips)) == len(set.union(*clips)) == 11, "the equal ones are on one side"
    # A saved model tells how clips are to be read.
    again = data.load(Train(dataset=str(own_clips)), loaded.assets)
    assert next(iter(again.split("all")))[0][0].shape[2:] == (16, 16, 3)


def test_clips_may_be_folders_of_pictures_that_tell_no_rate(tmp_path: Path) -> None:
    for i in range(3):
        (tmp_path / f"clip{i}").mkdir()
        for step in range(4):
            Image.new("L", (9, 9), 60 * i + step).save(tmp_path / f"clip{i}" / f"{step}.png")
    rows = [f"clip{i},{start},{start + 2},{label}" for i in range(3) for start, label in ((0, "a"), (2, "b"))]
    (tmp_path / folder.TABLE).write_text("\n".join(["clip,start,end,label", *rows]))
    loaded = data.load(Train(dataset=str(tmp_path), fps=1))
    assert (loaded.sizes, loaded.facts["seconds"]) == ({"train": 1, "validation": 1, "test": 1}, 1.0)
    assert next(iter(loaded.split("test")))[1][0, :4].numpy().tolist() == [0, 0, 1, 1]


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        (None, r"has no labels\.csv"),
        (["0.gif,0,x,a"], "line 2: 'x' are no seconds"),
        (["0.gif,0,inf,a"], "line 2: 'inf' are no seconds"),
        (["0.gif,0.3,0.3,a"], "line 2: 'a' ends at 0.3, not after it starts"),
        (["0.gif,0.2,0.4,b", "0.gif,0,0.3,a"], "line 2: at 0.2 s 0.gif is 'b', but up to 0.3 s it is 'a'"),
        (["12.gif,0,1,a"], r"line 2: .*12\.gif is not there"),
        (["0.gif,2,3,a"], r"line 2: none of the 8 frames of 0\.gif, which takes 0\.8 s"),
        (["0.gif,0,1,a", "1.gif,0,1,b"], "2 different clips; three are the least"),
        (["0.gif,0,1,a", "1.gif,0,1,a", "2.gif,0,1,a"], "two labels are the least"),
    ],
)
def test_what_is_wrong_with_a_folder_of_clips_is_told(own_clips: Path, rows: Any, told: str) -> None:
    table = own_clips / folder.TABLE
    table.unlink()
    if rows is not None:
        table.write_text("\n".join(["clip,start,end,label", *rows]))
    with pytest.raises(UserError, match=told):
        data.load(Train(dataset=str(own_clips)))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Ann lives in Rome.", ["Ann", "lives", "in", "Rome", "."]),
        ("the U.N. (here), don't!", ["the", "U.N.", "(", "here", ")", ",", "don't", "!"]),
        (" \t ", []),
        ("👍👎", ["👍", "👎"]),
    ],
)
def test_words_of_a_sentence_as_it_is_typed(text: str, words: list[str]) -> None:
    assert conll.words_of(text, {"U.N."}) == words


# Splits and labels as the TFDS catalogue has them: the second source for the table of sources.
CATALOGUE = {
    "conll2003": ("B-PER", 9),
    "universal_dependencies": ("NOUN", 18),
    "universal_dependencies/de_gsd": ("NOUN", 18),
}


def sentences(builder: Any, *_: Any, **__: Any) -> tf.data.Dataset:
    """40 sentences with the features of a set. TFDS's own random ones have other lengths in each feature."""
    features = {name: item for name, item in builder.info.features.items() if hasattr(item, "feature")}
    counts = {name: getattr(item.feature, "num_classes", None) for name, item in features.items()}

    def rows() -> Iterator[dict[str, Any]]:
        rng = np.random.default_rng(0)
        for length in rng.integers(1, 30, 40):
            yield {
                name: [f"word{i}" for i in range(length)] if count is None else rng.integers(0, count, length)
                for name, count in counts.items()
            }

    types = {name: tf.string if count is None else tf.int64 for name, count in counts.items()}
    signature = {name: tf.TensorSpec((None,), kind) for name, kind in types.items()}
    return tf.data.Dataset.from_generator(rows, output_signature=signature)


@pytest.fixture
def mocked(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Any]]:
    """`mocked(name)` loads a set of the catalogue with 40 random sentences in every split."""

    def load(name: str, splits: str = "train dev test", **settings: Any) -> Any:
        sizes = {split: SimpleNamespace(num_examples=40, num_bytes=0) for split in splits.split()}
        # Mocked builders know their features but, never having been generated, not their splits.
        monkeypatch.setattr(tfds.core.DatasetInfo, "splits", property(lambda self: sizes))
        return data.load(Train(dataset=name, batch_size=16, least=1, **settings))

    monkeypatch.setattr(sources, "_resolves", lambda host: True)
    with tfds.testing.mock_data(policy=tfds.testing.MockPolicy.USE_CODE, as_dataset_fn=sentences):
        yield load


@pytest.mark.parametrize("name", CATALOGUE)
def test_a_set_that_tfds_has(name: str, mocked: Callable[..., Any]) -> None:
    loaded = mocked(name)
    label, count = CATALOGUE[name]
    assert label in loaded.assets["labels"]
    assert len(loaded.assets["labels"]) == count
    assert loaded.sizes == {"train": 40, "validation": 40, "test": 40}
    assert loaded.facts["name"] == (f"{name}/en_ewt" if name == "universal_dependencies" else name)
    rows = ids_and_labels(loaded.split("validation"))
    assert len(rows) == len(ids_and_labels(loaded.train(0))) == 40
    assert all(0 <= number < count for _, labels in rows for number in labels)


def test_other_labels_of_a_set_and_what_it_lacks(mocked: Callable[..., Any]) -> None:
    assert "B-NP" in mocked("conll2003", labels="chunks").assets["labels"]
    with pytest.raises(UserError, match="'ner'"):
        mocked("conll2003", labels="nre")
    with pytest.raises(UserError, match="no split 'dev'"):
        mocked("universal_dependencies/en_pud", "test train")


@pytest.fixture
def few_clips(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path))
    monkeypatch.setattr(compose, "SIZES", {"train": 20, "validation": 6, "test": 8})


def test_clips_down_to_batches(few_clips: None) -> None:
    loaded = data.load(Train(batch_size=4, limit=10))
    assert loaded.assets["input"] == {"kind": "frames", "shape": [24, 24, 1]}
    assert loaded.sizes["train"] == 10
    assert loaded.facts["embedded"]
    clips = {}
    for (frames, lengths), labels, weights in loaded.split("test").as_numpy_iterator():
        assert frames.dtype == np.uint8
        for clip, length, row in zip(frames[weights > 0], lengths[weights > 0], labels[weights > 0], strict=True):
            assert (row[:length] >= 0).all()
            assert (row[length:] == -1).all()
            clips[clip[:length].tobytes()] = [loaded.assets["labels"][i] for i in row[:length]]
    assert clips == {frames.tobytes(): labels for frames, labels in compose.examples("test")}
    with pytest.raises(UserError, match="the labels empty, still"):
        data.load(Train(), {**loaded.assets, "labels": ["a", "b"]})
    with pytest.raises(UserError, match="the model reads features"):
        data.load(Train(), {**loaded.assets, "input": {"kind": "features", "shape": [3]}})


def test_steps_that_are_not_asked_for_are_not_scored(monkeypatch: pytest.MonkeyPatch) -> None:
    """Features as a row for a memory test would have them."""
    steps = [np.eye(3, dtype="float32")[[0, 1, 2, 1]], np.eye(3, dtype="float32")[[2, 2]]]
    labels = [np.array([-1, -1, 1, 0]), np.array([-1, 2])]

    def split(name: str) -> tf.data.Dataset:
        signature = (tf.TensorSpec((None, 3), tf.float32), tf.TensorSpec((None,), tf.int32))
        return tf.data.Dataset.from_generator(lambda: zip(steps, labels, strict=True), output_signature=signature)

    own = sequences.Sequences("features", (3,), split, ["a", "b", "c"], {"train": 2, "validation": 2, "test": 2}, {})
    monkeypatch.setattr(data, "open_sequences", lambda *_: own)
    loaded = data.load(Train(dataset="toy"))
    (((inputs, lengths), targets, _),) = loaded.split("test").as_numpy_iterator()
    np.testing.assert_array_equal(lengths, [4, 2])
    np.testing.assert_array_equal(targets, [[-1, -1, 1, 0], [-1, 2, -1, -1]])
    assert inputs.shape == (2, 4, 3)
    assert loaded.examples[1] == "[[0.0, 0.0, 1.0], [0.0, 0.0, 1.0]]"


def test_scores_by_hand() -> None:
    truth = [["left", "left", "still", "still"], ["up", "up"]]
    guess = [["left", "left", "still", "up"], ["up", "up"]]
    found = scoring.scores(truth, guess, "frames")
    assert found["accuracy"] == pytest.approx(5 / 6)
    # Of the true spans left, still, up: left and up are found, among four guessed ones.
    assert found["span_f1"] == pytest.approx(2 * (2 / 4) * (2 / 3) / (2 / 4 + 2 / 3))
    assert found["macro_f1"] == pytest.approx((1 + 2 / 3 + 0.8) / 3)
    entities = [["B-PER", "I-PER", "O", "B-LOC"]], [["B-PER", "I-PER", "O", "B-PER"]]
    assert scoring.scores(*entities, "tokens")["span_f1"] == pytest.approx(0.5)
    assert "span_f1" not in scoring.scores([["NOUN", "VERB"]], [["NOUN", "NOUN"]], "tokens")
    assert scoring.spans(["a", "a", "b"]) == [(0, 2, "a"), (2, 3, "b")]


@pytest.mark.parametrize(
    ("asked", "kind"),
    [("clip.gif", "frames"), ("a/b", "frames"), ("data:image/gif;base64,", "frames"), ("a fine day", "tokens"),
     ("Rome.", "tokens"), ("[[1, 0]]", "features")],
)  # fmt: skip
def test_which_model_fits_an_input(asked: str, kind: str) -> None:
    kinds = ("frames", "tokens", "features")
    assert [name for name in kinds if fits(Predict(inputs=(asked,)), {"kind": name})] == [kind]
    assert fits(Predict(inputs=iter([asked])), {"kind": "tokens"}), "a stream is not looked into"
