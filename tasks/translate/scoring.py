"""BLEU and chrF by sacreBLEU. Two kinds of BLEU, which must not be compared with each other.

`bleu`: sacreBLEU's own tokenization of detokenized text in mixed case, what papers since 2018 report.
`bleu_lc_tok`: both sides lowercased and tokenized with Moses' rules, what papers on Multi30k report.
"""

from collections.abc import Sequence

import numpy as np
import sacrebleu
from sacremoses import MosesTokenizer

_BLEU, _CHRF = sacrebleu.BLEU(), sacrebleu.CHRF()
_TOKENIZED = sacrebleu.BLEU(tokenize="none", force=True)


def signatures() -> dict[str, str]:
    """How each score is computed, in sacreBLEU's words."""
    for metric in (_BLEU, _CHRF, _TOKENIZED):
        metric.corpus_score(["a"], [["a"]])  # a signature knows the number of references only afterwards
    return {
        "bleu": str(_BLEU.get_signature()),
        "chrf": str(_CHRF.get_signature()),
        "bleu_lc_tok": f"{_TOKENIZED.get_signature()}, after lowercasing and sacremoses",
    }


def bleu(texts: Sequence[str], references: Sequence[str]) -> float:
    """BLEU of detokenized text in mixed case, 0 to 100."""
    return round(_BLEU.corpus_score(list(texts), [list(references)]).score, 3)


def bleu_statistics(texts: Sequence[str], references: Sequence[str]) -> np.ndarray:
    """What BLEU counts in each sentence.

    Returns:
        `(sentences, 10)`: lengths of text and reference, matching n-grams for n from 1 to 4, all n-grams of the text.
    """
    return np.array(_BLEU._extract_corpus_statistics(list(texts), [list(references)]), "float64")


def bleu_of_sums(sums: np.ndarray) -> np.ndarray:
    """BLEU, 0 to 100, from sums `(..., 10)` of `bleu_statistics` over sentences."""
    return np.apply_along_axis(lambda row: _BLEU._compute_score_from_stats(row.astype(int).tolist()).score, -1, sums)


def chrf(texts: Sequence[str], references: Sequence[str]) -> float:
    """chrF2 of the same, 0 to 100."""
    return round(_CHRF.corpus_score(list(texts), [list(references)]).score, 3)


def sentence_chrf(texts: Sequence[str], references: Sequence[str]) -> np.ndarray:
    """chrF2 of each text by itself `(texts,)`, 0 to 100."""
    return np.array([_CHRF.sentence_score(ours, [right]).score for ours, right in zip(texts, references, strict=True)])


def bleu_lc_tok(texts: Sequence[str], references: Sequence[str], language: str) -> float:
    """BLEU of lowercased text tokenized with Moses' rules for a language, 0 to 100."""
    moses = MosesTokenizer(lang=language)

    def tokenized(side: Sequence[str]) -> list[str]:
        return [moses.tokenize(text.lower(), return_str=True, escape=False) for text in side]

    return round(_TOKENIZED.corpus_score(tokenized(texts), [tokenized(references)]).score, 3)


def exact_match(texts: Sequence[str], references: Sequence[str]) -> float:
    """Fraction of the texts that equal their reference, 0 to 1."""
    return sum(map(str.__eq__, texts, references)) / max(len(texts), 1)
