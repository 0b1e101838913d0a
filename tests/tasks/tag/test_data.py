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
from zoo.tasks.tag import clips_folder, conll, data, encoding, model, scoring
from zoo.tasks.tag.clips import compose, drawing
from zoo.tasks.tag.datasets import DATASETS
from zoo.tasks.tag.raw import open_sequences
from zoo.tasks.tag.recipe import RECIPE, Predict, Train, can_answer

from zoo.data import tfds as sources
from zoo.data.datasets import DatasetCard, DatasetRow
from zoo.data.raw import RawDataset
from zoo.errors import UserError

SPLITS = ("train", "validation", "test")

NAMES, PLACES = ["Ann", "Bob", "Eve"], ["Rome", "Oslo", "Lima"]


def written(path: Path, count: int = 60, blank: str = " ") -> Path:
    """Sentences that all differ: who lives where."""
    lines = ["-DOCSTART- -X- O", ""]
    for i in range(count):
        lines += [f"{NAMES[i % 3]} NNP B-PER", f"number{i} CD O", "lives VB O", f"{PLACES[i // 3 % 3]} NNP B-LOC"]
        lines += ["City NNP I-LOC", ". . O", ""]
    path.write_text("\n".join(line.replace(" ", blank) for line in lines), encoding="utf-8")
    return path


def ids_and_labels(batches: Any) -> list[tuple[list[int], list[int]]]:
    """Every real step of every row."""
    found = []
    for tokens, labels, weights in batches.as_numpy_iterator():
        assert tokens.shape == labels.shape
        assert weights.shape == (len(tokens),)
        assert ((tokens == 0) == (labels == -1)).all()
        found += [(row[row > 0].tolist(), own[row > 0].tolist()) for row, own in zip(tokens, labels, strict=True)]
    return found


@pytest.mark.parametrize("blank", [" ", "\t"])
def test_a_conll_file_down_to_batches(tmp_path: Path, blank: str) -> None:
    path = written(tmp_path / "own.conll", blank=blank)
    loaded = data.load(Train(dataset=str(path), min_count=1, max_length=4, batch_size=8))
    labels, tokenizer = loaded.assets["labels"], loaded.assets["tokenizer"]
    assert labels == ["B-LOC", "B-PER", "I-LOC", "O"]
    assert loaded.sizes() == {"train": 48, "validation": 6, "test": 6}
    assert loaded.card.details == {"kind": "tokens"}
    assert list(loaded.card.sha256) == ["own.conll"]
    assert list(loaded.examples) == list(data.SENTENCES)
    scored = [row for split in ("validation", "test") for row in ids_and_labels(loaded.split(split))]
    learned = ids_and_labels(loaded.train(0))
    assert (len(scored), len(learned)) == (12, 48)
    for rows, steps in ((scored, 6), (learned, 4)):  # long sentences are learned in part and scored as a whole
        for tokens, numbers in rows:
            assert [labels[i] for i in numbers] == ["B-PER", "O", "O", "B-LOC", "I-LOC", "O"][:steps]
            assert tokenizer.token(tokens[0]) in NAMES
            assert tokenizer.token(tokens[2]) == "lives"
    assert len(ids_and_labels(loaded.split("all", 7))) == 7


def test_one_id_for_each_word_whatever_the_word(tmp_path: Path) -> None:
    loaded = data.load(Train(dataset=str(written(tmp_path / "own.conll")), min_count=1))
    words = ["Ann", "U.S.A.", "", "12,5", "two words", "😀", "lives"]
    found = encoding.word_ids(loaded.assets["tokenizer"], words)
    assert len(found) == len(words)
    assert found[0] != 1
    assert found[1:6] == [1] * 5


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("a O\nb\n", "line 2: a line has a word and its label"),
        ("a\tO\n\tO\n", "line 2: a line has a word and its label"),
        ("a X O\n\nb O\n", "line 3: 2 columns; the lines before have 3"),
        (b"a O\n\xff\xfe O\n", "line 2: not UTF-8"),
        ("", "has no sentences"),
        ("a O\n\nb O\n", "Give two labels at least"),
        ("a X\n\nb O\n", "has 2 sentences to train on, 2 of them distinct: too few"),
    ],
)
def test_an_unusable_line_is_named_by_its_number(tmp_path: Path, content: Any, message: str) -> None:
    path = tmp_path / "own.conll"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(UserError, match=message):
        data.load(Train(dataset=str(path)))


