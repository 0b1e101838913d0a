"""What `zoo charlm` answers: prompts that are written on, a few units at a time, or texts that are scored."""

import json
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np

from zoo import builders
from zoo.data import text
from zoo.saved import SavedModel
from zoo.task import Part

from .data import encoder
from .recipe import Predict

AT_ONCE = 16
"""Units that are written before they are shown."""

CHUNK = 128
"""Units that are read together: one shape, whatever the length of a text."""


def predict(saved: SavedModel, ask: Predict) -> Iterator[str]:
    """Each prompt with what the model writes after it, as it comes; or a line with its log-probability."""
    for prompt in ask.inputs:
        ids = _encoded(saved, prompt)
        if ask.score:
            yield _score(saved, prompt, ids, ask)
        elif ask.json:
            written = "".join(_written(saved, ids, ask))
            yield json.dumps({"prompt": prompt, "text": prompt + written}, ensure_ascii=False)
        else:
            yield Part(prompt)
            yield from map(Part, _written(saved, ids, ask))
            yield ""


def _encoded(saved: SavedModel, prompt: str) -> list[int]:
    (ids,) = encoder(saved.assets)([prompt])
    ids = [int(token) for token in ids]
    unseen = ids.count(text.UNKNOWN)
    if unseen:
        print(
            f"{unseen} of {len(ids)} units of {prompt[:40]!r} did not occur in training; they count as unknown.",
            file=sys.stderr,
        )
    return ids


def _score(saved: SavedModel, prompt: str, ids: list[int], ask: Predict) -> str:
    """The log-probability of a text, given that it begins here."""
    nats, _ = _read(saved, [text.START, *ids])
    total, unknown = float(nats.sum(dtype="float64")), ids.count(text.UNKNOWN)
    each = total / max(len(ids), 1)
    if not ask.json:
        return f"{-total:.4f}\t{each:.4f} nats a unit\t{prompt}"
    answer = {
        "text": prompt,
        "units": len(ids),
        "unknown": unknown,
        "log_probability": round(-total, 4),
        "nats": round(each, 4),
    }
    return json.dumps(answer, ensure_ascii=False)


def _read(saved: SavedModel, ids: list[int]) -> tuple[np.ndarray, Any]:
    """Nats of each id but the first, and the state before the last one is read."""
    model = saved.model
    reader, states = builders.reader(model), model.begin(1)
    nats = []
    for start in range(0, len(ids) - 1, CHUNK):
        part = ids[start : start + CHUNK + 1]
        tokens = text.pad([part[:-1]], CHUNK)
        chunk = {
            "tokens": tokens,
            "mask": tokens != text.PAD,
            "targets": text.pad([part[1:]], CHUNK),
            "begins": np.array([start == 0]),
            "states": states,
        }
        found = reader.predict_on_batch(chunk)
        states = found["states"]
        nats.append(found["nats"][0, : len(part) - 1])
    return np.concatenate(nats) if nats else np.zeros(0, "float32"), states


def _written(saved: SavedModel, ids: list[int], ask: Predict) -> Iterator[str]:
    """What is written after a prompt, in parts as they are ready."""
    options = {"temperature": ask.temperature, "top_k": ask.top_k, "top_p": ask.top_p}
    search = builders.searcher(
        saved.model, "sample", start=text.START, end=text.END, length=AT_ONCE, seed=0, keep_state=True, **options
    )
    context = [text.START, *ids]
    _, state = _read(saved, context)
    tokens: list[int] = []
    last, shown = context[-1], 0
    while len(tokens) < ask.length:
        # Every part draws anew, and the same seed and place draw the same.
        seed = np.array(ask.seed * 100_003 + len(tokens), "int64") % 2**31
        found = search.predict_on_batch({"inputs": state, "start": np.array([last], "int32"), "seed": seed})
        new = found["tokens"][0, : found["lengths"][0]].tolist()
        state, last = found["state"], new[-1]
        tokens += new
        written = _decoded(saved, [*ids, *tokens[: ask.length]], ids)
        if ask.stop and (at := written.find(ask.stop)) >= 0:
            yield written[shown : at + len(ask.stop)]
            return
        whole = last == text.END or len(tokens) >= ask.length
        ready = len(written) if whole else max(len(written) - _held(ask), shown)
        yield written[shown:ready]
        shown = ready
        if last == text.END:
            return


def _held(ask: Predict) -> int:
    """Characters kept back, as they may turn out to begin the text to stop at."""
    return len(ask.stop) - 1 if ask.stop else 0


def _decoded(saved: SavedModel, ids: list[int], prompt: list[int]) -> str:
    """The text that ids after a prompt add to it."""
    before, after = saved.assets["tokenizer"].decode([prompt, ids])
    return after[len(before) :]
