"""Scores of captions against numbers worked out by hand and against coco-caption's own code."""

import importlib.util
import math
import os
import random
import stat
import subprocess
import sys
import unicodedata
from pathlib import Path
from types import SimpleNamespace

import pytest
from zoo.tasks.caption import scoring

from zoo.errors import UserError


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("A dog's T-shirt, size 3.5!", "a dog 's t-shirt size 3 5"),
        ("A man 's dog .", "a man 's dog"),
        ("They don't, I\u2019m sure; can't", "they do n't i 'm sure ca n't"),
        ("I'dn't've", "i 'd n't 've"),
        ('The "red" letters -- (two) ...', "the red letters two"),
        ("bird's-eye view o'clock -end- dogs'", "bird's-eye view o'clock end dogs"),
        ("snake_case don't_", "snake case do n't"),
        ("JU\u0308RGEN", "j\u00fcrgen"),
        ("\tmany\n  spaces \u00a0here ", "many spaces here"),
        ("'s n't 'slide 'n'", "'s n't slide n"),
        (" .,;: - ' ", ""),
        ("एक लाल कुत्ता।", "एक लाल कुत्ता"),  # Hindi
        ("สุนัขวิ่ง, ஒரு நாய்", "สุนัขวิ่ง ஒரு நாய்"),  # Thai, Tamil
        ("كَلْبٌ يَجْرِي!", "كَلْبٌ يَجْرِي"),  # vocalized Arabic
        ("כֶּלֶב רָץ", unicodedata.normalize("NFC", "כֶּלֶב רָץ")),  # pointed Hebrew
        ("ශ්\u200dරී \u200dx\u200c", "ශ්\u200dරී x"),  # joiners hold letters together
        ("1\ufe0f\u20e3 dog's \u2764\ufe0f \u0301a", "1 dog 's a"),
        ("", ""),
    ],
)
def test_normalize(text: str, words: str) -> None:
    assert scoring.normalize(text) == words


def test_normalizing_twice_changes_nothing() -> None:
    draw = random.Random(1)
    signs = "an'tsd-_ .\u2019\u00e9I\u0301\u01309re\n,\u0915\u094d\u200d"
    for _ in range(3000):
        once = scoring.normalize("".join(draw.choices(signs, k=10)))
        assert scoring.normalize(once) == once


def test_a_perfect_caption() -> None:
    texts = ["a dog runs on grass", "two men sit at tables"]
    got = scoring.scores(texts, [[text.upper() + " ."] for text in texts])
    assert [got[f"bleu_{n}"] for n in range(1, 5)] == pytest.approx([100] * 4)
    assert got["rouge_l"] == pytest.approx(100)
    assert got["cider"] == pytest.approx(1000)
    assert (got["distinct1"], got["distinct2"], got["unique_words"], got["mean_length"]) == (1, 1, 10, 5)
    assert all(type(value) is float for value in got.values())


def test_bleu_by_hand() -> None:
    got = scoring.scores(["the the the cat"], [["the cat sat on the mat", "a cat"]])
    # Unigrams: `the` counts twice at most, `cat` once: 3 of 4. Bigrams: `the cat`: 1 of 3. Trigrams: 0 of 2.
    # Lengths 6 and 2 are equally near to 4; the shorter counts, so nothing is taken off.
    assert got["bleu_1"] == pytest.approx(75)
    assert got["bleu_2"] == pytest.approx(100 * math.sqrt(3 / 4 * 1 / 3))
    assert (got["bleu_3"], got["bleu_4"]) == (0, 0)


def test_bleu_takes_off_for_short_captions() -> None:
    # 3 words where the closest reference has 4: exp(1 - 4 / 3).
    assert scoring.scores(["a b c"], [["a b c d", "a b c d e"]])["bleu_3"] == pytest.approx(100 * math.exp(-1 / 3))


def test_rouge_l_by_hand() -> None:
    got = scoring.scores(["a man rides a red horse"], [["a man on a horse", "the red horse"]])
    # Common subsequences: `a man a horse` (4 of 6 and of 5), `red horse` (2 of 6 and of 3): best 4/6 and 4/5.
    precision, recall = 4 / 6, 4 / 5
    by_hand = (1 + 1.44) * precision * recall / (recall + 1.44 * precision)
    assert got["rouge_l"] == pytest.approx(100 * by_hand)


