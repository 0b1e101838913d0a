"""SavedModel and LiteRT: the same numbers as Keras, in a process that has neither Keras nor this package."""

import dataclasses
import json
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import keras
import numpy as np
import pytest

from zoo import builders, saved
from zoo.errors import UserError
from zoo.export import export, graphs, parity
from zoo.storage import schema

PUBLISHED = Path(__file__).parents[2] / "saved_models"
TOKENS = np.array([[5, 9, 4, 17, 8, 6], [7, 12, 5, 0, 0, 0]])

pytest.importorskip("tensorflow", reason="TensorFlow is not installed")
if keras.backend.backend() != "tensorflow":
    pytest.skip("Keras runs on another backend than TensorFlow", allow_module_level=True)

from zoo.export.tensorflow import flatbuffers, lite, saved_model, tracing  # noqa: E402


@pytest.fixture
def interpreter():
    """`ai_edge_litert`."""
    return pytest.importorskip("ai_edge_litert", reason="ai-edge-litert is not installed: pip install 'zoo[litert]'")


def as_model(net, **settings):
    """As much of a saved model as a format reads."""
    return SimpleNamespace(net=net, assets={}, recipe=SimpleNamespace(max_length=6, **settings))


def nets():
    """A small net of each kind."""
    translator = {"embedding_dim": 6, "conditional_cell": True, "suppress_tokens": (1,)}
    return {
        "classifier": (builders.classifier(20, 3, "gru", 8, embedding_dim=5), [TOKENS]),
        "tagger": (builders.tagger(4, units=8, feature_dim=3), [np.ones((2, 6, 3), "float32"), np.array([6, 3])]),
        "translator": (builders.translator(20, 20, "lstm", 8, **translator), [TOKENS]),
        "captioner": (builders.captioner(20, "gru", 8, feature_shape=(4, 7), embedding_dim=6), [np.ones((2, 4, 7))]),
        "language model": (builders.language_model(20, "gru", 8, embedding_dim=5), [TOKENS, np.array([6, 3])]),
    }


@pytest.mark.parametrize("kind", ["classifier", "tagger", "translator", "captioner", "language model"])
@pytest.mark.parametrize("format", ["savedmodel", "litert"])
def test_graphs_give_the_numbers_of_keras(kind, format, graphs_of, tmp_path, interpreter):
    """Batches of several rows, padded ones too, with two hypotheses of each example."""
    net, inputs = nets()[kind]
    graphs_of.shake(net)
    module = {"savedmodel": saved_model, "litert": lite}[format]
    specs = module.specs(as_model(net))
    runs = _runs(module, net, specs, tmp_path)
    feed = {}
    for spec in graphs.graphs(net):
        arrays = parity._inputs(spec, inputs, feed)
        if spec.name == "step" and spec.inputs[0].shape == (graphs.ROWS,):
            arrays = [
                np.repeat(array, 2, axis=0) if port.shape[0] == graphs.ROWS else array
                for port, array in zip(spec.inputs, arrays, strict=True)
            ]
        expected = [np.asarray(value) for value in spec.call(*arrays)]
        found = runs[spec.name](*arrays)
        real = parity._real(spec, arrays)
        for port, one, other in zip(spec.outputs, found, expected, strict=True):
            keep = real if real is not None and one.shape[:2] == real.shape else ...
            np.testing.assert_allclose(one[keep], other[keep], atol=2e-5, err_msg=port.name)
            feed[port.name] = other


def _facts(spec):
    """What `export.json` says of a graph."""
    return {key: [dataclasses.asdict(port) for port in getattr(spec, key)] for key in ("inputs", "outputs")}


def _runs(module, net, specs, folder, quantize=None):
    """The functions of a net's graphs as they run when they have been written and loaded again."""
    files = module.prepare(net, specs, quantize)
    facts = {spec.name: _facts(spec) for spec in specs}
    if module is lite:
        from zoo.export.tensorflow.interpreter import Graph

        return {spec.name: Graph(files[f"{spec.name}.tflite"], facts[spec.name]) for spec in specs}
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    import tensorflow as tf

    loaded = tf.saved_model.load(str(folder / "1"))
    return {name: saved_model.Signature(loaded, name, facts[name]) for name in facts}


def _rounded(weight, quantize):
    """A large weight as a format should store it, each row of an embedding and each column of a matrix by itself."""
    array = np.asarray(weight.value)
    if array.size < 512 or array.ndim < 2:
        return array
    if quantize == "float16":
        return array.astype("float16").astype("float32")
    axis = 1 if "table" in weight.path else 0
    scale = np.abs(array).max(axis=axis, keepdims=True) / 127
    return np.round(array / scale) * scale


