"""`zoo translate`: order, empty and long lines, n-best, prefixes, attention, unknown characters; and the scores."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
from zoo.tasks.translate import heatmap, predict, scoring
from zoo.tasks.translate.recipe import RECIPE, Predict, Train, can_answer

from zoo import builders
from zoo.data import text
from zoo.errors import UserError
from zoo.ids import END, UNKNOWN
from zoo.saved import SavedModel

WORDS = ["ein", "zwei", "Hund", "Katze", "läuft", "sitzt", "a", "two", "dog", "cat", "runs", "sits", ".", "<unk>", "3"]
LINES = ["two dogs run.", "", "a cat sits", "dog", "a cat sits", "   "]


@pytest.fixture(scope="module")
def saved() -> SavedModel:
    """A translator that has learned nothing: what it says does not matter here, only what becomes of it."""
    import keras

    keras.utils.set_random_seed(1)
    tokenizer = text.Tokenizer.train([" ".join(WORDS)] * 3, "bpe", 80)
    model = builders.translator(
        source_vocabulary_size=tokenizer.size, target_vocabulary_size=tokenizer.size, cell="gru", units=8,
        embedding_dim=8, share_embeddings=True,
    )  # fmt: skip
    model.set_weights([4 * weight for weight in model.get_weights()])  # opinions strong enough to differ by input
    search = {"beam_size": 3, "length_penalty": 0.6, "coverage_penalty": 0.0, "max_new_tokens": 12}
    assets = {"tokenizer": tokenizer, "languages": ["en", "de"], "search": search}
    return SavedModel(Path("toy"), None, Train(max_length=12), {}, assets, model)


def ask(saved, lines, **options):
    return list(predict.predict(saved, Predict(inputs=lines, **options)))


def test_a_line_for_each_line_in_order_whatever_its_length(saved):
    together = ask(saved, LINES, beam_size=1)
    assert len(together) == len(LINES)
    assert together == [line for item in LINES for line in ask(saved, [item], beam_size=1)]
    assert together[2] == together[4]
    assert len({*together}) > 2


def test_empty_lines_have_empty_translations(saved):
    answers = ask(saved, LINES, beam_size=1)
    assert {answer for answer, line in zip(answers, LINES, strict=True) if not line.strip()} == {""}
    assert any(answers)
    assert json.loads(ask(saved, [""], json=True)[0])["translation"] == ""
    assert ask(saved, []) == []


def test_more_lines_than_are_read_at_once_keep_their_order(saved, monkeypatch):
    monkeypatch.setattr(predict, "READ_AHEAD", 4)
    monkeypatch.setattr(predict, "BATCH", 2)
    assert ask(saved, LINES * 3, beam_size=1) == ask(saved, LINES, beam_size=1) * 3


def test_a_long_line_is_truncated_with_a_note(saved, capsys):
    (line,) = ask(saved, ["dog " * 2000], beam_size=1)
    assert "Truncated to 11 tokens: dog dog" in capsys.readouterr().err
    assert [line] == ask(saved, [" dog  " * 11], beam_size=1)
    assert capsys.readouterr().err == ""


def test_the_languages_must_be_those_of_the_model(saved):
    assert ask(saved, ["dog"], source="en", target="de", beam_size=1) == ask(saved, ["dog"], beam_size=1)
    with pytest.raises(UserError, match="toy writes 'de', not 'fr': it was trained from en to de only"):
        ask(saved, ["dog"], target="fr")
    with pytest.raises(UserError, match="toy reads 'en', not 'cs'"):
        ask(saved, ["dog"], source="cs")


def test_a_model_is_chosen_by_its_languages():
    data = {"languages": ["en", "de"]}
    assert can_answer(Predict(), data)
    assert can_answer(Predict(source="en", target="de"), data)
    assert not can_answer(Predict(source="de"), data)
    assert not can_answer(Predict(target="fr"), data)


def test_a_limited_number_of_lines_is_read_before_the_first_answer(saved, monkeypatch):
    """What was printed stays, whatever happens to the rest."""
    monkeypatch.setattr(predict, "READ_AHEAD", 2)

    def lines():
        yield from ("dog", "cat")
        raise KeyboardInterrupt

    given = predict.predict(saved, Predict(inputs=lines(), beam_size=1))
    assert [next(given), next(given)] == ask(saved, ["dog", "cat"], beam_size=1)
    with pytest.raises(KeyboardInterrupt):
        next(given)


def test_unknown_characters_never_crash(saved):
    assert len(ask(saved, ["日本語", "\x00", "🤷" * 50, "\ufffd"], beam_size=1)) == 4


def test_several_translations_come_best_first(saved):
    (line,) = ask(saved, ["two dogs run"], num_return=3)
    (packed,) = ask(saved, ["two dogs run"], num_return=3, json=True)
    answer = json.loads(packed)
    assert line.split("\t") == [item["translation"] for item in answer["nbest"]]
    scores = [item["score"] for item in answer["nbest"]]
    assert scores == sorted(scores, reverse=True)
    assert answer["translation"] == answer["nbest"][0]["translation"]
    assert answer["score"] == scores[0]


def test_consensus_ranks_what_a_wider_search_finds(saved):
    options = {"beam_size": 4, "num_return": 4, "json": True}
    plain, ranked = (
        json.loads(ask(saved, ["two dogs run"], **options, **more)[0])["nbest"] for more in ({}, {"consensus": 2.0})
    )
    assert {item["translation"] for item in ranked} == {item["translation"] for item in plain}
    scores = [item["score"] for item in ranked]
    assert 1 >= scores[0] >= scores[-1] > 0
    with pytest.raises(UserError, match="--consensus 2 compares several hypotheses, and --beam-size 1 finds one"):
        ask(saved, ["two dogs run"], beam_size=1, consensus=2.0)


def test_a_prefix_begins_every_translation(saved):
    assert all(line.startswith("Katze") for line in ask(saved, ["dog", "a cat"], forced_prefix="Katze", beam_size=1))
    assert not all(line.startswith("Katze") for line in ask(saved, ["dog", "a cat"], beam_size=1))


def test_attention_has_a_row_for_each_target_token_and_sums_to_one(saved):
    (packed,) = ask(saved, ["two dogs run"], attention=True, json=True, beam_size=1)
    answer = json.loads(packed)
    weights = np.array(answer["attention"])
    assert weights.shape == (len(answer["target_tokens"]), len(answer["source_tokens"]))
    np.testing.assert_allclose(weights.sum(axis=1), 1, atol=1e-2)
    assert answer["source_tokens"][-1] == "</s>"


def test_attention_plots_are_pictures_one_for_each_line(saved, tmp_path):
    ask(saved, ["two dogs run", "two dogs run"], attention_plot=str(tmp_path / "map.png"), beam_size=1)
    assert {file.name for file in tmp_path.iterdir()} == {"map.png", "map-2.png"}
    assert (tmp_path / "map.png").read_bytes().startswith(b"\x89PNG")
    with pytest.raises(UserError, match="cannot be written"):
        ask(saved, ["two dogs run"], attention_plot=str(tmp_path / "nowhere" / "map.png"), beam_size=1)


def test_unknown_tokens_are_replaced_by_the_source_word_with_the_most_attention(saved):
    ids = [UNKNOWN, UNKNOWN]
    words = "dog 日"
    pieces = saved.assets["tokenizer"].encode_with_offsets(words)
    spans = [words[start:end].strip() for _, start, end in pieces]
    weights = np.zeros((2, len(pieces)))
    weights[0, -1], weights[1, 0] = 1, 1
    assert predict._replace_unknown(saved, words, ids, "<unk> und <unk>.", weights) == f"{spans[-1]} und {spans[0]}."
    assert spans[-1] == "日"


def test_pieces_become_words():
    assert heatmap.words(["▁ein", "e", "▁Frau", ".", "</s>"]) == [
        ("eine", [0, 1]), ("Frau", [2]), (".", [3]), ("</s>", [4]),
    ]  # fmt: skip
    assert heatmap.words(["▁", "1", "9"])[0] == ("19", [0, 1, 2])


def test_attention_by_word_sums_source_pieces_and_averages_target_pieces():
    weights = np.array([[0.2, 0.3, 0.5], [0.4, 0.4, 0.2]])
    by_word = heatmap.by_word(weights, ["▁a", "b", "▁c"], ["▁x", "y"])
    np.testing.assert_allclose(by_word, [[(0.5 + 0.8) / 2, (0.5 + 0.2) / 2]])


def test_a_translation_does_not_depend_on_its_batch(saved):
    net, tokenizer = saved.net, saved.assets["tokenizer"]
    rows = [[*ids, END] for ids in tokenizer.encode(["two dogs run", "cat"])]
    together = builders.search(net, text.pad(rows), beam_size=3, max_new_tokens=9)
    for place, row in enumerate(rows):
        alone = builders.search(net, text.pad([row]), beam_size=3, max_new_tokens=9)
        np.testing.assert_array_equal(alone["tokens"][0], together["tokens"][place])
        np.testing.assert_allclose(alone["scores"][0], together["scores"][place], atol=1e-4)


def test_scores_of_perfect_wrong_and_uppercase_translations():
    references = ["Ein Mann läuft über den Weg .", "Zwei Hunde spielen im Schnee ."]
    assert scoring.bleu(references, references) == pytest.approx(100)
    assert scoring.chrf(references, references) == pytest.approx(100)
    assert scoring.exact_match(["a", "b"], ["a", "c"]) == 0.5
    upper = [line.upper() for line in references]
    assert scoring.bleu(upper, references) < 50
    assert scoring.bleu_lc_tok(upper, references, "de") == pytest.approx(100)


def test_the_tokenized_score_is_the_plain_one_of_text_that_needs_no_tokenization():
    """Second source: sacreBLEU's default on text that both tokenizations leave alone."""
    texts = ["ein mann läuft über den weg .", "zwei hunde spielen dort im schnee ."]
    references = ["ein mann geht über den weg .", "zwei hunde spielen im schnee ."]
    assert scoring.bleu_lc_tok(texts, references, "de") == pytest.approx(scoring.bleu(texts, references))


