"""The constructor's arguments are the config: defaults, cells, nested layers, subclasses, names of version 0.1."""

from typing import Any

import keras
import numpy as np
import pytest
from keras import ops

from zoo import builders, cells, layers, losses
from zoo.errors import UserError
from zoo.serialization import FORMER_NAMES, Configured, current_names, parameters

IDS = np.array([[2, 5, 6, 4], [2, 7, 0, 0]], "int32")


@keras.saving.register_keras_serializable("zoo_tests")
class Scale(Configured):
    """A layer as in the module's docstring."""

    def __init__(self, factor: float, sizes: tuple = (1, 2), cell: Any = "gru", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.factor = factor
        self.inner = keras.layers.Dense(3, dtype=self.dtype_policy)

    def build(self, input_shape):
        self.inner.build(input_shape)

    def call(self, inputs):
        return self.factor * self.inner(inputs)


@keras.saving.register_keras_serializable("zoo_tests")
class Shifted(Scale):
    """Hands on what it does not name."""

    def __init__(self, shift: float = 0.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.shift = shift


def round_trip(layer):
    return keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(layer))


def test_a_config_has_every_argument_and_gives_the_layer_again():
    layer = Scale(2.0, name="scale")
    config = layer.get_config()
    assert {name: config[name] for name in ("factor", "sizes", "cell", "name", "trainable")} == {
        "factor": 2.0, "sizes": [1, 2], "cell": "gru", "name": "scale", "trainable": True,
    }  # fmt: skip
    assert round_trip(layer).get_config() == config
    assert list(config)[3:] == parameters(Scale), "in the order of the constructor"


@pytest.mark.parametrize(
    "cell", [cells.LSTMCell(3), keras.layers.StackedRNNCells([keras.layers.GRUCell(2), keras.layers.LSTMCell(3)])]
)
def test_a_cell_among_the_arguments_is_no_part_of_the_layer(cell):
    layer = Scale(2.0, cell=cell)
    layer.build((None, 4))
    assert len(layer.weights) == 2
    copy = round_trip(layer)
    assert type(copy.arguments.cell) is type(cell)
    assert copy.get_config() == layer.get_config()


def test_a_subclass_keeps_what_it_hands_on():
    layer = Shifted(1.5, factor=3.0)
    assert parameters(Shifted) == ["shift", "factor", "sizes", "cell"]
    copy = round_trip(layer)
    assert (copy.shift, copy.factor) == (1.5, 3.0)


def test_precision_and_frozen_parts_are_kept():
    layer = Scale(1.0, dtype="mixed_bfloat16")
    layer.inner.trainable = False
    layer.inner.dtype_policy = "float32"
    copy = round_trip(layer)
    assert copy.dtype_policy.name == "mixed_bfloat16"
    assert copy.inner.dtype_policy.name == "float32"
    assert not copy.inner.trainable
    assert copy.trainable
    layer.trainable = False
    assert not round_trip(layer).inner.trainable


def test_an_unknown_argument_is_told_with_the_nearest_and_an_old_one_with_its_name_today():
    with pytest.raises(UserError, match="did you mean 'factor'"):
        Scale(fctor=2.0)
    with pytest.raises(UserError, match=r"0\.1 said 'depth' for what is 'num_layers' now"):
        layers.Recurrent("gru", 4, depth=2)
    with pytest.raises(TypeError):
        Scale()


def test_every_former_name_belongs_to_a_class_of_today():
    known = {
        name
        for cls in (
            builders.captioner, builders.translator, builders.tagger, layers.TokenEmbedding, layers.RecurrentDecoder,
            layers.SampledSoftmax, layers.Bridge, layers.WordDropout,
        )
        for name in (parameters(cls) if isinstance(cls, type) else parameters(cls.__wrapped__))
    }  # fmt: skip
    assert set(FORMER_NAMES.values()) <= known


def test_a_name_is_replaced_only_where_it_is_gone():
    assert current_names(layers.TokenEmbedding, {"vocabulary": 9, "size": 3}) == {
        "vocabulary_size": 9,
        "embedding_dim": 3,
    }
    assert current_names(layers.FrameEncoder, {"units": 3, "depth": 2}) == {"units": 3, "depth": 2}


TRANSLATOR = {  # as version 0.1 wrote it
    "name": "translator", "source_vocabulary": 9, "target_vocabulary": 9, "cell": "gru", "units": 4,
    "decoder_cell": "lstm", "decoder_units": 5, "embedding": 3, "encoder_depth": 2, "decoder_depth": 1,
    "bidirectional": True, "residual": False, "attention": "additive", "conditional": True, "input_feeding": False,
    "bridge": "mean", "tie_output": True, "tie_source": True, "layer_norm": False, "word_dropout": 0.0,
    "embedding_dropout": 0.0, "dropout": 0.1, "output_dropout": 0.0, "scheduled_sampling": 0.0,
}  # fmt: skip


def test_a_config_of_version_0_1_gives_the_model_of_today():
    old = {"module": "zoo.builders.translator", "class_name": "Translator", "registered_name": "zoo>Translator"}
    model = keras.saving.deserialize_keras_object({**old, "config": TRANSLATOR, "build_config": {"shapes_dict": {}}})
    today = builders.translator(
        9, 9, "gru", 4, decoder_cell="lstm", decoder_units=5, embedding_dim=3, encoder_layers=2, conditional_cell=True,
        share_embeddings=True, dropout=0.1,
    )  # fmt: skip
    assert model.get_config() == today.get_config()
    assert [weight.shape for weight in model.weights] == [weight.shape for weight in today.weights]


def test_a_tagger_of_clips_finds_the_shape_of_a_frame_in_its_old_build_config():
    old = {"module": "zoo.builders.tagger", "class_name": "Tagger", "registered_name": "zoo>Tagger"}
    config = {"name": "tagger", "classes": 3, "cell": "gru", "units": 4, "vocabulary": None, "frames": True}
    built = {**old, "config": {**config, "embedding": 5, "depth": 1}, "build_config": {"read": [None, None, 8, 8, 1]}}
    model = keras.saving.deserialize_keras_object(built)
    assert model.get_config()["frame_shape"] == [8, 8, 1]
    assert model(np.zeros((1, 2, 8, 8, 1), "uint8")).shape == (1, 2, 3)


def test_old_names_of_classes_and_of_label_smoothing_load():
    old = {"module": "zoo.layers.dropout", "class_name": "LockedDropout", "registered_name": "zoo>LockedDropout"}
    config = {"name": "drop", "trainable": True, "dtype": "float32", "rate": 0.5, "seed": 3}
    layer = keras.saving.deserialize_keras_object({**old, "config": config})
    assert type(layer) is keras.layers.SpatialDropout1D
    assert (layer.name, layer.rate, layer.seed) == ("drop", 0.5, 3)
    assert losses.TokenCrossentropy.from_config({"smoothing": 0.2}).label_smoothing == 0.2


def test_weights_of_version_0_1_are_found_under_their_old_names(tmp_path):
    """The attention was `look`, the conditional cell `second`: both names lead to the same layers."""
    model = builders.translator(9, 9, "gru", 4, embedding_dim=3, conditional_cell=True)
    model.save_weights(tmp_path / "m.weights.h5")
    h5py = pytest.importorskip("h5py")
    with h5py.File(tmp_path / "m.weights.h5", "a") as file:
        file.move("decoder/attention", "decoder/look")
        file.move("decoder/conditional_cell", "decoder/second")
    other = builders.translator(9, 9, "gru", 4, embedding_dim=3, conditional_cell=True)
    other.load_weights(tmp_path / "m.weights.h5")
    for one, two in zip(model.weights, other.weights, strict=True):
        np.testing.assert_array_equal(ops.convert_to_numpy(one), ops.convert_to_numpy(two))
