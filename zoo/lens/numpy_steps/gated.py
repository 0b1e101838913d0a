"""Nonlinear cells that mix their state, with normalization, peepholes, exponential gates or without mixing."""

from zoo.lens.numpy_steps.step import Step

STEPS: dict[str, Step] = {}
"""Name of a cell -> its step."""
