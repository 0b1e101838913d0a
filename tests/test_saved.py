"""One folder of `saved_models`: written whole or not at all, verified, loaded, never executed."""

import copy
import dataclasses
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from zoo.tasks.sentiment.recipe import Train

from zoo import builders, cards, saved
from zoo.data.text import Tokenizer, pad
from zoo.errors import UserError
from zoo.storage import model_card, stored

SENTENCES = [
    "a fine film", "a dull film", "two hours of joy", "two hours of boredom", "what a waste", "what a cast",
    "I laughed all evening", "I slept all evening", "the ending ruins it", "the ending makes it",
]  # fmt: skip
LABELS = ["negative", "positive"]
EXAMPLES = ["a fine film", "zzz what?", ""]


@dataclasses.dataclass
class Case:
    """A tiny untrained model and all that `write` wants."""

    model: keras.Model
    assets: dict[str, Any]
    recipe: dict[str, Any]
    metrics: dict[str, Any]

    def write(self, path: Path, **options: Any) -> saved.SavedModel:
        return saved.write(path, self.model, self.assets, self.recipe, self.metrics, **options)

    def probabilities(self, model: keras.Model) -> np.ndarray:
        return np.asarray(model.predict_on_batch(pad(self.assets["tokenizer"].encode(SENTENCES))))


@pytest.fixture(scope="module")
def case(metrics: dict[str, Any]) -> Case:
    keras.utils.set_random_seed(1)
    tokenizer = Tokenizer.train(SENTENCES)
    model = builders.classifier(tokenizer.size, 2, "gru", 3, embedding_dim=300, bidirectional=False)
    model.compile("adam", "sparse_categorical_crossentropy")
    recipe = {"task": "sentiment", "train": dataclasses.asdict(Train(cell="gru")), "command": "zoo train sentiment"}
    return Case(model, {"tokenizer": tokenizer, "labels": LABELS}, recipe, copy.deepcopy(metrics))


