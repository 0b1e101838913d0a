"""Own files, TFDS sets and their splits, down to batches."""

import dataclasses
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import tensorflow_datasets as tfds
from zoo.tasks.sentiment import data, encoding, self_training
from zoo.tasks.sentiment.datasets import DATASETS
from zoo.tasks.sentiment.pretraining import pretraining
from zoo.tasks.sentiment.raw import open_texts
from zoo.tasks.sentiment.recipe import Train

from zoo import training
from zoo.data import text
from zoo.data import tfds as sources
from zoo.data.datasets import DatasetRow
from zoo.data.raw import RawDataset
from zoo.errors import UserError
from zoo.ids import PAD, UNKNOWN
from zoo.task import find

SPLITS = ("train", "validation", "test")
GOOD = ["fine", "lovely", "bright", "moving"]
BAD = ["dull", "awful", "grey", "boring"]


def rows(count: int = 120) -> list[tuple[str, str]]:
    """Labelled texts, all different; every fifth comes again with other blanks."""
    made = [(f"a {(GOOD, BAD)[i % 2][i // 2 % 4]} film number {i}", ("good", "bad")[i % 2]) for i in range(count)]
    return made + [(f"  {words.replace(' ', '   ')} ", label) for words, label in made[::5]]


@pytest.fixture
def csv(tmp_path: Path) -> Callable[[bytes | str], Path]:
    def write(content: bytes | str, name: str = "own.csv") -> Path:
        (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
        return tmp_path / name

    return write


@pytest.fixture
def own(csv: Callable) -> Path:
    return csv("text,label\n" + "".join(f'"{words}",{label}\n' for words, label in rows()))


def read(raw: RawDataset, split: str) -> list[tuple[str, str]]:
    return [(words.decode(), raw.labels[label]) for words, label in raw.split(split).as_numpy_iterator()]


def test_splits_are_all_of_the_file_and_share_no_text(own: Path) -> None:
    texts = open_texts(str(own))
    parts = {split: read(texts, split) for split in SPLITS}
    assert sorted(row for part in parts.values() for row in part) == sorted(rows()) == sorted(read(texts, "all"))
    sides: dict[str, set[str]] = {}
    for split, part in parts.items():
        for words, _ in part:
            sides.setdefault(" ".join(words.split()), set()).add(split)
    assert len(sides) == 120
    assert {len(found) for found in sides.values()} == {1}
    assert {split: len(part) for split, part in parts.items()} == texts.sizes()


def test_splits_follow_from_the_text_alone(own: Path, csv: Callable) -> None:
    turned = csv("label,text\n" + "".join(f"{label},{words}\n" for words, label in reversed(rows())), "turned.csv")
    one, same = open_texts(str(own)), open_texts(str(turned))
    for split in SPLITS:
        assert sorted(read(one, split)) == sorted(read(same, split))


def test_each_label_gives_its_share_to_the_splits_that_are_held_out(csv: Callable) -> None:
    lines = [f"film number {i},{'rare' if i % 10 == 0 else ('good', 'bad')[i % 2]}" for i in range(100)]
    raw = open_texts(str(csv("text,label\n" + "\n".join(lines))))
    counts = {split: Counter(label for _, label in read(raw, split)) for split in SPLITS}
    assert counts["validation"] == counts["test"] == {"bad": 5, "good": 4, "rare": 1}
    assert counts["train"] == {"bad": 40, "good": 32, "rare": 8}


def test_the_card_names_the_file_and_how_it_was_split(own: Path) -> None:
    card = open_texts(str(own)).card
    assert (card.name, list(card.sha256), card.builtin) == ("own", ["own.csv"], False)
    assert list(card.labels) == ["bad", "good"]
    assert "held out of train of each class by a hash" in card.splits
    assert len(card.sha256["own.csv"]) == 64


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("own.csv", 'text,label\n"one, ""two""",x\nthree,y\n'),
        ("own.csv", '\ufefftext,label\n"one, ""two""",x\nthree,y\n'),
        ("own.csv", 'text,label\r\n"one, ""two""",x\r\nthree,y\r\n'),
        ("own.csv", ' id , Label,TEXT\n\n1,x,"one, ""two"""\n2, y ,three\n'),
        ("own.tsv", 'text\tlabel\none, "two"\tx\nthree\ty\n'),
        ("own.csv", 'text;label\n"one, ""two""";x\nthree;y\n'),
        ("own.csv", 'text\tlabel\n"one, ""two"""\tx\nthree\ty\n'),
        ("own.csv", 'text,label\r"one, ""two""",x\rthree,y\r'),
        ("own.csv", 'review,sentiment\n"one, ""two""",x\nthree,y\n'),
        ("own.jsonl", '{"text": "one, \\"two\\"", "label": "x"}\n\n{"label": "y", "text": "three"}\n'),
        ("own.TAB", 'text\tlabel\n"one, ""two"""\tx\nthree\ty\n'),
    ],
)
def test_dialects(csv: Callable, name: str, content: str) -> None:
    texts = open_texts(str(csv(content, name)), known=["x", "y"])
    assert sorted(read(texts, "all")) == [('one, "two"', "x"), ("three", "y")]


