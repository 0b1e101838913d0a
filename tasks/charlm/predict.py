"""What `zoo charlm` prints: prompts with what the model writes after them, as it comes, or scores of texts."""

import dataclasses
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np

from zoo.data import text
from zoo.ids import END, PAD, START, UNKNOWN
from zoo.storage.saved_model import SavedModel
from zoo.task import Chunk, json_line

from .encoding import encoder
from .recipe import Predict

TOKENS_PER_CHUNK = 16
"""Tokens that are written before they are shown."""

READ_LENGTH = 128
"""Tokens that are read together: one shape, whatever the length of a text."""


def predict(saved: SavedModel, config: Predict) -> Iterator[str]:
    """Each prompt and what the model writes after it, in chunks; or a line with its log-probability."""
    temperatures = config.sampled_temperatures()
    for prompt in map(text.whole_characters, config.inputs):
        ids = _encode(saved, prompt)
        if config.score:
            yield _score(saved, prompt, ids, config)
        elif temperatures:
            yield from _compare(saved, prompt, ids, config, temperatures)
        elif config.json:
            whole = prompt + "".join(_generate(saved, ids, config))
            yield json_line(prompt, whole, None, prompt=prompt, text=whole)
        else:
            yield from _write(saved, prompt, ids, config)


def _write(saved: SavedModel, prompt: str, ids: list[int], config: Predict) -> Iterator[str]:
    """A prompt and what comes after it, in chunks of one line."""
    yield Chunk(prompt)
    yield from map(Chunk, _generate(saved, ids, config))
    yield ""


def _compare(
    saved: SavedModel, prompt: str, ids: list[int], config: Predict, temperatures: list[float]
) -> Iterator[str]:
    """One text per temperature, each below its name; as JSON all in one object."""
    configs = [dataclasses.replace(config, temperature=temperature) for temperature in temperatures]
    if config.json:
        samples: list[dict[str, Any]] = [
            {"temperature": each.temperature, "text": prompt + "".join(_generate(saved, ids, each))} for each in configs
        ]
        first, *others = [sample["text"] for sample in samples]
        yield json_line(prompt, first, None, [(other, None) for other in others], prompt=prompt, samples=samples)
        return
    for each in configs:
        yield f"temperature {each.temperature:g}:"
        yield from _write(saved, prompt, ids, each)


def _encode(saved: SavedModel, prompt: str) -> list[int]:
    (ids,) = encoder(saved.assets)([prompt])
    ids = [int(token) for token in ids]
    unknown = ids.count(UNKNOWN)
    if unknown:
        print(
            f"{unknown} of {len(ids)} tokens of {prompt[:40]!r} did not occur in training; they count as unknown.",
            file=sys.stderr,
        )
    return ids


def _score(saved: SavedModel, prompt: str, ids: list[int], config: Predict) -> str:
    """The log-probability of a text, given that it begins here."""
    nats, _ = _read(saved, [START, *ids])
    total = float(nats.sum(dtype="float64"))
    loss = total / max(len(ids), 1)
    if not config.json:
        return f"{-total:.4f}\t{loss:.4f} nats per token\t{prompt}"
    return json_line(
        prompt,
        prompt,
        -total,
        text=prompt,
        num_tokens=len(ids),
        num_unknown=ids.count(UNKNOWN),
        log_probability=round(-total, 4),
        loss=round(loss, 4),
    )


def _read(saved: SavedModel, ids: list[int]) -> tuple[np.ndarray, Any]:
    """Cross-entropy of each id but the first, in nats, and the state before the last one is read."""
    reader, states = saved.net.reader(), saved.net.begin(1)
    nats = []
    for start in range(0, len(ids) - 1, READ_LENGTH):
        part = ids[start : start + READ_LENGTH + 1]
        tokens = text.pad([part[:-1]], READ_LENGTH)  # (1, time)
        inputs = {
            "tokens": tokens,
            "mask": tokens != PAD,
            "targets": text.pad([part[1:]], READ_LENGTH),
            "begins": np.array([start == 0]),
            "states": states,
        }
        outputs = reader.predict_on_batch(inputs)
        states = outputs["states"]
        nats.append(outputs["nats"][0, : len(part) - 1])
    return np.concatenate(nats) if nats else np.zeros(0, "float32"), states


def _generate(saved: SavedModel, ids: list[int], config: Predict) -> Iterator[str]:
    """What the model writes after a prompt, in parts as they are ready."""
    options = {"temperature": config.temperature, "top_k": config.top_k, "top_p": config.top_p}
    search = saved.net.searcher(
        "sample", start=START, end=END, max_new_tokens=TOKENS_PER_CHUNK, seed=0, keep_state=True, **options
    )
    context = [START, *ids]
    _, state = _read(saved, context)
    tokens: list[int] = []
    last, shown = context[-1], 0
    # As many characters are kept back as may turn out to begin the text to stop at.
    pending = len(config.stop) - 1 if config.stop else 0
    while len(tokens) < config.max_new_tokens:
        # Each part has its own seed, which follows from that of the text and the position.
        seed = np.array(config.seed * 100_003 + len(tokens), "int64") % 2**31
        result = search.predict_on_batch({"inputs": state, "start": np.array([last], "int32"), "seed": seed})
        new = result["tokens"][0, : result["lengths"][0]].tolist()
        state, last = result["state"], new[-1]
        tokens += new
        written = _decode(saved, [*ids, *tokens[: config.max_new_tokens]], ids)
        if config.stop and (at := written.find(config.stop)) >= 0:
            yield written[shown : at + len(config.stop)]
            return
        complete = last == END or len(tokens) >= config.max_new_tokens
        ready = len(written) if complete else max(len(written) - pending, shown)
        yield written[shown:ready]
        shown = ready
        if last == END:
            return


def _decode(saved: SavedModel, ids: list[int], prompt: list[int]) -> str:
    """The text that ids add to those of a prompt they begin with."""
    before, after = saved.assets["tokenizer"].decode([prompt, ids])
    return after[len(before) :]
