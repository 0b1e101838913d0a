"""Scores of captions against several references each: those of coco-caption, without Java, and their diversity.

All of them compare the words that `normalize` leaves, of captions and references alike. Only METEOR needs Java.
"""

import functools
import importlib.util
import itertools
import math
import re
import shutil
import subprocess
import sys
import tempfile
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from sacrebleu import BLEU

from zoo.errors import UserError

ORDERS = 4
"""Length of the longest n-grams of BLEU and CIDEr, in words."""
BETA = 1.2
"""Weight of recall against precision in ROUGE-L; coco-caption's."""
SIGMA = 6.0
"""How fast CIDEr-D falls with the difference of lengths, in words; section 4 of its paper."""

_SUFFIX = r"'(?:s|m|d|re|ve|ll)(?!-?\w)"
_NOT = r"n't(?!-?\w)"
_BLEU = BLEU(tokenize="none", force=True, smooth_method="none", max_ngram_order=ORDERS)

_Words = list[str]
_Grams = list[Counter[tuple[str, ...]]]


def normalize(text: str) -> str:
    """The words of an English caption, lowercased, without punctuation, one space between them.

    In this order: lower case (and Unicode's composed form, NFC); typographic apostrophes become `'`; `'s`, `'m`, `'d`,
    `'re`, `'ve`, `'ll` and `n't` at the end of a word become words of their own, as in the Penn Treebank; a word is
    then one of these suffixes or a run of letters and digits, with single apostrophes and hyphens inside it. The marks
    of a letter, such as the vowels of Hindi, belong to it. All else separates words and is dropped:
    `A dog's T-shirt, size 3.5!` gives `a dog 's t-shirt size 3 5`.

    On all but 39 of the 40,460 captions of Flickr8k this equals what coco-caption reads: Stanford's PTBTokenizer less
    its list of punctuation, which keeps `#`, `&` and the points of `mr.` and `3.5`. Applied twice it changes nothing.
    """
    text = unicodedata.normalize("NFC", text.lower())
    text = re.sub("[\u2019\u02bc]", "'", text).replace("_", " ")
    for ending in (_NOT, _SUFFIX):  # in this order, for `I'dn't`
        text = re.sub(rf"(?<=\w)({ending})", r" \1", text)
    return " ".join(_word(text.isascii()).findall(text))


@functools.cache
def _word(ascii: bool) -> re.Pattern:
    """What a word is. Outside of ASCII a letter has its marks, which `re` takes for no part of a word, and joiners.

    A digit has none: the emoji of a key is its digit.
    """
    run = r"[^\W_]+"
    if not ascii:
        marks = "".join(sign for sign in map(chr, range(sys.maxunicode)) if unicodedata.category(sign)[0] == "M")
        run = rf"(?:[^\W_]+(?:(?<!\d)(?![\x00-\x7f])[{marks}]+)?(?:[\u200c\u200d](?=[^\W_]))?)+"
    return re.compile(rf"{_SUFFIX}|{run}(?:['-]{run})*")


def scores(captions: Sequence[str], references: Sequence[Sequence[str]]) -> dict[str, float]:
    """Scores of one caption per image.

    BLEU, ROUGE-L and CIDEr equal coco-caption's times 100, with one difference: where no n-gram of some order is
    right in the whole corpus, BLEU is 0 here and there a small number that stands for 0.

    Args:
        captions: One per image, as a model wrote it.
        references: One or more per image, in the same order. Those without a word are left out.

    Returns:
        `bleu_1` to `bleu_4`, `rouge_l` (0 to 100), `cider` (0 to 1000; 100 is 1.0 in coco-caption), `distinct1` and
        `distinct2` (0 to 1), `unique_words` (different words used) and `mean_length` (words per caption).

    Raises:
        UserError: If there are no captions, or an image has no reference with a word in it.
        ValueError: If there are more captions than lists of references, or fewer.
    """
    hypotheses, targets = _prepared(captions, references)
    ngrams = [ngrams_of(words) for words in hypotheses]
    theirs = [[ngrams_of(words) for words in several] for several in targets]
    return {
        **_bleu(hypotheses, targets),
        "rouge_l": 100 * sum(map(_rouge_l, hypotheses, targets)) / len(hypotheses),
        "cider": 100 * sum(map(Cider(theirs).score, ngrams, theirs)) / len(hypotheses),
        "distinct1": _distinct(ngrams, 1),
        "distinct2": _distinct(ngrams, 2),
        "unique_words": float(len({word for words in hypotheses for word in words})),
        "mean_length": sum(map(len, hypotheses)) / len(hypotheses),
    }


