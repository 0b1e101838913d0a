"""A training on a folder of images, and `zoo caption` and `zoo evaluate` after it, from start to end. No network."""

import csv
import hashlib
import json
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result
from PIL import Image
from zoo.tasks.caption import task
from zoo.tasks.caption.recipe import RECIPE, Train
from zoo.tasks.caption.scenes import compose

from zoo import training
from zoo.cli import cli
from zoo.data import images, text
from zoo.errors import UserError
from zoo.task import find

COLORS = {"red": (250, 10, 10), "green": (10, 250, 10), "blue": (10, 10, 250), "white": (255, 255, 255)}


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `photos`: forty pictures, each of one color that its two captions name."""
    path = tmp_path_factory.mktemp("own")
    (path / "photos").mkdir()
    lines = ["image,caption"]
    for number in range(40):
        color = list(COLORS)[number % 4]
        name = f"{number}.png"
        Image.new("RGB", (20, 18 + number), COLORS[color]).save(path / "photos" / name)
        lines += [f"{name},It is {color}.", f"{name},All of it is {color}"]
    (path / "photos" / "captions.csv").write_text("\n".join(lines), encoding="utf-8")
    return path


def run(*words: Any, **options: Any) -> Result:
    return CliRunner().invoke(cli, [str(word) for word in words], catch_exceptions=False, **options)


@pytest.fixture(scope="module")
def model(own: Path) -> Path:
    """Trained once, both stages. Every validation is better than the one before, as it would not be so soon."""
    rising = iter(range(99))
    settings = {**RECIPE.presets["tiny"], "dataset": str(own / "photos"), "context_gate": True, "max_length": 8}
    recipe = Train(**settings, reward_epochs=2, num_samples=2)  # type: ignore[arg-type]
    with pytest.MonkeyPatch.context() as patch:
        names = ("bleu_1", "bleu_4", "cider")
        patch.setattr(task, "validate", lambda *_: dict.fromkeys(names, float(next(rising))))
        saved = training.train(find("caption"), recipe, own / "models/toy", plot=False)
    scores = saved.metrics["scores"]["test"]
    assert scores.keys() >= {"bleu_1", "bleu_4", "cider", "rouge_l", "distinct1"}
    assert "fact_accuracy" not in scores, "of a user's images nothing is known"
    return own / "models/toy"


def contents(folder: Path) -> dict[str, str]:
    files = sorted(file for file in folder.rglob("*") if file.is_file())
    return {str(file): hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


def test_the_model_is_complete_and_describes_its_data(model: Path) -> None:
    metrics = json.loads((model / "metrics.json").read_text())
    assert metrics["monitor"] == "bleu_4"
    assert metrics["data"]["name"] == "photos"
    assert metrics["data"]["sizes"] == {"train": 32, "validation": 4, "test": 4}
    assert metrics["data"]["scoring"].keys() >= {"cider", "rouge_l"}
    assert len(json.loads((model / "golden.json").read_text())["outputs"]) == 2
    assert json.loads((model / "assets/search.json").read_text()) == {
        "beam_size": 1, "length_penalty": 0.6, "consensus": 0.0, "max_new_tokens": 8,
    }  # fmt: skip


def test_the_history_has_both_stages(model: Path) -> None:
    with (model / "history.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert [row["epoch"] for row in rows] == ["1", "2", "3"]
    assert [bool(row["loss"]) for row in rows] == [True, False, False]
    assert [bool(row["reward_loss"]) for row in rows] == [False, True, True]
    assert [bool(row["validation_reward"]) for row in rows] == [False, True, True]
    facts = json.loads((model / "metrics.json").read_text())["training"]
    assert (facts["epochs"], facts["best_epoch"], facts["chosen_by"]) == (3, 3, "reward")


def test_captions_come_in_order_and_files_that_are_no_images_get_an_error(model: Path, own: Path) -> None:
    (own / "text.png").write_text("no picture")
    names = [own / "photos/0.png", "nowhere.png", own / "text.png", own / "photos", own / "photos/1.png"]
    done = run("caption", "--model", model, *names)
    assert done.exit_code == 1
    lines = done.stdout.splitlines()
    assert [line.startswith("Error: ") for line in lines] == [False, True, True, True, False]
    assert lines[1] == "Error: There is no file nowhere.png."
    packed = run("caption", "--model", model, "--json", *names)
    assert packed.exit_code == 1
    answers = [json.loads(line) for line in packed.stdout.splitlines()]
    assert [answer["image"] for answer in answers] == [str(name) for name in names]
    good = {"input", "answer", "score", "alternatives", "image", "caption"}
    wanted = [good, *[{"input", "image", "error"}] * 3, good]
    assert [set(answer) for answer in answers] == wanted
    assert [answers[0]["caption"], answers[4]["caption"]] == [lines[i].partition("\t")[2] for i in (0, 4)]


def test_nbest_attention_and_names_on_standard_input(model: Path, own: Path) -> None:
    names = [str(own / "photos/2.png"), str(own / "photos/3.png")]
    done = run(
        "caption", "--model", model, "--num-return", 2, "--attention-plot", "look.png", input="\n".join([*names, ""])
    )
    assert done.exit_code == 0, done.output
    assert [line.count("\t") for line in done.stdout.splitlines()] == [2, 2]
    assert images.read("look.png").ndim == images.read("look-2.png").ndim == 3
    assert [file.name for file in sorted(Path().iterdir())] == ["look-2.png", "look.png"]


def test_evaluate_scores_and_changes_nothing(model: Path, own: Path) -> None:
    before = contents(model)
    done = run("evaluate", model, "--json")
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    scores = json.loads((model / "metrics.json").read_text())["scores"]["test"]
    assert {name: found[name] for name in scores} == pytest.approx(scores, abs=1e-3)
    assert found["examples"] == 4
    assert "fact_accuracy" not in found
    assert contents(model) == before


def test_a_damaged_image_is_reported_in_a_sentence(model: Path, own: Path, tmp_path: Path) -> None:
    shutil.copytree(own / "photos", tmp_path / "photos")
    for file in (tmp_path / "photos").glob("*.png"):
        file.write_bytes(b"no picture")
    with pytest.raises(UserError, match="is not a picture in a format known here"):
        run("evaluate", model, "--dataset", tmp_path / "photos")


def test_facts_are_checked_only_where_all_are_known() -> None:
    ((scene, (said, *_)),) = compose.examples("test", 1)
    known = {"captions": [said], "facts": scene.facts()}
    unknown = {"captions": ["a red circle"], "facts": ""}
    assert task._scores([said], [known])["fact_accuracy"] == 1
    assert task._scores([said, "no such thing"], [known] * 2)["fact_accuracy"] == 0.5
    assert "fact_accuracy" not in task._scores([said], [unknown])
    assert "fact_accuracy" not in task._scores([said, said], [known, unknown])


def test_rows_that_fill_a_batch_up_are_not_scored() -> None:
    tokenizer = text.Tokenizer.train(["it is red", "it is blue"])
    said = np.array(tokenizer.encode(["it is red", "it is blue", "red red red"]))[:, None]
    asked = []
    model = SimpleNamespace(search=lambda _, **options: asked.append(options) or {"tokens": said})
    references = [json.dumps({"captions": [caption], "facts": ""}) for caption in ("It is red.", "It is blue!")]
    batch = (np.zeros((3, 4, 4, 3)), np.array([*references, ""], dtype=object), np.array([1.0, 1.0, 0.0]))
    assets = {"tokenizer": tokenizer, "search": {"beam_size": 3, "length_penalty": 0.6, "max_new_tokens": 9}}
    scores = task.score(model, [batch], assets)
    assert (scores["bleu_1"], scores["rouge_l"], scores["unique_words"], scores["mean_length"]) == (100, 100, 4, 3)
    assert task.validate(model, [batch], assets).keys() == {"bleu_1", "bleu_4", "cider"}
    assert [options["beam_size"] for options in asked] == [3, 1]
    assert all((options["length_penalty"], options["max_new_tokens"]) == (0.6, 9) for options in asked)


def test_the_examples_are_images_that_every_machine_has() -> None:
    first, second = (images.read(uri) for uri in task.TASK.examples())
    assert first.shape == second.shape
    assert first.shape[2] == 3
    assert not np.array_equal(first, second)