def test_a_quoted_text_may_have_several_lines(csv: Callable) -> None:
    texts = open_texts(str(csv('text,label\n"one\n\ntwo",x\n')), known=["x", "y"])
    assert read(texts, "all") == [("one\n\ntwo", "x")]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"text,mood\nfine,good\n", "no column for the label (looked for label, sentiment,"),
        (
            b"words,label\nfine,good\n",
            "it has 'words', 'label'. Name the columns: --text-column NAME --label-column NAME",
        ),
        (b"I liked it very much,1\nfine,0\n", "looks like a row, not like the names of the columns"),
        (b"text,text,label\nfine,x,good\n", "two columns 'text' and 'text'"),
        (b"text,Text,label\nfine,x,good\n", "two columns 'text' and 'Text'. Rename one"),
        (b"text,label\nfine,good\nTEXT , label\n", "line 3: the row repeats the header. Delete it"),
        (b"text,label\nfine,good\ndull,NaN\n", "line 3: the label is 'NaN', a missing value. Fill it in"),
        (b"text,label\nfine,pos\ndull,Pos\nfine,neg\n", "a number: 'Pos' (1) and 'pos' (1). Make them one, or"),
        (b"text,label\n12,good\n7,bad\n", "every text is a number. Name the column of texts: --text-column NAME"),
        (b"text,label,split\nfine,good,train\ndull,bad,tset\n", "line 3: No split is called 'tset'; did you mean"),
        (b"", "is empty. Its first line has to name the columns: text, label."),
        (b"text,label\n", "no rows below its header"),
        (b"text,label\nfine,good\n ,bad\n", "line 3: the text is empty"),
        (b"text,label\nfine,good\ndull,\n", "line 3: the label is empty"),
        (b"text,label\nfine,good\ndull\n", "line 3: the label is empty"),
        (b"text,label\nfine, but long,good\n", "line 2: 3 fields; the header has 2. Quote texts"),
        (b'text,label\n"two\nlines",good\n,bad\n', "line 4: the text is empty"),
        (b'text,label\n"two\nlines",good\n"three\n\nlines",bad\nx,\n', "line 7: the label is empty"),
        (b"text,label\nfine,good\nd\xffll,bad\n", "line 3: not UTF-8"),
        ("text,label\nfine,good\n".encode("utf-16"), "is UTF-16LE, not UTF-8. Convert it: iconv -f UTF-16LE"),
        (b"text,label\nfine,good\nlovely,good\n", "every example has the label 'good'"),
        (b"text,label\nfine,good\ndull,bad\n", "2 texts to train on, 2 of them distinct: too few to hold"),
        (b'text,label\n"never closed,good\n' + b"dull,bad\n" * 20_000, "line "),
        (b"text,label\rfine,good\rdull,\r", "line 3: the label is empty"),
    ],
)
def test_a_file_that_cannot_be_used_is_told_with_the_line(csv: Callable, content: bytes, told: str) -> None:
    path = csv(content)
    with pytest.raises(UserError) as error:
        open_texts(str(path)).sizes()
    assert path.stem in str(error.value)
    assert told in str(error.value)