@pytest.mark.parametrize("quantize", ["int8", "float16"])
def test_a_saved_model_computes_with_the_weights_that_it_stores(quantize, graphs_of, tmp_path):
    net = graphs_of.shake(builders.translator(90, 90, "gru", 40, embedding_dim=32))
    specs = saved_model.specs(as_model(net))
    runs = _runs(saved_model, net, specs, tmp_path, quantize)
    before, scores = net.get_weights(), runs["serve"](TOKENS, TOKENS)[0]
    expected = np.asarray(specs[2].call(TOKENS, TOKENS)[0])
    assert 1e-5 < np.abs(scores - expected).max() < 0.2
    net.set_weights([_rounded(weight, quantize) for weight in net.weights])
    np.testing.assert_allclose(scores, np.asarray(specs[2].call(TOKENS, TOKENS)[0]), atol=2e-5)
    np.testing.assert_array_equal(runs["generate"](TOKENS)[0], specs[3].call(TOKENS)[0])
    stored = sum(file.stat().st_size for file in (tmp_path / "1" / "variables").iterdir())
    assert stored < {"int8": 0.35, "float16": 0.6}[quantize] * sum(array.nbytes for array in before)


@pytest.mark.parametrize("name", ["tag-gru-clips", "classify-gru-mnist1d"])
def test_litert_stores_little_besides_weights(name, interpreter):
    """Loops over 256 and 40 steps: their outputs before the first step, all zeros, are not stored."""
    model = saved.load(PUBLISHED / name)
    specs = lite.specs(model)
    sizes = [len(lite.prepare(model.net, specs, quantize)["model.tflite"]) for quantize in (None, "int8")]
    assert sizes[1] <= 0.35 * sizes[0]


def test_a_smaller_flatbuffer_is_the_same_graph(interpreter, monkeypatch):
    import ai_edge_litert.interpreter as litert
    from ai_edge_litert import schema_py_generated as schema_of

    net = builders.classifier(60, 3, "gru", 24, embedding_dim=16, bidirectional=True)
    model = SimpleNamespace(net=net, recipe=SimpleNamespace(max_length=40))
    small = lite.prepare(net, lite.specs(model))["model.tflite"]
    monkeypatch.setattr(flatbuffers, "smaller", lambda content: content)
    whole = lite.prepare(net, lite.specs(model))["model.tflite"]
    assert len(small) < len(whole) - 4 * 40 * 24
    assert flatbuffers.operator_names(small) == flatbuffers.operator_names(whole) | {"FILL"}
    tokens = np.pad(TOKENS[:1], ((0, 0), (0, 34)))
    one, other = (
        litert.Interpreter(model_content=content).get_signature_runner()(tokens=tokens) for content in (small, whole)
    )
    np.testing.assert_array_equal(one["probabilities"], other["probabilities"])
    buffers = schema_of.Model.GetRootAs(small, 0)
    for number in range(buffers.BuffersLength()):
        table = buffers.Buffers(number)._tab
        assert not table.Offset(4) or table.Vector(table.Offset(4)) % flatbuffers.ALIGNMENT == 0


def test_nothing_of_this_process_is_left_in_a_graph():
    """Compiled kernels are Python to TensorFlow: a graph with one of them would be of no use elsewhere."""
    from zoo import engine

    engine.prepare("gru", training=False)
    net = builders.translator(20, 20, "gru", 8, embedding_dim=6)
    net.predict_on_batch([np.repeat(TOKENS, 8, axis=0)] * 2)  # kernels are loaded now
    for spec in saved_model.specs(as_model(net)):
        assert not tracing.operations(tracing.traced(spec)) & set(tracing.IN_PROCESS), spec.name

    import tensorflow as tf

    python = tf.function(lambda x: tf.numpy_function(np.sin, [x], tf.float32), input_signature=[tf.TensorSpec(())])
    assert tracing.operations(python.get_concrete_function()) & set(tracing.IN_PROCESS)


@pytest.mark.parametrize("cell", ["gru", "lstm", "min_gru", "rg_lru", "slstm"])
def test_litert_has_built_in_operators_only(cell, interpreter):
    net = builders.translator(20, 20, cell, 8, embedding_dim=6)
    files = lite.prepare(net, lite.specs(as_model(net)))
    names = set.union(*map(flatbuffers.operator_names, files.values()))
    assert {"FULLY_CONNECTED", "WHILE"} <= names
    assert not [name for name in names if name == "CUSTOM" or name.startswith("Flex")]
    assert all(name.isupper() or name.replace("_", "").isalnum() for name in names)


