"""The report of a model that writes texts: score by length, best and worst examples, word frequencies."""

from collections import Counter

import numpy as np

from zoo import figures
from zoo.report import pictures
from zoo.report.sections import MOST_EXAMPLES, Context, Section, Table, examples
from zoo.report.values import Generated
from zoo.statistics import interval

BINS = 6
"""Groups of examples of like length; each has about as many examples."""

DRAWS = 300
"""Bootstrap draws for the interval of a bar."""

SHEET = 12
"""Pictures of a contact sheet."""


def sections(answers: Generated, context: Context) -> list[Section]:
    """All sections, in the order of the page."""
    order = np.argsort(answers.quality, kind="stable")
    worst, best = order[:MOST_EXAMPLES], order[::-1][:MOST_EXAMPLES]
    unit = answers.quality_name
    return [
        *([_sheet(answers, context)] if answers.pictures else []),
        by_length(answers, context),
        Section("Worst examples", f"By {unit}.", examples=examples(context, answers, worst, "worst", unit)),
        Section("Best examples", f"By {unit}.", examples=examples(context, answers, best, "best", unit)),
        frequencies(answers, context),
    ]


def by_length(answers: Generated, context: Context) -> Section:
    """The score of examples with references of like length."""
    lengths = np.array([len(answers.words(several[0])) for several in answers.references])
    edges = np.unique(np.quantile(lengths, np.linspace(0, 1, BINS + 1)[1:-1]).astype(int))
    group = np.searchsorted(edges, lengths, side="left")  # up to an edge, included
    names, values, intervals, rows = [], [], [], []
    for number in np.unique(group):
        mine = group == number
        shortest, longest = lengths[mine].min(), lengths[mine].max()
        names.append(f"{shortest}-{longest}" if longest > shortest else f"{shortest}")
        values.append(float(answers.combine(answers.statistics[mine].sum(axis=0))))
        intervals.append(interval(answers.statistics[mine], answers.combine, DRAWS))
        rows.append((names[-1], f"{values[-1]:.2f}", "{:.2f} to {:.2f}".format(*intervals[-1]), f"{mine.sum():,}"))
    whole = float(answers.combine(answers.statistics.sum(axis=0)))
    picture = context.picture(
        "length", f"{answers.monitor} by length", pictures.draw_bars, {answers.monitor: values}, names,
        ("length of the reference (words)", answers.monitor), context.title(f"{answers.monitor} by length"),
        intervals, ("all examples", whole),
    )  # fmt: skip
    head = ("words of the reference", answers.monitor, "95 % interval", "examples")
    return Section("Score by length", "Bars are bootstrap 95 % intervals.", [Table(head, rows)], [picture])


def frequencies(answers: Generated, context: Context) -> Section:
    """Which words the model writes too often, and which too seldom."""
    ours = Counter(word for text in answers.answers for word in answers.words(text))
    theirs: Counter[str] = Counter()
    for several in answers.references:
        for text in several:
            theirs.update({word: count / len(several) for word, count in Counter(answers.words(text)).items()})
    total, expected = max(sum(ours.values()), 1), max(sum(theirs.values()), 1)

    def change(word: str) -> float:
        return 1_000 * (ours[word] / total - theirs[word] / expected)

    ranked = sorted({*ours, *theirs}, key=lambda word: (change(word), word))
    least = [word for word in ranked[:MOST_EXAMPLES] if change(word) < 0]
    most = [word for word in ranked[::-1][:MOST_EXAMPLES] if change(word) > 0]
    rows = [
        (word, f"{1_000 * ours[word] / total:.2f}", f"{1_000 * theirs[word] / expected:.2f}")
        for word in [*most, *least]
    ]
    if not rows:
        return Section("Word frequencies", "The model uses each word as often as the references do.")
    bars = {"model": [float(row[1]) for row in rows], "references": [float(row[2]) for row in rows]}
    picture = context.picture(
        "words", "word frequencies", pictures.draw_bars, bars, [row[0] for row in rows],
        ("word", "occurrences per 1,000 words"), context.title("Words written too often (left) and too seldom (right)"),
    )  # fmt: skip
    text = (
        f"The model uses {len(ours):,} different words in {total:,}; the references have {len(theirs):,} in "
        f"{expected:,.0f}. The table has the words with the largest differences, per 1,000 words."
    )
    return Section("Word frequencies", text, [Table(("word", "model", "references"), rows)], [picture])


def _sheet(answers: Generated, context: Context) -> Section:
    """The first pictures with what was written about them."""
    tiles = []
    for place in range(min(SHEET, len(answers.answers))):
        picture = answers.shown(place).picture
        if picture is not None:
            tiles.append((answers.answers[place], picture))
    drawn = context.picture(
        "contact-sheet", "pictures with captions", figures.draw_tiles, tiles, context.title("Captions")
    )
    return Section("Contact sheet", f"The first {len(tiles)} pictures of the split.", pictures=[drawn])
