"""Precision is kept: by saving, by a config, by a clone, in every part; quantized models too."""

import warnings

import keras
import numpy as np
import pytest
from keras import ops

from zoo import builders

rng = np.random.default_rng(0)
IDS = np.array([[2, 5, 6, 4], [2, 7, 8, 0]], "int32")
FEATURES = rng.normal(size=(2, 4, 5)).astype("float32")
PICTURES = rng.integers(0, 255, (2, 16, 16, 3)).astype("uint8")
MODELS = {
    "classifier": (lambda: builders.classifier(12, 3, "gru", 4, embedding_dim=3), IDS),
    "perceptron": (lambda: builders.perceptron((4, 5), 3, units=4), FEATURES),
    "tagger": (lambda: builders.tagger(3, "lstm", 4, feature_dim=5), FEATURES),
    "language_model": (lambda: builders.language_model(12, "lstm", 4, tie_output=True), IDS),
    "translator": (lambda: builders.translator(12, 12, "gru", 4, embedding_dim=3, attention="general"), (IDS, IDS)),
    "captioner": (lambda: builders.captioner(12, "gru", 4, embedding_dim=3, image_size=16), (PICTURES, IDS)),
}


@pytest.fixture(autouse=True)
def _global_policy():
    keras.utils.set_random_seed(0)
    yield
    keras.config.set_dtype_policy("float32")


def policies(model):
    return [layer.dtype_policy.name for layer in model._flatten_layers()]


def answer(model, inputs):
    return ops.convert_to_numpy(ops.cast(model(inputs), "float64"))


def copies(model, folder):
    """The same model loaded, from its config and as a clone, where another policy is the global one."""
    model.save(folder / "m.keras")
    keras.config.set_dtype_policy("float32")
    yield keras.saving.load_model(folder / "m.keras")
    for other in (type(model).from_config(model.get_config()), keras.models.clone_model(model)):
        other.set_weights(model.get_weights())
        yield other


@pytest.mark.parametrize(
    ("name", "policy"),
    [
        *((name, "mixed_float16") for name in MODELS),
        ("classifier", "float64"),
        ("translator", "float64"),
        ("tagger", "mixed_bfloat16"),
    ],
)
def test_a_policy_is_kept_in_every_part(name, policy, tmp_path):
    keras.config.set_dtype_policy(policy)
    make, inputs = MODELS[name]
    model = make()
    assert set(policies(model)) <= {policy, "float32"}  # the last layer of a classifier or tagger is float32
    assert model.dtype_policy.name == policy
    expected = answer(model, inputs)
    for copy in copies(model, tmp_path):
        assert policies(copy) == policies(model)
        np.testing.assert_array_equal(answer(copy, inputs), expected)


@pytest.mark.filterwarnings("ignore:.*does not have a `quantize` method")
@pytest.mark.parametrize("name", MODELS)
def test_a_quantized_model_is_kept(name, tmp_path):
    make, inputs = MODELS[name]
    model = make()
    model.set_weights([rng.normal(0, 0.4, weight.shape) ** 2 for weight in model.weights])
    whole = answer(model, inputs)
    model.quantize("int8")
    quantized = answer(model, inputs)
    assert 0 < np.abs(quantized - whole).max() < 0.1 * np.abs(whole).max(), "changed, and by little"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Keras's own about optimizers
        for copy in copies(model, tmp_path):
            assert policies(copy) == policies(model)
            assert any("int8" in policy for policy in policies(copy))
            np.testing.assert_array_equal(answer(copy, inputs), quantized)


def test_a_tied_output_reads_the_quantized_embedding_as_it_is_read_at_the_input():
    model = builders.language_model(12, "gru", 4, tie_output=True)
    table = ops.convert_to_numpy(model.embedding.vectors())
    model.embedding.table.quantize("int8")
    np.testing.assert_allclose(ops.convert_to_numpy(model.embedding.vectors()), table, atol=np.abs(table).max() / 127)