def test_a_saved_model_refuses_a_label_it_does_not_know(csv: Callable) -> None:
    path = csv("text,label\nfine,good\ndull,badd\n")
    with pytest.raises(UserError, match=r"No label is called 'badd'; did you mean 'bad'\? Known: bad, good"):
        open_texts(str(path), known=["bad", "good"])


def test_a_saved_model_takes_a_file_with_one_label_in_its_own_order(csv: Callable) -> None:
    texts = open_texts(str(csv("text,label\nfine,good\nlovely,good\n")), known=["good", "bad"])
    assert list(texts.labels) == ["good", "bad"]
    assert [label for _, label in texts.split("all").as_numpy_iterator()] == [0, 0]


def test_an_unknown_split_is_told(own: Path) -> None:
    with pytest.raises(UserError, match="No split is called 'tset'; did you mean 'test'"):
        open_texts(str(own)).split("tset")


@pytest.mark.parametrize("name", ["imdb", "nowhere.csv"])
def test_an_unknown_data_set_is_told(name: str) -> None:
    with pytest.raises(UserError, match=r"No data set is called.*Or give a table"):
        data.load(Train(dataset=name))


def check_batches(loaded: Any, batches: Any, longest: int) -> int:
    """Shapes, ranges and padding of some batches; how many real rows they have."""
    size, labels, count = loaded.assets["tokenizer"].size, len(loaded.assets["labels"]), 0
    for tokens, targets, weights in batches.as_numpy_iterator():
        real = weights > 0
        assert tokens.shape[0] == targets.shape[0] == weights.shape[0]
        assert 1 <= tokens.shape[1] <= longest
        assert tokens.min() >= 0
        assert tokens.max() < size
        assert set(targets[real]) <= set(range(labels))
        assert (tokens[real, 0] != PAD).all(), "padding is on the right, and no text is empty"
        count += int(real.sum())
    return count


def test_load_an_own_file(own: Path) -> None:
    loaded = data.load(Train(dataset=str(own), min_count=1, max_length=5, batch_size=16))
    assert list(loaded.sizes()) == list(SPLITS)
    assert sum(loaded.sizes().values()) == len(rows())
    assert check_batches(loaded, loaded.train(0), 5) == loaded.sizes()["train"]
    for split in ("validation", "test"):
        assert check_batches(loaded, loaded.split(split), 5) == loaded.sizes()[split]
    assert check_batches(loaded, loaded.split("test", 3), 5) == 3


def test_the_tokenizer_sees_training_texts_only(own: Path) -> None:
    recipe = Train(dataset=str(own), min_count=1)
    tokenizer, texts = data.load(recipe).assets["tokenizer"], open_texts(str(own))
    numbers = {split: [words.split()[-1] for words, _ in read(texts, split)] for split in SPLITS}
    known = {split: [UNKNOWN not in ids for ids in tokenizer.encode(found)] for split, found in numbers.items()}
    assert all(known["train"])
    assert not any(known["validation"] + known["test"])


def test_an_epoch_has_its_own_order_and_limit_takes_the_first(own: Path) -> None:
    loaded = data.load(Train(dataset=str(own), min_count=1, limit=20, batch_size=8))
    assert loaded.sizes()["train"] == 20

    def epoch(number: int) -> list:
        return [tokens.tolist() for tokens, _, _ in loaded.train(number).as_numpy_iterator()]

    assert epoch(0) == epoch(0) != epoch(1)
    assert check_batches(loaded, loaded.train(0), 400) == 20


def test_a_saved_models_tokenizer_and_labels_are_kept(own: Path, csv: Callable) -> None:
    first = data.load(Train(dataset=str(own), min_count=1))
    more = csv("text,label\nsome unheard words,good\n", "more.csv")
    again = data.load(Train(dataset=str(more)), first.assets)
    assert again.assets["tokenizer"] is first.assets["tokenizer"]
    assert check_batches(again, again.split("all"), 400) == 1


