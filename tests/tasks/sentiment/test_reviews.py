"""The embedded data set: sizes, splits, determinism, and labels against a second reading."""

import collections
import functools
import hashlib
import re

import pytest
import tensorflow_datasets as tfds
from zoo.tasks.sentiment.reviews import asides, domains, frames, grammar, reviews_dataset_builder, words

SIZES = {"train": 20_000, "validation": 2_000, "test": 2_000}
SEED = 1

# Labelled by hand, one sentence a frame, for the constructions that `verdict_of` does not read.
READ_BY_HAND = (
    ("I expected a failure and got a revelation.", 1),
    ("I had been told to expect a masterpiece; what I got was a nightmare.", 0),
    ("I was prepared for a mistake, yet what I found was a jewel.", 1),
    ("I got a delight, not the failure that I had expected.", 1),
    ("Where I had expected smooth boss fights, the boss fights were samey.", 0),
    ("Instead of a nuisance I found a jewel.", 1),
    ("What I found was a mess and not a wonder at all.", 0),
    ("I found a torment where I had been told to expect a joy.", 0),
    ("What I expected was a success; what I found was a flop.", 0),
    ("Had the portraits been compelling, I would have called this mystery a jewel.", 0),
    ("This western would have been a fiasco if the story had not been so tender.", 1),
    ("It came close to being a torment, but in the end it is not a chore.", 1),
    ("This exhibition might easily have been a fiasco, and it was not.", 1),
    ("It could have been a nightmare; as it is, it is special.", 1),
    ("This biennial might have been a bargain; as it was, I came to regret the biennial.", 0),
    ("This steakhouse could easily have been a triumph, and it is not.", 0),
    ("If the casing had been brittle, this tablet would have been a failure.", 1),
    ("Unlike the puzzle in Helsinki, which was refreshing, this puzzle was dreary.", 0),
    ("This gallery is as enjoyable as the showroom of last September was overpriced.", 1),
    ("My first pantomime was a pleasure; this farce was a nightmare.", 0),
    ("After the previous documentary, which was a wonder, I found the drama overpriced.", 0),
    ("This safari is recommendable, which the hike of last December never was.", 1),
    ("Unlike the previous hotel, this cottage is a chore and not a stroke of luck.", 0),
    ("I resented this festival, whatever my nephew may say about the stirring first half.", 0),
    ("My daughter may call this pantomime a pleasure, yet I came to resent it.", 0),
    ("Hugo did not hate this smartwatch, but I did.", 0),
    ("My father called the camera a fiasco; I call it a success.", 1),
    ("I loved this drama; the geologist next to me did not.", 1),
    ("I call this excursion a pleasure, while a friend from Leipzig called it a disappointment.", 1),
    ("My colleague disliked it; I did not.", 1),
    ("My mother hated this cruise, but I did not.", 1),
    ("I enjoyed the romance, although my son did not.", 1),
    ("I came to admire this walk, though everyone at the office called it an ordeal.", 1),
)


@pytest.fixture(scope="module")
def splits() -> dict[str, list[grammar.Review]]:
    return {split: list(grammar.derive(split, count, SEED)) for split, count in SIZES.items()}


@functools.cache
def polarities() -> dict[str, int]:
    """Returns every evaluative word, with 1 for a good one and 0 for a bad one."""
    facets = [facet for domain in domains.DOMAINS for facet in domain.facets]
    found: dict[str, int] = {}
    for side in (0, 1):
        entries = [*words.ADJECTIVES[side], *words.WHOLE_ADJECTIVES[side]]
        entries += [noun.split()[0] for noun in words.NOUNS[side]]
        entries += [form for forms in (*words.FEELINGS[side], *words.EFFECTS[side]) for form in forms]
        entries += [adjective for facet in facets for adjective in facet.adjectives[side]]
        assert not any(found.get(entry) == 1 - side for entry in entries)
        found |= dict.fromkeys(entries, side)
    return found


def tokens(text: str) -> list[str]:
    return re.findall(r"[a-z-]+", text.lower())


