"""Masks are arguments here, never attached to tensors."""

from typing import Any

from zoo.serialization import Configured


class ExplicitMask(Configured):
    """A layer that takes its mask as an argument and attaches none to its output.

    Keras can carry a mask along with a tensor, but which layers pass it on differs between its versions (after
    3.15, recurrent layers do not). An argument cannot get lost.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True  # without it, Keras warns about every mask that is given

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> None:
        """No mask goes along with the output."""
        return None