def test_encoder_cuts_and_gives_an_empty_text_one_unknown_token() -> None:
    tokenizer = text.Tokenizer.train(["a b c d e f"])
    encode = encoding.encoder(tokenizer, Train(max_length=4, head_fraction=0.5))
    got = encode(["a b c d e f", "", "a"])
    assert [list(row) for row in got] == [
        [tokenizer.encode([letter])[0][0] for letter in "abef"], [UNKNOWN], tokenizer.encode(["a"])[0],
    ]  # fmt: skip


# Splits and labels as the TFDS catalogue has them: the second source for the table of sources.
CATALOGUE = {
    "imdb_reviews": ("train test unsupervised", ["neg", "pos"]),
    "glue/sst2": ("train validation test", ["negative", "positive"]),
    "yelp_polarity_reviews": ("train test", ["1", "2"]),
    "ag_news_subset": ("train test", ["World", "Sports", "Business", "Sci/Tech"]),
}


def test_every_source_that_tfds_has_is_tried() -> None:
    assert set(CATALOGUE) == {name for name, row in DATASETS.items() if not row.builder}


@pytest.fixture
def mocked(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], Any]]:
    """`mocked(name)` loads a set of the catalogue with 40 random texts in every split."""

    def load(name: str) -> Any:
        sizes = {split: SimpleNamespace(num_examples=40, num_bytes=0) for split in CATALOGUE[name][0].split()}
        # Mocked builders know their features but, never having been generated, not their splits.
        monkeypatch.setattr(tfds.core.DatasetInfo, "splits", property(lambda self: sizes))
        return data.load(Train(dataset=name, tokenizer="char", max_length=50, batch_size=16))

    monkeypatch.setattr(sources, "_resolves", lambda host: True)
    with tfds.testing.mock_data(num_examples=40, policy=tfds.testing.MockPolicy.USE_CODE):
        yield load


@pytest.mark.parametrize("name", CATALOGUE)
def test_a_set_that_tfds_has(name: str, mocked: Callable[[str], Any]) -> None:
    loaded = mocked(name)
    theirs = CATALOGUE[name][1]
    readable = ["negative", "positive"] if theirs in (["neg", "pos"], ["1", "2"]) else theirs
    assert loaded.assets["labels"] == readable
    assert loaded.sizes()["test"] == 40
    assert loaded.sizes()["train"] + loaded.sizes()["validation"] == 40
    assert 0 < loaded.sizes()["validation"] < 20
    for split in ("validation", "test"):
        assert check_batches(loaded, loaded.split(split), 50) == loaded.sizes()[split]
    assert check_batches(loaded, loaded.train(0), 50) == loaded.sizes()["train"]


