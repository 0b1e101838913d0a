"""BLEU and chrF by sacreBLEU. Two kinds of BLEU, which must not be compared with each other.

`bleu`: sacreBLEU's own tokenization of detokenized text in mixed case, what papers since 2018 report.
`bleu_lc_tok`: both sides lowercased and tokenized with Moses' rules, what papers on Multi30k report.
"""

from collections.abc import Sequence

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


def chrf(texts: Sequence[str], references: Sequence[str]) -> float:
    """chrF2 of the same, 0 to 100."""
    return round(_CHRF.corpus_score(list(texts), [list(references)]).score, 3)


def bleu_lc_tok(texts: Sequence[str], references: Sequence[str], language: str) -> float:
    """BLEU of lowercased text tokenized with Moses' rules for a language, 0 to 100."""
    moses = MosesTokenizer(lang=language)

    def tokenized(side: Sequence[str]) -> list[str]:
        return [moses.tokenize(text.lower(), return_str=True, escape=False) for text in side]

    return round(_TOKENIZED.corpus_score(tokenized(texts), [tokenized(references)]).score, 3)


def exact_match(texts: Sequence[str], references: Sequence[str]) -> float:
    """Fraction of the texts that equal their reference, 0 to 1."""
    return sum(map(str.__eq__, texts, references)) / max(len(texts), 1)
