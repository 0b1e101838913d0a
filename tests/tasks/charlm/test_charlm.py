"""The language model task: the lecture's four steps, training and writing through the command line, bad input."""

import itertools
import json
import tracemalloc

import numpy as np
import pytest
from click.testing import CliRunner
from keras import ops
from zoo.tasks.charlm import data as charlm
from zoo.tasks.charlm import texts
from zoo.tasks.charlm.python_docs import python_docs_dataset_builder as python_docs
from zoo.tasks.charlm.recipe import Train

from zoo import saved
from zoo.cli import cli
from zoo.data.text import START
from zoo.errors import UserError


def run(*arguments):
    result = CliRunner().invoke(cli, [str(item) for item in arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


@pytest.fixture(scope="module")
def hello(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    run("train", "charlm", "--preset", "hello", "--models-dir", folder, "--no-plot")
    return folder / "charlm-gru-hello"


def test_the_four_steps_of_the_lecture(hello):
    """h, e, l, l in; e, l, l, o out. The two l's have different answers: the state alone tells them apart."""
    model = saved.load(hello)
    ids = {letter: model.assets["tokenizer"].encode([letter])[0][0] for letter in "helo"}
    assert model.assets["tokenizer"].size == 4 + len(ids)
    _, state = model.model.step(ops.array([START]), model.model.begin(1))
    for given, wanted in zip("hell", "ello", strict=True):
        logs, state = model.model.step(ops.array([ids[given]]), state)
        assert int(ops.argmax(logs[0])) == ids[wanted]
        assert float(ops.exp(logs[0, ids[wanted]])) > 0.9


@pytest.mark.parametrize(("prompt", "length"), [("h", 4), ("", 50), ("hel", 2), ("hello", 3)])
def test_a_prompt_is_written_on(hello, prompt, length):
    assert run("charlm", "--model", hello, "--length", length, prompt) == "hello\n"


def test_a_text_is_scored_by_the_probability_of_each_letter(hello):
    right, wrong = (
        json.loads(line) for line in run("charlm", "--model", hello, "--score", "--json", "hello", "hhhhh").splitlines()
    )
    assert right["log_probability"] > -0.3
    assert wrong["log_probability"] < -10
    assert right["units"] == 5
    model = saved.load(hello)
    ids = [START, *model.assets["tokenizer"].encode(["hello"])[0]]
    logs = ops.convert_to_numpy(ops.log_softmax(model.model(np.array([ids]))))[0]
    total = sum(logs[place, token] for place, token in enumerate(ids[1:]))
    assert right["log_probability"] == pytest.approx(total, abs=1e-3)


def test_a_long_text_is_scored_like_a_short_one(hello):
    """More than one chunk: the state goes from one to the next."""
    model = saved.load(hello)
    long = "hello" * 60
    ids = [START, *model.assets["tokenizer"].encode([long])[0]]
    logs = ops.convert_to_numpy(ops.log_softmax(model.model(np.array([ids]))))[0]
    total = sum(logs[place, token] for place, token in enumerate(ids[1:]))
    (answer,) = model.predict([long], score=True)
    assert answer["log_probability"] == pytest.approx(total, rel=1e-3)


def test_unknown_characters_are_told_and_do_no_harm(hello, capfd):
    result = CliRunner().invoke(cli, ["charlm", "--model", str(hello), "--score", "--json", "hexlo\0"])
    answer = json.loads(result.stdout)
    assert answer["unknown"] == 2
    assert "2 of 6 units" in result.stderr + capfd.readouterr().err


def test_evaluation_of_two_splits_together(hello):
    one = json.loads(run("evaluate", hello, "--split", "validation", "--json"))
    both = json.loads(run("evaluate", hello, "--split", "validation+test", "--json"))
    assert both["examples"] == pytest.approx(2 * one["examples"], abs=16)
    assert both["nats"] == pytest.approx(one["nats"], abs=0.05)


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    """A model of an own file: the alphabet, over and over."""
    folder = tmp_path_factory.mktemp("own")
    file = folder / "alphabet.txt"
    file.write_text("abcdefghijklmnopqrstuvwxyz\n" * 120, encoding="utf-8")
    run(
        "train", "charlm", "--dataset", file, "--units", "32", "--epochs", "12", "--batch-size", "8", "--chunk", "27",
        "--learning-rate", "0.02", "--models-dir", folder, "--no-plot", "--name", "alphabet",
    )  # fmt: skip
    return folder / "alphabet"


def test_what_is_written_has_the_length_asked_for_and_stops_where_told(own):
    assert run("charlm", "--model", own, "--temperature", "0", "--length", "40", "abc") == (
        "abcdefghijklmnopqrstuvwxyz\nabcdefghijklmnop\n"
    )
    assert run("charlm", "--model", own, "--temperature", "0", "--stop", "xyz", "abc") == "abcdefghijklmnopqrstuvwxyz\n"


def test_the_same_seed_writes_the_same_text_and_another_does_not(own):
    texts = [run("charlm", "--model", own, "--temperature", "3", "--seed", seed, "abc") for seed in (1, 1, 2)]
    assert texts[0] == texts[1] != texts[2]


def test_text_comes_as_it_is_written(own):
    model = saved.load(own)
    ask = model.installed.recipe.Predict(inputs=["abc"], length=60)
    parts = list(model.installed.task.predict(model, ask))
    assert parts[0] == "abc"
    assert len(parts) > 4
    assert parts[-1] == ""


def test_the_splits_of_a_file_are_its_beginning_middle_and_end(tmp_path):
    file = tmp_path / "digits.txt"
    file.write_text("0123456789" * 10, encoding="utf-8")
    split = texts.open_texts(str(file)).split
    joined = {name: "".join("".join(doc) for doc in split(name)) for name in ("train", "validation", "test", "all")}
    assert [len(joined[name]) for name in ("train", "validation", "test")] == [80, 10, 10]
    assert joined["train"] + joined["validation"] + joined["test"] == joined["all"] == file.read_text("utf-8")


def test_a_large_file_is_streamed(tmp_path, monkeypatch):
    """Memory holds pieces only: eight million characters, and less than half of that at any time."""
    file = tmp_path / "large.txt"
    with file.open("w", encoding="utf-8") as stream:
        for _ in range(1000):
            stream.write("the same line once more\n" * 333)
    tracemalloc.start()
    data = charlm.load(Train(dataset=str(file)))
    next(iter(data.train(0)))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert data.sizes["train"] > 6_000_000
    assert peak < 2 * 4 * 0x110000  # little more than the table of all code points


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "is empty"),
        (b"a", "too short"),
        (b"ab" * 20, "too short"),
        (b"\xff\xfe\x00", "not UTF-8"),
    ],
)
def test_what_is_no_text_is_told(tmp_path, content, told):
    file = tmp_path / "bad.txt"
    file.write_bytes(content)
    with pytest.raises(UserError, match=told):
        charlm.load(Train(dataset=str(file)))


