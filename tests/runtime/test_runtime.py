"""Exports answer as Keras does: every task, every kind of search, without Keras in the process."""

import json
import shutil
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from click.testing import CliRunner

from zoo import cli, runtime
from zoo.errors import UserError
from zoo.runtime import choice
from zoo.storage import schema

SENTIMENT, TRANSLATE, CAPTION = "sentiment-gru-reviews", "translate-gru-multi30k-en-de", "caption-gru-scenes"
CHARLM, TAG, WORDS, DIGITS, SERIES = (
    "charlm-gru-python_docs", "tag-gru-clips", "tag-lstm-ud_en_ewt", "classify-perceptron-digits",
    "classify-gru-mnist1d",
)  # fmt: skip
LINES = ["A man in a blue shirt is standing on a ladder.", "", "Two dogs run.", "a girl"]


def alike(answer, expected):
    """The same, apart from the last digits of numbers."""
    if isinstance(expected, dict):
        assert list(answer) == list(expected)
        return [alike(answer[key], value) for key, value in expected.items()]
    if isinstance(expected, list):
        assert len(answer) == len(expected)
        return [alike(*pair) for pair in zip(answer, expected, strict=True)]
    assert answer == (pytest.approx(expected, abs=2e-4) if isinstance(expected, float) else expected)


@pytest.mark.parametrize("name", [SENTIMENT, TRANSLATE, CAPTION, TAG, WORDS, DIGITS, SERIES])
def test_golden_answers(name, models):
    """A later version may say more than what was stored."""
    model = models(name)
    golden = json.loads((model.path / "golden.json").read_text())
    answers = runtime.load(model.path).predict(golden["inputs"])
    alike(
        [{key: now[key] for key in then} for now, then in zip(answers, golden["outputs"], strict=True)],
        golden["outputs"],
    )


@pytest.mark.parametrize(
    ("name", "inputs", "options"),
    [
        (TRANSLATE, LINES, {"beam_size": 1}),
        (TRANSLATE, LINES, {"beam_size": 4, "num_return": 3, "attention": True}),
        (TRANSLATE, LINES[:1], {"coverage_penalty": 0.3, "length_penalty": 0.2, "forced_prefix": "Eine Frau"}),
        (TRANSLATE, LINES, {"beam_size": 4, "consensus": 4.0}),
        (TRANSLATE, LINES[::2] * 9, {"beam_size": 2}),  # so many that the batch is halved
        (SENTIMENT, ["a fine film, not bad", ""], {"explain": True}),
        (CHARLM, ["def hello", "the "], {"score": True}),
        (CHARLM, ["The "], {"temperature": 0, "max_new_tokens": 40}),
    ],
)
def test_same_answers_as_keras(name, inputs, options, models):
    model = models(name)
    alike(runtime.load(model.path).predict(inputs, **options), model.predict(inputs, **options))


def test_samples_come_from_the_model(models):
    """Numpy draws other numbers than TensorFlow; the same seed draws the same text again."""
    model = runtime.load(models(CHARLM).path)
    options = {"max_new_tokens": 60, "temperature": 0.5}
    one, again, other = (model.predict("The ", seed=seed, **options)["text"] for seed in (1, 1, 2))
    assert one == again != other
    loss = [answer["loss"] for answer in model.predict([one, "Tqe zxv jkq wpf"], score=True)]
    assert loss[0] < loss[1] / 2


def test_padding_may_stand_anywhere(models):
    net = runtime.load(models(SENTIMENT).path).net
    right, left, amid = (np.array([row, [7, 8, 9, 10, 11, 12]]) for row in PADDED)
    expected = net.predict_on_batch(right)
    np.testing.assert_array_equal(net.predict_on_batch(left), expected)
    np.testing.assert_array_equal(net.predict_on_batch(amid), expected)
    np.testing.assert_allclose(models(SENTIMENT).net.predict_on_batch(amid), expected, atol=1e-5)


def test_cores_share_the_rows_of_a_batch(models, monkeypatch):
    monkeypatch.setattr("zoo.runtime.sessions.cores", lambda: 3)
    model = models(SENTIMENT)
    net = runtime.load(model.path).net
    tokens = np.random.default_rng(2).integers(2, 200, (25, 11))
    tokens[::3, 4:] = 0
    runs, session = [], net.graphs["model"]._session
    spy = SimpleNamespace(run=lambda names, given: runs.append(len(given["tokens"])) or session.run(names, given))
    monkeypatch.setattr(net.graphs["model"], "_session", spy)
    np.testing.assert_allclose(net.predict_on_batch(tokens), model.net.predict_on_batch(tokens), atol=1e-5)
    assert sorted(runs) == [8, 8, 9]
    net.predict_on_batch(tokens[:15])
    assert runs[3:] == [15]


PADDED = [5, 6, 9, 0, 0, 0], [0, 0, 0, 5, 6, 9], [5, 0, 6, 0, 0, 9]