def test_unknown_names_are_refused(tmp_path: Path) -> None:
    path = written(tmp_path / "own.conll")
    with pytest.raises(UserError, match="clips"):
        data.load(Train(dataset="clisp"))
    with pytest.raises(UserError, match="has no configs"):
        data.load(Train(dataset="clips/nope"))
    with pytest.raises(UserError, match="--tags takes the number of a column"):
        data.load(Train(dataset=str(path), tags="ner"))
    loaded = data.load(Train(dataset=str(path)))
    with pytest.raises(UserError, match="No split is called 'tset'"):
        loaded.split("tset")
    other = tmp_path / "other.conll"
    other.write_text("a B-PRE\n\nb O\n")
    with pytest.raises(UserError, match="'B-PER'"):
        data.load(Train(dataset=str(other)), loaded.assets)


def test_a_file_with_fewer_labels_is_scored_in_the_order_of_the_model(tmp_path: Path) -> None:
    loaded = data.load(Train(dataset=str(written(tmp_path / "own.conll"))))
    other = tmp_path / "other.conll"
    other.write_text("a O\nAnn B-PER\n")
    again = data.load(Train(dataset=str(other)), loaded.assets)
    assert [labels for _, labels in ids_and_labels(again.split("all"))] == [[3, 1]]


def test_equal_sentences_stay_together(tmp_path: Path) -> None:
    path = written(tmp_path / "own.conll")
    twice = tmp_path / "twice.conll"
    twice.write_text(path.read_text() + "\n\n" + path.read_text())
    once, both = open_sequences(str(path)), open_sequences(str(twice))
    sides = {
        name: [{b" ".join(words) for words, _ in raw.split(name).as_numpy_iterator()} for raw in (once, both)]
        for name in SPLITS
    }
    assert sum(len(found) for _, found in sides.values()) == 60
    assert all(one == two for one, two in sides.values()), "the split depends on the sentences alone"
    assert sum(both.sizes().values()) == 120


def rolling(path: Path, start: int, steps: int, size: int = 32) -> Path:
    """A GIF of 0.1 s per frame in which something white moves to the right, two pixels per frame."""
    frames = [Image.new("L", (size, size)) for _ in range(steps)]
    for step, frame in enumerate(frames):
        frame.paste(255, (start + 2 * step, start, start + 2 * step + 6, start + 6))
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=100)
    return path


@pytest.fixture
def own_clips(tmp_path: Path) -> Path:
    """Twelve clips, of which the last two are equal; three frames are `early`, two have no label, three are `late`."""
    lines = ["clip,start,end,label"]
    for i in range(12):
        rolling(tmp_path / f"{i}.gif", min(i, 10), 8)
        lines += [f"{i}.gif,0.5,9,late", f"{i}.gif,0,0.3,early"]
    (tmp_path / clips_folder.TABLE).write_text("\n".join(lines))
    return tmp_path


def test_a_folder_of_clips_down_to_batches(own_clips: Path) -> None:
    loaded = data.load(Train(dataset=str(own_clips), image_size=16, color=True))
    assert loaded.assets == {"labels": ["early", "late"], "input": {"kind": "frames", "shape": [16, 16, 3]}}
    assert sum(loaded.sizes().values()) == 12
    assert loaded.sizes()["train"] >= 8
    assert loaded.card.details == {"kind": "frames", "seconds": 0.1}
    for name in ("validation", "test", "all"):
        for (frames, lengths), labels, weights in loaded.split(name).as_numpy_iterator():
            assert frames.shape[2:] == (16, 16, 3)
            real = weights > 0
            assert (lengths[real] == 8).all()
            assert (labels[real, :8] == [0, 0, 0, -1, -1, 1, 1, 1]).all()
    clips = [
        {clip.tobytes() for (frames, _), _, weights in loaded.split(name) for clip in frames.numpy()[weights > 0]}
        for name in SPLITS
    ]
    assert sum(map(len, clips)) == len(set.union(*clips)) == 11, "the equal ones are on one side"
    # A saved model says how clips are read.
    again = data.load(Train(dataset=str(own_clips)), loaded.assets)
    assert next(iter(again.split("all")))[0][0].shape[2:] == (16, 16, 3)


