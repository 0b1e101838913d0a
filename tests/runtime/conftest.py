"""Published models beside their exports, each exported once, into folders that tests may change."""

import shutil
from pathlib import Path

import pytest

PUBLISHED = Path(__file__).parents[2] / "saved_models"


@pytest.fixture(scope="session")
def models(tmp_path_factory):
    """`models(name)` is the folder of a copy of a published model, with its ONNX export in it."""
    pytest.importorskip("onnx", reason="onnx is not installed: pip install 'zoo[onnx]'")
    pytest.importorskip("onnxruntime", reason="onnxruntime is not installed: pip install 'zoo[onnx]'")
    from zoo import saved

    root, loaded = tmp_path_factory.mktemp("models"), {}

    def exported(name):
        if name not in loaded:
            shutil.copytree(PUBLISHED / name, root / name)
            loaded[name] = saved.load(root / name)
            loaded[name].export(examples=0)
        return loaded[name]

    return exported