def test_six_commands_without_keras(models):
    """One process, which imports neither Keras nor TensorFlow, prints what Keras prints."""
    golden = {name: json.loads((models(name).path / "golden.json").read_text())["inputs"][0] for name in (TAG, DIGITS)}
    commands = [
        ["sentiment", "--model", SENTIMENT, "a fine film"],
        ["translate", "--model", TRANSLATE, LINES[0]],
        ["charlm", "--model", CHARLM, "--temperature", "0", "--max-new-tokens", "20", "def "],
        ["tag", "--model", TAG, golden[TAG]],
        ["classify", "--model", DIGITS, golden[DIGITS]],
        ["caption", "--model", CAPTION, json.loads((models(CAPTION).path / "golden.json").read_text())["inputs"][0]],
    ]
    folder = str(models(SENTIMENT).path.parent)
    for _, _, name, *_ in commands:
        models(name)
    code = (
        "import json, sys\n"
        "from zoo import cli\n"
        "for command in json.load(sys.stdin):\n"
        f"    cli.cli([*command, '--models-dir', {folder!r}], standalone_mode=False)\n"
        "print(*[name for name in ('keras', 'tensorflow', 'jax', 'h5py', 'sklearn') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], input=json.dumps(commands), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == ""
    expected = []
    for command in commands:
        result = CliRunner().invoke(cli.cli, [*command, "--models-dir", folder, "--runtime", "keras"])
        expected += result.stdout.splitlines()
    assert done.stdout.splitlines()[:-1] == expected


def test_the_choice_of_a_runtime(models, tmp_path, monkeypatch):
    path = models(SENTIMENT).path
    assert choice.choose(path) == choice.choose(path, "onnx") == choice.choose(path / "onnx") == "onnx"
    assert choice.choose(path, "keras") == choice.choose(path, backend="jax") == "keras"
    with pytest.raises(UserError, match="leave out --runtime keras"):
        choice.choose(path / "onnx", "keras")
    with pytest.raises(UserError, match="goes with --runtime keras"):
        choice.choose(path, "onnx", "jax")
    bare = shutil.copytree(path, tmp_path / "bare", ignore=shutil.ignore_patterns("onnx"))
    assert choice.choose(bare) == "keras"
    with pytest.raises(UserError, match="bare has no ONNX export: make one with `zoo export bare --format onnx`"):
        choice.choose(bare, "onnx")
    shutil.copytree(models(DIGITS).path / "onnx", bare / "onnx")
    assert choice.choose(bare) == "keras"
    with pytest.raises(UserError, match="is the export of another model"):
        choice.choose(bare, "onnx")
    monkeypatch.setattr(choice.importlib.util, "find_spec", lambda name: None)
    assert choice.choose(path) == "keras"
    with pytest.raises(UserError, match="ONNX Runtime is not installed: pip install"):
        choice.choose(path, "onnx")


def test_a_folder_that_cannot_be_written_has_its_export_in_the_cache(models, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    path = models(DIGITS).path
    bare = shutil.copytree(path, tmp_path / path.name, ignore=shutil.ignore_patterns("onnx"))
    assert choice.place(bare) == bare / "onnx"
    writable = choice.cache.can_be_written
    monkeypatch.setattr(choice.cache, "can_be_written", lambda folder: folder != bare and writable(folder))
    kept = choice.place(bare)
    assert kept.is_relative_to(tmp_path / "cache")
    shutil.copytree(path / "onnx", kept)
    assert choice.choose(bare) == "onnx"
    assert choice.exported(bare) == kept
    manifest = (bare / "files.json").read_text()
    (bare / "files.json").write_text(manifest.replace(choice.model_hash(bare), 64 * "0"))
    assert choice.choose(bare) == "keras"  # another model of this name has its export elsewhere
    (bare / "files.json").write_text(manifest)
    (kept / "export.json").write_text((models(SENTIMENT).path / "onnx" / "export.json").read_text())
    assert choice.choose(bare) == "keras"


@pytest.mark.parametrize(
    ("file", "change", "sentence"),
    [
        ("model.onnx", lambda content: content[:-1], "model.onnx has"),
        ("model.onnx", lambda content: content[:-1] + b"?", "SHA-256"),
        ("assets/labels.json", lambda content: b'["one"]', "labels.json"),
        ("export.json", lambda content: content.replace(b"classifier", b"classifer"), "export.json"),
    ],
)
def test_a_damaged_export_is_refused(file, change, sentence, models, tmp_path):
    folder = shutil.copytree(models(SENTIMENT).path / "onnx", tmp_path / "export")
    (folder / file).write_bytes(change((folder / file).read_bytes()))
    with pytest.raises(UserError, match=sentence):
        runtime.load(folder)


def test_a_graph_that_is_another_is_refused(models, tmp_path):
    """Its hash in `files.json` may be right: what a stranger's folder says must still hold."""
    from zoo.storage import stored

    folder = shutil.copytree(models(SENTIMENT).path / "onnx", tmp_path / "export")
    for content, sentence in (
        ((models(DIGITS).path / "onnx" / "model.onnx").read_bytes(), "export.json names tokens"),
        (b"not a graph", "cannot be loaded by ONNX Runtime"),
    ):
        (folder / "model.onnx").write_bytes(content)
        stored.write_manifest(folder)
        with pytest.raises(UserError, match=sentence):
            runtime.load(folder)


def test_inputs_of_another_shape_are_refused(models):
    net = runtime.load(models(SERIES).path).net
    shape = schema.read(models(SERIES).path / "onnx", "export.json", schema.Export)["graphs"]["model"]["inputs"][0]
    assert shape["shape"] == ["batch", 40, 1]
    with pytest.raises(UserError, match=r"has the shape \(batch, 40, 1\); got \(2, 39, 1\)"):
        net.predict_on_batch(np.zeros((2, 39, 1)))


def test_a_model_may_be_overwritten_with_its_export(models):
    from zoo import cards

    cards.check_replaceable(models(SENTIMENT).path)
    (models(SENTIMENT).path / "mine.txt").touch()
    with pytest.raises(UserError, match=r"mine\.txt"):
        cards.check_replaceable(models(SENTIMENT).path)
    (models(SENTIMENT).path / "mine.txt").unlink()
