"""`zoo caption`: order, files that are no images, n-best, attention, batches that change nothing."""

import base64
import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from PIL import Image
from zoo.tasks.caption import attention_sheet, predict
from zoo.tasks.caption.recipe import Predict, Train

from zoo import builders
from zoo.data import images, text
from zoo.errors import UserError
from zoo.saved import SavedModel
from zoo.task import ErrorLine

SIDE = 16
WORDS = "a red blue green dog cat thing runs sits over under the grass two three"


def saved_model(**settings: Any) -> SavedModel:
    """An untrained captioner: what its captions say does not matter here."""
    keras.utils.set_random_seed(1)
    tokenizer = text.Tokenizer.train([WORDS], "word", 40)
    model = builders.captioner(
        vocabulary_size=tokenizer.size, cell="gru", units=8, embedding_dim=8, image_size=SIDE,
        position_embeddings=True, **settings,
    )  # fmt: skip
    rng = np.random.default_rng(3)
    for weight in model.trainable_weights:  # weights large enough that captions differ by picture
        weight.assign(weight + rng.normal(0, 0.5 if len(weight.shape) < 4 else 0.05, weight.shape))
    model.output_bias.assign(np.where(np.arange(tokenizer.size) < 3, -30, model.output_bias))
    assets = {"tokenizer": tokenizer, "search": {"beam_size": 2, "length_penalty": 0.6, "max_new_tokens": 7}}
    attention = "none" if settings.get("attention", "") is None else "additive"
    return SavedModel(Path("toy"), None, Train(image_size=SIDE, attention=attention), {}, assets, model)


