"""What the tabs answer to good and to hostile inputs, without gradio and without a browser."""

import html
import itertools
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from zoo.tasks.classify import demo as drawing
from zoo.tasks.classify.raw import digits

from zoo import cards
from zoo.data import images
from zoo.demo import part
from zoo.demo.model_cache import BUG, NO_MEMORY, ModelCache
from zoo.demo.part import Demo, Picture, Sketch, Slider, Text
from zoo.lens import demo as lens
from zoo.saved import SavedModel
from zoo.task import find

SMALL = {
    "sentiment": "sentiment-gru-reviews",
    "translate": "translate-gru-multi30k-en-de",
    "caption": "caption-gru-scenes",
    "charlm": "charlm-gru-python_docs",
    "tag": "tag-gru-clips",
    "classify": "classify-perceptron-digits",
}


@pytest.fixture(scope="module")
def models() -> ModelCache:
    return ModelCache()


def demo_of(task: str) -> Demo:
    found = find(task).demo
    assert isinstance(found, Demo)
    return found


def last(answers: Iterator[str]) -> str:
    *_, answer = answers
    return answer


def ask(models: ModelCache, task: str, first: Any, *others: Any) -> str:
    return last(models.answers(demo_of(task), SMALL[task], [first, *others]))


def head(answer: str) -> str:
    found = re.search(r'class="zoo-head">(.*?)</p>', answer, re.DOTALL)
    assert found, answer
    return found[1]


def sentence(answer: str) -> str:
    found = re.search(r'role="alert">(.*?)</p>', answer, re.DOTALL)
    assert found, answer
    return found[1]


def test_sentiment_colors_the_words_that_count(models: ModelCache) -> None:
    text = "The actors do their best, but the story is dull and far too long."
    answer = ask(models, "sentiment", text)
    words = models.loaded[SMALL["sentiment"]].predict(text, explain=True)["words"]
    scale = max(abs(word["effect"]) for word in words)
    signs = [(word["text"], word["effect"] > 0) for word in words if abs(word["effect"]) > 0.1 * scale]
    assert {sign for _, sign in signs} == {True, False}
    colored = [(word, kind == "for") for kind, word in re.findall(r'class="zoo-(for|against)"[^>]*>([^<]*)<', answer)]
    assert set(signs) <= set(colored)
    shown = re.search(r'class="zoo-text">(.*?)</p>', answer, re.DOTALL)
    assert shown
    assert re.sub("<[^>]*>", "", shown[1]) == text


def test_unknown_words_are_named(models: ModelCache) -> None:
    assert "it cannot count: zyxgrok." in ask(models, "sentiment", "A zyxgrok film")


def test_translation_has_a_row_for_each_word(models: ModelCache) -> None:
    answer = ask(models, "translate", "A man is walking his dog in the park.")
    assert (
        head(answer)
        == models.loaded[SMALL["translate"]].predict("A man is walking his dog in the park.")["translation"]
    )
    rows = re.findall(r'class="zoo-row"><b>(.*?)</b><span>(.*?)</span></div>', answer)
    assert " ".join(word for word, _ in rows).replace(" .", ".") == head(answer)
    dark = {word: max(re.findall(r', ([\d.]+)\)" title="[^"]*">(\w+)', read))[1] for word, read in rows[:-1]}
    assert dark["Mann"] == "man"
    assert dark["Hund"] == "dog"


def test_a_caption_has_a_tile_for_each_word(models: ModelCache, tmp_path: Path) -> None:
    Image.new("RGB", (64, 40), "white").save(tmp_path / "white.png")
    answer = ask(models, "caption", str(tmp_path / "white.png"))
    tiles = re.findall(r'<img src="(data:[^"]*)" alt="[^"]*"><figcaption>(.*?)</figcaption>', answer)
    assert " ".join(word for _, word in tiles) == head(answer)
    assert images.read(tiles[0][0]).shape == (75, 120, 3)


