"""The language model task: the lecture's four steps, writing, scoring, evaluating."""

import json

import keras
import numpy as np
import pytest
from click.testing import CliRunner
from keras import ops
from zoo.tasks.charlm.recipe import RECIPE, Predict, Train

from zoo import builders, saved, training
from zoo.cli import cli
from zoo.data.text import Tokenizer
from zoo.errors import UserError
from zoo.ids import START
from zoo.task import find


@pytest.fixture(scope="module")
def hello(tmp_path_factory):
    """The model of the preset `hello`."""
    path = tmp_path_factory.mktemp("models") / "hello"
    return training.train(find("charlm"), Train(**RECIPE.presets["hello"]), path, plot=False)


def test_the_four_steps_of_the_lecture(hello):
    """h, e, l, l in; e, l, l, o out. The two l's have different answers: only the state distinguishes them."""
    tokenizer = hello.assets["tokenizer"]
    ids = {letter: tokenizer.encode([letter])[0][0] for letter in "helo"}
    assert tokenizer.size == 4 + len(ids)
    _, state = hello.net.step(ops.array([START]), hello.net.begin(1))
    for given, target in zip("hell", "ello", strict=True):
        logs, state = hello.net.step(ops.array([ids[given]]), state)
        assert int(ops.argmax(logs[0])) == ids[target]
        assert float(ops.exp(logs[0, ids[target]])) > 0.9


def test_the_lesson_ends_with_hello(hello):
    result = CliRunner().invoke(cli, ["charlm", "h", "--max-new-tokens", "4", "--model", str(hello.path)])
    assert (result.exit_code, result.stdout) == (0, "hello\n")


def test_a_prompt_is_written_on(hello):
    assert [answer["text"] for answer in hello.predict(["h", "", "hello"])] == ["hello"] * 3
    assert hello.predict(["hel"], max_new_tokens=2) == [
        {
            "input": "hel",
            "answer": "hello",
            "score": None,
            "alternatives": [],
            "prompt": "hel",
            "text": "hello",
        }
    ]


def test_one_sample_for_each_temperature(writer, hello, capfd):
    answer = writer.predict("abc", temperatures="0, 0.5,2", max_new_tokens=12)
    assert [sample["temperature"] for sample in answer["samples"]] == [0, 0.5, 2]
    for sample in answer["samples"]:
        assert sample["text"] == "abc" + write(writer, temperature=sample["temperature"], max_new_tokens=12)
    words = ["charlm", "h", "he", "--temperatures", "0.3,0.7", "--max-new-tokens", "4", "--model", str(hello.path)]
    lines = CliRunner().invoke(cli, words).stdout.splitlines()
    assert lines == ["temperature 0.3:", "hello", "temperature 0.7:", "hello"] * 2


@pytest.mark.parametrize("temperatures", ["", "1,x", "-1", "inf", "nan"])
def test_temperatures_that_are_none_are_refused(writer, temperatures):
    with pytest.raises(UserError, match=r"numbers from 0 to 1,000|a text that is not empty"):
        writer.predict("abc", temperatures=temperatures)
    with pytest.raises(UserError, match="omit one of --score and --temperatures"):
        writer.predict("abc", temperatures="1", score=True)


def test_a_text_is_scored_by_the_probability_of_each_token(hello):
    """Also a text longer than what is read at once."""
    texts = ["hello", "hhhhh", "hello" * 60]
    for words, answer in zip(texts, hello.predict(texts, score=True), strict=True):
        ids = [START, *hello.assets["tokenizer"].encode([words])[0]]
        logs = ops.convert_to_numpy(ops.log_softmax(hello.net(np.array([ids]))))[0]
        total = sum(logs[place, token] for place, token in enumerate(ids[1:]))
        assert answer["log_probability"] == pytest.approx(total, rel=1e-3, abs=1e-3)
        assert answer["num_tokens"] == len(words)
        assert answer["loss"] == pytest.approx(-total / len(words), rel=1e-3, abs=1e-3)
        assert (answer["log_probability"] > -0.3) == (words == "hello")


