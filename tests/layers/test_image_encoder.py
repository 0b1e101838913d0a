"""Image encoders: our own network, architectures of Keras with their preprocessing, files, and what is none."""

import sys
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from keras import ops

from zoo.errors import UserError
from zoo.layers import image_encoder

PICTURES = np.random.default_rng(0).integers(0, 256, (2, 32, 32, 3), dtype="uint8").astype("float32")

MODULE = sys.modules["zoo.layers.image_encoder"]  # the name in zoo.layers is the function's


def array(tensor: Any) -> np.ndarray:
    return ops.convert_to_numpy(tensor)


def small(name: str = "small", side: int | None = 32, pooled: bool = False) -> keras.Model:
    inputs = keras.Input((side, side, 3))
    x = keras.layers.Conv2D(4, 3, 8, "same")(inputs)
    return keras.Model(inputs, keras.layers.GlobalAveragePooling2D()(x) if pooled else x, name=name)


@pytest.mark.parametrize(("size", "pictures", "shape"), [(None, 40, (5, 5)), (16, 16, (2, 2))])
def test_our_own_network_shrinks_to_an_eighth(size: int | None, pictures: int, shape: tuple) -> None:
    net = image_encoder("convolutional", size)
    answer = array(net(np.zeros((2, pictures, pictures, 3), "float32")))
    assert answer.shape == (2, *shape, MODULE.FILTERS[-1])
    assert net.output_shape == (None, *(shape if size else (None, None)), 128)
    assert net.get_config()["name"] == "convolutional"


def test_our_own_network_scales_pictures_itself() -> None:
    """The first convolution gets -1 to 1."""
    net = image_encoder("convolutional", 16)
    first = keras.Model(net.input, net.get_layer("convolution_0").input)
    pictures = np.full((1, 16, 16, 3), [0, 127.5, 255], "float32")
    np.testing.assert_allclose(array(first(pictures))[0, 0, 0], [-1, 0, 1], atol=1e-6)


def test_an_architecture_of_keras_gets_its_own_preprocessing() -> None:
    net = image_encoder("MobileNetV2", 32, None)
    bare = keras.applications.MobileNetV2(include_top=False, weights=None, input_shape=(32, 32, 3))
    assert len(net.weights) == len(bare.weights)
    rng = np.random.default_rng(1)
    for weight in net.weights:
        seen = np.prod(weight.shape[: 2 if "depthwise" in weight.path else -1])  # by one unit, so that signals live
        values = rng.normal(0, np.sqrt(2 / seen) if "kernel" in weight.name else 0.1, weight.shape)
        weight.assign(values + (weight.name in ("gamma", "moving_variance")))
    bare.set_weights(net.get_weights())
    ready = keras.applications.mobilenet_v2.preprocess_input(PICTURES.copy())
    assert ready.min() == -1
    expected = array(bare(ready, training=False))
    assert expected.shape == (2, 1, 1, 1280)
    assert np.abs(expected[0] - expected[1]).max() > 1e-3, "pictures must matter here"
    np.testing.assert_allclose(array(net(PICTURES)), expected, atol=1e-4)


def test_every_architecture_finds_the_preprocessing_of_the_file_it_stands_in() -> None:
    known = MODULE.applications()
    assert len(known) > 30
    assert {"EfficientNetB0", "MobileNetV3Small", "ResNet50", "ConvNeXtTiny"} <= set(known)
    for name, maker in known.items():
        expected = sys.modules[maker.__module__].preprocess_input
        np.testing.assert_array_equal(
            MODULE._preprocessing(maker)(PICTURES.copy()), expected(PICTURES.copy()), err_msg=name
        )


def stand_in(name: str, make: Any) -> Any:
    """A function that passes for the architecture of this name."""
    make.__name__, make.__module__ = name, getattr(keras.applications, name).__module__
    return make


def test_caffe_s_order_of_colours_is_saved_with_the_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """ResNet50 with one layer in the place of its fifty, as it wants blue first, less the mean of ImageNet."""

    def make(include_top: bool, weights: str | None, input_shape: tuple) -> keras.Model:
        assert (include_top, weights, input_shape) == (False, "imagenet", (32, 32, 3))
        return small("one_layer")

    monkeypatch.setattr(keras.applications, "ResNet50", stand_in("ResNet50", make))
    net = image_encoder("ResNet50", 32)
    blue_first = PICTURES[..., ::-1] - np.array([103.939, 116.779, 123.68], "float32")
    expected = array(net.get_layer("one_layer")(blue_first))
    np.testing.assert_allclose(array(net(PICTURES)), expected, rtol=1e-4, atol=1e-3)
    net.save(tmp_path / "net.keras")
    again = image_encoder(tmp_path / "net.keras")
    np.testing.assert_allclose(array(again(PICTURES)), array(net(PICTURES)), atol=1e-5)