def test_tiles_are_bright_where_the_model_looked() -> None:
    from zoo.tasks.caption.demo import LEAST_LIGHT, lit

    grid = np.zeros((4, 4), "float32")
    grid[0, 0] = 0.3
    shown = lit(np.full((40, 40, 3), 200, "uint8"), grid)
    assert shown[2, 2, 0] > 190
    assert shown[38, 38, 0] == round(200 * LEAST_LIGHT)


def test_writing_comes_in_parts_that_grow(models: ModelCache) -> None:
    demo, name = demo_of("charlm"), SMALL["charlm"]
    parts = list(models.answers(demo, name, ["The function", 0.5, 60]))
    texts = [re.sub("<[^>]*>", "", part.partition('<p class="zoo-note">')[0]) for part in parts if "<b>" in part]
    assert len(texts) >= 60 // 16
    assert all(after.startswith(before) for before, after in itertools.pairwise(texts))
    expected = models.loaded[name].predict("The function", temperature=0.5, max_new_tokens=60)["text"]
    assert html.unescape(texts[-1]) == expected


def test_characters_that_never_occurred_are_counted(models: ModelCache) -> None:
    assert "2 of 4 tokens of the beginning did not occur in training" in ask(
        models, "charlm", "ab\u4e2d\u6587", 0.5, 20
    )


def test_a_clip_gets_labels_along_time(models: ModelCache) -> None:
    clip = demo_of("tag").examples()[0]
    answer = ask(models, "tag", clip)
    spans = models.loaded[SMALL["tag"]].predict(clip)["spans"]
    assert head(answer) == ", ".join(span["label"] for span in spans)
    rows = re.findall(r"<td>([\d.]+)-([\d.]+) s</td>", answer)
    assert [float(end) for _, end in rows] == [round(span["seconds"][1], 2) for span in spans]
    widths = [float(width) for width in re.findall(r"width: ([\d.]+)%", answer)]
    assert sum(widths) == pytest.approx(100, abs=0.1)


def test_drawn_digits_are_recognized(models: ModelCache) -> None:
    """Digits of the test split, enlarged to drawings, take the way of a drawing and are nearly all recognized."""
    taken = list(digits().split("test", 60).as_numpy_iterator())
    right = 0
    for pixels, label in taken:
        answer = ask(models, "classify", images.data_uri([drawing.enlarged(pixels[..., 0])]))
        right += head(answer) == str(label)
    assert right >= 54


def test_a_drawing_becomes_what_the_training_data_are() -> None:
    ink = np.zeros((280, 280), "float32")
    ink[100:180, 40:60] = 1  # a bar of 80 x 20 fills the height: 32 x 8 of 32 x 32 pixels, in the middle
    read = drawing.counted(ink, 8, 8)
    expected = np.zeros((8, 8), "uint8")
    expected[:, 3:5] = 255
    np.testing.assert_array_equal(read, expected)


def test_gates_and_what_lies_between_the_tokens(models: ModelCache) -> None:
    text = "The film was\nnot good."
    answer = last(models.answers(lens.GATES, "sentiment-gru-reviews", [text, 0]))
    for name in ("update", "reset"):
        assert f"{name} gate, from 0." in answer
    shown = re.findall(r'class="zoo-text">(.*?)</p>', answer, re.DOTALL)
    assert [re.sub("<[^>]*>", "", part) for part in shown] == [text] * 2
    assert "Unit 3 of" in last(models.answers(lens.GATES, "sentiment-gru-reviews", [text, 3]))
    assert "units: choose one of them" in sentence(
        last(models.answers(lens.GATES, "sentiment-gru-reviews", [text, 500]))
    )


def test_what_counts_for_the_next_character(models: ModelCache) -> None:
    answer = last(models.answers(lens.CONNECTIVITY, SMALL["charlm"], ["for i in range(1"]))
    assert len(re.findall("zoo-number", answer)) == 5
    assert "<b>for i in range(1</b>" in answer


