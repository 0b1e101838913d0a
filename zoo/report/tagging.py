"""The report of a tagger: confusions of labels, errors of spans, the worst sequences."""

from collections import Counter
from collections.abc import Sequence

import numpy as np

from zoo.report.classification import confusion, per_class
from zoo.report.sections import MOST_EXAMPLES, Context, Section, Table, examples
from zoo.report.values import Span, Tagged

KINDS = {
    "right": "same ends, same label",
    "wrong label": "same ends, another label",
    "wrong ends": "overlaps a span of the same label",
    "wrong ends and label": "overlaps spans of other labels only",
    "missed": "overlaps no predicted span",
}
"""What can become of a true span."""


def sections(answers: Tagged, context: Context) -> list[Section]:
    """All sections, in the order of the page."""
    targets, predicted = np.concatenate(answers.targets), np.concatenate(answers.predicted)
    labels = list(answers.labels)
    worst = np.argsort(answers.quality, kind="stable")[:MOST_EXAMPLES]
    worst = worst[answers.quality[worst] < 1]
    found = examples(context, answers, worst, "sequence", "fraction of right labels")
    return [
        confusion(targets, predicted, labels, context, "steps"),
        per_class(targets, predicted, labels, context),
        *([span_errors(answers)] if answers.spans else []),
        Section("Worst sequences", "" if found else "There are no errors.", examples=found),
    ]


def span_errors(answers: Tagged) -> Section:
    """How spans are missed."""
    assert answers.spans is not None
    counts: dict[str, Counter[str]] = {}
    spurious: Counter[str] = Counter()
    for truth, ours in zip(answers.targets, answers.predicted, strict=True):
        true, guessed = answers.spans(answers.names(truth)), answers.spans(answers.names(ours))
        for span in true:
            counts.setdefault(span[2], Counter())[verdict(span, guessed)] += 1
        spurious.update(span[2] for span in guessed if not any(_overlap(span, other) for other in true))
    total: Counter[str] = sum(counts.values(), Counter())
    rows = [(kind, meaning, f"{total[kind]:,}") for kind, meaning in KINDS.items()]
    rows.append(("spurious", "a predicted span that overlaps no true one", f"{spurious.total():,}"))
    per_label = [
        (label, *(f"{counts.get(label, Counter())[kind]:,}" for kind in KINDS), f"{spurious[label]:,}")
        for label in sorted({*counts, *spurious})
    ]
    tables = [Table(("kind", "what it is", "spans"), rows), Table(("label", *KINDS, "spurious"), per_label)]
    return Section("Span errors", "Each true span is counted once, under the first kind that fits.", tables)


def verdict(span: Span, guessed: Sequence[Span]) -> str:
    """What became of a true span; one of `KINDS`."""
    same = [other for other in guessed if tuple(other[:2]) == tuple(span[:2])]
    if same:
        return "right" if any(other[2] == span[2] for other in same) else "wrong label"
    touched = [other for other in guessed if _overlap(span, other)]
    if not touched:
        return "missed"
    return "wrong ends" if any(other[2] == span[2] for other in touched) else "wrong ends and label"


def _overlap(one: Span, other: Span) -> bool:
    return one[0] < other[1] and other[0] < one[1]