def test_an_operator_that_litert_lacks_is_refused(interpreter, monkeypatch):
    net = builders.classifier(20, 3, "gru", 8)
    (spec,) = lite.specs(as_model(net))
    digamma = dataclasses.replace(spec, call=lambda tokens: [_digamma(spec.call(tokens)[0])])
    with pytest.raises(UserError, match=r"'model' has no export as LiteRT.*\(Digamma\)\. Choose --format onnx"):
        lite.prepare(net, [digamma])


def _digamma(x):
    import tensorflow as tf

    return tf.math.digamma(x)


def test_signatures_for_whole_sequences(graphs_of, tmp_path):
    """The search of `generate` is that of the model, and ids are int64."""
    net, _ = nets()["translator"]
    model = as_model(graphs_of.shake(net))
    model.assets = {"search": {"beam_size": 3, "length_penalty": 1.0, "consensus": 2.0, "max_new_tokens": 9}}
    runs = _runs(saved_model, net, saved_model.specs(model), tmp_path)
    expected = net.search(TOKENS, **model.assets["search"])
    tokens, scores, lengths = runs["generate"](TOKENS)
    assert tokens.dtype == lengths.dtype == np.int64
    np.testing.assert_array_equal(tokens, expected["tokens"][:, 0])
    np.testing.assert_array_equal(lengths, expected["lengths"][:, 0])
    np.testing.assert_allclose(scores, expected["scores"][:, 0], atol=1e-5)
    (logits,) = runs["serve"](TOKENS, TOKENS)
    np.testing.assert_allclose(logits, np.asarray(net((TOKENS, TOKENS))), atol=1e-5)


def test_signatures_of_a_language_model(graphs_of, tmp_path):
    net, _ = nets()["language model"]
    runs = _runs(saved_model, graphs_of.shake(net), saved_model.specs(as_model(net)), tmp_path)
    real = TOKENS > 0  # what stands at padded steps differs between paths of the engine, and nobody reads it
    np.testing.assert_allclose(runs["serve"](TOKENS)[0][real], np.asarray(net(TOKENS))[real], atol=1e-5)
    np.testing.assert_allclose(runs["encode"](TOKENS)[0], np.asarray(net.encode(TOKENS)[0][0]), atol=1e-5)
    tokens, lengths = runs["generate"](TOKENS, 5)
    assert not tokens[0, lengths[0] :].any()
    assert tokens[0, lengths[0] - 1] == 3 or lengths[0] == 100
    one, again, other = (runs["generate"](TOKENS, seed)[0] for seed in (5, 5, 6))
    np.testing.assert_array_equal(one, again)
    assert (one != other).any()
    expected = net.generate([row[row > 0] for row in TOKENS], seed=5, temperature=0.8, max_new_tokens=100)
    np.testing.assert_array_equal(tokens[:, : expected.shape[1]], expected)


@pytest.mark.parametrize(("quantize", "share", "close"), [("int8", 0.35, 5e-2), ("float16", 0.55, 2e-3)])
def test_smaller_weights_in_litert(quantize, share, close, graphs_of, interpreter):
    from zoo.export.tensorflow.interpreter import Graph

    net = graphs_of.shake(builders.classifier(600, 3, "gru", 96, num_layers=2, embedding_dim=96))
    specs = lite.specs(as_model(net))
    facts = _facts(specs[0])
    whole, small = (lite.prepare(net, specs, option)["model.tflite"] for option in (None, quantize))
    assert len(small) < share * len(whole)
    one, other = (Graph(content, facts)(TOKENS)[0] for content in (whole, small))
    assert 0 < np.abs(one - other).max() < close


def test_a_longer_input_is_refused(interpreter, tmp_path):
    model = saved.load(PUBLISHED / "tag-gru-clips")
    path = export(model, tmp_path / "clips", "litert", length=4, examples=0)
    net = lite.load(path)
    assert schema.read(path, "export.json", schema.Export)["graphs"]["model"]["inputs"][0]["shape"][:2] == [1, 4]
    frames = np.random.default_rng(0).integers(0, 255, (2, 5, 24, 24, 1)).astype("uint8")
    expected = model.net.predict_on_batch((frames[:, :3], np.array([3, 2])))
    found = net.predict_on_batch((frames[:, :3], np.array([3, 2])))
    np.testing.assert_allclose(found[0], expected[0], atol=1e-5)
    np.testing.assert_allclose(found[1, :2], expected[1, :2], atol=1e-5)
    with pytest.raises(UserError, match=r"'inputs' of this export has the shape \(1, 4, 24, 24, 1\) at most; got"):
        net.predict_on_batch((frames, np.array([5, 5])))


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"format": "savedmodel", "quantize": "int4"}, "Weights of savedmodel can be int8 or float16; got"),
        ({"format": "savedmodel", "length": 5}, "length goes with the format litert; savedmodel has no such option"),
        ({"format": "litert", "length": 0}, "reads one step at least; got length=0"),
        ({"format": "litert", "quantize": "int4"}, "can be int8 or float16"),
    ],
)
def test_what_cannot_be_written_writes_nothing(options, sentence, tmp_path, interpreter):
    model = saved.load(PUBLISHED / "classify-perceptron-digits")
    with pytest.raises(UserError, match=sentence):
        export(model, tmp_path / "no", **options)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("format", ["savedmodel", "litert"])
