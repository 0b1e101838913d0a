"""The arguments of a constructor are the configuration of a layer.

Keras saves, loads, clones and copies a layer through `get_config` and `from_config`. `Configured` derives both from
the signature of the constructor, so that a list of arguments is written down once:

    @keras.saving.register_keras_serializable("my_package")
    class Scale(Configured):
        def __init__(self, factor: float, cell: Any = "gru", **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.factor = factor

    Scale(2.0).get_config()  # {"factor": 2.0, "cell": "gru", "name": ..., "trainable": True, "dtype": ...}

An argument may be a plain value, a list of such, or a Keras object: a cell, an encoder, an initializer. Nested layers
are made anew by the constructor; what was changed in them since, by `quantize` or by freezing, is kept as well.
"""

import inspect
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import keras

from zoo.names import unknown

FORMER_NAMES = {
    "vocabulary": "vocabulary_size",
    "source_vocabulary": "source_vocabulary_size",
    "target_vocabulary": "target_vocabulary_size",
    "classes": "num_classes",
    "depth": "num_layers",
    "encoder_depth": "encoder_layers",
    "decoder_depth": "decoder_layers",
    "embedding": "embedding_dim",
    "size": "embedding_dim",
    "readout": "readout_dim",
    "features": "feature_shape",
    "frame": "frame_shape",
    "places": "position_embeddings",
    "summary": "pooling",
    "conditional": "conditional_cell",
    "tie_source": "share_embeddings",
    "forbidden": "suppress_tokens",
    "samples": "num_samples",
    "sizes": "state_sizes",
    "unknown": "unknown_id",
}
"""Arguments of version 0.1 -> their names today. A name is replaced only where a class does not have it any more."""

KERAS_OPTIONS = ("name", "dtype", "trainable", "autocast", "activity_regularizer")
"""What `keras.layers.Layer` itself takes."""

NESTED = "nested_layers"
"""The entry of a config for what was changed in nested layers."""


class Configured(keras.layers.Layer):
    """A layer or model whose config follows from the signature of its constructor.

    Attributes:
        arguments: What the constructor was given, defaults included, by name. A constructor may replace an argument
            by what shall be stored instead, such as a default that was resolved.
        given: Names of the arguments that were passed, without those left at their defaults.
    """

    arguments: SimpleNamespace
    given: frozenset[str]

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        _check_names(cls, kwargs)
        layer = super().__new__(cls, *args, **kwargs)
        # Past Keras's tracking: a cell among the arguments is a pattern, not a part of this layer.
        object.__setattr__(layer, "arguments", SimpleNamespace(**_bind(cls, args, kwargs)))
        object.__setattr__(layer, "given", frozenset(_bind(cls, args, kwargs, defaults=False)))
        return layer

    def get_config(self) -> dict[str, Any]:
        config = {name: serialize(value) for name, value in vars(self.arguments).items()}
        dtype = keras.dtype_policies.serialize(self.dtype_policy)
        config = {"name": self.name, "trainable": self.trainable, "dtype": dtype, **config}
        changes = dict(_changes(self, ""))
        return {**config, NESTED: changes} if changes else config

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Any:
        """A new layer of a config, also of one that version 0.1 wrote."""
        config = current_names(cls, config)
        changes, trainable = config.pop(NESTED, {}), config.pop("trainable", True)
        with keras.saving.custom_object_scope(custom_objects or {}):
            layer = cls(**{name: deserialize(value) for name, value in config.items()})
        if not trainable:
            layer.trainable = False
        _apply(layer, changes)
        return layer


def parameters(cls: type) -> list[str]:
    """Names of the arguments of a constructor, without those of `keras.layers.Layer`.

    Where it hands on what it does not name itself, as `**kwargs`, those of the classes above it as well.
    """
    names: list[str] = []
    for base in cls.__mro__:
        if base is Configured:
            break
        if "__init__" in vars(base):
            found = list(inspect.signature(vars(base)["__init__"]).parameters.values())[1:]  # without self
            names += [item.name for item in found if item.kind not in _VARIABLE and item.name not in KERAS_OPTIONS]
            if not any(item.kind is inspect.Parameter.VAR_KEYWORD for item in found):
                break
    return list(dict.fromkeys(names))


_VARIABLE = (inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL)


def current_names(cls: type, config: dict[str, Any]) -> dict[str, Any]:
    """A config with the argument names of today, as a new dictionary."""
    known = parameters(cls)

    def current(name: str) -> str:
        return FORMER_NAMES[name] if name not in known and FORMER_NAMES.get(name) in known else name

    return {current(name): value for name, value in config.items()}


def serialize(value: Any) -> Any:
    """An argument as JSON can hold it: Keras objects become dictionaries, sequences lists."""
    if isinstance(value, (list, tuple)):
        return [serialize(item) for item in value]
    if value is None or isinstance(value, (bool, int, float, str, dict)):
        return value
    return keras.saving.serialize_keras_object(value)


def deserialize(value: Any) -> Any:
    """What `serialize` was given; a sequence is a list now."""
    if isinstance(value, list):
        return [deserialize(item) for item in value]
    if isinstance(value, dict) and "class_name" in value:
        return keras.saving.deserialize_keras_object(value)
    return value


def _bind(cls: type, args: tuple, kwargs: dict[str, Any], defaults: bool = True) -> dict[str, Any]:
    """Arguments by name, with or without defaults; nothing where they do not fit: then the constructor says so."""
    try:
        bound = inspect.signature(getattr(cls, "__init__")).bind(None, *args, **kwargs)  # noqa: B009
    except TypeError:
        return {}
    if defaults:
        bound.apply_defaults()
    given = {**kwargs, **bound.arguments}
    return {name: given[name] for name in parameters(cls) if name in given}


def _check_names(cls: type, given: dict[str, Any]) -> None:
    """Raises a `UserError` for an argument that does not exist; names today's name or the nearest."""
    known = parameters(cls)
    for name in given:
        if name not in known and name not in KERAS_OPTIONS:
            today = FORMER_NAMES.get(name)
            renamed = f"Version 0.1 said {name!r} for what is {today!r} now" if today in known else ""
            raise unknown(f"argument of {cls.__name__}", name, known, renamed)


def _children(layer: keras.layers.Layer) -> list[keras.layers.Layer]:
    return list(layer._flatten_layers(include_self=False, recursive=False))


def _changes(layer: keras.layers.Layer, path: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Nested layers that differ from the one around them: by place, their precision and whether they are frozen.

    A place is a path of numbers, such as "2/0" for the first layer in the third: names of cells are not the same in
    another process.
    """
    for number, child in enumerate(_children(layer)):
        place = f"{path}{number}"
        change: dict[str, Any] = {}
        if child.dtype_policy != layer.dtype_policy:
            change["dtype"] = keras.dtype_policies.serialize(child.dtype_policy)
        if child.trainable != layer.trainable:
            change["trainable"] = child.trainable
        if change:
            yield place, change
        yield from _changes(child, f"{place}/")


def _apply(layer: keras.layers.Layer, changes: dict[str, dict[str, Any]]) -> None:
    """Changes nested layers of a new layer as `_changes` found them."""
    for place, change in changes.items():
        child = layer
        for number in map(int, place.split("/")):
            below = _children(child)
            if number >= len(below):  # added after the constructor had ended
                break
            child = below[number]
        else:
            if "dtype" in change:
                child.dtype_policy = keras.dtype_policies.deserialize(change["dtype"])
            if "trainable" in change:
                child.trainable = change["trainable"]