@pytest.fixture(scope="module")
def saved() -> SavedModel:
    return saved_model()


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Image files of different sizes and content."""
    folder, rng, names = tmp_path_factory.mktemp("pictures"), np.random.default_rng(0), []
    for number in range(7):
        color = rng.integers(0, 256, 3)
        pixels = (color * rng.random((20 + 3 * number, 40 - number, 1)) ** 0.3).astype("uint8")
        names.append(str(folder / f"picture {number}.png"))
        Image.fromarray(pixels).save(names[-1])
    return names


def answer(saved: SavedModel, names: Any, **options: Any) -> list[str]:
    return list(predict.predict(saved, Predict(inputs=names, **options)))


def test_a_batch_gives_what_each_picture_gives_alone(saved: SavedModel, pictures: list[str]) -> None:
    together = answer(saved, pictures, json=True)
    alone = [line for name in pictures for line in answer(saved, [name], json=True)]
    scores = []
    for one, other, name in zip(together, alone, pictures, strict=True):
        one, other = json.loads(one), json.loads(other)
        assert set(one) == {"input", "answer", "score", "alternatives", "image", "caption"}
        assert (one["input"], one["answer"], one["alternatives"]) == (one["image"], one["caption"], [])
        assert one["image"] == other["image"] == name
        assert one["caption"] == other["caption"]
        assert one["score"] == pytest.approx(other["score"], abs=1e-4)
        scores.append(one["score"])
    assert len(set(scores)) == len(scores), "the pictures must matter here"
    named = [f"{name}\t{json.loads(line)['caption']}" for name, line in zip(pictures, together, strict=True)]
    assert answer(saved, pictures) == named, "several files are named"


def test_more_pictures_than_are_seen_at_once_keep_their_order(
    saved: SavedModel, pictures: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = answer(saved, pictures, json=True)
    monkeypatch.setattr(predict, "BATCH", 3)
    for one, other in zip(answer(saved, pictures, json=True), whole, strict=True):
        assert json.loads(one)["image"] == json.loads(other)["image"]
        assert json.loads(one)["caption"] == json.loads(other)["caption"]


def test_a_picture_is_scaled_and_described_as_the_model_would(saved: SavedModel, pictures: list[str]) -> None:
    """Second source: the search itself on the scaled picture."""
    scaled = images.resized(images.read(pictures[2]), SIDE, SIDE)
    found = builders.search(saved.net, scaled[None], beam_size=2, length_penalty=0.6, max_new_tokens=7)
    assert answer(saved, [pictures[2]]) == saved.assets["tokenizer"].decode(found["tokens"][0])


def test_what_cannot_be_read_gets_a_line_and_the_others_their_answers(
    saved: SavedModel, pictures: list[str], tmp_path: Path
) -> None:
    text_file = tmp_path / "words" / "text.jpg"
    text_file.parent.mkdir()
    text_file.write_text("no picture")
    names = [pictures[0], "nowhere.jpg", str(text_file), f" {pictures[1]}\t", str(tmp_path), ""]
    lines = answer(saved, names)
    good = answer(saved, pictures[:2])
    assert [lines[0], lines[3]] == good
    assert [isinstance(line, ErrorLine) for line in lines] == [False, True, True, False, True, True]
    assert lines[1] == "Error: There is no file nowhere.jpg."
    assert lines[2].startswith(f"Error: {text_file} is not a picture")
    assert lines[4] == f"Error: {tmp_path} is a folder; name a picture in it."
    packed = answer(saved, names, json=True)
    assert [set(json.loads(line)) for line in packed[1:3]] == [{"input", "image", "error"}] * 2
    assert json.loads(packed[1]) == {
        "input": "nowhere.jpg",
        "image": "nowhere.jpg",
        "error": "There is no file nowhere.jpg.",
    }
    assert isinstance(packed[1], ErrorLine)
    assert not isinstance(packed[0], ErrorLine)
    assert all(isinstance(line, ErrorLine) for line in answer(saved, ["nowhere.jpg", ""]))
    assert answer(saved, []) == []


def test_names_from_a_stream_are_answered_as_they_come(saved: SavedModel, pictures: list[str]) -> None:
    def names() -> Iterator[str]:
        yield from (pictures[0], "nowhere.jpg", pictures[1])
        raise KeyboardInterrupt

    given = predict.predict(saved, Predict(inputs=names()))
    first, failed, second = (next(given) for _ in range(3))
    assert [first, second] == answer(saved, pictures[:2])
    assert isinstance(failed, ErrorLine)
    with pytest.raises(KeyboardInterrupt):
        next(given)


def test_nbest_comes_with_falling_scores_and_the_best_first(saved: SavedModel, pictures: list[str]) -> None:
    lines = answer(saved, pictures[:2], num_return=3)
    packed = [json.loads(line) for line in answer(saved, pictures[:2], num_return=3, json=True)]
    for line, best in zip(lines, packed, strict=True):
        assert line.split("\t")[1:] == [item["caption"] for item in best["nbest"]]
        assert [item["answer"] for item in best["alternatives"]] == [item["caption"] for item in best["nbest"][1:]]
        scores = [item["score"] for item in best["nbest"]]
        assert len(scores) == 3
        assert scores == sorted(scores, reverse=True)
        assert (best["caption"], best["score"]) == tuple(best["nbest"][0].values())


def test_beam_and_penalty_are_the_model_s_unless_they_are_given(
    saved: SavedModel, pictures: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    used = []
    search = builders.search

    def noted(*arguments: Any, **options: Any) -> Any:
        used.append((options["beam_size"], options["length_penalty"], options["max_new_tokens"]))
        return search(saved.net, *arguments, **options)

    monkeypatch.setattr(saved.net, "search", noted)
    answer(saved, pictures[:1])
    answer(saved, pictures[:1], beam_size=1, length_penalty=0.0)
    assert used == [(2, 0.6, 7), (1, 0.0, 7)]


def test_attention_sheets_are_numbered_like_the_pictures(
    saved: SavedModel, pictures: list[str], tmp_path: Path
) -> None:
    names = [pictures[0], "nowhere.jpg", pictures[1]]
    lines = answer(saved, names, attention_plot=str(tmp_path / "look.png"))
    assert [lines[0], lines[2]] == answer(saved, pictures[:2])
    assert {file.name for file in tmp_path.iterdir()} == {"look.png", "look-3.png"}
    assert images.read(tmp_path / "look.png").std() > 10
    with pytest.raises(UserError, match=r"cannot be written .* Name a PNG file in a folder that exists"):
        answer(saved, pictures[:1], attention_plot=str(tmp_path / "nowhere" / "look.png"))


def test_a_sheet_shows_a_tile_for_the_picture_and_one_for_each_word(
    saved: SavedModel, pictures: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    drawn = []
    monkeypatch.setattr(predict, "draw", lambda *given: drawn.append(given))
    (line,) = answer(saved, pictures[:1], attention_plot=str(tmp_path / "look.png"))
    ((path, picture, words, attention),) = drawn
    assert path == tmp_path / "look.png"
    np.testing.assert_array_equal(picture, images.read(pictures[0]))
    assert [word for word in words if word != "</s>"] == line.split()
    assert attention.shape == (len(words), 4)
    np.testing.assert_allclose(attention.sum(1), 1, atol=1e-4)


def test_attention_as_numbers_is_that_of_the_plot(
    saved: SavedModel, pictures: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn = []
    monkeypatch.setattr(predict, "draw", lambda *given: drawn.append(given))
    (line,) = answer(saved, pictures[:1], json=True, attention=True, attention_plot="look.png")
    found = json.loads(line)
    assert set(found) >= {"image", "caption", "score", "tokens", "attention"}
    assert found["tokens"] == drawn[0][2]
    np.testing.assert_allclose(found["attention"], drawn[0][3], atol=1e-4)
    with pytest.raises(UserError, match="--attention adds numbers to the JSON output: give --json too"):
        answer(saved, pictures[:1], attention=True)


def test_weights_lie_on_the_picture_row_by_row() -> None:
    assert attention_sheet.grids(np.arange(18).reshape(2, 9))[1].tolist() == [[9, 10, 11], [12, 13, 14], [15, 16, 17]]


@pytest.mark.parametrize("words", [1, 5, 6, 20])
def test_sheets_of_any_number_of_words(words: int, tmp_path: Path) -> None:
    picture = np.full((30, 50, 3), 200, "uint8")
    attention_sheet.draw(tmp_path / "look.png", picture, ["dog"] * words, np.full((words, 4), 0.25))
    height, width, _ = images.read(tmp_path / "look.png").shape
    assert width == pytest.approx(180 * min(6, words + 1), abs=2)
    rows = -(-(words + 1) // 6)
    assert 190 * rows < height < 200 * rows + 80  # the caption is above them


def test_a_model_without_attention_answers_and_draws_the_picture_alone(pictures: list[str], tmp_path: Path) -> None:
    blind = saved_model(attention=None)
    assert answer(blind, pictures[:1], attention_plot=str(tmp_path / "look.png")) == answer(blind, pictures[:1])
    assert images.read(tmp_path / "look.png").shape[1] == pytest.approx(180, abs=2)
    with pytest.raises(UserError, match="toy was trained with --attention none"):
        answer(blind, pictures[:1], json=True, attention=True)


def test_a_picture_in_a_data_uri_is_a_picture(saved: SavedModel, pictures: list[str]) -> None:
    uri = "data:image/png;base64," + base64.b64encode(Path(pictures[3]).read_bytes()).decode()
    assert answer(saved, [uri]) == answer(saved, [pictures[3]])
    (line,) = answer(saved, ["data:image/png;base64,////"])
    assert isinstance(line, ErrorLine)


def test_a_recipe_can_be_stored_and_read_again() -> None:
    recipe = Train(attention="dot", context_gate=True)
    assert Train(**json.loads(json.dumps(dataclasses.asdict(recipe)))) == recipe