@pytest.fixture(scope="module")
def written(case: Case, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return case.write(tmp_path_factory.mktemp("models") / "tiny", examples=EXAMPLES).path


@pytest.fixture
def folder(written: Path, tmp_path: Path) -> Path:
    """A copy that a test may damage."""
    return Path(shutil.copytree(written, tmp_path / "models" / "tiny"))


def test_a_loaded_model_answers_as_the_one_in_memory(case: Case, written: Path) -> None:
    again = saved.load(written)
    np.testing.assert_array_equal(case.probabilities(again.net), case.probabilities(case.model))
    assert again.recipe == Train(cell="gru")
    assert again.assets["labels"] == LABELS
    assert again.assets["tokenizer"].encode(SENTENCES) == case.assets["tokenizer"].encode(SENTENCES)
    assert again.metrics == case.metrics
    assert not again.net.compiled


def test_predict_gives_the_label_of_the_larger_probability(case: Case, written: Path) -> None:
    answers = saved.load(written).predict(SENTENCES)
    wanted = case.probabilities(case.model)
    assert [answer["label"] for answer in answers] == [LABELS[i] for i in wanted.argmax(axis=1)]
    assert [answer["probability"] for answer in answers] == pytest.approx(wanted.max(axis=1).tolist(), abs=2e-6)


def test_a_bare_string_is_one_input_and_gets_one_answer(written: Path) -> None:
    model = saved.load(written)
    assert model.predict("a fine film") == model.predict(["a fine film"])[0]


def test_notes_on_golden_inputs_are_not_printed(
    case: Case, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(saved.SavedModel, "predict", lambda self, inputs: print("truncated", file=sys.stderr))
    case.write(tmp_path / "m", examples=EXAMPLES)
    assert capsys.readouterr().err == ""


def test_golden_answers_are_reproduced(written: Path) -> None:
    golden = json.loads((written / "golden.json").read_text(encoding="utf-8"))
    assert golden["inputs"] == EXAMPLES
    assert len(golden["outputs"]) == len(EXAMPLES)
    assert saved.load(written).predict(golden["inputs"]) == golden["outputs"]


def test_the_folder_holds_what_the_design_says_and_nothing_is_left_beside_it(written: Path) -> None:
    files = {file.relative_to(written).as_posix() for file in written.rglob("*") if file.is_file()}
    assert files == {
        "README.md", "recipe.json", "metrics.json", "files.json", "model.keras", "golden.json",
        "assets/tokenizer.json", "assets/labels.json",
    }  # fmt: skip
    assert [item.name for item in written.parent.iterdir()] == ["tiny"]
    card = (written / "README.md").read_text(encoding="utf-8")
    assert card.startswith("# tiny\n")
    assert card == model_card.render(cards.summarize(written))


def test_half_precision_halves_the_file_and_hardly_moves_the_answers(case: Case, written: Path, tmp_path: Path) -> None:
    half = case.write(tmp_path / "half", weights_dtype="float16")
    sizes = [(path / "model.keras").stat().st_size for path in (half.path, written)]
    config = 12_000  # what both files have besides weights
    assert sizes[0] < sizes[1] - 0.45 * (sizes[1] - config)
    assert {weight.dtype for weight in half.net.weights} == {"float32"}
    moved = np.abs(case.probabilities(half.net) - case.probabilities(case.model)).max()
    assert 0 < moved < 1e-2
    assert {file.name for file in half.path.iterdir()} == {file.name for file in written.iterdir()}


def test_a_weight_too_large_for_half_precision_is_refused_and_leaves_nothing(case: Case, tmp_path: Path) -> None:
    large = keras.models.clone_model(case.model)
    large.set_weights([np.full(weight.shape, 1e6) for weight in case.model.get_weights()])
    with pytest.raises(UserError, match="--weights-dtype float32"):
        dataclasses.replace(case, model=large).write(tmp_path / "large", weights_dtype="float16")
    assert list(tmp_path.iterdir()) == []


def test_an_existing_folder_is_replaced_only_when_asked(case: Case, folder: Path) -> None:
    with pytest.raises(UserError, match=r"tiny exists\. Choose another --name, or replace it with --overwrite"):
        case.write(folder)
    other = dataclasses.replace(case, metrics={**case.metrics, "monitor": "log_loss"})
    assert other.write(folder, overwrite=True).metrics["monitor"] == "log_loss"
    assert [item.name for item in folder.parent.iterdir()] == ["tiny"]


@pytest.mark.parametrize(
    "step", ["zoo.storage.stored.sync", "zoo.saved._write_model", "zoo.storage.stored.write_manifest"]
)
def test_a_full_disk_leaves_the_old_model_whole(
    case: Case, folder: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(step, full)
    with pytest.raises(UserError, match=r"No space left on device.*old one is untouched"):
        case.write(folder, overwrite=True)
    monkeypatch.undo()
    assert [item.name for item in folder.parent.iterdir()] == ["tiny"]
    assert saved.load(folder).predict(["a fine film"])


def test_what_a_killed_writer_left_is_no_hindrance(case: Case, tmp_path: Path) -> None:
    left = tmp_path / ".tiny.new" / "assets"
    left.mkdir(parents=True)
    (left / "stale.json").write_text("{}")
    made = case.write(tmp_path / "tiny")
    assert sorted(made.assets) == ["labels", "tokenizer"]
    assert [item.name for item in tmp_path.iterdir()] == ["tiny"]


def test_a_kill_between_the_two_renames_loses_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.rename(cards.backup(folder))
    monkeypatch.setenv("ZOO_MODELS", str(folder.parent))
    assert saved.load("tiny").path == folder


def edit(file: Path, change: Callable[[bytes], bytes]) -> None:
    file.write_bytes(change(file.read_bytes()))


def flip(content: bytes) -> bytes:
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]


def newer(content: bytes) -> bytes:
    return json.dumps({**json.loads(content), "format": stored.FORMAT + 1, "zoo": "9.8"}).encode()


@pytest.mark.parametrize(
    ("name", "damage", "told"),
    [
        ("model.keras", Path.unlink, r"incomplete: model\.keras is missing.*train the model again"),
        ("assets/labels.json", Path.unlink, r"incomplete: assets/labels\.json is missing.*train the model again"),
        ("metrics.json", Path.unlink, r"has no metrics\.json"),
        ("model.keras", lambda f: edit(f, lambda c: c[:-9]), r"model\.keras has [\d,]+ bytes instead of.*train"),
        ("model.keras", lambda f: edit(f, flip), r"model\.keras is not the file that was saved.*train the model again"),
        ("assets/tokenizer.json", lambda f: edit(f, flip), r"tokenizer\.json is not the file that was saved"),
        ("files.json", lambda f: edit(f, newer), r"format 2.*reads format 1.*zoo 9\.8: install that version"),
        ("files.json", lambda f: edit(f, lambda c: b"{}"), "files.json is not as zoo writes it"),
    ],
)  # fmt: skip
def test_damage_is_told_with_the_file_and_the_next_step(
    folder: Path, name: str, damage: Callable[[Path], Any], told: str
) -> None:
    damage(folder / name)
    with pytest.raises(UserError, match=told) as error:
        saved.load(folder)
    assert str(folder) in str(error.value)


def test_what_is_no_saved_model_is_told(written: Path, tmp_path: Path) -> None:
    (tmp_path / "foreign").mkdir()
    with pytest.raises(UserError, match=r"foreign is not a saved model: it has no recipe\.json"):
        saved.load(tmp_path / "foreign")
    with pytest.raises(UserError, match=r"model\.keras is a file; a saved model is a folder"):
        saved.load(written / "model.keras")
    with pytest.raises(UserError, match="No saved model is called 'tyni'; did you mean 'tiny'"):
        saved.load("tyni", written.parent)


@pytest.mark.parametrize(
    ("name", "change", "told"),
    [
        ("recipe.json", lambda v: {**v, "task": "sentimant"}, "did you mean 'sentiment'"),
        ("recipe.json", lambda v: {**v, "train": {**v["train"], "unit": 3}}, "nearest: 'units'"),
        ("assets/tokenizer.json", lambda v: {"no": "tokenizer"}, r"tokenizer\.json is not a tokenizer"),
        ("model.keras", None, "is damaged: File is not a zip file"),
    ],
)  # fmt: skip
def test_a_consistent_folder_that_makes_no_sense_is_told(folder: Path, name: str, change: Any, told: str) -> None:
    edit(folder / name, lambda c: json.dumps(change(json.loads(c))).encode() if change else b"PK no archive")
    stored.write_manifest(folder)
    with pytest.raises(UserError, match=told):
        saved.load(folder)


def test_nothing_in_a_model_file_is_run(folder: Path, tmp_path: Path) -> None:
    marker = str(tmp_path / "it-ran")
    inputs = keras.Input((2,))
    outputs = keras.layers.Lambda(lambda x: (open(marker, "w").close(), x)[1])(inputs)
    foreign = keras.Model(inputs, outputs)
    foreign(np.zeros((1, 2), "float32"))
    foreign.save(folder / "model.keras")
    stored.write_manifest(folder)
    assert os.path.exists(marker)
    os.remove(marker)
    with pytest.raises(UserError, match="Lambda"):
        saved.load(folder)
    assert not os.path.exists(marker)


def test_models_are_listed_by_task(written: Path) -> None:
    assert saved.list_models(models_dir=written.parent)[0] == "tiny"
    assert "tiny" in saved.list_models("sentiment", written.parent)
    assert "tiny" not in saved.list_models("tag", written.parent)
    assert "tag-gru-clips" in saved.list_models("tag")
    with pytest.raises(UserError, match="did you mean 'sentiment'"):
        saved.list_models("sentimant")


def test_what_was_measured_later_belongs_to_no_hash(folder: Path) -> None:
    (folder / cards.MEASURED).write_text(json.dumps({"scores": {"accuracy": 0.5}}))
    stored.write_manifest(folder)
    assert cards.MEASURED not in json.loads((folder / cards.FILES).read_text())["files"]
    assert saved.load(folder).metrics["scores"]["test"]["accuracy"] == 0.5
    cards.check_replaceable(folder)
    (folder / cards.MEASURED).write_text(json.dumps({"scores": "good"}))
    with pytest.raises(UserError, match=r"measured\.json is not as zoo writes it"):
        saved.load(folder)


def test_names_are_found_by_option_and_by_variable(written: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert saved.load("tiny", written.parent).path == written
    monkeypatch.setenv("ZOO_MODELS", str(written.parent))
    assert saved.load("tiny").path == written


def test_a_fresh_process_loads_it_by_zoo_and_by_keras(case: Case, written: Path) -> None:
    code = """
import json, sys
import zoo.saved, zoo.data.text
import keras
path, texts = sys.argv[1], json.loads(sys.argv[2])
whole = zoo.saved.load(path)
tokens = zoo.data.text.pad(whole.assets["tokenizer"].encode(texts))
bare = keras.saving.load_model(path + "/model.keras")
print(json.dumps([model.predict_on_batch(tokens).tolist() for model in (whole.net, bare)]))
"""
    done = subprocess.run(
        [sys.executable, "-c", code, str(written), json.dumps(SENTENCES)],
        capture_output=True, text=True, check=True, env={**os.environ, "ZOO_MODELS": ""},
    )  # fmt: skip
    by_zoo, by_keras = json.loads(done.stdout)
    assert by_zoo == by_keras
    np.testing.assert_allclose(by_zoo, case.probabilities(case.model), atol=1e-6)