def test_signatures_name_the_tokenization():
    signatures = scoring.signatures()
    assert "tok:13a" in signatures["bleu"]
    assert "tok:none" in signatures["bleu_lc_tok"]
    assert signatures["chrf"].startswith("nrefs:1|case:mixed")


def test_a_recipe_can_be_stored_and_read_again():
    recipe = Train(decoder_cell="lstm", attention="none")
    assert RECIPE.configure(json.loads(json.dumps(dataclasses.asdict(recipe)))) == recipe


def test_a_recipe_of_the_first_version_is_read_under_present_names():
    old = {
        "tokens": "word", "vocabulary": 70, "joint": False, "longest": 9, "embedding": 3, "encoder_depth": 2,
        "decoder_depth": 3, "conditional": True, "smoothing": 0.2, "beam": 2, "penalty": 0.3, "coverage": 0.4,
        "averaging": 0.9, "budget": 1.5, "storage": "float16",
    }  # fmt: skip
    assert RECIPE.configure(old) == Train(
        tokenizer="word", vocabulary_size=70, shared_vocabulary=False, max_length=9, embedding_dim=3, encoder_layers=2,
        decoder_layers=3, conditional_cell=True, label_smoothing=0.2, beam_size=2, length_penalty=0.3,
        coverage_penalty=0.4, ema_momentum=0.9, max_minutes=1.5, weights_dtype="float16",
    )  # fmt: skip
