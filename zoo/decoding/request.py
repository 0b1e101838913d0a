"""From what a caller wants written to a search and its options: the same for a model and for its export."""

from typing import Any

from zoo.decoding.options import check
from zoo.ids import END, START

LARGE = 16
"""Batch size from which halving a batch, as its examples end, is worth it."""


def request(
    rows: int,
    *,
    beam_size: int = 5,
    length_penalty: float = 0.6,
    coverage_penalty: float = 0.0,
    consensus: float = 0.0,
    num_return: int = 1,
    max_new_tokens: int = 100,
    attention: bool = False,
) -> tuple[str, dict[str, Any]]:
    """The name of a search in `zoo.decoding.TABLE`, and its options.

    Args:
        rows: Examples in the batch.
        beam_size: Hypotheses per example; 1 is greedy search.
        length_penalty: Exponent of the length normalization.
        coverage_penalty: Weight of the coverage penalty; 0 for none.
        consensus: If above 0, how sharply the scores weight the hypotheses whose likeness ranks them.
        num_return: Outputs per example, at most `beam_size`.
        max_new_tokens: Largest number of tokens of an output, the end token included.
        attention: Whether to return the attention weights.

    Raises:
        UserError: If a value makes no sense.
    """
    ranking = {
        "beam_size": beam_size, "num_return": num_return, "length_penalty": length_penalty,
        "coverage_penalty": coverage_penalty, "consensus": consensus,
    }  # fmt: skip
    check(**ranking)
    options: dict[str, Any] = {"start": START, "end": END, "max_new_tokens": max_new_tokens}
    if attention or coverage_penalty:
        options["record"] = "attention"
    if rows >= LARGE:
        options["halvings"] = 2
    return ("greedy", options) if beam_size == 1 else ("beam", {**options, **ranking})
