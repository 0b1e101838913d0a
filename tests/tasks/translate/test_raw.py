"""Folders of parallel files, TFDS sets and their splits, as streams of pairs. Nothing here reaches the network."""

import collections
import gzip
import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import tensorflow as tf
import tensorflow_datasets as tfds
from zoo.tasks.translate import raw
from zoo.tasks.translate.datasets import DATASETS
from zoo.tasks.translate.multi30k import multi30k_dataset_builder as multi30k

from zoo.data import tfds as sources
from zoo.data.raw import RawDataset
from zoo.errors import UserError

SPLITS = ("train", "validation", "test")


def rows(count: int = 200) -> list[tuple[str, str]]:
    """English and German, all different; every fifth English text comes again with another German one."""
    made = [(f"the dog number {i}", f"der Hund Nummer {i}") for i in range(count)]
    return made + [(english, f"{german}, noch einmal") for english, german in made[::5]]


@pytest.fixture
def folder(tmp_path: Path) -> Callable[..., Path]:
    """`folder({"train.en": ...})` writes files of bytes, of text, or of lines."""

    def write(files: dict[str, Any]) -> Path:
        path = tmp_path / "own"
        path.mkdir()
        for name, content in files.items():
            lines = "".join(f"{line}\n" for line in content) if isinstance(content, list) else content
            (path / name).write_bytes(lines if isinstance(lines, bytes) else lines.encode())
        return path

    return write


def two(split: str, pairs: list[tuple[str, str]]) -> dict[str, list[str]]:
    return {f"{split}.en": [pair[0] for pair in pairs], f"{split}.de": [pair[1] for pair in pairs]}


def opened(path: Path, reverse: bool = False, source: str | None = None, **options: Any) -> RawDataset:
    return raw.open_pairs(str(path), reverse, source, **options)


def languages(pairs: RawDataset) -> list[str]:
    return pairs.card.details["languages"]


def read(pairs: RawDataset, split: str) -> list[tuple[str, str]]:
    return [(source.decode(), target.decode()) for source, target in pairs.split(split).as_numpy_iterator()]


def test_held_out_splits_are_all_of_train_and_share_no_source(folder: Callable) -> None:
    pairs = raw.open_pairs(str(folder(two("train", rows()))), source="en")
    parts = {split: read(pairs, split) for split in SPLITS}
    assert sorted(pair for part in parts.values() for pair in part) == sorted(rows())
    assert {split: len(part) for split, part in parts.items()} == pairs.sizes()
    assert pairs.names == (*SPLITS, "all")
    held = {split: {source for source, _ in part} for split, part in parts.items()}
    assert [len(held[split]) for split in SPLITS] == [160, 20, 20], "one source text in ten"
    assert len(held["train"] | held["validation"] | held["test"]) == 200


def test_own_splits_are_kept_and_only_the_missing_one_is_held_out(folder: Callable) -> None:
    own = [("a cat", "eine Katze"), ("a cow", "eine Kuh")]
    pairs = opened(folder({**two("train", rows()), **two("validation", own)}), source="en")
    assert read(pairs, "validation") == own
    assert pairs.size("validation") == 2
    assert pairs.size("train") + pairs.size("test") == len(rows())
    assert collections.Counter(read(pairs, "train") + read(pairs, "test")) == collections.Counter(rows())
    assert pairs.card.splits.startswith("test (10%) held out of train by a hash of the content; equal source texts")


def test_with_all_three_splits_nothing_is_held_out(folder: Callable) -> None:
    files = {**two("train", rows()), **two("validation", rows()[:2]), **two("test", rows()[2:5])}
    pairs = opened(folder(files), source="en")
    assert pairs.sizes() == {"train": 240, "validation": 2, "test": 3}
    assert read(pairs, "train") == rows()
    assert read(pairs, "test") == rows()[2:5]


