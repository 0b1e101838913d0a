"""Tokenizers of every kind: ids, offsets, specials, files; cutting and padding."""

import json
from pathlib import Path

import pytest

from zoo.data import text
from zoo.data.text import Tokenizer
from zoo.errors import UserError
from zoo.ids import END, PAD, SPECIAL, START, UNKNOWN

KINDS = ("char", "word", "bpe", "unigram")

SENTENCES = [
    "A fine film, and a fine cast.",
    "It isn't a fine film: it is a waste of two hours!",
    "The film is good, the cast is better, the story is best.",
    "What a waste; what a bore.",
    "Crème brûlée on a naïve Saturday 🎬.",
    "The story bored me for two hours, and then the film was over.",
    "<s> is no start, </s> is no end, <pad> and <unk> are words.",
] * 4


@pytest.fixture(scope="module", params=KINDS)
def tokenizer(request: pytest.FixtureRequest) -> Tokenizer:
    return Tokenizer.train(SENTENCES, request.param, 120)


def test_every_kind_is_tried() -> None:
    assert {*KINDS, "given"} == set(text.KINDS)


def test_words_that_are_given_stay_whole() -> None:
    words = Tokenizer.train(["U.S.", "two words", "fine"] * 2, "given", 50)
    assert [words.token(i) for i in range(len(SPECIAL), words.size)] == ["U.S.", "fine", "two words"]
    assert words.encode(["two words", "two", "U.S."]) == [[6], [UNKNOWN], [4]]


def test_special_ids_come_first(tokenizer: Tokenizer) -> None:
    assert [tokenizer.token(i) for i in range(5)][:4] == ["<pad>", "<unk>", "<s>", "</s>"] == list(SPECIAL)
    assert tokenizer.token(4) not in SPECIAL
    assert [PAD, UNKNOWN, START, END] == [0, 1, 2, 3]


@pytest.mark.parametrize("spelled", ["<s>", "</s>", "<pad>", "<unk>", "a</s>b", "<s> fine <pad>"])
def test_specials_cannot_be_spelled(tokenizer: Tokenizer, tmp_path: Path, spelled: str) -> None:
    tokenizer.save(tmp_path / "t.json")
    for each in (tokenizer, Tokenizer.load(tmp_path / "t.json")):
        ids = each.encode([spelled])[0]
        assert len(ids) >= 3
        assert not {PAD, START, END} & set(ids)


def test_a_saved_tokenizer_is_the_same(tokenizer: Tokenizer, tmp_path: Path) -> None:
    tokenizer.save(tmp_path / "t.json")
    again = Tokenizer.load(tmp_path / "t.json")
    unseen = ["A film of unheard-of zest, quizzically", "", "  ", "🎬🎬", "crème"]
    assert again.size == tokenizer.size > 40
    assert again.encode(SENTENCES + unseen) == tokenizer.encode(SENTENCES + unseen)
    assert again.decode(again.encode(SENTENCES)) == tokenizer.decode(tokenizer.encode(SENTENCES))
    assert [again.encode_with_offsets(t) for t in unseen] == [tokenizer.encode_with_offsets(t) for t in unseen]


def test_ids_are_in_the_vocabulary_and_known(tokenizer: Tokenizer) -> None:
    ids = [i for row in tokenizer.encode(SENTENCES[:4]) for i in row]
    assert 4 <= min(ids) <= max(ids) < tokenizer.size
    assert len({tokenizer.token(i) for i in range(tokenizer.size)}) == tokenizer.size


@pytest.mark.parametrize("sample", [SENTENCES[0], SENTENCES[1], SENTENCES[4]])
def test_decode_gives_the_letters_back(tokenizer: Tokenizer, sample: str) -> None:
    (back,) = tokenizer.decode(tokenizer.encode([sample]))
    assert "".join(back.split()) == "".join(sample.split())


