"""What `zoo translate` prints: lines of any length in, their translations out in the same order."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from zoo.data import text
from zoo.decoding.options import of_prediction
from zoo.errors import UserError
from zoo.ids import END, UNKNOWN
from zoo.storage.saved_model import SavedModel
from zoo.task import json_line

from .encoding import BOUNDARIES, source_encoder, source_tokenizer, target_tokenizer
from .heatmap import draw
from .recipe import Predict

READ_AHEAD = 256
"""Lines of standard input that are read before the first is answered: enough to find some of like length."""

BATCH = 64
"""Sentences translated together."""


def predict(saved: SavedModel, config: Predict) -> Iterator[str]:
    """A line for each text: its translation, or several with tabs between them, or JSON with scores.

    Raises:
        UserError: If the model translates between other languages, or a picture cannot be written.
    """
    _check_languages(saved, config)
    number = 0
    for lines in text.in_batches(config.inputs, READ_AHEAD):
        texts = [" ".join(line.split()) for line in lines]  # white space at an end or twice means nothing
        for words, hypotheses in zip(texts, best_translations(saved, config, texts), strict=True):
            number += 1
            best = hypotheses[0]
            if config.attention_plot and best["tokens"]:
                draw(_numbered(Path(config.attention_plot), number), best["attention"], *tokens_of(saved, words, best))
            if config.json:
                yield _json(saved, config, words, hypotheses)
            else:
                yield "\t".join(item["text"] for item in hypotheses)


def _check_languages(saved: SavedModel, config: Predict) -> None:
    """Refuses languages that the model does not know, before anything is translated."""
    languages = saved.assets["languages"]
    for requested, known, verb in zip((config.source, config.target), languages, ("reads", "writes"), strict=True):
        if requested and requested != known:
            raise UserError(
                f"{saved.path.name} {verb} {known!r}, not {requested!r}: it was trained from {languages[0]} to "
                f"{languages[1]} only. Choose another --model (`zoo list models`), or train one."
            )


def best_translations(saved: SavedModel, config: Predict, texts: Sequence[str]) -> list[list[dict[str, Any]]]:
    """The translations of each text, best first; an empty text has an empty one.

    Args:
        saved: The model.
        config: Options of the search.
        texts: Texts without white space at their ends; one that is too long is truncated, and a note says so.

    Returns:
        For each text the hypotheses, each with `text`, `score`, `tokens` and `attention`.
    """
    max_length = saved.recipe.max_length
    rows = source_encoder(saved.assets, max_length + 1)(texts)
    for row, words in zip(rows, texts, strict=True):
        if len(row) > max_length:
            print(f"Truncated to {max_length - 1} tokens: {words[:60]}...", file=sys.stderr)
            row[max_length - 1 :] = [END]
    result: list[list[dict[str, Any]]] = [[{"text": "", "score": 0.0, "tokens": [], "attention": []}] for _ in texts]
    by_length = sorted((i for i, words in enumerate(texts) if words), key=lambda i: len(rows[i]))
    for batch in text.in_batches(by_length, BATCH):
        decoded = _search(saved, config, [rows[i] for i in batch])
        for place, i in enumerate(batch):
            result[i] = _hypotheses(saved, config, texts[i], rows[i], {k: v[place] for k, v in decoded.items()})
    return result


def _search(saved: SavedModel, config: Predict, rows: Sequence[Sequence[int]]) -> dict[str, np.ndarray]:
    """Decodes rows of ids together."""
    longest = max(map(len, rows))
    if saved.net.compiles_shapes:  # few should occur
        rows = [*rows, *[rows[0]] * (BATCH - len(rows))]
        longest = next((b for b in BOUNDARIES if b >= longest), longest)
    prefix = None
    if config.forced_prefix:
        (ids,) = target_tokenizer(saved.assets).encode([config.forced_prefix])
        prefix = np.tile(np.array(ids, "int32"), (len(rows), 1))
    return saved.net.search(
        text.pad(rows, longest),
        **of_prediction(saved.assets["search"], config),
        forced_prefix=prefix,
        attention=config.attention or config.replace_unk or config.attention_plot is not None,
    )


def _hypotheses(
    saved: SavedModel, config: Predict, words: str, row: Sequence[int], decoded: Mapping[str, np.ndarray]
) -> list[dict[str, Any]]:
    """The translations of one text, best first."""
    result = []
    for tokens, score, length, attention in zip(
        decoded["tokens"], decoded["scores"], decoded["lengths"], decoded["attention"], strict=True
    ):
        if not np.isfinite(score):
            continue  # there are fewer hypotheses than were asked for
        ids = [int(i) for i in tokens[:length]]
        weights = attention[:length, : len(row)]  # (target tokens, source tokens)
        (answer,) = target_tokenizer(saved.assets).decode([ids])
        if config.replace_unk:
            answer = _replace_unknown(saved, words, ids, answer, weights)
        result.append({"text": answer, "score": float(score), "tokens": ids, "attention": weights})
    return result


def _replace_unknown(saved: SavedModel, words: str, ids: Sequence[int], answer: str, weights: np.ndarray) -> str:
    """Each `<unk>` of an answer replaced by the source token with the most attention.

    Reference: Luong et al., "Addressing the Rare Word Problem in Neural Machine Translation" (2015), section 3.3.
    """
    spans = [words[start:end] for _, start, end in source_tokenizer(saved.assets).encode_with_offsets(words)]
    parts = answer.split("<unk>")
    unknown = [place for place, token in enumerate(ids) if token == UNKNOWN]
    copies = [spans[int(np.argmax(weights[place, : len(spans)]))].strip() if spans else "" for place in unknown]
    return "".join(part + copy for part, copy in zip(parts, [*copies, ""], strict=False))


def _json(saved: SavedModel, config: Predict, words: str, hypotheses: Sequence[Mapping[str, Any]]) -> str:
    """What `--json` prints for one text. A score is a log-probability, divided by the length penalty."""
    best, *others = hypotheses
    more: dict[str, Any] = {"translation": best["text"]}
    if config.num_return > 1:
        more["nbest"] = [{"translation": item["text"], "score": round(item["score"], 6)} for item in hypotheses]
    if config.attention:
        more["source_tokens"], more["target_tokens"] = tokens_of(saved, words, best)
        more["attention"] = np.asarray(best["attention"]).round(4).tolist()
    alternatives = [(item["text"], item["score"]) for item in others]
    return json_line(text.whole_characters(words), best["text"], best["score"], alternatives, **more)


def tokens_of(saved: SavedModel, words: str, best: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    """The tokens of a source text that were read, and of its translation, end tokens included.

    Args:
        saved: The model.
        words: The source text.
        best: One of its `best_translations`.
    """
    source, target = source_tokenizer(saved.assets), target_tokenizer(saved.assets)
    (row,) = source_encoder(saved.assets, saved.recipe.max_length)([words])
    return [source.token(i) for i in row], [target.token(i) for i in best["tokens"]]


def _numbered(path: Path, number: int) -> Path:
    """The first picture has the name that was asked for, the others a number behind it."""
    return path if number == 1 else path.with_stem(f"{path.stem}-{number}")