def test_cider_by_hand() -> None:
    got = scoring.scores(["x y", "a q q"], [["x y z"], ["a b"]])
    # Two pictures, and no n-gram in the references of both: each weighs log 2 times its count.
    # Picture 1, 2 words to 3: unigrams 2 / (sqrt 2 * sqrt 3), bigrams 1 / (1 * sqrt 2), none longer.
    # Picture 2, 3 words to 2: unigrams 1 / (sqrt(1 + 4) * sqrt 2), no bigram alike.
    # Both lengths differ by 1: exp(-1 / 72). Mean of 4 orders and of 2 pictures, times 10, times 100.
    alike = 2 / math.sqrt(6) + 1 / math.sqrt(2) + 1 / math.sqrt(10)
    assert got["cider"] == pytest.approx(1000 * math.exp(-1 / 72) * alike / 4 / 2)


def test_cider_clips_repetition_and_ignores_what_all_pictures_have() -> None:
    # `a` is in the references of both pictures and weighs nothing. `x x x` clipped to `x`: (1 * 1) / (3 * 1), and
    # exp(-(3 - 2)**2 / 72) for 3 words against 2; its bigrams match none. The other caption has no n-gram alike.
    got = scoring.scores(["x x x", "a"], [["a x"], ["a y"]])
    assert got["cider"] == pytest.approx(1000 * (1 / 3 * math.exp(-1 / 72)) / 4 / 2)


def test_distinct_vocabulary_and_length_by_hand() -> None:
    got = scoring.scores(["a dog runs", "a dog sits", ""], [["x"]] * 3)
    # a, dog, runs, sits of 6 words; `a dog` twice, `dog runs`, `dog sits`: 3 of 4 bigrams.
    assert (got["distinct1"], got["distinct2"]) == (pytest.approx(4 / 6), pytest.approx(3 / 4))
    assert (got["unique_words"], got["mean_length"]) == (4, 2)


def test_captions_without_a_word_score_nothing() -> None:
    assert set(scoring.scores(["", " . "], [["a dog"], ["a cat"]]).values()) == {0.0}


def test_one_picture_alone_has_no_cider() -> None:
    assert scoring.scores(["a dog runs fast"], [["a dog runs fast"]])["cider"] == 0


def test_references_without_a_word_are_left_out() -> None:
    captions = ["a dog", "a cat sat"]
    assert scoring.scores(captions, [["", "a dog runs", "."], ["the cat", "!"]]) == scoring.scores(
        captions, [["a dog runs"], ["the cat"]]
    )


def test_what_cannot_be_scored() -> None:
    with pytest.raises(UserError, match="no captions"):
        scoring.scores([], [])
    with pytest.raises(UserError, match=r"Image 1 .* no reference"):
        scoring.scores(["a", "b"], [["a"], ["..."]])
    with pytest.raises(ValueError, match="2 captions, but references of 1"):
        scoring.scores(["a", "b"], [["a"]])


def test_each_score_has_its_signature() -> None:
    described = " ".join(scoring.signature())
    assert {name for name in scoring.scores(["a"], [["a"]]) if name not in described} <= {"bleu_2", "bleu_3"}


def _invented(seed: int, pictures: int, words: int) -> tuple[list[str], list[list[str]]]:
    """Captions of 0 to 12 words and 1 to 5 references each, of few words and hence with many repeated n-grams."""
    draw = random.Random(seed)

    def text(least: int) -> str:
        return " ".join(f"w{int(draw.paretovariate(0.7)) % words}" for _ in range(draw.randint(least, 12)))

    return [text(0) for _ in range(pictures)], [[text(1) for _ in range(draw.randint(1, 5))] for _ in range(pictures)]