def test_a_file_of_convolutions_is_built_again_for_larger_pictures(tmp_path: Path) -> None:
    net = image_encoder("convolutional", 16)
    net.save(tmp_path / "net.keras")
    larger = image_encoder(tmp_path / "net.keras", 32)
    assert larger.input_shape[1:3] == (32, 32)
    free = image_encoder("convolutional")  # takes any size
    free.set_weights(net.get_weights())
    pictures = np.random.default_rng(1).uniform(0, 255, (2, 32, 32, 3)).astype("float32")
    np.testing.assert_allclose(array(larger(pictures)), array(free(pictures)), atol=1e-5)


def test_a_layer_for_one_size_keeps_it(tmp_path: Path) -> None:
    inputs = keras.Input((8, 8, 3))
    flat = keras.layers.Dense(12)(keras.layers.Flatten()(inputs))
    keras.Model(inputs, keras.layers.Reshape((2, 2, 3))(flat)).save(tmp_path / "net.keras")
    assert image_encoder(tmp_path / "net.keras", 16).input_shape[1:3] == (8, 8)


def test_a_file_and_a_model_are_taken_as_they_are(tmp_path: Path) -> None:
    net = small()
    assert image_encoder(net) is net
    net.save(tmp_path / "net.keras")
    for kind in (tmp_path / "net.keras", str(tmp_path / "net.keras")):
        np.testing.assert_array_equal(array(image_encoder(kind)(PICTURES)), array(net(PICTURES)))


def test_what_has_no_feature_map_is_no_encoder(tmp_path: Path) -> None:
    small("pooled", pooled=True).save(tmp_path / "pooled.keras")
    with pytest.raises(UserError, match=r"pooled.keras is no image encoder: its output has the shape \(None, 4\)"):
        image_encoder(tmp_path / "pooled.keras")
    with pytest.raises(UserError, match="pooled is no image encoder"):
        image_encoder(small("pooled", pooled=True))
    inputs = keras.Input((32, 32, 3))
    with pytest.raises(UserError, match="two is no image encoder"):
        image_encoder(keras.Model(inputs, [keras.layers.Conv2D(2, 3)(inputs)] * 2, name="two"))


def test_a_file_that_cannot_be_used_is_told(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"There is no file '.*nowhere.keras' to take an image encoder from"):
        image_encoder(tmp_path / "nowhere.keras")
    (tmp_path / "text.keras").write_text("no network")
    with pytest.raises(UserError, match=r"text.keras cannot be loaded as an image encoder: "):
        image_encoder(tmp_path / "text.keras")
    inputs = keras.Input((32, 32, 3))
    keras.Model(inputs, keras.layers.Lambda(lambda x: x * 2)(inputs)).save(tmp_path / "code.keras")
    with pytest.raises(UserError, match=r"code.keras cannot be loaded as an image encoder: .*Lambda"):
        image_encoder(tmp_path / "code.keras")  # code in a file is not run


def test_weights_that_cannot_be_fetched_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def offline(**_: Any) -> None:
        raise Exception("URL fetch failure on https://storage/net.h5: None -- unreachable")

    monkeypatch.setattr(keras.applications, "MobileNetV2", offline)
    with pytest.raises(UserError, match=r"The weights of MobileNetV2 could not be fetched .*'convolutional'"):
        image_encoder("MobileNetV2", 32)

    def broken(**_: Any) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr(keras.applications, "MobileNetV2", broken)
    with pytest.raises(RuntimeError, match="a bug"):
        image_encoder("MobileNetV2", 32)


def test_a_size_that_an_architecture_does_not_take_is_told() -> None:
    with pytest.raises(UserError, match=r"MobileNetV2 cannot be had for pictures of 8 x 8 pixels: .*at least 32x32"):
        image_encoder("MobileNetV2", 8, None)


def test_an_unknown_name_is_told_with_the_nearest() -> None:
    with pytest.raises(UserError, match=r"did you mean 'MobileNetV3Small'\?.*Or give a .keras file"):
        image_encoder("MobileNetV3Smal")
    with pytest.raises(UserError, match="did you mean 'convolutional'"):
        image_encoder("convolution")
