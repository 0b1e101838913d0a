"""Pictures to feature maps: networks whose output is a grid of vectors, one for each position of the picture."""

import importlib
import inspect
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras

from zoo.errors import UserError
from zoo.names import unknown

FILTERS = (32, 64, 96, 128)
"""Filters of our own network's layers. All but the last halve the picture."""


def image_encoder(
    kind: str | Path | keras.Model, size: int | None = None, weights: str | None = "imagenet", *, dtype: Any = None
) -> Any:
    """A network from pictures to feature maps.

    Args:
        kind: `"convolutional"`, a small network to be trained from scratch; the name of an architecture in
            `keras.applications`, such as `"EfficientNetB0"`; a `.keras` file; or a model.
        size: Side of the square pictures in pixels; None for any (not every architecture in `keras.applications`
            takes that). A file or a model has its own; its network is built again for larger pictures, with the same
            weights, if its layers allow.
        dtype: Precision of the small network; the others have their own.
        weights: Of an architecture in `keras.applications`: `"imagenet"`, which Keras fetches, or None.

    Returns:
        A `keras.Model`: pictures `(batch, height, width, 3)`, values 0 to 255, to `(batch, rows, columns, channels)`.

    Raises:
        UserError: If there is no such network, it cannot be read or fetched, or its output is no feature map.
    """
    if isinstance(kind, keras.Model):
        return _checked(_enlarged(kind, size), kind.name)
    kind = str(kind)
    if kind == "convolutional":
        return convolutional(size, dtype=dtype)
    if kind.endswith(".keras"):
        return _checked(_enlarged(_from_file(Path(kind)), size), kind)
    return _application(kind, size, weights)


def convolutional(size: int | None = None, filters: Sequence[int] = FILTERS, dtype: Any = None) -> keras.Model:
    """A small network: convolutions of 3 x 3, normalized by batch, each but the last with a stride of 2.

    Args:
        size: Side of the pictures, None for any.
        filters: Of each layer.
        dtype: Precision of the layers.
    """
    policy = keras.dtype_policies.get(dtype or keras.config.dtype_policy())
    inputs = keras.Input((size, size, 3), name="pictures")
    x = keras.layers.Rescaling(1 / 127.5, -1.0, dtype=policy)(inputs)
    for number, count in enumerate(filters):
        strides = 1 if number == len(filters) - 1 else 2
        x = keras.layers.Conv2D(count, 3, strides, "same", use_bias=False, dtype=policy, name=f"convolution_{number}")(
            x
        )
        x = keras.layers.BatchNormalization(momentum=0.9, dtype=policy, name=f"normalization_{number}")(x)
        x = keras.layers.ReLU(dtype=policy)(x)
    model = keras.Model(inputs, x, name="convolutional")
    for part in (model, *model.layers[:1]):  # Keras gives the global policy to a model and its inputs
        part.dtype_policy = policy
    return model


def applications() -> dict[str, Any]:
    """The architectures of `keras.applications` by name."""
    found = inspect.getmembers(keras.applications, lambda item: callable(item) and not inspect.ismodule(item))
    return {name: maker for name, maker in found if name[0].isupper()}


def _from_file(path: Path) -> keras.Model:
    if not path.is_file():
        raise UserError(f"There is no file {str(path)!r} to take an image encoder from.")
    try:
        return keras.saving.load_model(path, compile=False, safe_mode=True)
    except (OSError, ValueError, KeyError, TypeError) as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
        raise UserError(f"{path} cannot be loaded as an image encoder: {reason}") from error


def _enlarged(model: keras.Model, size: int | None) -> keras.Model:
    """The network for larger pictures: convolutions look at any size, and give a finer map of a larger one.

    Smaller pictures are left to the caller to refuse: what a network knows of things, it knows at their size.
    """
    sides = model.input_shape[1:3]
    if size is None or None in sides or size <= max(sides):
        return model
    try:
        larger = keras.models.clone_model(model, input_tensors=keras.Input((size, size, 3), name="pictures"))
        larger.set_weights(model.get_weights())
    except (ValueError, TypeError):  # a layer that is made for one size, e.g. a dense one
        return model
    return larger


def _application(name: str, size: int | None, weights: str | None) -> keras.Model:
    """An architecture with what it wants its pictures to be turned into first."""
    known = applications()
    if name not in known:
        raise unknown("image encoder", name, ["convolutional", *known], "Or give a .keras file")
    try:
        net = known[name](include_top=False, weights=weights, input_shape=(size, size, 3))
    except ValueError as error:
        raise UserError(f"{name} cannot be had for pictures of {size} x {size} pixels: {error}") from error
    except Exception as error:  # Keras raises a bare Exception where it cannot fetch weights
        if "fetch" not in str(error).lower():
            raise
        raise UserError(
            f"The weights of {name} could not be fetched ({error}). Connect to the network, give a .keras file as "
            "image encoder, or use 'convolutional', which needs neither."
        ) from error
    inputs = keras.Input((size, size, 3), name="pictures")
    prepared = _preprocessing(known[name])(keras.ops.cast(inputs, "float32"))
    return _checked(keras.Model(inputs, net(prepared), name=name), name)


def _preprocessing(maker: Any) -> Any:
    """`preprocess_input` of the public module that an architecture stands in."""
    for _, module in inspect.getmembers(keras.applications, inspect.ismodule):
        if getattr(module, maker.__name__, None) is maker:
            return module.preprocess_input
    return importlib.import_module(maker.__module__).preprocess_input


def _checked(model: keras.Model, name: str) -> keras.Model:
    shape = model.output_shape
    if not isinstance(shape, tuple) or len(shape) != 4 or shape[-1] is None:
        raise UserError(
            f"{name} is no image encoder: its output has the shape {shape}; a feature map "
            "(batch, rows, columns, channels) is wanted. Save the network without its pooling and its top."
        )
    return model