IDIOMS = re.compile(r"never anything but|nothing if not|never failed to|not (?:only|just|merely)")
NEGATION = re.compile(
    r"\b(?:anything but|far from|by no means|nowhere near|in no way|not|never|hardly|scarcely|neither|nothing|no|nobody"
    r"|failed to|cannot|doubts?|doubted|deny|denied|denying|wrong|less)\b"
)


def sign_of(text: str) -> int:
    """Reads a passage whose evaluative words agree: their polarity, turned round by an odd number of negations."""
    text = IDIOMS.sub("", text.lower())
    known = polarities()
    sides = {known[token] for token in tokens(text) if token in known}
    assert len(sides) == 1, text
    return sides.pop() ^ len(NEGATION.findall(text)) % 2


def verdict_of(construction: str, text: str) -> int | None:
    """Reads off the surface what the author thinks, knowing nothing of slots; None where it takes a human."""
    if construction in ("plain", "scope", "assertion", "hedge less", "hedge equal"):
        return sign_of(text)
    if construction == "addition":
        first, *more = (sign_of(part) for part in re.split(r", but |; ", text))
        assert all(verdict == first for verdict in more), text
        return first
    if construction == "contrast":
        return sign_of(re.split(r", but |, yet |; nevertheless, |however, ", text)[-1])
    if construction == "turn":
        return sign_of(text.split(". ")[1])
    if construction == "concession first":
        return sign_of(text.split(", ", 1)[1])
    if construction == "concession last":
        return sign_of(re.split(r", (?:although|even though|though|even if|while) ", text)[0])
    if construction == "despite" and re.match("In spite|Despite|For all|Even with", text):
        return sign_of(text.split(", ", 1)[1])
    if construction == "despite":
        return sign_of(re.split(r",? (?:despite|in spite of|for all) the ", text)[0])
    if construction == "correction":
        rejected = r"not so much .+? as\b|not (?:an? )?[^,]+? but\b|, not .+|(?:rather than|instead of) [^,.]+"
        return sign_of(re.sub(rejected, "", text, flags=re.IGNORECASE))
    return None


def test_sizes_and_balance(splits):
    for split, reviews in splits.items():
        assert len(reviews) == SIZES[split]
        assert sum(review.label for review in reviews) == SIZES[split] / 2
        assert all(15 <= len(review.text.split()) <= 60 for review in reviews)


def test_no_text_twice(splits):
    texts = [review.text for reviews in splits.values() for review in reviews]
    assert len(set(texts)) == len(texts)


def test_no_template_in_two_splits(splits):
    # What is left when neighbouring slots, whatever their names, become one blank.
    used = {
        split: {re.sub(r"\{.+?\}( \{.+?\})*", "_", s.frame) for review in reviews for s in review.sentences}
        for split, reviews in splits.items()
    }
    assert not used["train"] & used["validation"]
    assert not used["train"] & used["test"]
    assert not used["validation"] & used["test"]


def test_every_template_is_used(splits):
    tables = [*frames.WEIGHED.values(), *asides.DISCOUNTED.values(), asides.GRANTED, asides.SCENES]
    tables += [domain.scenes for domain in domains.DOMAINS]
    for split, reviews in splits.items():
        used = {sentence.frame for review in reviews for sentence in review.sentences}
        assert used == {frame for table in tables for frame in table[split]}


def test_vocabulary(splits):
    known = {split: {token for review in reviews for token in tokens(review.text)} for split, reviews in splits.items()}
    assert len(known["train"]) >= 1_400
    assert known["validation"] <= known["train"]
    assert known["test"] <= known["train"]


def test_every_evaluative_word_bears_both_labels(splits):
    counts = collections.Counter((token, review.label) for review in splits["train"] for token in tokens(review.text))
    for word in polarities():
        assert min(counts[word, 0], counts[word, 1]) >= 8, word
        assert 0.2 < counts[word, 1] / (counts[word, 0] + counts[word, 1]) < 0.8, word


def test_generation_repeats_itself_and_a_prefix_stays():
    some = list(grammar.generate("train", 40, SEED))
    assert some == list(grammar.generate("train", 60, SEED))[:40]
    assert some != list(grammar.generate("train", 40, SEED + 1))