def test_a_new_data_set_that_tfds_has_is_one_row(mocked: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(DATASETS, "sentiment140", DatasetRow("tweets", ("text", "polarity"), labels=("bad", "fine")))
    monkeypatch.setitem(CATALOGUE, "sentiment140", ("train test", []))
    loaded = mocked("sentiment140")
    assert loaded.assets["labels"] == ["bad", "fine"]
    assert loaded.sizes() == {"train": 36, "validation": 4, "test": 40}
    assert next(iter(loaded.split("test"))) is not None


@pytest.mark.parametrize("split", ["tset", "unlabeled"])
def test_a_split_that_a_set_lacks_is_told(split: str, mocked: Callable[[str], Any]) -> None:
    with pytest.raises(UserError, match=f"No split is called '{split}'"):
        mocked("glue/sst2").split(split)


def test_sizes_of_the_real_imdb_reviews(users_data: Path | None, monkeypatch: pytest.MonkeyPatch) -> None:
    if users_data is None or not (users_data / "imdb_reviews").is_dir():
        pytest.skip("TFDS_DATA_DIR does not hold imdb_reviews")
    builder = tfds.builder("imdb_reviews", data_dir=users_data)
    monkeypatch.setattr(sources, "prepared", lambda *_: builder)
    texts = open_texts("imdb_reviews")
    assert {split: texts.size(split) for split in SPLITS} == {"train": 22_500, "validation": 2_500, "test": 25_000}
    labels = np.fromiter((label for _, label in texts.split("validation").as_numpy_iterator()), int)
    assert len(labels) == 2_500
    assert 0.45 < labels.mean() < 0.55


def test_parquet(tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    columns = {"review": [f"film {n}" for n in range(40)], "stars": [n % 2 for n in range(40)], "id": list(range(40))}
    parquet.write_table(pyarrow.table(columns), tmp_path / "own.parquet")
    texts = open_texts(str(tmp_path / "own.parquet"))
    assert list(texts.labels) == ["0", "1"]
    assert sorted(read(texts, "all")) == sorted((f"film {n}", str(n % 2)) for n in range(40))
    (tmp_path / "bad.parquet").write_bytes(b"PAR1 no table PAR1")
    with pytest.raises(UserError, match="cannot be read as Parquet"):
        open_texts(str(tmp_path / "bad.parquet"))


def test_unlabeled_texts_beside_labeled_ones(tmp_path: Path) -> None:
    for label, count in (("neg", 30), ("pos", 30), ("unsup", 20)):
        (tmp_path / label).mkdir()
        for number in range(count):
            (tmp_path / label / f"{number}.txt").write_text(f"{label} text number{number}", encoding="utf-8")
    recipe = Train(dataset=str(tmp_path), batch_size=8, unlabeled=True, virtual_adversarial=1.0, min_count=1)
    loaded = data.load(recipe)
    assert loaded.sizes()["train"] == loaded.raw.size("train") + 20
    rows = [row for _, targets, _ in loaded.train(0).as_numpy_iterator() for row in targets.tolist()]
    assert len(rows) == loaded.sizes()["train"]
    assert sorted(map(sum, rows)) == [0.0] * 20 + [1.0] * loaded.raw.size("train")
    assert all(np.asarray(targets).ndim == 1 for _, targets, _ in loaded.split("validation"))
    words = loaded.assets["tokenizer"].encode(["unsup"])[0]
    assert words != [1], "unlabeled texts give words too"
    stage = pretraining(dataclasses.replace(recipe, pretrain_epochs=1), loaded)  # which reads all texts in any case
    assert not stage.recipe.unlabeled
    assert not stage.recipe.virtual_adversarial
    with pytest.raises(UserError, match="give the texts something to teach"):
        Train(unlabeled=True)
    with pytest.raises(UserError, match="needs unlabeled texts"):
        data.load(Train(unlabeled=True, entropy_minimization=0.1))


def test_texts_of_a_folder_that_are_left_out_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names = ["neg/a.txt", "neg/b.TXT", "neg/c.md", "neg/more/d.txt", "neg/._a.txt", "pos/a.txt", "pos/.old/b.txt"]
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    assert sorted(read(open_texts(str(tmp_path)), "all")) == [
        ("neg/a.txt", "neg"), ("neg/b.TXT", "neg"), ("pos/a.txt", "pos")
    ]  # fmt: skip
    assert capsys.readouterr().err == f"{tmp_path}: left out: neg/c.md, neg/more/d.txt (1 .md, 1 .txt).\n"
    (tmp_path / "neutral").mkdir()
    (tmp_path / "neutral" / "a.md").write_text("so so")
    with pytest.raises(UserError, match=r"neutral has no \.txt files; it has a\.md"):
        open_texts(str(tmp_path))


def test_self_training_learns_from_both_predictions(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for label, count in (("neg", 60), ("pos", 60), ("unsup", 40)):
        (tmp_path / "texts" / label).mkdir(parents=True)
        for number in range(count):
            words = rng.choice(BAD if label == "neg" or (label == "unsup" and number % 2) else GOOD, 4)
            (tmp_path / "texts" / label / f"{number:03d}.txt").write_text(
                f"{' '.join(words)} {number}", encoding="utf-8"
            )
    recipe = Train(
        dataset=str(tmp_path / "texts"), units=4, embedding_dim=4, batch_size=8, epochs=2, pseudo_labels=True,
        self_training_epochs=2, learning_rate=0.03,
    )  # fmt: skip
    trained = training.train(find("sentiment"), recipe, tmp_path / "model", plot=False)
    rows = (trained.path / "history.csv").read_text().splitlines()
    assert len(rows) == 1 + 4, "two epochs of each stage"
    assert trained.metrics["scores"]["test"]["accuracy"] == 1
    loaded = data.load(recipe)
    answers = self_training.predicted(trained.net, recipe, loaded.raw, loaded.assets["tokenizer"], 40)
    truth = [b"dull" in t or b"awful" in t or b"grey" in t or b"boring" in t for t, _ in loaded.raw.split("unlabeled")
             .as_numpy_iterator()]  # fmt: skip
    assert ((answers[:, 0] > 0.5) == truth).all(), "in the order of the texts"


def test_two_predictions_are_blended_by_their_log_odds() -> None:
    one, other = np.array([[0.9, 0.1], [0.5, 0.5]]), np.array([[0.5, 0.5], [0.2, 0.8]])
    found = self_training.blended(one, other)
    odds = np.sqrt(one[:, 0] / one[:, 1] * other[:, 0] / other[:, 1])
    np.testing.assert_allclose(found[:, 0] / found[:, 1], odds, rtol=1e-5)
    np.testing.assert_allclose(found.sum(axis=1), 1, rtol=1e-6)


def test_a_column_says_the_split(csv: Callable, capsys: pytest.CaptureFixture[str]) -> None:
    side = ["test"] * 10 + ["train"] * 110
    lines = [f"7,{words},{label},{split}\n" for (words, label), split in zip(rows()[:120], side, strict=True)]
    texts = open_texts(str(csv("id,text,label,split\n" + "".join(lines))))
    assert read(texts, "test") == rows()[:10]
    assert texts.sizes() == {"train": 98, "validation": 12, "test": 10}  # 55 of each label
    assert len(read(texts, "all")) == texts.size("all") == 120
    assert texts.card.splits.startswith(
        "train, test: named by each row; validation (10%) held out of train of each class by a hash"
    )
    assert "label = 'label', split = 'split'; left out: 'id'." in capsys.readouterr().err


def test_rows_and_files_for_one_split_are_refused(csv: Callable, tmp_path: Path) -> None:
    csv("text,label,split\nfine,good,test\ndull,bad,train\n", "train.csv")
    csv("text,label\nfine,good\ndull,bad\n", "test.csv")
    with pytest.raises(UserError, match=r"train\.csv has rows whose column split says test, and .*test\.csv is for"):
        open_texts(str(tmp_path))


@pytest.mark.parametrize("as_folder", [True, False])
def test_a_test_split_without_labels_is_left_out(
    csv: Callable, tmp_path: Path, capsys: pytest.CaptureFixture[str], as_folder: bool
) -> None:
    train = csv("id,sentiment,review\n" + "".join(f'7,{label},"{words}"\n' for words, label in rows()), "train.csv")
    test = csv('id,review\n7,"a new, fine film"\n', "test.csv")
    texts = open_texts(str(tmp_path if as_folder else train))
    assert sum(texts.sizes().values()) == len(rows())
    assert texts.sizes()["test"] > 1  # held out of train
    assert "test.csv has no column for the label, so nothing can be scored on it" in capsys.readouterr().err
    with pytest.raises(UserError, match=r"test\.csv has no column for the label"):
        open_texts(str(train), test=str(test))
    csv("id,words\n7,a new film\n", "test.csv")  # nothing here is known
    with pytest.raises(UserError, match=r"test\.csv has no column for the text"):
        open_texts(str(train))


def test_a_table_of_test_rows_is_scored_but_not_trained_on(csv: Callable) -> None:
    path = csv("text,label,split\nfine,good,test\ndull,bad,test\n")
    assert open_texts(str(path), known=["bad", "good"]).names == ("test", "all")
    with pytest.raises(UserError, match="has nothing to train on: no example is in the split train"):
        data.load(Train(dataset=str(path)))


def test_a_limit_that_leaves_one_label_is_refused(csv: Callable) -> None:
    path = csv("text,label\n" + "".join(f"{words},{label}\n" for words, label in sorted(rows(), key=lambda r: r[1])))
    with pytest.raises(UserError, match=r"among the first 20 has the label 'good'\. Shuffle the rows of the file, or"):
        data.load(Train(dataset=str(path), limit=20))
    assert data.load(Train(dataset=str(path), limit=100, min_count=1)).sizes()["train"] == 100