@pytest.mark.parametrize(
    ("source", "reverse", "expected"),
    [
        (None, False, ("de", "en")),
        (None, True, ("en", "de")),
        ("en", False, ("en", "de")),
        ("en", True, ("de", "en")),
        ("de", False, ("de", "en")),
    ],
)
def test_direction(folder: Callable, source: str | None, reverse: bool, expected: tuple[str, str]) -> None:
    pairs = opened(folder({**two("train", rows()), **two("test", rows()[:1])}), reverse, source)
    assert languages(pairs) == list(expected)
    by_language = dict(zip(("en", "de"), rows()[0], strict=True))
    assert read(pairs, "test") == [(by_language[expected[0]], by_language[expected[1]])]


def test_the_card_has_the_files_digests_and_how_many_pairs_were_skipped(folder: Callable) -> None:
    pairs = [*rows(), ("", "nichts"), ("nothing", " \t"), ("", "")]
    path = folder(two("train", pairs))
    card = opened(path).card.to_json()
    assert (card["name"], card["builtin"], card["skipped"]) == ("own", False, {"train": 3})
    assert card["sha256"] == {
        name: hashlib.sha256((path / name).read_bytes()).hexdigest() for name in ("train.de", "train.en")
    }


def test_splits_go_by_other_names_and_what_is_left_out_is_said(
    folder: Callable, capsys: pytest.CaptureFixture[str]
) -> None:
    files = {**two("training", rows()), **two("dev", rows()[:2]), **two("test_2016", rows()[2:5])}
    pairs = opened(folder({**files, "newstest.en": "x\n", "train_model.py": "x\n"}), source="en")
    assert pairs.sizes() == {"train": 240, "validation": 2, "test": 3}
    assert read(pairs, "validation") == rows()[:2]
    said = capsys.readouterr().err
    assert "validation = dev.de and dev.en, test = test_2016.de and test_2016.en; source = en" in said
    assert "own: left out: newstest.en, train_model.py" in said


def test_a_table_beside_two_files_keeps_its_direction(folder: Callable, tmp_path: Path) -> None:
    path = folder(two("train", rows()))
    (tmp_path / "unnamed.tsv").write_text("".join(f"{english}\t{german}\n" for english, german in rows()[:3]))
    (tmp_path / "named.tsv").write_text("de\ten\n" + "".join(f"{b}\t{a}\n" for a, b in rows()[:3]))
    for name in ("unnamed", "named"):
        assert read(opened(path, source="en", test=str(tmp_path / f"{name}.tsv")), "test") == rows()[:3]
    (tmp_path / "named.tsv").write_text("en\tfr\na\tb\n")
    with pytest.raises(UserError, match=r"named\.tsv: none is in 'de', as train is"):
        opened(path, test=str(tmp_path / "named.tsv"))


def test_rows_of_a_table_may_name_their_split(tmp_path: Path) -> None:
    splits = ["dev", "test", *["train"] * 8, "test", "train"]
    lines = [f"text {n}\tText {n}\t{split}" for n, split in enumerate(splits)]
    table = tmp_path / "pairs.tsv"
    table.write_text("\n".join(["en\tde\tsplit", *lines, ""]))
    opened = raw.open_pairs(str(table), reverse=True)
    assert (opened.card.splits, opened.card.details["languages"]) == ("named by each row", ["de", "en"])
    assert opened.sizes() == {"train": 9, "validation": 1, "test": 2}
    assert list(opened.split("test").as_numpy_iterator()) == [(b"Text 1", b"text 1"), (b"Text 10", b"text 10")]

    table.write_text("\n".join(["source\ttarget\tsplit", *lines[2:10], lines[1], ""]))
    some = raw.open_pairs(str(table))
    assert some.names[:3] == ("train", "validation", "test")  # validation is held out
    assert some.sizes()["test"] == 1

    table.write_text("\n".join(["source\ttarget\tsplit", lines[1], ""]))
    assert raw.open_pairs(str(table)).sizes() == {"test": 1}
    with pytest.raises(UserError, match="pairs has nothing to train on: no example is in the split train"):
        raw.open_pairs(str(table)).split("train")

    (tmp_path / "test.tsv").write_text("source\ttarget\na\tb\n")
    table.write_text("\n".join(["source\ttarget\tsplit", *lines, ""]))
    with pytest.raises(
        UserError, match=r"pairs\.tsv has rows whose column split says test, and .*test\.tsv is for test"
    ):
        raw.open_pairs(str(table), test=str(tmp_path / "test.tsv"))
    table.write_text("source\ttarget\tsplit\na\tb\ttset\n")
    with pytest.raises(UserError, match=r"line 2: No split is called 'tset'; did you mean 'test'"):
        raw.open_pairs(str(table))


