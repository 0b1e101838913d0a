"""What reports count, checked against counting by hand, and their pictures."""

from collections import Counter

import numpy as np
import pytest

from zoo.report import classification, generation, language, tagging
from zoo.report.sections import Context
from zoo.report.values import Classified, Generated, Shown, Tagged, TextLoss


@pytest.fixture
def context(tmp_path):
    return Context(tmp_path, "a model on data, split test")


def titles(sections):
    return [section.title for section in sections]


LABELS = ("no", "yes", "<script>alert(1)</script>")


def classified():
    random = np.random.default_rng(0)
    probabilities = random.dirichlet(np.ones(3), 60)
    targets = np.where(random.random(60) < 0.6, probabilities.argmax(axis=1), random.integers(0, 3, 60))
    return Classified(LABELS, targets, probabilities, lambda i: Shown(f"text {i}", marks=[("a", 0.5), ("b", -0.2)]))


def test_a_classifier(context):
    value = classified()
    found = classification.sections(value, context)
    assert titles(found) == ["Confusions", "Scores per class", "Calibration", "Worst errors"]
    wrong = int((value.predicted != value.targets).sum())
    assert found[0].text.startswith(f"{wrong} of 60")
    pairs = Counter(zip(value.targets.tolist(), value.predicted.tolist(), strict=True))
    most = max(n for pair, n in pairs.items() if pair[0] != pair[1])
    assert found[0].tables[0].rows[0][2] == f"{most}"
    recall = pairs[0, 0] / max((value.targets == 0).sum(), 1)
    assert found[1].tables[0].rows[0][2] == f"{recall:.4f}"
    worst = found[3].examples
    place = int(dict(worst[0].facts)["example"])
    assert value.quality[place] == value.quality[value.predicted != value.targets].min()
    assert dict(worst[0].facts)["truth"] == LABELS[value.targets[place]]
    assert {file.name for file in context.folder.iterdir()} == {"confusion.png", "classes.png", "reliability.png"}


def test_a_classifier_without_errors_and_with_many_classes(context):
    labels = [f"class {i}" for i in range(60)]
    targets = np.arange(60)
    value = Classified(labels, targets, np.eye(60)[targets], lambda i: Shown("x"))
    found = classification.sections(value, context)
    assert found[3].text == "There are no errors."


def accuracy(sums):
    return sums[..., 0] / sums[..., 1]


def generated(pictures=False):
    random = np.random.default_rng(0)
    references = [["word " * int(n) + "end"] for n in random.integers(1, 30, 80)]
    answers = [reference[0].replace("end", "stop stop") for reference in references]
    statistics = np.stack([random.integers(0, 2, 80), np.ones(80)], axis=1)
    picture = np.full((8, 8, 3), 100, "uint8") if pictures else None
    return Generated(
        answers, references, random.random(80), "quality (0 to 1)", statistics, accuracy, "accuracy", str.split,
        lambda i: Shown(f"source {i}", picture), pictures,
    )  # fmt: skip


def test_a_writer_of_texts(context):
    value = generated()
    found = generation.sections(value, context)
    assert titles(found) == ["Score by length", "Worst examples", "Best examples", "Word frequencies"]
    rows = found[0].tables[0].rows
    assert sum(int(row[3]) for row in rows) == 80
    lengths = np.array([len(reference[0].split()) for reference in value.references])
    first, last = (int(number) for number in rows[1][0].split("-"))
    mine = (lengths >= first) & (lengths <= last)
    assert int(rows[1][3]) == mine.sum()
    assert rows[1][1] == f"{value.statistics[mine, 0].mean():.2f}"
    low, high = map(float, rows[1][2].split(" to "))
    assert low <= float(rows[1][1]) <= high
    assert dict(found[1].examples[0].facts)["example"] == str(value.quality.argmin())
    assert dict(found[2].examples[0].facts)["example"] == str(value.quality.argmax())
    assert found[3].tables[0].rows[0][0] == "stop", "written although no reference has it"
    assert [row[0] for row in found[3].tables[0].rows if float(row[1]) < float(row[2])] == ["end", "word"]


def test_a_captioner_has_a_contact_sheet(context):
    found = generation.sections(generated(pictures=True), context)
    assert found[0].title == "Contact sheet"
    assert (context.folder / "contact-sheet.png").is_file()
    assert [len(example.pictures) for example in found[2].examples] == [1] * 10


def runs(names):
    """Spans of all labels but O."""
    from itertools import groupby

    place, found = 0, []
    for label, run in groupby(names):
        length = len(list(run))
        if label != "O":
            found.append((place, place + length, label))
        place += length
    return found


def test_span_errors_are_told_apart():
    labels = ["O", "A", "B"]
    truth = [np.array([1, 1, 0, 2, 2, 0, 1, 0, 2, 2, 0])]
    ours = [np.array([1, 1, 0, 1, 1, 0, 0, 0, 2, 0, 1])]
    value = Tagged(labels, truth, ours, lambda i: Shown("x"), runs)
    rows = {row[0]: int(row[2]) for row in tagging.span_errors(value).tables[0].rows}
    assert rows == {
        "right": 1, "wrong label": 1, "wrong ends": 1, "wrong ends and label": 0, "missed": 1, "spurious": 1,
    }  # fmt: skip
    assert tagging.verdict((0, 3, "A"), [(1, 4, "B")]) == "wrong ends and label"


def test_a_tagger(context):
    value = Tagged(["O", "A"], [np.array([0, 1, 1]), np.array([], int)], [np.array([0, 0, 1]), np.array([], int)],
                   lambda i: Shown("three words here"))  # fmt: skip
    found = tagging.sections(value, context)
    assert titles(found) == ["Confusions", "Scores per class", "Worst sequences"]
    assert value.quality.tolist() == pytest.approx([2 / 3, 1])
    assert (value.answer(0), value.truth(0), value.answer(1)) == ("0-2 O; 2-3 A", "0-1 O; 1-3 A", "")
    assert len(found[2].examples) == 1


def test_a_language_model(context):
    text = "Ab 1.\n" * 200
    nats = np.tile([2.0, 1.0, 0.5, 3.0, 0.1, 0.2], 200)
    value = TextLoss(list(text), nats, np.arange(len(text)))
    found = language.sections(value, context)
    assert titles(found) == ["Loss by position", "Loss by class", "Hardest pieces", "Easiest pieces"]
    means = {row[0]: row[1] for row in found[1].tables[0].rows}
    assert means == {
        "upper-case letter": "2.0000", "lower-case letter": "1.0000", "space": "0.5000", "digit": "3.0000",
        "punctuation": "0.1000", "end of line": "0.2000",
    }  # fmt: skip
    assert found[0].tables[0].rows[0][:2] == ("0", "2.0000")
    assert value.truth(0) == text[:400]
    assert sum(int(row[2].replace(",", "")) for row in found[0].tables[0].rows) == len(text)


@pytest.mark.parametrize(
    ("token", "kind"),
    [("a", "lower-case letter"), ("▁The", "upper-case letter"), ("語", "other letter"), ("\u0301", "other")],
)
def test_classes_of_characters(token, kind):
    assert language.character_class(token) == kind