def signature() -> dict[str, str]:
    """How each score is computed, in words."""
    return {
        "text": "lower case, no punctuation, suffixes split off as in the Penn Treebank",
        "bleu_1 to bleu_4": "corpus BLEU, 1- to n-grams, all references, closest length, no smoothing",
        "rouge_l": f"beta {BETA}, best precision and recall of all references, mean over captions",
        "cider": f"CIDEr-D, 1- to {ORDERS}-grams, sigma {SIGMA:g}, document frequencies of the split",
        "distinct1, distinct2": "different uni- and bigrams as a fraction of all in the captions",
        "unique_words": "different words of the captions",
        "mean_length": "words per caption, mean",
        "meteor": "if requested, METEOR 1.5 for English, meteor-1.5.jar -l en -norm",
    }


def meteor(captions: Sequence[str], references: Sequence[Sequence[str]]) -> float:
    """METEOR 1.5 of the corpus, 0 to 100: Java runs the program of the package pycocoevalcap.

    Reference: Denkowski and Lavie, "Meteor Universal: Language Specific Translation Evaluation for Any Target Language"
    (2014).

    Args:
        captions: One per image, as a model wrote it.
        references: One or more per image, in the same order. Those without a word are left out.

    Raises:
        UserError: If the package or Java is missing or Java fails; and as in `scores`.
        ValueError: As in `scores`.
    """
    hypotheses, targets = _prepared(captions, references)
    java, package = shutil.which("java"), importlib.util.find_spec("pycocoevalcap")
    if java is None or package is None or not package.submodule_search_locations:
        missing = "Java (the command java)" if package else "the package pycocoevalcap (pip install pycocoevalcap)"
        raise UserError(f"METEOR needs {missing}, which is not installed.")
    program = Path(package.submodule_search_locations[0], "meteor", "meteor-1.5.jar")
    most = max(map(len, targets))
    with tempfile.TemporaryDirectory() as folder:
        ours, theirs = Path(folder, "captions"), Path(folder, "references")
        _write(ours, hypotheses)
        # The program needs as many references for each image: the first is repeated, as only the best one counts.
        _write(theirs, [words for several in targets for words in several + several[:1] * (most - len(several))])
        options = ["-Xmx2G", "-Dfile.encoding=UTF-8", "-Duser.language=en", "-jar", str(program)]
        call = [java, *options, str(ours), str(theirs), "-l", "en", "-norm", "-r", str(most)]
        done = subprocess.run(call, capture_output=True, encoding="utf-8", errors="replace", check=False)
    found = re.search(r"^Final score:\s*([0-9.eE-]+)\s*$", done.stdout, re.MULTILINE)
    if done.returncode or not found:
        message = (done.stderr or done.stdout).strip() or "it printed nothing"
        raise UserError(f"METEOR failed under Java: {message.splitlines()[-1]}.")
    return 100 * float(found[1])


def _write(path: Path, texts: Sequence[_Words]) -> None:
    path.write_text("".join(" ".join(words) + "\n" for words in texts), encoding="utf-8")


def _prepared(captions: Sequence[str], references: Sequence[Sequence[str]]) -> tuple[list[_Words], list[list[_Words]]]:
    """The words of all captions, and of all references that have some."""
    if len(captions) != len(references):
        raise ValueError(f"{len(captions)} captions, but references of {len(references)} images.")
    if not captions:
        raise UserError("There are no captions to score.")
    hypotheses = [normalize(text).split() for text in captions]
    targets = [[words for text in several if (words := normalize(text).split())] for several in references]
    for place, several in enumerate(targets):
        if not several:
            raise UserError(f"Image {place} (counted from 0) has no reference with a word in it.")
    return hypotheses, targets


def ngrams_of(words: Sequence[str]) -> _Grams:
    """Counts of n-grams: a counter for each n = 1, 2, ... `ORDERS`."""
    return [Counter(zip(*(words[i:] for i in range(n)), strict=False)) for n in range(1, ORDERS + 1)]


def _bleu(hypotheses: list[_Words], targets: list[list[_Words]]) -> dict[str, float]:
    """BLEU of 1- to n-grams for each n, 0 to 100.

    Reference: Papineni, Roukos, Ward and Zhu, "BLEU: a Method for Automatic Evaluation of Machine Translation" (2002),
    section 2.3.
    """
    joined = [[" ".join(words) for words in several] for several in targets]
    rows: Any = list(itertools.zip_longest(*joined))  # sacreBLEU: a row per place in the lists, None where one is short
    found = _BLEU.corpus_score([" ".join(words) for words in hypotheses], rows)
    return {
        f"bleu_{n}": BLEU.compute_bleu(
            found.counts[:n], found.totals[:n], found.sys_len, found.ref_len, max_ngram_order=n
        ).score
        for n in range(1, ORDERS + 1)
    }