def test_only_the_split_that_is_asked_for_is_read(folder: Callable, monkeypatch: pytest.MonkeyPatch) -> None:
    path = folder({**two("train", rows()), **two("validation", rows()[:2]), **two("test", rows()[:3])})
    seen = []
    monkeypatch.setattr(raw.files, "lines", lambda file: seen.append(file.name) or iter(file.read_text().split()))
    pairs = opened(path, read_all=False)
    assert not seen
    pairs.split("test", 1)
    assert set(seen) == {"test.en", "test.de"}


@pytest.mark.parametrize(
    ("end", "mark", "last"),
    [("\n", "", True), ("\n", "\ufeff", False), ("\r\n", "\ufeff", True), ("\r\n", "", False)],
)
def test_line_ends_and_byte_order_marks(folder: Callable, end: str, mark: str, last: bool) -> None:
    lines = {"en": ["a\u2028b", "", " c ", "d"], "de": ["A\x85", "B", "\x0bC\tc", "D"]}
    test = {f"test.{key}": mark + end.join(side) + end * last for key, side in lines.items()}
    pairs = opened(folder({**two("train", rows()), **test}), source="en")
    assert read(pairs, "test") == [("a\u2028b", "A\x85"), (" c ", "\x0bC\tc"), ("d", "D")]
    assert pairs.card.details["skipped"] == {"train": 0, "test": 1}


def test_files_of_other_names_are_left_alone(folder: Callable) -> None:
    path = folder({**two("train", rows()), "train.en.bak": "x\n", "training.fr": "x\n", "train.": "x\n", "en": "x\n"})
    (path / "train.fr").mkdir()
    assert opened(path).size("train") > 100


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({}, "has no train.SRC. It needs train.SRC and train.TGT, two languages, e.g. train.en"),
        ({"test.en": "x\n", "test.de": "x\n"}, "has no train.SRC. It needs train.SRC and train.TGT"),
        ({"train.en": "x\n"}, "has train.en. It needs train.SRC and train.TGT"),
        ({"train.en": "x\n", "train.de": "x\n", "train.fr": "x\n"}, "has train.de, train.en, train.fr. It needs"),
        ({"train.en": "", "train.de": "x\n"}, "train.en is empty. Each line has to hold a text"),
        ({"train.en": "\n\n", "train.de": "x\n\n"}, "have no line in which both hold a text"),
        ({"train.en": "a\nb\n", "train.de": "a\nb\nc\n"}, "train.de has 3 lines and train.en 2; line 3 is the first"),
        ({"train.en": "a\nb\nc\n\n", "train.de": "a\nb\n"}, "train.de has 2 lines and train.en 4; line 3 is the first"),
        ({"train.en": "a\n\nb\nc\n", "train.de": "a\nb\nc\n"}, "train.de has 3 lines and train.en 4; line 2 is"),
        ({"train.en": "a\n\nb\nc\n", "train.de": "a\n\n\nb\nc\n"}, "train.de has 5 lines and train.en 4; line 3 is"),
        ({"train.en": b"a\nd\xffg\n", "train.de": "a\nb\n"}, "train.en, line 2: not UTF-8"),
        ({"train.en": "a\n".encode("utf-16"), "train.de": "a\nb\n"}, "train.en is UTF-16LE, not UTF-8"),
        ({**two("train", rows()), "test.en": "x\n"}, "has test.en. It needs test.SRC and test.TGT"),
        (
            {**two("train", rows()), "test.en": "x\n", "test.fr": "x\n"},
            "test.fr: none is in 'de', as train is (train.de and train.en)",
        ),
        (
            dict.fromkeys(("train.en-de.en", "train.en-de.de", "test.en-fr.en", "test.en-fr.fr"), "x\n"),
            "test.en-fr.fr: none is in 'de', as train is (train.en-de.de and train.en-de.en)",
        ),
        (
            {"news.en-de.en": "x\n", "news.en-de.de": "x\n", "dev.en-de.en": "x\n"},
            "dev.en-de.en has no file of the other language beside it",
        ),
        ({**two("train", rows()), "dev.en": "x\n"}, "has dev.en. It needs dev.SRC and dev.TGT"),
        (
            {**two("train", rows()), **two("dev", rows()), **two("val", rows())},
            "has dev.* and val.*, both for validation. Keep one of them.",
        ),
        ({**two("train", rows()), "test.en": "x\n", "test.de": "x\ny\n"}, "test.de has 2 lines and test.en 1; line 2"),
        (
            two("train", rows(2)[:2]),
            "own has 2 source texts to train on, 2 of them distinct: too few to hold validation and test out.",
        ),
    ],
)
def test_a_folder_that_cannot_be_used_is_refused(folder: Callable, files: dict, message: str) -> None:
    path = folder(files)
    with pytest.raises(UserError) as error:
        raw.open_pairs(str(path)).sizes()
    assert message in str(error.value)
    assert str(path) in str(error.value) or message.startswith("own has ")