@pytest.mark.parametrize(("seed", "pictures", "words"), [(1, 200, 12), (2, 50, 40), (3, 100, 6), (4, 10, 4)])
def test_equals_coco_caption(seed: int, pictures: int, words: int) -> None:
    pytest.importorskip("pycocoevalcap")
    from pycocoevalcap.bleu.bleu import Bleu
    from pycocoevalcap.cider.cider import Cider
    from pycocoevalcap.rouge.rouge import Rouge

    captions, references = _invented(seed, pictures, words)
    assert pictures < 50 or "" in captions
    res, gts = {i: [text] for i, text in enumerate(captions)}, dict(enumerate(references))
    bleu, _ = Bleu(4).compute_score(gts, res, verbose=0)
    rouge, cider = Rouge().compute_score(gts, res)[0], Cider().compute_score(gts, res)[0]
    got = scoring.scores(captions, references)
    assert [got[f"bleu_{n}"] for n in range(1, 5)] == pytest.approx([100 * value for value in bleu], rel=1e-6)
    assert got["rouge_l"] == pytest.approx(100 * rouge, rel=1e-6)
    assert got["cider"] == pytest.approx(100 * cider, rel=1e-6)
    assert min(got.values()) > 0


def test_differs_from_coco_caption_where_nothing_is_right() -> None:
    pytest.importorskip("pycocoevalcap")
    from pycocoevalcap.bleu.bleu import Bleu

    bleu, _ = Bleu(4).compute_score({0: ["a b c d"]}, {0: ["a b x y"]}, verbose=0)
    assert 0 < bleu[3] < 1e-3
    assert scoring.scores(["a b x y"], [["a b c d"]])["bleu_4"] == 0


@pytest.fixture
def java(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A stand-in for Java that notes what it is given and answers like METEOR; and one for pycocoevalcap."""
    program = tmp_path / "bin" / "java"
    program.parent.mkdir()
    program.write_text(
        '#!/bin/sh\nwhile [ "$1" != -jar ]; do shift; done\necho "$*" > arguments\ncp "$3" captions\n'
        'cp "$4" references\necho "Segment 1 score: 0.9"\necho\necho "Final score:            0.3125"\n'
    )
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", str(program.parent), prepend=":")
    found = SimpleNamespace(submodule_search_locations=[str(tmp_path / "package")])
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: found if name == "pycocoevalcap" else None)
    return program


def test_meteor_is_given_equally_many_references(java: Path) -> None:
    got = scoring.meteor(["A dog runs.", ""], [["A dog!", "dogs", "."], ["the cat \u00e9"]])
    assert got == 31.25
    assert Path("captions").read_text("utf-8") == "a dog runs\n\n"
    assert Path("references").read_text("utf-8") == "a dog\ndogs\nthe cat \u00e9\nthe cat \u00e9\n"
    arguments = Path("arguments").read_text().split()
    assert arguments[1].endswith("package/meteor/meteor-1.5.jar")
    assert arguments[4:] == ["-l", "en", "-norm", "-r", "2"]


def test_meteor_that_fails_says_why(java: Path) -> None:
    java.write_text("#!/bin/sh\necho 'Unable to access jarfile' >&2\nexit 1\n")
    with pytest.raises(UserError, match=r"^METEOR failed under Java: Unable to access jarfile\.$"):
        scoring.meteor(["a"], [["a"]])


def test_meteor_says_what_to_install(java: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(java.parent / "nowhere"))
    with pytest.raises(UserError, match="Java"):
        scoring.meteor(["a"], [["a"]])
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UserError, match="pip install pycocoevalcap"):
        scoring.meteor(["a"], [["a"]])


def test_scores_do_not_depend_on_how_python_orders_sets():
    """Strings have another hash in every process; a reward that differs in its last bit makes another training."""
    program = (
        "import random, zoo; from zoo.tasks.caption.scoring import Cider, ngrams_of\n"
        "rng = random.Random(1)\n"
        "several = [[ngrams_of([f'w{int(rng.expovariate(0.1))}' for _ in range(40)])] for _ in range(30)]\n"
        "cider = Cider(several)\n"
        "print([cider.score(one, other) for (one,) in several for other in several])"
    )
    found = set()
    for seed in "123":
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=environment)
        assert not done.returncode, done.stderr
        found.add(done.stdout)
    assert len(found) == 1