@pytest.mark.parametrize(
    ("task", "values", "words"),
    [
        ("sentiment", [""], "is empty"),
        ("sentiment", [" \n\t"], "is empty"),
        ("sentiment", ["x" * 5_001], "5,001 characters; up to 5,000"),
        ("sentiment", [None], "a text is needed; got NoneType"),
        ("sentiment", [["x"]], "a text is needed"),
        ("translate", ["x" * 1_001], "up to 1,000"),
        ("charlm", ["a", float("nan"), 100], "Temperature: give a number from 0 to 1.5; got nan"),
        ("charlm", ["a", -1, 100], "Temperature"),
        ("charlm", ["a", 0.5, 10**9], "Characters to write"),
        ("charlm", ["a", 0.5, "many"], "Characters to write"),
        ("charlm", ["a", True, 100], "Temperature"),
        ("caption", [None], "no picture yet"),
        ("caption", [""], "no picture yet"),
        ("caption", ["data:image/png;base64,AAAA"], "data:image/png;base64,AAAA"),
        ("tag", [None], "no picture yet"),
        ("classify", [None], "Nothing is drawn"),
        ("classify", [""], "Nothing is drawn"),
        ("classify", [{"composite": None}], "Nothing is drawn"),
        ("classify", ["data:image/png;base64,AAAA"], "data:image/png;base64,AAAA"),
        ("classify", ["data:image/png;base64," + "A" * 3_000_000], "up to 2,000,000"),
        ("classify", [images.data_uri([np.full((9, 9), 255, "uint8")])], "Nothing is drawn"),
    ],
)
def test_a_bad_input_gets_a_sentence(models: ModelCache, task: str, values: list, words: str) -> None:
    assert words in sentence(ask(models, task, *values))
    assert not models.loaded.keys() - set(SMALL.values()), "a model is loaded for nothing"


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("cut.png", None, "cut.png is cut short"),
        ("text.png", b"no picture at all", "text.png"),
        ("empty.gif", b"", "empty.gif is empty"),
        ("gone.png", "gone", "gone.png"),
    ],
)
@pytest.mark.parametrize("task", ["caption", "tag"])
def test_a_bad_file_is_named_without_its_folder(
    models: ModelCache, task: str, name: str, content: Any, words: str, tmp_path: Path
) -> None:
    path = tmp_path / name
    if content is None:
        Image.fromarray(np.random.default_rng(1).integers(0, 255, (64, 64, 3), "uint8")).save(path)
        path.write_bytes(path.read_bytes()[:2_000])
    elif content != "gone":
        path.write_bytes(content)
    told = sentence(ask(models, task, str(path)))
    assert words in told
    assert str(tmp_path) not in told


@pytest.mark.parametrize(
    "text", ["<script>alert(1)</script>", "<img src=x onerror=alert(1)>", '"><b>\x1b[31m\x00\u2028']
)
@pytest.mark.parametrize(("task", "others"), [("sentiment", []), ("translate", []), ("charlm", [0.5, 20])])
def test_texts_are_never_markup(models: ModelCache, task: str, others: list, text: str) -> None:
    for answer in models.answers(demo_of(task), SMALL[task], [text, *others]):
        assert not re.search("<script|<img|\x1b|\x00|\u2028", answer)


@pytest.mark.parametrize("text", ["a\ud800b", "\U0001f600" * 50, "\u202eabc", "e\u0301" * 100, "x " * 2_000])
def test_odd_texts_are_answered(models: ModelCache, text: str) -> None:
    assert head(ask(models, "sentiment", text)) in ("positive", "negative")


def broken(error: Exception) -> Demo:
    def answer(saved: SavedModel, text: str) -> str:
        raise error

    return Demo("Broken", "None", [Text("Text", 10)], answer, list)