def test_a_null_byte_is_a_character_like_others(tmp_path):
    file = tmp_path / "null.txt"
    file.write_bytes(b"a\0b\r\n" * 400)
    data = charlm.load(Train(dataset=str(file)))
    assert data.assets["tokenizer"].decode(charlm.encoder(data.assets)(["a\0b\r\n"])) == ["a\0b\r\n"]


def test_characters_are_looked_up_as_the_tokenizer_would(tmp_path):
    file = tmp_path / "signs.txt"
    file.write_text("Ünïcode, e\u0301 and 🙂\n" * 100, encoding="utf-8")
    assets = charlm.load(Train(dataset=str(file))).assets
    samples = ["Ünïcode e\u0301", "🙂 new sign: ß", "", "\ud800"]
    for sample, ids in zip(samples[:3], charlm.encoder(assets)(samples[:3]), strict=True):
        assert list(ids) == assets["tokenizer"].encode([sample])[0]
    (ids,) = charlm.encoder(assets)(samples[3:])  # half a character, as a command line of another encoding gives it
    assert len(ids) == 1


@pytest.mark.parametrize("units", ["word", "bpe"])
def test_other_units_learn_and_write(units, tmp_path):
    file = tmp_path / "words.txt"
    file.write_text("one two three four five six\n" * 150, encoding="utf-8")
    run(
        "train", "charlm", "--dataset", file, "--tokens", units, "--vocabulary", "40", "--units", "24", "--epochs", "6",
        "--batch-size", "4", "--chunk", "24", "--learning-rate", "0.03", "--name", "m", "--no-plot",
    )  # fmt: skip
    text = run("charlm", "--model", "m", "--temperature", "0", "--length", "8", "one two")
    assert text.startswith("one two three four five six")


def test_python_docs_are_split_by_topic():
    topics = {f"topic{i}": "x" * (100 + i) for i in range(50)} | {"huge": "x" * 5_000}
    sides = python_docs.splits(topics)
    assert sorted(itertools.chain(*sides.values())) == sorted(topics)
    assert "huge" in sides["train"]
    assert sides == python_docs.splits(dict(reversed(topics.items())))
    assert all(sides.values())


def test_python_docs_load_and_no_topic_is_on_two_sides():
    sides = {name: list(texts.open_texts("python_docs").split(name)) for name in ("train", "validation", "test")}
    documents = {name: {"".join(doc) for doc in side} for name, side in sides.items()}
    assert not documents["train"] & documents["test"]
    assert not documents["validation"] & documents["test"]
    assert sum(map(len, documents["train"])) > 200_000


def test_a_large_file_holds_only_so_much_out(tmp_path, monkeypatch):
    monkeypatch.setattr(texts, "MOST_HELD_OUT", 7)
    (tmp_path / "own.txt").write_text("".join(chr(97 + i % 26) for i in range(200)))
    opened = texts.from_file(tmp_path / "own.txt")
    train, validation, test = ("".join(*opened.split(name)) for name in ("train", "validation", "test"))
    assert (len(train), len(validation), len(test)) == (186, 7, 7)
    assert train + validation + test == (tmp_path / "own.txt").read_text()
    assert opened.facts["splits"].startswith("the last 7 characters test")
