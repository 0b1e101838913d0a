"""Layers of version 0.1 that are others now, so that its files load."""

from typing import Any

import keras

from zoo.layers.carried_state import CarriedState
from zoo.layers.explicit_mask import ExplicitMask


class _LockedDropout(keras.layers.SpatialDropout1D):
    """What version 0.1 called `LockedDropout`: Keras's layer draws the same numbers from the same seed."""

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> keras.layers.SpatialDropout1D:
        return keras.layers.SpatialDropout1D.from_config({k: v for k, v in config.items() if k != "trainable"})


FORMER_CLASSES = {"zoo>LockedDropout": _LockedDropout, "zoo>Carried": CarriedState, "zoo>Masked": ExplicitMask}
"""Registered name in version 0.1 -> class today."""


def register_former_names() -> None:
    """Makes Keras find the classes of today under the names that files of version 0.1 have."""
    for name, cls in FORMER_CLASSES.items():
        keras.saving.get_custom_objects()[name] = cls
