"""Cells whose output is not their state, in every builder: one batch of training, saving, loading, decoding."""

import keras
import numpy as np
import pytest
from keras import ops

from zoo import builders, cells
from zoo.ids import END, PAD

rng = np.random.default_rng(0)
IDS = np.array([[2, 5, 6, 4], [2, 7, 3, 0]], "int32")
FEATURES = rng.normal(size=(2, 4, 5)).astype("float32")
PICTURES = rng.integers(0, 255, (2, 16, 16, 3)).astype("uint8")
CELLS = {
    "sru": lambda: "sru",
    "peephole": lambda: cells.SRUCell(4, peephole=True),
    "ssru": lambda: "ssru",
    "lru": lambda: cells.LRUCell(4, channels=3),
    "rg_lru": lambda: "rg_lru",
    "gated_delta": lambda: cells.GatedDeltaCell(4, heads=2, key_dim=3),
}
BUILDERS = {
    "classifier": lambda cell: builders.classifier(12, 3, cell, 4, embedding_dim=3, num_layers=2, bidirectional=True),
    "tagger": lambda cell: builders.tagger(3, cell, 4, feature_dim=5),
    "language_model": lambda cell: builders.language_model(12, cell, 4, num_layers=2, suppress_tokens=[PAD]),
    "translator": lambda cell: builders.translator(12, 12, cell, 4, embedding_dim=3),
    "conditional": lambda cell: builders.translator(
        12, 12, cell, 4, embedding_dim=3, conditional_cell=True, input_feeding=True, decoder_layers=2
    ),
    "captioner": lambda cell: builders.captioner(12, cell, 4, embedding_dim=3, image_size=16),
}
INPUTS = {"tagger": FEATURES, "translator": (IDS, IDS), "conditional": (IDS, IDS), "captioner": (PICTURES, IDS)}
PAIRS = [
    ("translator", "ssru"),
    ("conditional", "sru"),
    ("conditional", "gated_delta"),
    ("captioner", "lru"),
    ("language_model", "gated_delta"),
    ("language_model", "lru"),
    ("classifier", "peephole"),
    ("tagger", "rg_lru"),
]


def answer(model, inputs):
    return ops.convert_to_numpy(ops.cast(model(inputs), "float32"))


@pytest.mark.parametrize(("name", "cell"), PAIRS)
def test_a_batch_is_learned_and_the_model_is_kept(name, cell, tmp_path):
    model, inputs = BUILDERS[name](CELLS[cell]()), INPUTS.get(name, IDS)
    expected = answer(model, inputs)
    labels = np.array([0, 1]) if name == "classifier" else np.minimum(IDS, 2)
    probabilities = name in ("classifier", "tagger")
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=not probabilities))
    before = [ops.convert_to_numpy(weight) for weight in model.trainable_weights]
    model.fit(inputs, labels, verbose=0)
    moved = [
        not np.array_equal(ops.convert_to_numpy(w), old) for w, old in zip(model.trainable_weights, before, strict=True)
    ]
    assert sum(moved) > 0.9 * len(moved)  # a convolution may have no gradient behind a shut ReLU
    model.save(tmp_path / "m.keras")
    np.testing.assert_array_equal(answer(keras.saving.load_model(tmp_path / "m.keras"), inputs), answer(model, inputs))
    assert not np.array_equal(answer(model, inputs), expected)


@pytest.mark.parametrize(
    ("name", "cell"),
    [("translator", "ssru"), ("translator", "peephole"), ("conditional", "gated_delta"), ("conditional", "lru")],
)
def test_steps_of_a_search_are_those_of_the_pass(name, cell):
    model = BUILDERS[name](CELLS[cell]())
    expected = ops.convert_to_numpy(ops.log_softmax(model((IDS, IDS))))
    state = model.encode(ops.convert_to_tensor(IDS))
    for time in range(3):
        table, state = model.step(ops.convert_to_tensor(IDS[:, time]), state)
        np.testing.assert_allclose(ops.convert_to_numpy(table), expected[:, time], atol=1e-5)
    assert model.generate(IDS, beam_size=2, max_new_tokens=3).shape == (2, 3)


@pytest.mark.parametrize("cell", ["ssru", "lru", "gated_delta"])
def test_a_language_model_continues_as_its_pass_says(cell):
    model = BUILDERS["language_model"](CELLS[cell]())
    text = ops.convert_to_numpy(model.generate(IDS[:1, :3], max_new_tokens=5, temperature=0))
    logits = answer(model, np.concatenate([IDS[:1, :3], text], axis=1))
    logits[..., PAD] = -np.inf  # suppressed
    written = text[0][: list(text[0]).index(END) + 1] if END in text[0] else text[0]  # what follows the end is padding
    np.testing.assert_array_equal(written, logits[0, 2 : 2 + len(written)].argmax(axis=-1))


@pytest.mark.parametrize("cell", CELLS)
def test_half_precision_trains_and_decodes(cell):
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        model = BUILDERS["conditional" if cell in ("lru", "gated_delta") else "translator"](CELLS[cell]())
    finally:
        keras.config.set_dtype_policy("float32")
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    assert np.isfinite(model.fit((IDS, IDS), IDS, verbose=0).history["loss"][0])
    assert model.generate(IDS, max_new_tokens=3).shape == (2, 3)


@pytest.mark.filterwarnings("ignore:.*does not have a `quantize` method")
@pytest.mark.parametrize("cell", ["ssru", "lru", "gated_delta"])
def test_a_model_is_quantized_around_its_cells(cell):
    """Keras quantizes dense layers and embeddings; cells have no such form and stay as they are."""
    model = BUILDERS["language_model"](CELLS[cell]())
    whole = answer(model, IDS)
    model.quantize("int8")
    assert 0 < np.abs(answer(model, IDS) - whole).max() < 0.1 * np.abs(whole).max()
