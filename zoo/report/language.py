"""The report of a language model: loss by position and by class of characters, the hardest pieces of text."""

import unicodedata
from collections import defaultdict

import numpy as np

from zoo.figures import draw_lines
from zoo.report import pictures
from zoo.report.sections import MOST_EXAMPLES, Context, Section, Table, examples
from zoo.report.values import TextLoss

CLASSES = {"Ll": "lower-case letter", "Lu": "upper-case letter", "N": "digit", "P": "punctuation", "S": "symbol"}
"""Unicode's category, or its first letter -> how it is called."""


def sections(answers: TextLoss, context: Context) -> list[Section]:
    """All sections, in the order of the page."""
    order = np.argsort(answers.quality, kind="stable")
    unit = f"mean log-probability per {answers.noun} (nats)"
    text = f"The redder a {answers.noun}, the less the model expected it."
    return [
        by_position(answers, context),
        by_class(answers, context),
        Section("Hardest pieces", text, examples=examples(context, answers, order[:3], "hard", unit)),
        Section("Easiest pieces", text, examples=examples(context, answers, order[::-1][:3], "easy", unit)),
    ]


def by_position(answers: TextLoss, context: Context) -> Section:
    """The loss by how much was read before, in powers of two."""
    group = np.log2(answers.positions + 1).astype(int)
    found = [(int(g), answers.nats[group == g]) for g in np.unique(group)]
    names = [f"{2**g - 1:,}" for g, _ in found]
    means = [float(nats.mean()) for _, nats in found]
    half = [1.96 * float(nats.std()) / len(nats) ** 0.5 for _, nats in found]
    picture = context.picture(
        "position", "loss by position", draw_lines, {"this model": (names, means)},
        (f"{answers.noun}s read before, at least", f"loss (nats per {answers.noun})"),
        title=context.title("Loss by position"),
        levels={"all": float(answers.nats.mean())},
        spread={"this model": ([m - h for m, h in zip(means, half, strict=True)],
                               [m + h for m, h in zip(means, half, strict=True)])},
    )  # fmt: skip
    rows = [(name, f"{mean:.4f}", f"{len(nats):,}") for name, mean, (_, nats) in zip(names, means, found, strict=True)]
    table = Table((f"{answers.noun}s read before, at least", "nats", f"{answers.noun}s"), rows)
    text = "How much a longer context helps. Bars are 95 % intervals of the mean."
    return Section("Loss by position", text, [table], [picture])


def by_class(answers: TextLoss, context: Context) -> Section:
    """The loss by the kind of character that a token begins with, and the hardest tokens."""
    kinds = np.array([character_class(token) for token in answers.tokens])
    names, counts = np.unique(kinds, return_counts=True)
    order = np.argsort(-counts, kind="stable")
    means = {str(name): float(answers.nats[kinds == name].mean()) for name in names[order]}
    share = {str(name): float(answers.nats[kinds == name].sum() / max(answers.nats.sum(), 1e-9)) for name in names}
    rows = [
        (name, f"{means[name]:.4f}", f"{count:,}", f"{share[name]:.1%}")
        for name, count in zip(map(str, names[order]), counts[order], strict=True)
    ]
    picture = context.picture(
        "classes", "loss by class of character", pictures.draw_bars, {"loss": list(means.values())}, list(means),
        ("class of the first character", f"loss (nats per {answers.noun})"),
        context.title("Loss by class of character"), None, ("all", float(answers.nats.mean())),
    )  # fmt: skip
    head = ("class of the first character", "nats", f"{answers.noun}s", "share of the loss")
    return Section("Loss by class", "", [Table(head, rows), _hardest(answers)], [picture])


def _hardest(answers: TextLoss) -> Table:
    """The tokens that cost most in all."""
    sums: defaultdict[str, list[float]] = defaultdict(lambda: [0.0, 0])
    for token, nats in zip(answers.tokens, answers.nats, strict=True):
        sums[token][0] += float(nats)
        sums[token][1] += 1
    ranked = sorted(sums.items(), key=lambda item: -item[1][0])[:MOST_EXAMPLES]
    rows = [(repr(token), f"{total / count:.4f}", f"{count:,}") for token, (total, count) in ranked]
    return Table((f"{answers.noun}s with the largest loss in all", "mean nats", "occurrences"), rows)


def character_class(token: str) -> str:
    """The kind of a token's first character."""
    first = token.lstrip("\u2581")[:1] or " "
    if first == "\n":
        return "end of line"
    if first.isspace():
        return "space"
    category = unicodedata.category(first)
    return CLASSES.get(category) or CLASSES.get(category[0]) or ("other letter" if category[0] == "L" else "other")