def test_unknown_characters_are_reported_and_do_no_harm(hello, capfd):
    (answer,) = hello.predict(["hexlo\0"], score=True)
    assert answer["num_unknown"] == 2
    assert "2 of 6 tokens" in capfd.readouterr().err


def test_evaluation_of_two_splits_together(hello):
    one, both = (training.evaluate(hello, split=split) for split in ("validation", "validation+test"))
    assert both["examples"] == pytest.approx(2 * one["examples"], abs=16)
    assert both["loss"] == pytest.approx(one["loss"], abs=0.05)
    assert both["bits_per_character"] == pytest.approx(both["loss"] / np.log(2), abs=1e-3)
    assert both["oov_rate"] == 0


def untrained(kind, texts):
    """A model that has learned nothing, but writes."""
    keras.utils.set_random_seed(1)
    assets = {"tokenizer": Tokenizer.train(texts, kind), "tokens": kind}
    net = builders.language_model(
        vocabulary_size=assets["tokenizer"].size, cell="gru", units=16, suppress_tokens=(0, 1, 2, 3)
    )
    return saved.SavedModel(None, find("charlm"), Train(tokenizer=kind), {}, assets, net)


@pytest.fixture(scope="module")
def writer():
    return untrained("char", ["abcdefghijklmnopqrstuvwxyz\n"])


def write(model, prompt="abc", **options):
    (answer,) = model.predict([prompt], **options)
    assert answer["text"].startswith(prompt)
    return answer["text"][len(prompt) :]


def test_a_text_has_the_length_asked_for(writer):
    whole = write(writer, temperature=1.0, max_new_tokens=40)
    assert len(whole) == 40
    assert write(writer, temperature=1.0, max_new_tokens=21) == whole[:21]


@pytest.mark.parametrize("place", [0, 14, 30])
def test_a_text_stops_after_what_it_is_to_stop_at(writer, place):
    """Also where that is written in two parts."""
    whole = write(writer, temperature=1.0, max_new_tokens=40)
    stop = whole[place : place + 4]
    options = {"temperature": 1.0, "max_new_tokens": 40, "stop": stop}
    assert write(writer, **options) == whole[: whole.index(stop) + 4]
    parts = writer.installed.task.predict(writer, Predict(inputs=["abc"], **options))
    assert "".join(parts) == "abc" + whole[: whole.index(stop) + 4]


def test_the_same_seed_writes_the_same_text_and_another_does_not(writer):
    texts = [write(writer, temperature=3.0, max_new_tokens=20, seed=seed) for seed in (1, 1, 2)]
    assert texts[0] == texts[1] != texts[2]


def test_text_comes_as_it_is_written(writer):
    parts = list(writer.installed.task.predict(writer, Predict(inputs=["abc"], max_new_tokens=60)))
    assert parts[0] == "abc"
    assert len(parts) > 4
    assert parts[-1] == ""


def test_words_are_written_with_blanks_between():
    new = write(untrained("word", ["one two three four five six"]), "one two", max_new_tokens=5)
    assert len(new.split()) == 5
    assert set(new.split()) <= {"one", "two", "three", "four", "five", "six"}
    assert new.startswith(" ")


def test_pieces_of_a_file_are_learned_and_written(tmp_path):
    file = tmp_path / "words.txt"
    file.write_text("one two three four five six\n" * 100, encoding="utf-8")
    recipe = Train(
        dataset=str(file), tokenizer="bpe", vocabulary_size=40, units=24, epochs=8, batch_size=4, sequence_length=24,
        learning_rate=0.04,
    )  # fmt: skip
    model = training.train(find("charlm"), recipe, tmp_path / "m", plot=False)
    assert write(model, "one two", temperature=0.0, max_new_tokens=8).startswith(" three four five six")
    scores = json.loads((tmp_path / "m" / "metrics.json").read_text())["scores"]["test"]
    assert scores.keys() == {"loss", "bits_per_token", "perplexity", "oov_rate"}
