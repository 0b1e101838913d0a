"""Labeled words in tables: a sentence or a word in each row, and what is refused."""

import json
from pathlib import Path

import pytest
from zoo.tasks.tag import conll, raw, word_tables

from zoo import cli
from zoo.errors import UserError

SENTENCES = [(["EU", "rejects", f"call, {n}"], ["B-ORG", "O", "O"]) for n in range(12)]


def as_rows(path: Path, mark: str) -> Path:
    """A row for each word; the sentence's number in each row, or only in the first as on Kaggle."""
    lines = ["Sentence #,Word,POS,Tag"]
    for number, (words, tags) in enumerate(SENTENCES):
        for place, (word, tag) in enumerate(zip(words, tags, strict=True)):
            lines.append(f'{mark.format(number) if place == 0 or mark == "{}" else ""},"{word}",NN,{tag}')
    path.write_text("\n".join([*lines, ""]))
    return path


@pytest.mark.parametrize("mark", ["Sentence: {}", "{}"])
def test_a_row_is_a_word(mark: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert word_tables.read(as_rows(tmp_path / "ner.csv", mark)) == (SENTENCES, [])
    assert "words = 'Word', tags = 'Tag', sentence = 'Sentence #'" in capsys.readouterr().err
    opened = raw.open_sequences(str(tmp_path / "ner.csv"))
    assert list(opened.labels) == ["B-ORG", "O"]
    assert sum(opened.sizes().values()) == len(SENTENCES)


def test_a_row_is_a_sentence(tmp_path: Path) -> None:
    with (tmp_path / "train.jsonl").open("w") as stream:
        for words, tags in SENTENCES:
            stream.write(json.dumps({"id": 7, "tokens": words, "ner_tags": tags, "other": tags[::-1]}) + "\n")
    assert word_tables.read(tmp_path / "train.jsonl") == (SENTENCES, [])
    other, _ = word_tables.read(tmp_path / "train.jsonl", "other")
    assert other[0] == (SENTENCES[0][0], ["O", "O", "B-ORG"])


SPLITS = ["dev", "test", *["train"] * 8, "test", "train"]


@pytest.mark.parametrize("name", ["own.jsonl", "own.csv"])
def test_rows_may_name_their_split(name: str, tmp_path: Path) -> None:
    words = [
        {"tokens": words, "tags": tags, "split": split}
        if name == "own.jsonl"
        else [(n, *pair, split if place == 0 else "") for place, pair in enumerate(zip(words, tags, strict=True))]
        for n, ((words, tags), split) in enumerate(zip(SENTENCES, SPLITS, strict=True))
    ]
    lines = (
        [json.dumps(row) for row in words]
        if name == "own.jsonl"
        else [
            "sent_id,word,tag,split",
            *(f'{n},"{word}",{tag},{split}' for rows in words for n, word, tag, split in rows),
        ]
    )
    (tmp_path / name).write_text("\n".join([*lines, ""]))
    opened = raw.open_sequences(str(tmp_path / name))
    assert opened.card.splits == "named by each row"
    assert opened.sizes() == {"train": 9, "validation": 1, "test": 2}
    found = [[word.decode() for word in words] for words, _ in opened.split("test").as_numpy_iterator()]
    assert found == [SENTENCES[1][0], SENTENCES[10][0]]


def test_a_table_of_test_rows_is_scored_but_not_trained_on(tmp_path: Path) -> None:
    (tmp_path / "own.csv").write_text("sent_id,word,tag,split\n1,a,O,test\n1,b,B,\n")
    opened = raw.open_sequences(str(tmp_path / "own.csv"), known=["B", "O"])
    assert opened.names == ("test", "all")
    with pytest.raises(UserError, match="own has nothing to train on: no example is in the split train"):
        opened.split("train")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.jsonl", '{"tokens": ["a", "b"], "tags": ["O"]}\n', "line 1: 2 words and 1 labels"),
        ("a.jsonl", '{"tokens": ["a", ""], "tags": ["O", "O"]}\n', "line 1: a word is empty"),
        ("a.jsonl", '{"tokens": ["a"], "tags": "O"}\n', "line 1: 1 words and no list of labels"),
        ("a.csv", "word,tag\na,O\n", "no column says where a sentence begins"),
        ("a.csv", "sentence_id,word,tag\n1,a,\n", "line 2: a label is empty"),
        ("a.csv", "sentence_id,word,tag\n1,nan,O\n1,a,nan\n", "line 3: a label is 'nan', a missing value"),
        ("a.csv", "sentence_id,word,tag\n1,a,O\n2,b,B\n1,c,O\n", "line 4: sentence '1' goes on after another one"),
        (
            "a.csv",
            "sent_id,word,tag,split\n1,a,O,dev\n1,b,B,test\n",
            "line 3: split 'test' within a sentence that began in",
        ),
        ("a.csv", "sent_id,word,tag,split\n1,a,O,tset\n", "line 2: No split is called 'tset'; did you mean 'test'?"),
        ("a.csv", "sentence_id,text,kind\n1,a,O\n", "no column for the words"),
        ("a.csv", "sentence_id,word,kind\n1,a,O\n", "Name the columns: --tags NAME"),
        ("a.csv", "sentence_id,word,tag\n" + "".join(f"{n // 5},{n},O\n" for n in range(30)), "every word is a number"),
    ],
)
def test_what_cannot_be_read_is_said(name: str, content: str, message: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(UserError) as error:
        raw.open_sequences(str(tmp_path / name))
    assert message in str(error.value)


def test_options_of_files_in_columns_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="--word-column is for files in columns"):
        raw.open_sequences(str(as_rows(tmp_path / "ner.csv", "{}")), word_column=2)


@pytest.mark.parametrize("header", ["Word\tTag", "text\tlabel", "word ner_label", "Token POS NER", "id word pos tag"])
def test_a_file_in_columns_has_no_header(header: str, tmp_path: Path) -> None:
    fields = len(header.split())
    rows = "".join(f"{' '.join(['w'] * (fields - 1))} O\n\n" for _ in range(9))
    (tmp_path / "own.txt").write_text(f"{header}\n{rows}")
    with pytest.raises(UserError, match=r"line 1: .* looks like the names of columns"):
        list(conll.sentences(tmp_path / "own.txt"))


def test_after_a_training_the_line_to_try_has_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A tagger that was trained on words reads words, though the task's first example is a clip."""
    monkeypatch.chdir(tmp_path)
    as_rows(tmp_path / "ner.csv", "{}")
    cli.cli(
        ["train", "tag", "--dataset", "ner.csv", "--preset", "tiny", "--name", "own", "--no-plot"],
        standalone_mode=False,
    )
    assert "Try it: zoo tag --model own 'George Washington lived in Virginia .'" in capsys.readouterr().err


def test_spellings_of_one_tag_are_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "own.conll").write_text("dogs NOUN\nrun VERB\ncats noun\n")
    assert raw.open_sequences(str(tmp_path / "own.conll"), known=None).labels == ("NOUN", "VERB", "noun")
    assert "or the form of a number: 'NOUN' (1) and 'noun' (1). Make them one" in capsys.readouterr().err
