"""scripts/convert.py: names of today in old files, and not one byte of a weight."""

import importlib.util
import json
import zipfile
from pathlib import Path

import keras
import numpy as np
from keras import ops

from zoo import builders

SCRIPT = Path(__file__).parents[1] / "scripts" / "convert.py"
IDS = np.array([[2, 5, 6, 4], [2, 7, 0, 0]], "int32")


def script():
    spec = importlib.util.spec_from_file_location("convert", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def as_written_by_0_1(file):
    """Puts old names into a file, as a published folder has them."""
    with zipfile.ZipFile(file) as source:
        content = {name: source.read(name) for name in source.namelist()}
    config = json.loads(content["config.json"])
    config["compile_config"] = None
    inner = config["config"]
    for old, new in {"vocabulary": "vocabulary_size", "embedding": "embedding_dim", "depth": "num_layers"}.items():
        inner[old] = inner.pop(new)
    del inner["streams"], inner["suppress_tokens"]
    content["config.json"] = json.dumps(config).encode()
    with zipfile.ZipFile(file, "w") as target:
        for name, data in content.items():
            target.writestr(name, data)


def test_a_file_gets_the_names_of_today_and_keeps_its_weights(tmp_path, capsys):
    model = builders.language_model(12, "gru", 4)
    file = tmp_path / "model.keras"
    model.save(file)
    as_written_by_0_1(file)
    with zipfile.ZipFile(file) as old:
        weights, metadata = old.read("model.weights.h5"), old.read("metadata.json")
    script().main([str(file)])
    with zipfile.ZipFile(file) as new:
        assert (new.read("model.weights.h5"), new.read("metadata.json")) == (weights, metadata)
        config = json.loads(new.read("config.json"))["config"]
    assert config["vocabulary_size"] == 12
    assert "vocabulary" not in config
    data = file.read_bytes()
    loaded = keras.saving.load_model(file)
    np.testing.assert_array_equal(ops.convert_to_numpy(loaded(IDS)), ops.convert_to_numpy(model(IDS)))
    script().main([str(file)])
    assert "already" in capsys.readouterr().out
    assert file.read_bytes() == data, "a second time changes nothing"