def test_clips_may_be_folders_of_images_without_a_rate(tmp_path: Path) -> None:
    for i in range(3):
        (tmp_path / f"clip{i}").mkdir()
        for step in range(4):
            Image.new("L", (9, 9), 60 * i + step).save(tmp_path / f"clip{i}" / f"{step}.png")
    rows = [f"clip{i},{start},{start + 2},{label}" for i in range(3) for start, label in ((0, "a"), (2, "b"))]
    (tmp_path / clips_folder.TABLE).write_text("\n".join(["clip,start,end,label", *rows]))
    loaded = data.load(Train(dataset=str(tmp_path), fps=1))
    assert (loaded.sizes(), loaded.card.details["seconds"]) == ({"train": 1, "validation": 1, "test": 1}, 1.0)
    assert next(iter(loaded.split("test")))[1][0, :4].numpy().tolist() == [0, 0, 1, 1]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (None, r"has no labels\.csv"),
        ([], "no rows below its header"),
        (["0.gif,0,x,a"], "line 2: 'x' is no time in seconds"),
        (["0.gif,0,inf,a"], "line 2: 'inf' is no time in seconds"),
        (["0.gif,0.3,0.3,a"], "line 2: 'a' ends at 0.3, not after its start"),
        (["0.gif,0.2,0.4,b", "0.gif,0,0.3,a"], "line 2: at 0.2 s 0.gif is 'b', but up to 0.3 s it is 'a'"),
        (["12.gif,0,1,a"], r"line 2: .*12\.gif does not exist"),
        (["../1.gif,0,1,a"], r"line 2: \.\./1\.gif is not inside the folder"),
        (["/etc/1.gif,0,1,a"], r"line 2: /etc/1\.gif is not inside the folder"),
        (["0.gif,0.01,0.02,a"], r"line 2: none of the 8 frames of 0\.gif, which lasts 0\.8 s"),
        (["0.gif,0,4,a", "0.gif,4,8,b"], r"line 3: 'b' begins at 4 s, but 0\.gif ends at 0\.8 s .* in seconds"),
        (["0.gif,0,1,a", "0.gif,2,2.01,b", "0.gif,1,1.1,b"], r"line 4: 'b' begins at 1 s"),
        (["0.gif,0,.01,a", "0.gif,.01,.02,a", "0.gif,.1,.4,b"], "line 2: no frame has its middle .* 1 more rows"),
        (["0.gif,0,1,a", "1.gif,0,1,b"], "has 2 clips to train on, 2 of them distinct: too few"),
        (["0.gif,0,1,a", "1.gif,0,1,a", "2.gif,0,1,a"], "Give two labels at least"),
    ],
)
def test_an_unusable_folder_of_clips_is_refused(tmp_path: Path, rows: Any, message: str) -> None:
    for name in ("0.gif", "1.gif", "2.gif"):
        rolling(tmp_path / name, int(name[0]), 8)
    if rows is not None:
        (tmp_path / clips_folder.TABLE).write_text("\n".join(["clip,start,end,label", *rows]))
    with pytest.raises(UserError, match=message):
        data.load(Train(dataset=str(tmp_path))).split("test")


def test_a_row_without_a_frame_is_named(own_clips: Path, capsys: pytest.CaptureFixture) -> None:
    with (own_clips / clips_folder.TABLE).open("a") as stream:
        stream.write("\n3.gif,0.3,0.31,jump\n")
    assert data.load(Train(dataset=str(own_clips))).assets["labels"] == ["early", "late"]
    assert "line 26: no frame has its middle within the times of this row. Their" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Ann lives in Rome.", ["Ann", "lives", "in", "Rome", "."]),
        ("the U.N. (here), don't!", ["the", "U.N.", "(", "here", ")", ",", "don't", "!"]),
        (" \t ", []),
        ("👍👎", ["👍", "👎"]),
        ("दौड़ता है।", ["दौड़ता", "है", "।"]),
        ("cafe\u0301, (u\u0308ber)", ["caf\u00e9", ",", "(", "\u00fcber", ")"]),
        ("I ❤️ it!", ["I", "❤️", "it", "!"]),
        ("so👩🏽‍🚀👍🏿🇩🇪🇫🇷 1️⃣", ["so", "👩🏽‍🚀", "👍🏿", "🇩🇪", "🇫🇷", "1️⃣"]),
        ("می‌خواهم.", ["می‌خواهم", "."]),
    ],
)
def test_words_of_a_sentence_as_typed(text: str, words: list[str]) -> None:
    assert conll.split_words(text, {"U.N."}) == words


