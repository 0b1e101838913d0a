"""BPE-dropout: without dropping it is the tokenizer; with it, other pieces of the same words."""

import numpy as np
import pytest

from zoo.data import text
from zoo.data.bpe_dropout import BPEDropout
from zoo.errors import UserError

TEXTS = [
    "A man in a blue shirt is standing on a ladder cleaning a window.",
    "Zwei junge weiße Männer sind im Freien in der Nähe vieler Büsche.",
    "Several men in hard hats are operating a giant pulley system.",
    "unseen words: Ωμέγα 12,5 😀",
    "",
]


@pytest.fixture(scope="module")
def tokenizer() -> text.Tokenizer:
    return text.Tokenizer.train(TEXTS[:3] * 5, "bpe", 120)


def test_without_dropping_it_encodes_as_the_tokenizer(tokenizer: text.Tokenizer) -> None:
    assert BPEDropout(tokenizer, 0.0).encoder(0)(TEXTS) == tokenizer.encode(TEXTS)


def test_dropped_merges_leave_the_text_and_make_more_pieces(tokenizer: text.Tokenizer) -> None:
    plain = tokenizer.encode(TEXTS[:3])
    for rate in (0.1, 0.5):
        dropped = BPEDropout(tokenizer, rate).encoder(0)(TEXTS[:3])
        assert tokenizer.decode(dropped) == tokenizer.decode(plain)
        assert dropped != plain
    lengths = [sum(map(len, BPEDropout(tokenizer, rate).encoder(0)(TEXTS[:3]))) for rate in (0.0, 0.2, 0.6, 0.999)]
    assert lengths == sorted(lengths)
    letters = sum(len(word) + 1 for row in TEXTS[:3] for word in row.split())
    assert lengths[-1] == pytest.approx(letters, rel=0.02), "with all merges left out, every character by itself"


def test_seed_epoch_and_text_decide(tokenizer: text.Tokenizer) -> None:
    encode = BPEDropout(tokenizer, 0.3, seed=4).encoder
    assert encode(2)(TEXTS) == BPEDropout(tokenizer, 0.3, seed=4).encoder(2)(TEXTS[::-1])[::-1]
    assert encode(2)(TEXTS) != encode(3)(TEXTS)
    assert encode(2)(TEXTS) != BPEDropout(tokenizer, 0.3, seed=5).encoder(2)(TEXTS)


def test_a_merge_is_left_out_as_often_as_asked_for() -> None:
    """One merge, one decision: "ab" stays whole with probability 1 - rate."""
    tokenizer = text.Tokenizer.train(["ab"] * 9, "bpe", 8)
    drops = BPEDropout(tokenizer, 0.3)
    draw = np.random.default_rng(0)
    whole = [drops.pieces("ab", draw) == ["ab"] for _ in range(4_000)]
    assert np.mean(whole) == pytest.approx(0.7, abs=0.03)


def test_other_tokenizers_are_refused() -> None:
    with pytest.raises(UserError, match="kind bpe"):
        BPEDropout(text.Tokenizer.train(TEXTS, "word", 50), 0.1)
