"""Exported folders: whole or not there, with a comparison and a program that needs nothing of this package."""

import json
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import keras
import numpy as np
import pytest
from click.testing import CliRunner

from zoo import builders, cli, runtime, saved
from zoo.data import text
from zoo.errors import UserError
from zoo.export import export, folder, formats, graphs, has_export, parity, readme
from zoo.storage import schema

PUBLISHED = Path(__file__).parents[2] / "saved_models"
DIGITS = "classify-perceptron-digits"

pytest.importorskip("onnx", reason="onnx is not installed: pip install 'zoo[onnx]'")
pytest.importorskip("onnxruntime", reason="onnxruntime is not installed: pip install 'zoo[onnx]'")


@pytest.fixture(scope="module")
def model():
    return saved.load(PUBLISHED / DIGITS)


def test_a_folder_says_how_alike_both_sides_are(model, tmp_path):
    path = model.export(tmp_path / "digits", examples=40)
    facts = json.loads((path / "parity.json").read_text())
    assert facts["examples"] == {"dataset": "digits", "split": "test", "count": 40}
    assert facts["equal_answers"] == 1
    assert facts["answers"] == 40
    assert 0 <= facts["max_difference"] < 1e-5
    for name, score in facts["scores"]["keras"].items():
        assert facts["scores"]["export"][name] == pytest.approx(score, abs=1e-4)
    assert {name: sorted(times) for name, times in facts["milliseconds"].items()} == {
        "keras": ["1", "32"], "export": ["1", "32"]
    }  # fmt: skip
    assert facts["bytes"]["export"] == (path / "model.onnx").stat().st_size
    assert "## Beside Keras" in (path / "README.md").read_text()
    assert runtime.load(path).predict(_digit(model))["label"] == model.predict(_digit(model))["label"]


def _digit(model):
    return json.loads((model.path / "golden.json").read_text())["inputs"][0]


def test_a_difference_is_seen(model):
    """An export with other weights is not called equal."""
    batches, _ = parity.test_batches(model, 60)
    other = builders.perceptron((8, 8, 1), 10, units=4)

    (spec,) = graphs.graphs(other)
    net = SimpleNamespace(graphs={"model": spec.call}, predict_on_batch=other.predict_on_batch)
    outside, _ = parity.largest_differences(model.net, net, [parity.inputs_of(batch) for batch in batches])
    assert outside > 0.1
    ours, theirs = parity.answers(model.net, batches), parity.answers(net, batches)
    assert np.mean([parity.equal(*pair) for pair in zip(ours, theirs, strict=True)]) < 0.5


def test_the_command(tmp_path):
    output = tmp_path / "digits"
    arguments = ["export", str(PUBLISHED / DIGITS), "--format", "onnx", "--output", str(output), "--examples", "10"]
    done = CliRunner().invoke(cli.cli, arguments, catch_exceptions=False)
    assert done.output.splitlines()[0] == str(output)
    assert "equal answers 100.0 % of 10 (digits)" in done.output
    done = CliRunner().invoke(cli.cli, [*arguments, "--quantize", "int8", "--json", "--overwrite"])
    assert json.loads(done.stdout.splitlines()[-1])["equal_answers"] > 0.8
    assert schema.read(output, "export.json", schema.Export)["quantize"] == "int8"
    (error,) = [CliRunner().invoke(cli.cli, arguments).exception]
    assert isinstance(error, UserError)
    assert "replace it with --overwrite" in str(error)


def test_what_cannot_be_exported_writes_nothing(model, tmp_path, monkeypatch):
    for options, sentence in (
        ({"format": "onx"}, "did you mean 'onnx'"),
        ({"quantize": "int4"}, "can be int8 or float16; got quantize='int4'"),
    ):
        with pytest.raises(UserError, match=sentence):
            export(model, tmp_path / "no", **options)
    monkeypatch.setattr(formats.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UserError, match=r"needs onnx and onnxruntime: pip install 'zoo\[onnx\]'"):
        export(model, tmp_path / "no")
    monkeypatch.undo()
    monkeypatch.setattr(graphs, "graphs", _refuse)
    with pytest.raises(UserError, match="no export"):
        export(model, tmp_path / "no")
    assert list(tmp_path.iterdir()) == []


def test_a_part_without_an_export_is_refused_in_a_sentence():
    class Own(keras.Model):
        """A model that is none of zoo.builders."""

    with pytest.raises(UserError, match="Own has no export: it is no functional model"):
        graphs.graphs(Own())
    assert not has_export(SimpleNamespace(net=Own()))


def _refuse(*_, **__):
    raise UserError("This has no export.")


def test_a_half_written_export_never_replaces_a_whole_one(model, tmp_path, monkeypatch):
    path = export(model, tmp_path / "digits", examples=0)
    before = {file.name: file.read_bytes() for file in path.iterdir() if file.is_file()}
    monkeypatch.setattr(parity, "compare", _refuse)
    with pytest.raises(UserError, match="no export"):
        export(model, path, overwrite=True)
    monkeypatch.setattr(parity, "compare", lambda *_: (_ for _ in ()).throw(OSError("the disk is full")))
    with pytest.raises(UserError, match="could not be written: the disk is full"):
        export(model, path, overwrite=True)
    assert {file.name: file.read_bytes() for file in path.iterdir() if file.is_file()} == before
    assert [file.name for file in tmp_path.iterdir()] == ["digits"]