# Labels as the TFDS catalog has them: the second source for the table of data sets.
CATALOG = {
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
    """`mocked(name)` loads a data set of TFDS with 40 random sentences in every split."""

    def load(name: str, splits: str = "train dev test", **settings: Any) -> Any:
        sizes = {split: SimpleNamespace(num_examples=40, num_bytes=0) for split in splits.split()}
        # Mocked builders know their features but, never having been generated, not their splits.
        monkeypatch.setattr(tfds.core.DatasetInfo, "splits", property(lambda self: sizes))
        return data.load(Train(dataset=name, batch_size=16, min_count=1, **settings))

    monkeypatch.setattr(sources, "_resolves", lambda host: True)
    with tfds.testing.mock_data(policy=tfds.testing.MockPolicy.USE_CODE, as_dataset_fn=sentences):
        yield load


@pytest.mark.parametrize("name", CATALOG)
def test_a_set_that_tfds_has(name: str, mocked: Callable[..., Any]) -> None:
    loaded = mocked(name)
    label, count = CATALOG[name]
    assert label in loaded.assets["labels"]
    assert len(loaded.assets["labels"]) == count
    assert loaded.sizes() == {"train": 40, "validation": 40, "test": 40}
    assert loaded.card.name == (f"{name}/en_ewt" if name == "universal_dependencies" else name)
    assert loaded.card.details["kind"] == "tokens"
    rows = ids_and_labels(loaded.split("validation"))
    assert len(rows) == len(ids_and_labels(loaded.train(0))) == 40
    assert all(0 <= number < count for _, labels in rows for number in labels)


def test_every_row_of_tfds_is_tried() -> None:
    assert {name for name, row in DATASETS.items() if not row.builder} <= set(CATALOG)


NEW_ROWS = {
    "universal_dependencies/fr_sequoia": (
        DatasetRow("French", ("tokens", "upos"), splits={"validation": "dev"}, details={"kind": "tokens"}),
        "train dev test",
        "NOUN",
    ),
    "wikiann": (
        DatasetRow("entities of Wikipedia", ("tokens", "tags"), config="de", details={"kind": "tokens"}),
        "train validation test",
        "B-PER",
    ),
}


@pytest.mark.parametrize("name", NEW_ROWS)
def test_a_new_data_set_of_tfds_is_one_row(
    name: str, mocked: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    row, splits, label = NEW_ROWS[name]
    monkeypatch.setitem(DATASETS, name, row)
    loaded = mocked(name, splits)
    assert label in loaded.assets["labels"]
    assert loaded.sizes() == {"train": 40, "validation": 40, "test": 40}
    assert len(ids_and_labels(loaded.split("validation"))) == len(ids_and_labels(loaded.train(0))) == 40
    assert loaded.card.name.startswith(name)
    assert data.load(Train(dataset=name), loaded.assets).assets is loaded.assets, "a saved model is scored on it"
    assert name in RECIPE.datasets, "`--help`, `zoo list datasets` and the check of --dataset read the same table"


def test_other_labels_of_a_set_and_missing_splits(mocked: Callable[..., Any]) -> None:
    chunks = mocked("conll2003", tags="chunks")
    assert "B-NP" in chunks.assets["labels"]
    assert chunks.card.details == {"kind": "tokens", "label_column": "chunks"}
    with pytest.raises(UserError, match="'ner'"):
        mocked("conll2003", tags="nre")
    with pytest.raises(UserError, match="No config of universal_dependencies is called 'en_ewtt'"):
        mocked("universal_dependencies/en_ewtt")
    held_out = mocked("universal_dependencies/en_pud", "train test")
    assert held_out.sizes()["test"] == held_out.sizes()["train"] + held_out.sizes()["validation"] == 40
    assert 0 < held_out.sizes()["validation"] < 20
    assert "held out of train" in held_out.card.splits
    with pytest.raises(UserError, match="has nothing to train on: no example is in the split train"):
        mocked("universal_dependencies/en_pud", "test")
    # A saved model is scored on a treebank that has nothing to train on.
    scored = data.load(Train(dataset="universal_dependencies/en_pud"), held_out.assets)
    assert len(ids_and_labels(scored.split("test", 9))) == 9


@pytest.fixture
def few_clips(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(compose, "SIZES", {"train": 20, "validation": 6, "test": 8})


def test_clips_down_to_batches(few_clips: None) -> None:
    loaded = data.load(Train(batch_size=4, limit=10))
    assert loaded.assets["input"] == {"kind": "frames", "shape": [24, 24, 1]}
    assert loaded.sizes()["train"] == 10
    assert (loaded.card.builtin, loaded.card.synthetic) == (True, True)
    assert loaded.card.details["seconds"] == drawing.DURATION == 1 / Train().fps
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


def test_steps_without_a_label_are_not_scored(monkeypatch: pytest.MonkeyPatch) -> None:
    """Features as a memory test has them."""
    steps = [np.eye(3, dtype="float32")[[0, 1, 2, 1]], np.eye(3, dtype="float32")[[2, 2]]]
    labels = [np.array([-1, -1, 1, 0]), np.array([-1, 2])]

    def read(name: str) -> tf.data.Dataset:
        signature = (tf.TensorSpec((None, 3), tf.float32), tf.TensorSpec((None,), tf.int64))
        return tf.data.Dataset.from_generator(lambda: zip(steps, labels, strict=True), output_signature=signature)

    toy = RawDataset(read, SPLITS, DatasetCard("toy", details={"kind": "features"}), ("a", "b", "c"), lambda name: 2)
    monkeypatch.setattr(data, "open_sequences", lambda *_, **__: toy)
    loaded = data.load(Train(dataset="toy"))
    (((inputs, lengths), targets, _),) = loaded.split("test").as_numpy_iterator()
    np.testing.assert_array_equal(lengths, [4, 2])
    np.testing.assert_array_equal(targets, [[-1, -1, 1, 0], [-1, 2, -1, -1]])
    assert inputs.shape == (2, 4, 3)
    assert loaded.examples[1] == "[[0.0, 0.0, 1.0], [0.0, 0.0, 1.0]]"
    assert data.load(Train(dataset="toy"), loaded.assets).examples is None, "only a training needs golden inputs"


def test_scores_by_hand() -> None:
    truth = [["left", "left", "still", "still"], ["up", "up"]]
    predictions = [["left", "left", "still", "up"], ["up", "up"]]
    found = scoring.scores(truth, predictions, "frames")
    assert found["accuracy"] == pytest.approx(5 / 6)
    # Of the true spans left, still, up: left and up are found, among four predicted ones.
    assert found["span_f1"] == pytest.approx(2 * (2 / 4) * (2 / 3) / (2 / 4 + 2 / 3))
    assert found["macro_f1"] == pytest.approx((1 + 2 / 3 + 0.8) / 3)
    entities = [["B-PER", "I-PER", "O", "B-LOC"]], [["B-PER", "I-PER", "O", "B-PER"]]
    assert scoring.scores(*entities, "tokens")["span_f1"] == pytest.approx(0.5)
    assert "span_f1" not in scoring.scores([["NOUN", "VERB"]], [["NOUN", "NOUN"]], "tokens")
    assert encoding.spans(["a", "a", "b"]) == [(0, 2, "a"), (2, 3, "b")]


@pytest.mark.parametrize(
    ("text", "kind"),
    [("clip.gif", "frames"), ("a/b", "frames"), ("data:image/gif;base64,", "frames"), ("a fine day", "tokens"),
     ("Rome.", "tokens"), ("[[1, 0]]", "features")],
)  # fmt: skip
def test_which_model_can_answer_an_input(text: str, kind: str) -> None:
    kinds = ("frames", "tokens", "features")
    assert [name for name in kinds if can_answer(Predict(inputs=(text,)), {"kind": name})] == [kind]
    assert can_answer(Predict(inputs=iter([text])), {"kind": "tokens"}), "a stream is not looked into"


CONLLU = """# sent_id = {n}
# text = Dogs don't run
1\tDogs{n}\tdog\tNOUN\tNNS\tNumber=Plur\t4\tnsubj\t_\t_
2-3\tdon't\t_\t_\t_\t_\t_\t_\t_\t_
2\tdo\tdo\tAUX\t_\t_\t4\taux\t_\t_
3\tn't\tnot\tPART\tRB\t_\t4\tadvmod\t_\t_
3.1\tghost\tghost\tNOUN\t_\t_\t_\t_\t_\t_
4\trun\trun\tVERB\tVBP\t_\t0\troot\t_\tSpaceAfter=No

"""


@pytest.mark.parametrize(
    ("tags", "labels"),
    [
        (None, ["NOUN", "AUX", "PART", "VERB"]),
        ("xpos", ["NNS", None, "RB", "VBP"]),
        ("8", ["nsubj", "aux", "advmod", "root"]),
    ],
)
def test_conllu_gives_words_and_the_tags_asked_for(tmp_path: Path, tags: str | None, labels: list) -> None:
    path = tmp_path / "a.conllu"
    path.write_text(CONLLU.format(n=1) + CONLLU.format(n=2))
    for number, (words, found) in enumerate(conll.sentences(path, tags), 1):
        assert (words, found) == ([f"Dogs{number}", "do", "n't", "run"], labels)


def test_a_short_line_of_conllu_is_used_with_a_warning(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    path = tmp_path / "a.conllu"
    path.write_text(CONLLU.format(n=1) + CONLLU.format(n=2).replace("\tVBP\t_\t0\troot\t_\tSpaceAfter=No", "\tVBP"))
    assert [labels for _, labels in conll.sentences(path)] == [["NOUN", "AUX", "PART", "VERB"]] * 2
    assert "line 17: 5 columns instead of 10. Their words" in capsys.readouterr().err
    path.write_text(CONLLU.format(n=1) + "1\tDogs\n")
    with pytest.raises(UserError, match="2 columns; column 4 was requested"):
        list(conll.sentences(path))


def test_conllu_files_of_one_treebank_are_the_splits(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    for split, count in (("train", 12), ("dev", 2), ("test", 3)):
        (tmp_path / f"en_x-ud-{split}.conllu").write_text(
            "".join(CONLLU.format(n=split + str(i)) for i in range(count))
        )
    for given in (tmp_path / "en_x-ud-train.conllu", tmp_path):
        raw = open_sequences(str(given))
        assert raw.sizes() == {"train": 12, "validation": 2, "test": 3}
        assert len(raw.card.sha256) == 3
    assert "CoNLL-U; words = form, labels = upos" in capsys.readouterr().err


def test_a_label_that_train_does_not_have_is_refused(tmp_path: Path) -> None:
    (tmp_path / "train.conllu").write_text("".join(CONLLU.format(n=i) for i in range(12)))
    (tmp_path / "dev.conllu").write_text(CONLLU.format(n=0).replace("VERB", "VREB"))
    with pytest.raises(UserError, match="No label is called 'VREB'; did you mean 'VERB'"):
        open_sequences(str(tmp_path))


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{n}\tword{n}\tO\n", "every word is a number"),
        ("word{n}\t_\n", "have no label there"),
        ("word{n}\tlabel{n}\n", "different labels"),
    ],
)
def test_a_file_read_by_the_wrong_column_is_refused(tmp_path: Path, line: str, message: str) -> None:
    path = tmp_path / "own.conll"
    path.write_text("".join(line.format(n=n) + ("\n" if n % 5 == 4 else "") for n in range(200)))
    with pytest.raises(UserError, match=message):
        open_sequences(str(path))


def test_comments_and_number_signs(tmp_path: Path) -> None:
    path = tmp_path / "own.conll"
    path.write_text("# id = 3\n# O\na B\n\n# sentence 4 x\nb O\n")
    assert list(conll.sentences(path)) == [(["#", "a"], ["O", "B"]), (["b"], ["O"])]


@pytest.mark.parametrize("comment", ["# doc{n}", "# doc one", "# newdoc: the {n}th one of all", "# x"])
@pytest.mark.parametrize("columns", ["{} {}", "{} X {}"])
def test_a_comment_is_no_word(tmp_path: Path, columns: str, comment: str, capsys: pytest.CaptureFixture) -> None:
    path = tmp_path / "own.conll"
    one = "\n".join((comment, columns.format("a", "B"), columns.format("b{n}", "O")))
    path.write_text("\n\n".join(one.format(n=n) for n in range(3)))
    assert list(conll.sentences(path)) == [(["a", f"b{n}"], ["B", "O"]) for n in range(3)]
    assert "own.conll: lines that begin with '# ' are comments: 3, first line 1." in capsys.readouterr().err
    path.write_text("# B-X\na O\n# O\n\n# O\nb O\n")
    assert list(conll.sentences(path)) == [(["#", "a", "#"], ["B-X", "O", "O"]), (["#", "b"], ["O", "O"])]


def test_conllu_may_begin_with_a_mark_of_its_document(tmp_path: Path) -> None:
    (tmp_path / "a.conllu").write_text("-DOCSTART-\n\n" + CONLLU.format(n=1))
    assert list(conll.sentences(tmp_path / "a.conllu")) == [
        (["Dogs1", "do", "n't", "run"], ["NOUN", "AUX", "PART", "VERB"])
    ]


def test_columns_by_number(tmp_path: Path) -> None:
    path = tmp_path / "own.conll"
    path.write_text("1 EU NNP B-NP B-ORG\n2 rejects VBZ B-VP O\n")
    assert list(conll.sentences(path, "3", 2)) == [(["EU", "rejects"], ["NNP", "VBZ"])]
    with pytest.raises(UserError, match="5 columns; column 9 was requested"):
        list(conll.sentences(path, "9"))


def test_words_are_split_as_the_training_text_was() -> None:
    known = {"do", "n't", "'s", "-", "U.N.", "well", "known", "O'Neill"}
    assert conll.split_words("Don't!", known) == ["Do", "n't", "!"]
    assert conll.split_words("It's a well-known U.N. man, O'Neill's", known) == [
        *("It", "'s", "a", "well", "-", "known", "U.N.", "man", ",", "O'Neill", "'s"),
    ]
    assert conll.split_words("Don\u2019t", known) == ["Do", "n\u2019t"]
    assert conll.split_words("Don't well-known", {"a"}) == ["Don't", "well-known"], "another text kept them whole"


def test_characters_beside_words_down_to_batches(tmp_path: Path) -> None:
    loaded = data.load(Train(dataset=str(written(tmp_path / "own.conll")), character_units=4, batch_size=8))
    characters = loaded.assets["character_tokenizer"]
    for (tokens, spelled), labels, _ in loaded.train(0).as_numpy_iterator():
        assert spelled.shape == (*tokens.shape, data.MAX_CHARACTERS)
        assert ((tokens == 0) == (spelled[..., 0] == 0)).all()
        assert (labels[tokens > 0] >= 0).all()
        for word in spelled[tokens > 0]:
            text = "".join(characters.token(i) for i in word if i)
            assert text in {*NAMES, *PLACES, "lives", "City", "."} or text.startswith("number")
    long = encoding.encoded_words(loaded.assets["tokenizer"], characters, ["n" * 20 + "b" * 20])
    assert long.shape == (1, 1 + data.MAX_CHARACTERS)
    assert "".join(characters.token(i) for i in long[0, 1:]) == "n" * 12 + "b" * 12


def test_vectors_of_a_file_bring_their_words(tmp_path: Path) -> None:
    vectors = tmp_path / "own.vec"
    vectors.write_text("Ann 1 2 3\nunseen 4 5 6\n")
    recipe = Train(dataset=str(written(tmp_path / "own.conll")), word_vectors=str(vectors), embedding_dim=3, units=4)
    loaded = data.load(recipe)
    net = model.build(recipe, loaded)
    table, tokenizer = np.asarray(net.reader.table.embeddings), loaded.assets["tokenizer"]
    (seen, unseen) = encoding.word_ids(tokenizer, ["Ann", "unseen"])
    assert table[[seen, unseen]].tolist() == [[1, 2, 3], [4, 5, 6]]
    assert np.abs(table[encoding.word_ids(tokenizer, ["Bob"])]).max() < 0.1
    with pytest.raises(UserError, match="--embedding-dim 3"):
        model.build(Train(**{**vars(recipe), "embedding_dim": 4}), loaded)
    with pytest.raises(UserError, match="--word-vectors is for words"):
        data.load(Train(word_vectors=str(vectors), limit=4))