def test_characters_and_pieces_give_spaces_back(tokenizer: Tokenizer) -> None:
    (back,) = tokenizer.decode(tokenizer.encode([SENTENCES[0]]))
    words = "A fine film , and a fine cast ."
    assert back in (SENTENCES[0], words)
    assert (back == words) == ("fine" in [tokenizer.token(i) for i in tokenizer.encode(["fine"])[0]])


def test_decode_leaves_padding_start_and_end_out(tokenizer: Tokenizer) -> None:
    ids = tokenizer.encode(["fine"])[0]
    assert tokenizer.decode([[START, *ids, END, PAD]]) == tokenizer.decode([ids])
    assert "<unk>" in tokenizer.decode([[*ids, UNKNOWN]])[0]


@pytest.mark.parametrize("blank", ["   ", "\n\t", "\u00a0"])
def test_blanks_are_no_words(blank: str) -> None:
    assert Tokenizer.train(SENTENCES).encode([blank, "fine"])[0] == []


def test_an_empty_text_has_no_tokens(tokenizer: Tokenizer) -> None:
    assert tokenizer.encode([""]) == [[]]
    assert tokenizer.encode_with_offsets("") == []
    assert tokenizer.decode([[]]) == [""]
    assert tokenizer.encode([]) == []


def test_an_unseen_sign_is_one_unknown(tokenizer: Tokenizer) -> None:
    for sign in ("Ж", "🦓", "𝄞"):  # the last two need two UTF-16 units, one character here
        assert tokenizer.encode([sign])[0].count(UNKNOWN) == 1
        assert [(start, end) for token, start, end in tokenizer.encode_with_offsets(sign) if token == UNKNOWN] == [
            (0, 1)
        ]


@pytest.mark.parametrize("sample", ["The film, twice.", "🎬 𝄞 fine film 🎬!", "crème brûlée", "a  fine\n film"])
def test_offsets_point_at_characters(tokenizer: Tokenizer, sample: str) -> None:
    pieces = tokenizer.encode_with_offsets(sample)
    assert [token for token, _, _ in pieces] == tokenizer.encode([sample])[0]
    covered = "".join(sample[start:end] for _, start, end in pieces)  # no character is claimed twice
    assert "".join(covered.split()) == "".join(sample.split())
    for token, start, end in pieces:
        if token != UNKNOWN:
            assert tokenizer.token(token).strip("▁ \n") == sample[start:end].strip()


def test_offsets_survive_replacing_and_folding() -> None:
    words = Tokenizer.train(SENTENCES, lowercase=True, replace=[("<br />", " ")])
    sample = "FINE<br />Film 🎬 Two"
    assert [sample[start:end] for _, start, end in words.encode_with_offsets(sample)] == ["FINE", "Film", "🎬", "Two"]


def test_lowercase(tokenizer: Tokenizer) -> None:
    folded = Tokenizer.train(SENTENCES, "word", 120, lowercase=True)
    assert folded.encode(["FINE Film"]) == folded.encode(["fine film"])
    assert tokenizer.encode(["FINE Film"]) != tokenizer.encode(["fine film"])


def test_the_same_letter_in_two_spellings_is_one_token(tokenizer: Tokenizer) -> None:
    assert tokenizer.encode(["cre\u0300me"]) == tokenizer.encode(["cr\u00e8me"])


@pytest.mark.parametrize("kind", KINDS)
def test_replace(kind: str) -> None:
    plain = Tokenizer.train(SENTENCES, kind, 120, replace=[("<br />", " "), ("&", "and")])
    assert plain.encode(["a<br />film & cast"]) == plain.encode(["a film and cast"])


def test_words_keep_apostrophes_and_lose_punctuation() -> None:
    sample = "it isn't, isn\u2019t it? 'fine' 3-4 9.5/10 ok!!"
    words = Tokenizer.train([sample], "word")
    got = [words.token(i) for i in words.encode([sample])[0]]
    assert got == [
        "it",
        "isn't",
        ",",
        "isn\u2019t",
        "it",
        "?",
        "'",
        "fine",
        "'",
        "3",
        "-",
        "4",
        "9.5/10",
        "ok",
        "!",
        "!",
    ]


