"""Cells whose recurrence is linear in the state."""

from zoo.lens.numpy_steps.step import Step

STEPS: dict[str, Step] = {}
"""Name of a cell -> its step."""
