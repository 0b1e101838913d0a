"""One step of every cell in numpy, written from the papers: a second source beside the cells themselves.

Tests and `zoo lens equations` compare the cells with these functions. None of them imports Keras. They all have one
signature:

    step(weights, inputs, states, arguments) -> (output, new states)

`weights` are the cell's weights by name, `inputs` is `(batch, features)`, `states` are `(batch, size)` as the cell
stores them (a complex state as its real and its imaginary part side by side), and `arguments` is the cell's config.
A new cell is one function here, in the module of its kind, and one entry in the `STEPS` of that module.
"""

from zoo.lens.numpy_steps import classic, gated, linear
from zoo.lens.numpy_steps.step import Step

NUMPY_STEPS: dict[str, Step] = {**classic.STEPS, **gated.STEPS, **linear.STEPS}
"""Name of a cell -> its step."""

__all__ = ["NUMPY_STEPS", "Step"]