@pytest.mark.parametrize(
    ("error", "told"), [(KeyError("bug"), BUG), (MemoryError(), NO_MEMORY), (RecursionError(), BUG)]
)
def test_a_bug_shows_its_traceback_in_the_terminal_alone(
    models: ModelCache, error: Exception, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert sentence(last(models.answers(broken(error), SMALL["sentiment"], ["x"]))) == told
    assert f"{type(error).__name__}" in capsys.readouterr().err


def test_an_unknown_model_gets_a_sentence(models: ModelCache) -> None:
    demo = demo_of("sentiment")
    assert "no model &#x27;../etc&#x27; on this page" in sentence(last(models.answers(demo, "../etc", ["x"])))
    assert "no model" in sentence(last(models.load(demo, "nothing")))


def test_each_tab_offers_the_models_that_it_can_use(models: ModelCache) -> None:
    offered = {task: models.choices(demo_of(task), task) for task in SMALL}
    assert offered["classify"] == ["classify-perceptron-digits"], "not the one that reads series"
    assert offered["tag"] == ["tag-gru-clips"]
    assert offered["sentiment"][0] == "sentiment-gru-imdb"
    assert set(models.choices(lens.CONNECTIVITY, None)) == set(offered["charlm"])
    assert set(models.choices(lens.GATES, None)) == {*offered["charlm"], *offered["sentiment"], "tag-lstm-ud_en_ewt"}


@pytest.mark.parametrize("content", ["[[[[", "null", "[]", "{}", "[1e400]", "[8, 8, 1, 1]"])
def test_a_damaged_model_is_not_offered_and_the_others_are(tmp_path: Path, content: str) -> None:
    for name, asset in (("classify-perceptron-digits", "shape"), ("tag-gru-clips", "input")):
        folder = tmp_path / f"damaged-{name}"
        shutil.copytree(cards.published() / name, folder)
        (folder / "assets" / f"{asset}.json").write_text(content)
    models = ModelCache(tmp_path)
    assert "damaged-tag-gru-clips" in models.summaries
    assert models.choices(demo_of("classify"), "classify") == ["classify-perceptron-digits"]
    assert models.choices(demo_of("tag"), "tag") == ["tag-gru-clips"]


def test_a_model_that_is_damaged_later_gets_a_sentence(tmp_path: Path) -> None:
    folder = tmp_path / "damaged"
    shutil.copytree(cards.published() / SMALL["sentiment"], folder)
    models = ModelCache(tmp_path)
    (folder / "model.keras").write_bytes(b"")
    assert "is damaged: model.keras" in sentence(last(models.answers(demo_of("sentiment"), "damaged", ["fine"])))
    shutil.rmtree(folder)
    assert sentence(last(models.load(demo_of("sentiment"), "damaged")))


def test_only_named_models_are_offered() -> None:
    some = ModelCache(names=["tag-gru-clips"])
    assert some.choices(demo_of("tag"), "tag") == ["tag-gru-clips"]
    assert some.choices(demo_of("sentiment"), "sentiment") == []


def test_a_model_is_loaded_with_a_message_once(models: ModelCache) -> None:
    demo = demo_of("sentiment")
    fresh = ModelCache(names=[SMALL["sentiment"]])
    first = list(fresh.answers(demo, SMALL["sentiment"], ["fine"]))
    assert "Loading sentiment-gru-reviews" in first[0]
    assert head(first[-1])
    assert len(list(fresh.answers(demo, SMALL["sentiment"], ["fine"]))) == 1
    assert "trained on reviews (synthetic), accuracy 0.9905 on its test split" in last(
        fresh.load(demo, SMALL["sentiment"])
    )


@pytest.mark.parametrize("task", SMALL)
def test_examples_are_inputs_and_the_shape_is_one_line(task: str) -> None:
    demo = demo_of(task)
    assert len(demo.examples()) >= 3
    for example in demo.examples():
        assert demo.inputs[0].check(example) is not None
    assert "\n" not in demo.shape
    assert re.match("(One|Many) to (one|many)", demo.shape)
    for field in demo.inputs:
        assert isinstance(field, (Text, Slider, Picture, Sketch))
        if isinstance(field, Slider):
            assert field.check(field.value) == field.value


def test_the_readmes_tab_of_ones_own_answers(models: ModelCache) -> None:
    readme = Path(part.__file__).with_name("README.md").read_text(encoding="utf-8")
    found = re.search("```python\n(.*?)```", readme, re.DOTALL)
    assert found
    names: dict[str, Any] = {}
    exec(found[1], names)  # what users copy
    own = names["DEMO"]
    answer = last(models.answers(own, SMALL["sentiment"], [own.examples()[0]]))
    assert head(answer) in ("positive", "negative")