def test_errors_of_a_split_are_also_sentences_when_it_is_read_alone(folder: Callable) -> None:
    path = folder({**two("train", rows()), "test.en": "a\n", "test.de": "a\nb\n"})
    pairs = raw.open_pairs(str(path), read_all=False)
    with pytest.raises(UserError, match=r"test\.de has 2 lines and test\.en 1; line 2 is the first"):
        pairs.split("test", 1)


def test_a_language_that_a_folder_lacks_is_refused(folder: Callable) -> None:
    with pytest.raises(UserError, match=r"No language of this data set is called 'fr'.*Known: de, en"):
        raw.open_pairs(str(folder(two("train", rows()))), source="fr")


def test_an_unknown_split_is_refused(folder: Callable) -> None:
    with pytest.raises(UserError, match=r"No split is called 'tset'; did you mean 'test'"):
        raw.open_pairs(str(folder(two("train", rows())))).split("tset")


def test_what_is_no_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "train.en").write_text("x\n")
    with pytest.raises(UserError, match=r"train\.en is a file\. Give a folder with train\.SRC and train\.TGT"):
        raw.open_pairs(str(tmp_path / "train.en"))


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("mutli30k/en-de", r"No data set is called 'mutli30k/en-de'.*Or give a folder with train\.SRC and train\.TGT"),
        ("nowhere", "No data set is called 'nowhere'"),
        ("multi30k", "'multi30k' has several configs.*multi30k/en-de, multi30k/de-en"),
        ("phrases/", "'phrases/' ends with a slash. Write 'phrases'"),
        ("phrases/nope", "phrases/nope: 'nope' is not a pair of languages"),
        ("phrases/en-xx", "phrases/en-xx: CLDR has no locale 'xx'"),
        ("multi30k/en-xx", "called 'en-xx'; did you mean 'en-.*Known: cs-en, de-en, en-cs, en-de, en-fr, fr-en"),
        ("multi30k/en-de-2017_flickr", "No config of multi30k is called"),
        ("multi30k/en-de:1.0.0", "is no config of the data set"),
        ("wmt16_translate/en-de", "Known: cs-en, de-en, fi-en, ro-en, ru-en, tr-en.*--reverse"),
        ("opus", "'opus' has several configs.*opus/medical"),
    ],
)
def test_an_unknown_name_is_refused(name: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        raw.open_pairs(name)


@pytest.fixture
def multi(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Invented files of Multi30k lie where TFDS looks first: English, German and the later test set of 2018."""
    manual, known = tmp_path / "downloads/manual", {}
    manual.mkdir(parents=True)
    for stem, count in {"train": 5, "val": 3, "test_2016_flickr": 2, "test_2018_flickr": 4}.items():
        for key, word in (("en", "dog"), ("de", "Hund")):
            packed = gzip.compress("".join(f"{stem} {word} {i}\n" for i in range(count)).encode())
            name = f"{stem}.{key}.gz"
            (manual / name).write_bytes(packed)
            url = f"https://raw.githubusercontent.com/multi30k/dataset/master/data/task1/raw/{name}"
            known[url] = tfds.download.checksums.UrlInfo(len(packed), hashlib.sha256(packed).hexdigest(), name)
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path))
    monkeypatch.setattr(multi30k.Builder, "url_infos", known)
    monkeypatch.setattr(sources, "_resolves", lambda host: False)


@pytest.mark.usefixtures("multi")
def test_multi30k_and_its_later_test_sets() -> None:
    pairs = raw.open_pairs("multi30k/en-de")
    assert pairs.sizes() == {"train": 5, "validation": 3, "test": 2}
    assert read(pairs, "train") == [(f"train dog {i}", f"train Hund {i}") for i in range(5)]
    assert read(pairs, "validation")[0] == ("val dog 0", "val Hund 0")
    assert read(pairs, "test") == read(pairs, "test_2016_flickr")
    assert read(pairs, "test")[1] == ("test_2016_flickr dog 1", "test_2016_flickr Hund 1")
    assert read(pairs, "test_2018_flickr") == [
        (f"test_2018_flickr dog {i}", f"test_2018_flickr Hund {i}") for i in range(4)
    ]
    card = {key: pairs.card.to_json()[key] for key in ("name", "version", "builtin", "languages")}
    assert card == {"name": "multi30k/en-de", "version": "1.0.0", "builtin": False, "languages": ["en", "de"]}
    with pytest.raises(UserError, match=r"No split is called 'tset'.*test_2016_flickr, test_2017_flickr"):
        pairs.split("tset")


@pytest.mark.usefixtures("multi")
def test_reverse_turns_every_split() -> None:
    pairs = raw.open_pairs("multi30k/en-de", reverse=True)
    assert languages(pairs) == ["de", "en"]
    assert read(pairs, "train")[0] == ("train Hund 0", "train dog 0")
    assert read(pairs, "test_2018_flickr")[0] == ("test_2018_flickr Hund 0", "test_2018_flickr dog 0")
    assert languages(raw.open_pairs("multi30k/en-de", source="de")) == ["de", "en"]


# Configs, languages and splits as the TFDS catalog has them: a second source for the table.
CATALOG = {
    "ted_hrlr_translate/pt_to_en": ("pt", "en", "train validation test"),
    "wmt14_translate/fr-en": ("fr", "en", "train validation test"),
    "wmt15_translate/fi-en": ("fi", "en", "train validation test"),
    "wmt16_translate/de-en": ("de", "en", "train validation test"),
    "wmt17_translate/zh-en": ("zh", "en", "train validation test"),
    "wmt18_translate/et-en": ("et", "en", "train validation test"),
    "wmt19_translate/fr-de": ("fr", "de", "train validation"),
    "opus/medical": ("de", "en", "train"),
    "para_crawl/ende": ("en", "de", "train"),
}


def test_every_data_set_that_tfds_has_is_tried() -> None:
    theirs = {name for name, row in DATASETS.items() if not row.builder}
    assert theirs == {name.partition("/")[0] for name in CATALOG}
    assert set(DATASETS) - theirs == {"phrases", "multi30k"}


@pytest.fixture
def mocked(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., RawDataset]]:
    """`mocked(name)` opens a set of the catalog with 60 random pairs in every split."""

    def load(name: str, **options: Any) -> RawDataset:
        sizes = {split: SimpleNamespace(num_examples=60, num_bytes=0) for split in CATALOG[name][2].split()}
        # Mocked builders know their features but, never having been generated, not their splits.
        monkeypatch.setattr(tfds.core.DatasetInfo, "splits", property(lambda self: sizes))
        return raw.open_pairs(name, **options)

    monkeypatch.setattr(sources, "_resolves", lambda host: True)
    with tfds.testing.mock_data(num_examples=60, policy=tfds.testing.MockPolicy.USE_CODE):
        yield load


@pytest.mark.parametrize("name", CATALOG)
def test_a_set_that_tfds_has(name: str, mocked: Callable[..., RawDataset]) -> None:
    source, target, splits = CATALOG[name]
    pairs = mocked(name)
    assert languages(pairs) == [source, target]
    assert pairs.names[:3] == SPLITS
    counts = {split: len(read(pairs, split)) for split in SPLITS}
    assert counts == pairs.sizes()
    assert (pairs.card.name, pairs.card.builtin) == (name, False)
    theirs = splits.split()
    assert sum(counts.values()) == 60 * len(theirs)
    assert ("held out" in pairs.card.splits) == (len(theirs) < 3)
    if theirs != ["train", "validation", "test"]:
        assert 0 < pairs.size("validation") < 20


def test_the_test_of_a_set_without_one_shares_no_source_with_train(mocked: Callable[..., RawDataset]) -> None:
    pairs = mocked("para_crawl/ende", reverse=True)
    assert languages(pairs) == ["de", "en"]
    held = [{source for source, _ in read(pairs, split)} for split in SPLITS]
    assert sum(map(len, held)) == len(set.union(*held))


def test_the_news_test_of_wmt19_is_its_validation(mocked: Callable[..., RawDataset]) -> None:
    pairs = mocked("wmt19_translate/fr-de")
    assert pairs.size("test") == 60
    assert pairs.size("train") + pairs.size("validation") == 60


def test_line_ends_of_a_set_are_taken_off(monkeypatch: pytest.MonkeyPatch) -> None:
    items = {"de": [f"Hund {i}\n" for i in range(40)] + ["\n"], "en": [f"dog {i}\r\n" for i in range(40)] + ["\n"]}
    builder = SimpleNamespace(
        info=SimpleNamespace(
            supervised_keys=("de", "en"),
            version="0.1.0",
            splits={"train": SimpleNamespace(num_examples=41)},
            features=dict.fromkeys(items),
        ),
        builder_config=None,
        as_dataset=lambda **_: tf.data.Dataset.from_tensor_slices(items),
    )
    monkeypatch.setattr(sources, "prepared", lambda *_: builder)
    pairs = raw.open_pairs("opus/medical")
    assert pairs.sizes() == {"train": 32, "validation": 4, "test": 4}, "and the pair of empty texts is gone"
    found = sorted(pair for split in SPLITS for pair in read(pairs, split))
    assert found == sorted((f"Hund {i}", f"dog {i}") for i in range(40))


def test_sizes_of_the_real_multi30k(users_data: Path | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    manual = users_data / "downloads/manual" if users_data else tmp_path
    names = [f"{stem}.{key}.gz" for stem in ("train", "val", "test_2016_flickr") for key in ("en", "fr")]
    if not all((manual / name).is_file() for name in names):
        pytest.skip("TFDS_DATA_DIR does not hold Multi30k's files")
    (tmp_path / "downloads/manual").mkdir(parents=True)
    for name in names:
        (tmp_path / "downloads/manual" / name).symlink_to(manual / name)
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path))
    pairs = raw.open_pairs("multi30k/fr-en")
    assert pairs.sizes() == {"train": 29_000, "validation": 1_014, "test": 1_000}
    first = next(pairs.split("train").as_numpy_iterator())
    assert [side.decode() for side in first] == [
        "Deux jeunes hommes blancs sont dehors près de buissons.",
        "Two young, White males are outside near many bushes.",
    ]


LINES = [("the dog \u2028 barks", 'der "Hund" bellt'), ("a cat", "eine Katze"), ('"Stop!"', "Halt!")]


def many(line: str, count: int = 30) -> str:
    return "".join(line.format(*pair, n=n) for n in range(count) for pair in LINES)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("deu.txt", many("{0} {n}\t{1}\tCC-BY 2.0 (France) #1\n")),
        ("own.tsv", many("{0} {n}\t{1}\r\n")),
        ("own.tsv.gz", many("{0} {n}\t{1}\n")),
        (
            "own.jsonl",
            "".join(
                f"{json.dumps({'target': b, 'id': 3, 'source': f'{a} {n}'})}\n" for n in range(30) for a, b in LINES
            ),
        ),
    ],
)
def test_tables_of_pairs(tmp_path: Path, name: str, content: str) -> None:
    path = tmp_path / name
    path.write_bytes(gzip.compress(content.encode()) if name.endswith(".gz") else content.encode())
    pairs = opened(path)
    found = [pair for split in SPLITS for pair in read(pairs, split)]
    assert sorted(found) == sorted((f"{a} {n}", b) for n in range(30) for a, b in LINES)
    assert languages(pairs) == ["source", "target"]


def test_a_table_whose_header_names_languages(tmp_path: Path) -> None:
    (tmp_path / "own.csv").write_text("en,de\n" + "".join(f'"dog, {n}",Hund {n}\n' for n in range(20)))
    pairs = opened(tmp_path / "own.csv", source="de")
    assert languages(pairs) == ["de", "en"]
    assert ("Hund 3", "dog, 3") in [pair for split in SPLITS for pair in read(pairs, split)]


def test_columns_by_name(tmp_path: Path) -> None:
    (tmp_path / "own.csv").write_text("id,german,english\n" + "".join(f"{n},Hund {n},dog {n}\n" for n in range(20)))
    pairs = opened(tmp_path / "own.csv", columns=("english", "german"))
    assert ("dog 3", "Hund 3") in [pair for split in SPLITS for pair in read(pairs, split)]
    with pytest.raises(UserError, match="no column 'englsh'; did you mean 'english'"):
        opened(tmp_path / "own.csv", columns=("englsh", "german"))


@pytest.mark.parametrize("ending", ["", ".gz"])
def test_names_of_opus(tmp_path: Path, ending: str) -> None:
    for name, count in (("news", 20), ("news.dev", 3)):
        for language, word in (("en", "dog"), ("de", "Hund")):
            text = "".join(f"{word} {name} {n}\n" for n in range(count)).encode()
            (tmp_path / f"{name}.en-de.{language}{ending}").write_bytes(gzip.compress(text) if ending else text)
    pairs = opened(tmp_path, source="en")
    assert read(pairs, "validation") == [(f"dog news.dev {n}", f"Hund news.dev {n}") for n in range(3)]
    assert pairs.size("train") + pairs.size("test") == 20


def test_columns_without_a_header_are_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "fra.txt").write_text("".join(f"Go {n}.\tVa {n} !\tCC-BY 2.0\n" for n in range(9)))
    raw.open_pairs(str(tmp_path / "fra.txt"))
    said = "fra.txt: tab-separated without a header; source = column 1, target = column 2; left out: column 3.\n"
    assert capsys.readouterr().err == said


def test_columns_of_numbers_are_no_texts(tmp_path: Path) -> None:
    (tmp_path / "pairs.tsv").write_text("".join(f"{n}\tGo {n}.\t{n + 7}\tVa {n}.\n" for n in range(20)))
    opened = raw.open_pairs(str(tmp_path / "pairs.tsv"))
    assert (b"Go 3.", b"Va 3.") in list(opened.split("all" if "all" in opened.names else "train").as_numpy_iterator())
    (tmp_path / "scores.tsv").write_text("".join(f"{n}\tGo {n}.\n" for n in range(20)))
    with pytest.raises(UserError, match="2 columns, and only 1 of text"):
        raw.open_pairs(str(tmp_path / "scores.tsv"))


@pytest.mark.parametrize("header", ["phrase,meaning", "yes,ja"])
def test_a_header_with_other_names_is_said(tmp_path: Path, header: str) -> None:
    (tmp_path / "own.csv").write_text(f"{header}\n" + "".join(f"go {n},geh {n}\n" for n in range(20)))
    with pytest.raises(UserError, match=r"it has '\w+', '\w+'. Name the columns: --source-column NAME"):
        raw.open_pairs(str(tmp_path / "own.csv"))


@pytest.mark.parametrize(
    ("first", "line", "named"),
    [
        ("", "1.05{n}\t{0}\t{1}\n", ["source", "target"]),  # scores, as of CCMatrix
        ("", "{n}\t\t{0}\t{1}\n", ["source", "target"]),
        ("score\tthis\tthat\n", "1.05{n}\t{0}\t{1}\n", ["source", "target"]),
        ("id\ten\tde\n", "{n}\t{0}\t{1}\n", ["en", "de"]),  # `id` is Indonesian too
        ("en\tde\tnote\n", "{0}\t{1}\tx\n", ["en", "de"]),
        ("English\tGerman\n", "{0}\t{1}\n", ["en", "de"]),
        ("EN\tDE\n", "{0}\t{1}\n", ["en", "de"]),
        ("eng\tzh_CN\n", "{0}\t{1}\n", ["eng", "zh_CN"]),
    ],
)
def test_what_is_no_pair_in_a_table_is_passed_over(tmp_path: Path, first: str, line: str, named: list[str]) -> None:
    (tmp_path / "own.tsv").write_text(first + "".join(line.format(f"go {n}", f"geh {n}", n=n) for n in range(20)))
    pairs = opened(tmp_path / "own.tsv")
    assert sorted(read(pairs, "all")) == sorted((f"go {n}", f"geh {n}") for n in range(20))
    assert languages(pairs) == named


def test_two_short_words_are_a_pair_and_no_header(tmp_path: Path) -> None:
    (tmp_path / "own.tsv").write_text("yes\tja\n" + "".join(f"go {n}\tgeh {n}\n" for n in range(20)))
    assert read(opened(tmp_path / "own.tsv"), "all")[0] == ("yes", "ja")


@pytest.mark.parametrize("header", ["id\ten\tde", "score\ta text\tits translation\tnote"])
def test_a_header_with_more_than_two_texts_is_asked_about(tmp_path: Path, header: str) -> None:
    row = "s{n}\tgo {n}\tgeh {n}" if header.startswith("id") else "{n}\tgo {n}\tgeh {n}\tx"
    (tmp_path / "own.tsv").write_text(f"{header}\n" + "".join(f"{row.format(n=n)}\n" for n in range(20)))
    with pytest.raises(UserError, match="Name the columns: --source-column NAME --target-column NAME"):
        opened(tmp_path / "own.tsv")


def test_the_languages_of_two_files_are_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for language in ("en", "de"):
        (tmp_path / f"train.{language}").write_text("".join(f"{language} {n}\n" for n in range(20)))
    raw.open_pairs(str(tmp_path))
    assert "source = de, target = en; --reverse swaps them." in capsys.readouterr().err


def test_a_line_without_a_tab_is_named(tmp_path: Path) -> None:
    (tmp_path / "own.txt").write_text("a\tb\nno tab\n")
    with pytest.raises(UserError, match=r"line 2: no tab; got 'no tab'"):
        opened(tmp_path / "own.txt")
