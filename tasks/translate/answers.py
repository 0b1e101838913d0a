"""What `zoo translate` prints: lines of any length in, their translations out in the same order."""

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np

from zoo import builders
from zoo.data import text
from zoo.errors import UserError
from zoo.saved import SavedModel

from .data import BOUNDARIES, source_encoder, source_tokenizer, target_tokenizer
from .heatmap import draw
from .recipe import Predict

READ_AT_ONCE = 256
"""Lines of standard input that are read before they are answered: enough to find some of like length."""

AT_ONCE = 64
"""Sentences translated together."""


def predict(saved: SavedModel, ask: Predict) -> Iterator[str]:
    """A line for each text: its translation, or several with tabs between them, or JSON with scores.

    Raises:
        UserError: If the model translates between other languages, or the prefix cannot be written.
    """
    _check(saved, ask)
    number = 0
    for lines in text.in_batches(ask.inputs, READ_AT_ONCE):
        texts = [" ".join(line.split()) for line in lines]  # white space at an end or twice means nothing
        for words, found in zip(texts, _answers(saved, ask, texts), strict=True):
            number += 1
            if ask.heatmap and found[0]["tokens"]:
                draw(_numbered(Path(ask.heatmap), number), found[0]["attention"], *_pieces(saved, words, found[0]))
            if ask.json:
                yield json.dumps(_object(saved, ask, words, found), ensure_ascii=False)
            else:
                yield "\t".join(item["text"] for item in found)


def _check(saved: SavedModel, ask: Predict) -> None:
    """A language that the model does not know is named before anything is translated."""
    languages = saved.assets["languages"]
    for wanted, known, verb in zip((ask.source, ask.target), languages, ("reads", "writes"), strict=True):
        if wanted and wanted != known:
            raise UserError(
                f"{saved.path.name} {verb} {known!r}, not {wanted!r}: it was trained from {languages[0]} to "
                f"{languages[1]} only. Choose another --model (`zoo list models`), or train one."
            )


def _answers(saved: SavedModel, ask: Predict, texts: Sequence[str]) -> list[list[dict[str, Any]]]:
    """The translations of each text, best first; an empty text has an empty one."""
    longest = saved.recipe.longest
    rows = source_encoder(saved.assets, longest + 1)(texts)
    for row, words in zip(rows, texts, strict=True):
        if len(row) > longest:
            print(f"Cut to {longest - 1} tokens: {words[:60]}...", file=sys.stderr)
            row[longest - 1 :] = [text.END]
    answers: list[list[dict[str, Any]]] = [[{"text": "", "score": 0.0, "tokens": [], "attention": []}] for _ in texts]
    order = sorted((i for i, words in enumerate(texts) if words), key=lambda i: len(rows[i]))
    for some in text.in_batches(order, AT_ONCE):
        found = _search(saved, ask, [rows[i] for i in some])
        for place, i in enumerate(some):
            answers[i] = _hypotheses(saved, ask, texts[i], rows[i], {k: v[place] for k, v in found.items()})
    return answers


def _search(saved: SavedModel, ask: Predict, rows: Sequence[Sequence[int]]) -> dict[str, np.ndarray]:
    """Decodes rows of ids together."""
    own = saved.assets["search"]
    asked = {name: getattr(ask, name) for name in ("beam", "penalty", "coverage")}
    options = {name: own[name] if value is None else value for name, value in asked.items()}
    most = max(map(len, rows))
    if keras.backend.backend() == "jax":  # it compiles every new shape, so that few should occur
        rows = [*rows, *[rows[0]] * (AT_ONCE - len(rows))]
        most = next((b for b in BOUNDARIES if b >= most), most)
    tokens = text.pad(rows, most)
    prefix = None
    if ask.prefix:
        (ids,) = target_tokenizer(saved.assets).encode([ask.prefix])
        prefix = np.tile(np.array(ids, "int32"), (len(rows), 1))
    looked = ask.attention or ask.copy_unknown or ask.heatmap is not None
    return builders.search(
        saved.model, tokens, **options, nbest=ask.nbest, length=own["length"], prefix=prefix, attention=looked
    )


def _hypotheses(
    saved: SavedModel, ask: Predict, words: str, row: Sequence[int], found: Mapping[str, np.ndarray]
) -> list[dict[str, Any]]:
    """What one text became, best first."""
    result = []
    for tokens, score, length, attention in zip(
        found["tokens"], found["scores"], found["lengths"], found["attention"], strict=True
    ):
        if not np.isfinite(score):
            continue  # there are fewer hypotheses than were asked for
        ids = [int(i) for i in tokens[:length]]
        weights = attention[:length, : len(row)]
        (answer,) = target_tokenizer(saved.assets).decode([ids])
        if ask.copy_unknown:
            answer = _copied(saved, words, ids, answer, weights)
        result.append({"text": answer, "score": float(score), "tokens": ids, "attention": weights})
    return result


def _copied(saved: SavedModel, words: str, ids: Sequence[int], answer: str, weights: np.ndarray) -> str:
    """Each `<unk>` of an answer replaced by the source token looked at most (Luong et al. 2015b, section 3.3)."""
    spans = [words[start:end] for _, start, end in source_tokenizer(saved.assets).pieces(words)]
    parts = answer.split("<unk>")
    unknown = [place for place, token in enumerate(ids) if token == text.UNKNOWN]
    copies = [spans[int(np.argmax(weights[place, : len(spans)]))].strip() if spans else "" for place in unknown]
    return "".join(part + copy for part, copy in zip(parts, [*copies, ""], strict=False))


def _object(saved: SavedModel, ask: Predict, words: str, found: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What `--json` prints for one text."""
    best = found[0]
    answer = {"translation": best["text"], "score": round(best["score"], 6)}
    if ask.nbest > 1:
        answer["nbest"] = [{"translation": item["text"], "score": round(item["score"], 6)} for item in found]
    if ask.attention:
        answer["source_tokens"], answer["target_tokens"] = _pieces(saved, words, best)
        answer["attention"] = np.asarray(best["attention"]).round(4).tolist()
    return answer


def _pieces(saved: SavedModel, words: str, best: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    """The tokens of a source text that were read, and of its translation, end tokens included."""
    source, target = source_tokenizer(saved.assets), target_tokenizer(saved.assets)
    (row,) = source_encoder(saved.assets, saved.recipe.longest)([words])
    return [source.token(i) for i in row], [target.token(i) for i in best["tokens"]]


def _numbered(path: Path, number: int) -> Path:
    """The first picture has the name that was asked for, the others a number behind it."""
    return path if number == 1 else path.with_stem(f"{path.stem}-{number}")