@pytest.mark.parametrize("kind", KINDS)
def test_no_piece_joins_a_word_with_its_punctuation(kind: str) -> None:
    learned = Tokenizer.train(SENTENCES, kind, 200)
    tokens = [learned.token(i) for i in range(4, learned.size)]
    assert any(len(token.strip("▁")) > 1 for token in tokens) == (kind != "char")
    assert not [t for t in tokens if len(t) > 1 and any(sign in t for sign in ",.;:!")]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size", [10, 60])
def test_a_vocabulary_is_no_larger_than_asked(kind: str, size: int) -> None:
    if (kind, size) == ("unigram", 10):  # it must hold every sign that occurs
        with pytest.raises(UserError, match="vocabulary"):
            Tokenizer.train(SENTENCES, kind, size)
    else:
        assert 4 < Tokenizer.train(SENTENCES, kind, size).size <= size


def test_rare_words_stay_out() -> None:
    words = Tokenizer.train(["fine fine film"], "word", min_count=2)
    assert (words.size, words.encode(["fine film"])) == (5, [[4, UNKNOWN]])


def test_an_unknown_kind_is_told_with_the_nearest() -> None:
    with pytest.raises(ValueError, match="did you mean 'word'"):
        Tokenizer.train(SENTENCES, "words")


@pytest.mark.parametrize("content", ["", "not JSON", "{}", "[1, 2]", json.dumps({"model": {"type": "Magic"}})])
def test_a_file_that_is_no_tokenizer_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "t.json").write_text(content)
    with pytest.raises(ValueError):  # noqa: PT011  the library or json words it
        Tokenizer.load(tmp_path / "t.json")


def test_a_tokenizer_with_other_first_ids_is_refused(tmp_path: Path, tokenizer: Tokenizer) -> None:
    tokenizer.save(tmp_path / "t.json")
    spoiled = (tmp_path / "t.json").read_text(encoding="utf-8").replace("<pad>", "[PAD]")
    (tmp_path / "t.json").write_text(spoiled, encoding="utf-8")
    with pytest.raises(ValueError, match=r"t\.json is a tokenizer, but its first ids"):
        Tokenizer.load(tmp_path / "t.json")


@pytest.mark.parametrize(
    ("longest", "head", "left"),
    [
        (8, 0.25, [0, 1, 2, 3, 4, 5, 6, 7]),
        (9, 0.0, [0, 1, 2, 3, 4, 5, 6, 7]),
        (4, 0.25, [0, 5, 6, 7]),
        (4, 0.5, [0, 1, 6, 7]),
        (4, 1.0, [0, 1, 2, 3]),
        (4, 0.0, [4, 5, 6, 7]),
        (1, 0.4, [7]),
    ],
)
def test_cut_keeps_head_and_tail(longest: int, head: float, left: list[int]) -> None:
    assert list(text.truncate(list(range(8)), longest, head)) == left


def test_cut_of_nothing() -> None:
    assert list(text.truncate([], 4)) == []


@pytest.mark.parametrize(
    ("rows", "length", "padded"),
    [
        ([[5, 6, 7], [8], []], None, [[5, 6, 7], [8, 0, 0], [0, 0, 0]]),
        ([[5]], 3, [[5, 0, 0]]),
        ([[], []], None, [[0], [0]]),
    ],
)
def test_pad(rows: list, length: int | None, padded: list) -> None:
    got = text.pad(rows, length)
    assert got.dtype == "int32"
    assert got.tolist() == padded


def test_in_batches_is_lazy_and_keeps_the_order() -> None:
    taken: list[int] = []
    batches = text.in_batches((taken.append(i) or i for i in range(5)), 2)
    assert (next(batches), taken) == ([0, 1], [0, 1])
    assert list(batches) == [[2, 3], [4]]
    assert list(text.in_batches([], 2)) == []