def bleu_statistics(captions: Sequence[str], references: Sequence[Sequence[str]]) -> np.ndarray:
    """What BLEU counts in each caption.

    Args:
        captions: One per image, as a model wrote it.
        references: One or more per image, in the same order.

    Returns:
        `(captions, 10)`: lengths of caption and reference, matching n-grams for n from 1 to 4, all n-grams.
    """
    hypotheses, targets = _prepared(captions, references)
    rows: Any = list(itertools.zip_longest(*([" ".join(words) for words in several] for several in targets)))
    found = _BLEU._extract_corpus_statistics([" ".join(words) for words in hypotheses], rows)
    return np.array(found, "float64")


def bleu_of_sums(sums: np.ndarray) -> np.ndarray:
    """BLEU-4, 0 to 100, from sums `(..., 10)` of `bleu_statistics` over captions."""
    return np.apply_along_axis(lambda row: _BLEU._compute_score_from_stats(row.astype(int).tolist()).score, -1, sums)


def bleu_1(words: Counter, several: Sequence[Counter]) -> float:
    """BLEU of single words of one caption, 0 to 1; counters as of `ngrams_of`. See `_bleu`."""
    length = words.total()
    most: Counter = Counter()
    for other in several:
        most |= other
    nearest = min((other.total() for other in several), key=lambda their: (abs(their - length), their))
    return (words & most).total() / length * math.exp(min(0.0, 1 - nearest / length)) if length else 0.0


def _common(one: _Words, other: _Words) -> int:
    """Length of the longest common subsequence."""
    row = [0] * (len(other) + 1)  # row[i]: of the words of `one` so far and the first i of `other`
    for word in one:
        before = 0  # row[i] as it was one word of `one` ago
        for i, its in enumerate(other):
            before, row[i + 1] = row[i + 1], before + 1 if word == its else max(row[i], row[i + 1])
    return row[-1]


def _rouge_l(words: _Words, several: list[_Words]) -> float:
    """ROUGE-L of one caption, 0 to 1: best precision and best recall, each from any reference.

    Reference: Lin, "ROUGE: A Package for Automatic Evaluation of Summaries" (2004), section 3.1, equations 2 to 4; the
    best over references and beta are coco-caption's.
    """
    common = [_common(words, reference) for reference in several]
    if not any(common):
        return 0.0
    precision = max(common) / len(words)
    recall = max(shared / len(reference) for shared, reference in zip(common, several, strict=True))
    return (1 + BETA**2) * precision * recall / (recall + BETA**2 * precision)


class Cider:
    """CIDEr-D, with the document frequencies of n-grams counted once.

    Reference: Vedantam, Zitnick and Parikh, "CIDEr: Consensus-based Image Description Evaluation" (2015), section 3,
    equations 1 to 3, and section 4.

    Args:
        references: N-grams of the references of all images. With a single image every caption scores 0, since its
            n-grams distinguish it from no other.
    """

    def __init__(self, references: Iterable[Sequence[_Grams]]) -> None:
        total, images = 0, Counter[tuple[str, ...]]()
        for several in references:
            total += 1
            images.update({gram for text in several for grams in text for gram in grams})
        self.unseen = math.log(total)
        self.idf = {gram: self.unseen - math.log(count) for gram, count in images.items()}

    def score(self, caption: _Grams, several: Sequence[_Grams]) -> float:
        """0 to 10: the mean over the references of one image."""
        vector, length, total = self._weighted(caption), caption[0].total(), 0.0
        for reference in several:
            length_penalty = math.exp(-((length - reference[0].total()) ** 2) / (2 * SIGMA**2))
            alike = sum(map(_clipped_cosine, vector, self._weighted(reference)))
            total += 10 * length_penalty * alike / ORDERS
        return total / len(several)

    def _weighted(self, text: _Grams) -> list[dict[tuple[str, ...], float]]:
        return [{gram: count * self.idf.get(gram, self.unseen) for gram, count in grams.items()} for grams in text]


def _clipped_cosine(one: dict[tuple[str, ...], float], other: dict[tuple[str, ...], float]) -> float:
    """Cosine of two sparse vectors, `one` clipped to `other` in the product but not in its norm."""
    # In the order of `one`, not of a set, which is another in every process: sums of floats depend on their order.
    product = sum(min(weight, other[gram]) * other[gram] for gram, weight in one.items() if gram in other)
    return product / (math.hypot(*one.values()) * math.hypot(*other.values())) if product else 0.0


def _distinct(captions: list[_Grams], n: int) -> float:
    """Different n-grams as a fraction of all, 0 to 1; 0 if there are none.

    Reference: Li, Galley, Brockett, Gao and Dolan, "A Diversity-Promoting Objective Function for Neural Conversation
    Models" (2016), section 5.
    """
    together: Counter[tuple[str, ...]] = Counter()
    for grams in captions:
        together.update(grams[n - 1])
    return len(together) / max(together.total(), 1)