@pytest.mark.parametrize(
    ("split", "digest"),
    [
        ("train", "7c6307527f97709119c477419a320ac2dd64ca4e8317cf3cb33fc13e990680b0"),
        ("validation", "1306e6cea990c1b815f764743193a4b9b48d03bcaf6deefa58a7b85162cf2666"),
        ("test", "126695d878c5952bf3719dde0f8b2879c871bb50b180ec526098891dc62ee098"),
    ],
)
def test_bytes_are_pinned(splits, split, digest):
    lines = "\n".join(f"{review.label} {review.text}" for review in splits[split][:2_000])
    assert hashlib.sha256(lines.encode()).hexdigest() == digest


def test_unknown_split():
    with pytest.raises(ValueError, match="unknown split 'dev'; known are train, validation, test"):
        list(grammar.generate("dev", 1, SEED))


def test_labels_agree_with_a_reading_of_the_surface(splits):
    read = collections.Counter()
    for reviews in splits.values():
        for review in reviews:
            for sentence in review.sentences:
                if sentence.construction in frames.WEIGHED:
                    verdict = verdict_of(sentence.construction, sentence.text)
                    assert verdict in (None, review.label), review
                    read[sentence.construction] += verdict is not None
    # Every construction is read by rule or, below, by hand.
    by_hand = {"opinion first", "opinion last", "expectation", "counterfactual", "comparison"}
    assert {name for name in frames.WEIGHED if read[name] < 500} == by_hand


def test_labels_agree_with_hand_made_ones(splits):
    labels = {
        sentence.text: review.label
        for reviews in splits.values()
        for review in reviews[:2_000]
        for sentence in review.sentences
        if sentence.construction in frames.WEIGHED
    }
    assert {text: labels[text] for text, _ in READ_BY_HAND} == dict(READ_BY_HAND)


def test_a_bag_of_words_says_little(splits):
    pytest.importorskip("sklearn")
    from sklearn.feature_extraction.text import CountVectorizer
    from sklearn.linear_model import LogisticRegression

    def score(view) -> float:
        bag = CountVectorizer()
        model = LogisticRegression(solver="liblinear")
        model.fit(bag.fit_transform(view(r.text) for r in splits["train"]), [r.label for r in splits["train"]])
        return model.score(bag.transform(view(r.text) for r in splits["test"]), [r.label for r in splits["test"]])

    assert score(lambda text: text) < 0.8
    assert score(lambda text: text.split(". ")[-1]) < 0.8


def test_the_last_evaluative_word_says_little(splits):
    known = polarities()
    for reviews in splits.values():
        last = [next(known[t] for t in reversed(tokens(review.text)) if t in known) for review in reviews]
        hits = sum(side == review.label for side, review in zip(last, reviews, strict=True))
        assert 0.4 < hits / len(reviews) < 0.65


def test_builder(tmp_path, monkeypatch, splits):
    assert reviews_dataset_builder._SIZES == SIZES
    monkeypatch.setattr(reviews_dataset_builder, "_SIZES", {"train": 60, "validation": 20, "test": 20})
    builder = reviews_dataset_builder.Builder(data_dir=tmp_path)
    builder.download_and_prepare()

    assert builder.name == "reviews"
    assert builder.info.supervised_keys == ("text", "label")
    assert builder.info.features["label"].names == ["negative", "positive"]
    assert "synthetic" in builder.info.description.lower()
    assert "@misc" in builder.info.citation
    assert set(builder.get_metadata().tags) <= set(tfds.core.dataset_metadata.valid_tags())
    for split, count in reviews_dataset_builder._SIZES.items():
        rows = list(builder.as_dataset(split=split, as_supervised=True).as_numpy_iterator())
        assert len(rows) == count
        # TFDS writes examples in the order of their hashed keys, so only the sets agree.
        expected = {(review.text, review.label) for review in splits[split][:count]}
        assert {(text.decode(), int(label)) for text, label in rows} == expected
