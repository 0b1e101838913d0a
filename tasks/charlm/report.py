"""What a report and a card need of the language model task: losses token by token, n-grams beside the net."""

import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from zoo import builders
from zoo.ids import END, PAD, START
from zoo.report.values import TextLoss
from zoo.saved import SavedModel
from zoo.task import Data

from .data import NOUNS, encoder
from .ngrams import NGramModel

ORDER = 6
"""Tokens of the longest n-grams of the baseline."""


def answers(saved: SavedModel, data: Data, split: str, limit: int | None = None) -> TextLoss:
    """The cross-entropy of each token of a split, with the state carried from its beginning to its end."""
    reader, states = builders.reader(saved.net), None
    read = np.zeros(0, int)  # tokens that each stream has read since its last beginning
    streams: list[list[np.ndarray]] = []  # of each, `(3, tokens)` for each batch: ids, nats, positions
    for (tokens, begins), targets, _ in data.split(split, limit):
        tokens, targets, begins = np.asarray(tokens), np.asarray(targets), np.asarray(begins)  # (streams, time)
        if states is None:
            states, read, streams = saved.net.begin(len(tokens)), np.zeros(len(tokens), int), [[] for _ in tokens]
        outputs = reader.predict_on_batch({"tokens": tokens, "targets": targets, "begins": begins, "states": states})
        states, read = outputs["states"], np.where(begins, 0, read)
        positions = read[:, None] + np.arange(tokens.shape[1])
        counted = (targets != PAD) & (targets != END)
        whole = np.stack([targets, np.asarray(outputs["nats"], "float64"), positions])  # (3, streams, time)
        for row, stream in enumerate(streams):
            stream.append(whole[:, row, counted[row]])
        read = read + (tokens != PAD).sum(axis=1)
    ids, nats, places = np.concatenate([part for stream in streams for part in stream], axis=1)
    tokenizer, noun = saved.assets["tokenizer"], NOUNS[saved.assets["tokens"]]
    return TextLoss([tokenizer.token(int(i)) for i in ids], nats, places.astype(int), noun)


def baselines(saved: SavedModel, data: Data, split: str) -> Mapping[str, Mapping[str, float]]:
    """Frequencies of single tokens, and n-grams of all lengths up to `ORDER`, without a net."""
    bits = "bits_per_character" if saved.assets["tokens"] == "char" else "bits_per_token"
    found = {}
    for name, order in (("frequencies of single tokens", 1), (f"n-grams of up to {ORDER} tokens", ORDER)):
        model = NGramModel(order, saved.assets["tokenizer"].size)
        for document in _documents(saved, data, "train"):
            model.learn([START, *document])
        sums = np.sum([model.nats([START, *document]) for document in _documents(saved, data, split)], axis=0)
        loss = sums[0] / max(sums[1], 1)
        scores = {"loss": loss, bits: loss / math.log(2), "perplexity": math.exp(loss)}
        found[name] = {key: round(value, 4) for key, value in scores.items()}
    return found


def _documents(saved: SavedModel, data: Data, split: str) -> Iterator[list[int]]:
    encode = encoder(saved.assets)
    for document in data.raw.split(split):
        yield [int(token) for piece in document for row in encode([piece]) for token in row]


def far_inputs(assets: Mapping[str, Any]) -> Mapping[str, str]:
    """Beginnings of texts unlike those of any training data."""
    return {"another language": "Der Wind weht kalt über das ", "no words": "0x7fff 0x8000 0x8001 "}
