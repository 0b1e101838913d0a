"""What `zoo sentiment` answers: strange texts, explanations, batches that change nothing."""

import json

import keras
import numpy as np
import pytest
from zoo.tasks.sentiment.predict import predict
from zoo.tasks.sentiment.recipe import Predict, Train

from zoo import builders
from zoo.data import text
from zoo.saved import SavedModel
from zoo.task import find

WORDS = ["a fine film", "bad dull not but and the story is lovely", "waste of two hours . , !"]
STRANGE = {
    "empty": "",
    "blank": " \t ",
    "long": "not bad " * 50_000,
    "emoji": "👍👎🎬",
    "russian": "фильм так себе",
    "chinese": "这部电影很好看",
    "null byte": "a fine\x00film",
    "one letter": "x",
    "markup": "</s><pad><unk>",
}


@pytest.fixture(scope="module")
def model():
    """An untrained model: its answers mean nothing, but must be answers."""
    keras.utils.set_random_seed(3)
    tokenizer = text.Tokenizer.train(WORDS, lowercase=True)
    net = builders.classifier(tokenizer.size, 2, "gru", 6, embedding_dim=5)
    assets = {"tokenizer": tokenizer, "labels": ["negative", "positive"]}
    return SavedModel(None, find("sentiment"), Train(max_length=64), {}, assets, net)


def ask(model, *texts, **options):
    return list(predict(model, Predict(inputs=texts, **options)))


@pytest.mark.parametrize("words", STRANGE.values(), ids=STRANGE)
@pytest.mark.parametrize("explain", [False, True], ids=["plain", "explained"])
def test_any_text_gets_one_line(model, words, explain):
    (line,) = ask(model, words, explain=explain)
    label, probability, *_ = line.split("\t")
    assert label in ("negative", "positive")
    assert 0.5 <= float(probability) <= 1
    (answer,) = map(json.loads, ask(model, words, explain=explain, json=True))
    assert sum(answer["probabilities"].values()) == pytest.approx(1, abs=1e-4)


def test_answers_do_not_depend_on_neighbours(model):
    texts = [*STRANGE.values(), "a fine film", "a waste of two hours , not bad !"] * 8  # more than one batch
    together = [json.loads(line)["probabilities"]["positive"] for line in ask(model, *texts, json=True)]
    alone = [json.loads(ask(model, words, json=True)[0])["probabilities"]["positive"] for words in texts[:11]]
    np.testing.assert_allclose(together[:11], alone, atol=2e-6)
    np.testing.assert_allclose(together[-11:], alone, atol=2e-6)


def test_lines_come_before_the_input_ends(model):
    """A stream that never ends is answered all the same."""

    def forever():
        while True:
            yield "a fine film"

    answers = predict(model, Predict(inputs=forever()))
    assert next(answers).startswith(("negative", "positive"))


def test_explanation_is_the_fall_of_the_probability_when_a_word_is_hidden(model):
    words = "not a fine film"
    (answer,) = map(json.loads, ask(model, words, explain=True, json=True))
    whole = answer["probabilities"][answer["label"]]
    for mark in answer["words"]:
        assert words[mark["start"] : mark["end"]] == mark["text"]
        hidden = words[: mark["start"]] + "zzz" + words[mark["end"] :]  # a word the tokenizer does not know
        (other,) = map(json.loads, ask(model, hidden, json=True))
        assert mark["effect"] == pytest.approx(whole - other["probabilities"][answer["label"]], abs=1e-5)
    sizes = [abs(mark["effect"]) for mark in answer["words"]]
    assert sizes == sorted(sizes, reverse=True)


def test_plain_explanation_marks_words_in_the_text(model):
    (line,) = ask(model, "a fine film", explain=True)
    marked = line.split("\t")[2]
    assert marked.replace("[+", "").replace("+]", "").replace("[-", "").replace("-]", "") == "a fine film"
    assert marked.count("[") == 3


def test_the_n_gram_classifier_learns_from_word_pairs():
    from zoo.tasks.sentiment.pseudo_labels import NGramClassifier, grams

    assert len(grams([5, 6, 5], 10)) == 2 + 2 + 1
    assert grams([], 10).size == 0
    assert not set(grams([5, 6], 10)) & set(grams([6, 5], 10)) - set(grams([5], 10)) - set(grams([6], 10))
    rng = np.random.default_rng(0)
    texts = [list(rng.integers(10, 40, 6)) for _ in range(300)]
    labels = np.arange(300) % 2
    for words, label in zip(texts, labels, strict=True):
        words[2:2] = [5, 6] if label else [6, 5]  # the order of two words is the label
    classifier = NGramClassifier(texts[:200], labels[:200], 50, seed=1)
    probabilities = classifier.probabilities(texts[200:])
    assert (probabilities.argmax(1) == labels[200:]).mean() > 0.95
    np.testing.assert_allclose(probabilities.sum(1), 1)