def test_a_users_folder_is_never_replaced(model, tmp_path):
    (tmp_path / "mine").mkdir()
    with pytest.raises(UserError, match="is no export of zoo; nothing is deleted"):
        folder.check_free(tmp_path / "mine", overwrite=True)


@pytest.mark.parametrize(
    ("name", "inputs"),
    [
        ("sentiment-gru-reviews", ["a fine film", "a waste of two hours", ""]),
        ("translate-gru-multi30k-en-de", ["Two dogs run on the grass.", "a girl"]),
        ("caption-gru-scenes", ["scene.png"]),
        ("charlm-gru-python_docs", ["The "]),
        (DIGITS, ["digit.npy"]),
        ("classify-gru-mnist1d", ["series.npy"]),
        ("tag-gru-clips", ["clip.npy"]),
        ("tag-lstm-ud_en_ewt", ["George Washington lived in Virginia .", "rain"]),
    ],
)
def test_the_program_of_the_readme_runs_without_this_package(name, inputs, tmp_path):
    """Isolated from the working folder and from `zoo`: what it prints is what the export answers."""
    model = saved.load(PUBLISHED / name)
    path = export(model, tmp_path / "export", examples=0)
    (program,) = re.findall(r"```python\n(.*?)```", (path / "README.md").read_text(), re.DOTALL)
    assert "zoo" not in program
    (path / "use.py").write_text(program)
    random = np.random.default_rng(1)
    np.save(path / "digit.npy", random.random((8, 8, 1)))
    np.save(path / "series.npy", random.standard_normal((40, 1)))
    np.save(path / "clip.npy", random.integers(0, 255, (9, 24, 24, 1)))
    if name.startswith("caption"):
        from PIL import Image

        Image.fromarray(random.integers(0, 255, (64, 64, 3)).astype("uint8")).save(path / "scene.png")
    code = "import sys; sys.modules['zoo'] = None; sys.argv = ['use.py', *sys.argv[1:]]; exec(open('use.py').read())"
    done = subprocess.run([sys.executable, "-I", "-c", code, *inputs], cwd=path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    if name.startswith("charlm"):
        assert lines[0].startswith("The ")
        assert len(done.stdout) > 20
        return
    assert lines == _expected(runtime.load(path), inputs, path)


def _expected(model, inputs, path):
    """What the program should print, by way of `zoo.runtime`."""
    name = model.installed.name
    if name == "translate":
        return [answer["translation"] for answer in model.predict(inputs, beam_size=1)]
    if name == "caption":
        return [answer["caption"] for answer in model.predict([str(path / file) for file in inputs], beam_size=1)]
    if name == "sentiment":
        answers = model.predict(inputs)
    elif name == "tag" and not inputs[0].endswith(".npy"):
        return [" ".join(f"{each['word']}/{each['label']}" for each in row["words"]) for row in model.predict(inputs)]
    elif name == "tag":
        clip = np.load(path / inputs[0])[None]
        best = model.net.predict_on_batch((clip, np.array([9])))[0].argmax(axis=-1)
        return [" ".join(model.assets["labels"][i] for i in best)]
    else:
        probabilities = model.net.predict_on_batch(np.load(path / inputs[0])[None].astype("float32"))[0]
        best = probabilities.argmax()
        return [f"{model.assets['labels'][best]}\t{probabilities[best]:.3f}"]
    return [f"{answer['label']}\t{answer['probability']:.3f}" for answer in answers]


def test_words_with_labels(tmp_path):
    """A tagger of words, untrained: the third kind of input of the command, and its program."""
    tokenizer = text.Tokenizer.train(["a", "fine", "film", "It", "is"], "given")
    net = builders.tagger(3, "lstm", 6, vocabulary_size=tokenizer.size, embedding_dim=5)
    metrics = json.loads((PUBLISHED / "tag-gru-clips" / "metrics.json").read_text())
    assets = {"tokenizer": tokenizer, "labels": ["A", "B", "C"], "input": {"kind": "tokens", "shape": []}}
    recipe = {"task": "tag", "train": {"cell": "lstm", "dataset": "words.conllu"}, "command": "zoo train tag"}
    model = saved.write(tmp_path / "words", net, assets, recipe, metrics)
    path = model.export(examples=0)
    sentences = ["It is a fine film .", "film", ""]
    found, expected = runtime.load(model.path).predict(sentences), model.predict(sentences)
    assert [[word["label"] for word in row["words"]] for row in found] == [
        [word["label"] for word in row["words"]] for row in expected
    ]
    (program,) = re.findall(r"```python\n(.*?)```", (path / "README.md").read_text(), re.DOTALL)
    (path / "use.py").write_text(program)
    done = subprocess.run([sys.executable, "use.py", sentences[0]], cwd=path, capture_output=True, text=True)
    assert done.stdout.split() == [f"{word['word']}/{word['label']}" for word in found[0]["words"]]


def test_every_program_is_in_a_readme():
    assert {file.stem for file in readme.RUNNERS.glob("*.py")} == set(formats.FORMATS)
    programs = {file.stem for file in readme.PROGRAMS.glob("*.py")}
    assert programs == set(readme.ARGUMENTS)
