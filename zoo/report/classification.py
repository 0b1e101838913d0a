"""The report of a classifier: confusions, scores per class, calibration, the worst errors."""

from collections.abc import Sequence

import numpy as np
from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

from zoo import metrics
from zoo.report import pictures
from zoo.report.sections import MOST_EXAMPLES, Context, Section, Table, examples
from zoo.report.values import Classified
from zoo.terminal import shades


def sections(answers: Classified, context: Context) -> list[Section]:
    """All sections, in the order of the page."""
    return [
        confusion(answers.targets, answers.predicted, answers.labels, context, "examples"),
        per_class(answers.targets, answers.predicted, answers.labels, context),
        reliability(answers, context),
        _worst(answers, context),
    ]


def confusion(
    targets: np.ndarray, predicted: np.ndarray, labels: Sequence[str], context: Context, what: str
) -> Section:
    """Which classes are taken for which.

    Args:
        targets: `(n,)`, right classes.
        predicted: `(n,)`, the model's.
        labels: Their names.
        context: Where the picture goes.
        what: What is counted, in the plural.
    """
    counts = confusion_matrix(targets, predicted, labels=range(len(labels)))
    picture = context.picture(
        "confusion", "confusion matrix", pictures.draw_confusion, counts, labels, context.title("Confusion matrix")
    )
    wrong = counts - np.diag(np.diag(counts))
    order = np.argsort(-wrong, axis=None, kind="stable")[:MOST_EXAMPLES]
    pairs = [(int(place) // len(labels), int(place) % len(labels)) for place in order]
    rows = [(labels[a], labels[b], f"{wrong[a, b]:,}") for a, b in pairs if wrong[a, b]]
    table = Table(("truth", "taken for", what), rows)
    return Section("Confusions", f"{wrong.sum():,} of {counts.sum():,} {what} are wrong.", [table], [picture])


def per_class(targets: np.ndarray, predicted: np.ndarray, labels: Sequence[str], context: Context) -> Section:
    """Precision, recall and F1 of each class; arguments as of `confusion`."""
    parts = precision_recall_fscore_support(targets, predicted, labels=range(len(labels)), zero_division=0)
    precision, recall, f1, support = (np.asarray(part) for part in parts)
    rows = [
        (name, *(f"{value:.4f}" for value in row[:3]), f"{int(row[3]):,}")
        for name, row in zip(labels, zip(precision, recall, f1, support, strict=True), strict=True)
    ]
    shown = np.sort(np.argsort(f1, kind="stable")[: pictures.MOST_CLASSES])
    bars = {"precision": precision[shown], "recall": recall[shown], "F1": f1[shown]}
    picture = context.picture(
        "classes", "precision, recall and F1 of each class", pictures.draw_bars, bars, [labels[i] for i in shown],
        ("class", "score (0 to 1)"), context.title("Scores per class"),
    )  # fmt: skip
    text = (
        "Precision is the fraction of answers of a class that are right, recall the fraction of a class that is found, "
        "F1 their harmonic mean."
    )
    return Section(
        "Scores per class", text, [Table(("class", "precision", "recall", "F1", "examples"), rows)], [picture]
    )


def reliability(answers: Classified, context: Context) -> Section:
    """Whether answers are as often right as their probabilities say."""
    bins = metrics.confidence_bins(answers.probabilities, answers.targets)
    ece = metrics.expected_calibration_error(answers.probabilities, answers.targets)
    picture = context.picture(
        "reliability", "reliability diagram", pictures.draw_reliability, *bins, ece=ece,
        title=context.title("Reliability"),
    )  # fmt: skip
    text = (
        f"Expected calibration error {ece:.4f}: the mean distance between confidence and accuracy over {metrics.BINS} "
        "bins of confidence. Below the diagonal, the model is too sure of itself."
    )
    return Section("Calibration", text, pictures=[picture])


def _worst(answers: Classified, context: Context) -> Section:
    wrong = np.flatnonzero(answers.predicted != answers.targets)
    worst = wrong[np.argsort(answers.quality[wrong], kind="stable")][:MOST_EXAMPLES]
    text = "Wrong answers with the least probability of the right class."
    if len(worst) and answers.shown(int(worst[0])).marks:
        text += f" {shades.SIGNED_LEGEND}"
    found = examples(context, answers, worst, "error", "probability of the right class")
    return Section("Worst errors", text if found else "There are no errors.", examples=found)