def test_another_backend_is_refused(format, tmp_path, monkeypatch, interpreter):
    model = saved.load(PUBLISHED / "classify-perceptron-digits")
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    with pytest.raises(UserError, match=f"{format} is written by Keras on TensorFlow; got --backend jax"):
        export(model, tmp_path / "no", format, examples=0)
    assert list(tmp_path.iterdir()) == []


def test_a_free_size_cannot_become_a_fixed_one():
    with pytest.raises(UserError, match="fixed sizes, and the height of this model's pictures is free"):
        lite.specs(as_model(builders.captioner(20, "gru", 8, embedding_dim=6)))


BLOCKED = "import sys; sys.modules['zoo'] = sys.modules['keras'] = None; "


@pytest.mark.parametrize(
    ("format", "name", "inputs"),
    [
        ("savedmodel", "caption-gru-scenes", ["scene.png"]),
        ("savedmodel", "charlm-gru-python_docs", ["The "]),
        ("litert", "sentiment-gru-reviews", ["a fine film", "a waste of two hours", ""]),
        ("litert", "caption-gru-scenes", ["scene.png"]),
        ("litert", "charlm-gru-python_docs", ["The "]),
        ("litert", "tag-gru-clips", ["clip.npy"]),
    ],
)
def test_the_program_of_the_readme_runs_without_this_package_and_keras(format, name, inputs, tmp_path, interpreter):
    """What it prints is what Keras answers."""
    model = saved.load(PUBLISHED / name)
    path = export(model, tmp_path / "export", format, examples=0)
    (program,) = re.findall(r"```python\n(.*?)```", (path / "README.md").read_text(), re.DOTALL)
    assert "zoo" not in program
    (path / "use.py").write_text(program)
    random = np.random.default_rng(1)
    np.save(path / "clip.npy", random.integers(0, 255, (9, 24, 24, 1)))
    if name.startswith("caption"):
        from PIL import Image

        Image.fromarray(random.integers(0, 255, (64, 64, 3)).astype("uint8")).save(path / "scene.png")
    code = BLOCKED + "sys.argv = ['use.py', *sys.argv[1:]]; exec(open('use.py').read())"
    done = subprocess.run([sys.executable, "-I", "-c", code, *inputs], cwd=path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    if name.startswith("charlm"):
        assert done.stdout.startswith("The ")
        assert len(done.stdout) > 20
    else:
        assert done.stdout.splitlines() == _expected(model, inputs, path)


def _expected(model, inputs, path):
    """What the program should print, by Keras."""
    if model.installed.name == "caption":
        return [answer["caption"] for answer in model.predict([str(path / file) for file in inputs], beam_size=1)]
    if model.installed.name == "sentiment":
        return [f"{answer['label']}\t{answer['probability']:.3f}" for answer in model.predict(inputs)]
    clip = np.load(path / inputs[0])[None].astype("uint8")
    best = model.net.predict_on_batch((clip, np.array([9])))[0].argmax(axis=-1)
    return [" ".join(model.assets["labels"][i] for i in best)]


def test_a_saved_model_is_laid_out_for_tensorflow_serving(tmp_path):
    model = saved.load(PUBLISHED / "classify-perceptron-digits")
    path = model.export(tmp_path / "digits", "savedmodel", examples=20)
    assert (path / "1" / "saved_model.pb").is_file()
    assert {"1/saved_model.pb", "1/variables/variables.index"} <= set(
        json.loads((path / "files.json").read_text())["files"]
    )
    facts = json.loads((path / "parity.json").read_text())
    assert facts["equal_answers"] == 1
    assert facts["bytes"]["export"] > (path / "1" / "saved_model.pb").stat().st_size
    export_facts = schema.read(path, "export.json", schema.Export)
    assert export_facts["graphs"]["model"]["file"] == "1/saved_model.pb"
