"""Steps that no model is needed for, and searches that leave nothing out, in plain numpy."""

from types import SimpleNamespace

import keras
import numpy as np
import pytest
from keras import ops

END, LETTERS, START, SOURCE = 1, (2, 3, 4), 9, 3
"""An alphabet of three letters; 0 has probability 0 everywhere."""


class Tale:
    """Log-probabilities and attention that depend on all that came before, so that a wrong history shows at once.

    The state holds the history itself. Each example has a key, so that no two examples have the same answer.
    """

    def __init__(self, seed=0, end=0.0):
        random = np.random.default_rng(seed)
        logits = random.normal(0, 1.5, (97, 2 + len(LETTERS))).astype("float32")
        logits[:, 0] = -np.inf
        logits[:, END] += end
        self.table = logits - np.log(np.exp(logits).sum(1, keepdims=True))
        self.looks = random.dirichlet(np.full(SOURCE, 0.3), 97).astype("float32")
        self.steps = 0

    def state(self, keys, length=8, shared=False):
        keys = ops.convert_to_tensor(keys, "int32")
        wide = ops.zeros_like(keys)[:, None]
        state = {
            "history": ops.repeat(wide, length, axis=1),
            "seen": ops.cast(ops.repeat(wide, SOURCE, axis=1), "float32"),
        }
        if shared:
            from zoo.decoding import BatchShared

            return {**state, "key": BatchShared((keys,)), "nothing": None}
        return {**state, "key": (keys,), "nothing": None}

    def step(self, tokens, state):
        self.steps += 1
        keys = getattr(state["key"], "value", state["key"])[0]
        history = ops.concatenate([state["history"][:, 1:], tokens[:, None]], axis=1)
        code = ops.sum(history * ops.arange(1, history.shape[1] + 1, dtype="int32") ** 2, axis=1)
        code = ops.reshape((ops.reshape(code, (ops.shape(keys)[0], -1)) + keys[:, None]) % 97, (-1,))
        seen = ops.take(ops.convert_to_tensor(self.looks), code, axis=0)
        table = ops.take(ops.convert_to_tensor(self.table), code, axis=0)
        return table, {**state, "history": history, "seen": seen}

    def code(self, key, before, length=8):
        history = [0] * length + [START, *before]
        return (sum(token * place**2 for place, token in enumerate(history[-length:], 1)) + key) % 97

    def look_up(self, key, before):
        """The second source: log-probabilities and attention after some tokens."""
        code = self.code(key, before)
        return self.table[code], self.looks[code]

    def score(self, key, tokens):
        """Log-probability of a sequence, and `(time, SOURCE)` attention."""
        found = [self.look_up(key, tokens[:time]) for time in range(len(tokens))]
        return sum(row[token] for (row, _), token in zip(found, tokens, strict=True)), np.array([a for _, a in found])


def normalize(total, tokens, seen, penalty, coverage=0.0, mask=(True,) * SOURCE):
    """Equation 14 of Wu et al. 2016."""
    covered = np.log(np.minimum(seen.sum(0), 1))[list(mask)].sum() if coverage else 0
    return total / ((5 + len(tokens)) / 6) ** penalty + coverage * covered


def every_hypothesis(tale, key, length, penalty=0.0, coverage=0.0, mask=(True,) * SOURCE, prefix=()):
    """All sequences: those that end, best first, and then those that do not: (score, log-probability, tokens)."""
    found, going = [], [()]
    while going:
        tokens = going.pop()
        if len(tokens) == length or tokens[-1:] == (END,):
            total, seen = tale.score(key, tokens)
            found.append((normalize(total, tokens, seen, penalty, coverage, mask), total, tokens))
        elif len(tokens) < len(prefix):
            going.append((*tokens, prefix[len(tokens)]))
        else:
            going.extend((*tokens, token) for token in (END, *LETTERS))
    return sorted(found, key=lambda one: (one[2][-1] != END, -one[0]))


def plain_beam(tale, key, length, width, penalty):
    """The search, one example with lists, and without stopping early."""
    live, finished = [(0.0, ())], []
    for _ in range(length):
        continued = [
            (total + gain, (*tokens, token))
            for total, tokens in live
            for token, gain in enumerate(tale.look_up(key, tokens)[0])
            if gain > -np.inf
        ]
        best = sorted(continued, key=lambda one: -one[0])[: width - len(finished)]
        finished += [one for one in best if one[1][-1] == END]
        live = [one for one in best if one[1][-1] != END]

    def rank(part):
        return sorted(
            ((normalize(total, tokens, None, penalty), total, tokens) for total, tokens in part), reverse=True
        )

    return rank(finished) + rank(live)


def spell(words, length, other=-4.0):
    """A step that spells a word of each example, then its end: the state is the word's number and the time.

    Any other token has the log-probability `other`.
    """
    table = np.full((len(words), length + 1, 30), other, "float32")
    table[:, :, 0] = -np.inf
    for number, word in enumerate(words):
        for time, token in enumerate([*(ord(letter) - 95 for letter in word), END]):
            table[number, time, token] = -0.1

    def step(tokens, state):
        index = state["word"] * (length + 1) + state["time"]
        rows = ops.take(ops.convert_to_tensor(table.reshape(-1, 30)), index, axis=0)
        return rows, {"word": state["word"], "time": state["time"] + 1}

    numbers = np.arange(len(words), dtype="int32")
    return step, {"word": numbers, "time": np.zeros_like(numbers)}


def read(tokens):
    return "".join(chr(token + 95) if token > END else "." if token else "" for token in np.asarray(tokens).tolist())


class Compiled(keras.Model):
    """Runs a function where decoding runs in a task: in a compiled model."""

    def __init__(self, function):
        super().__init__()
        self.function, self.sizes = function, []

    def call(self, inputs):
        self.sizes.append(inputs.shape[0])
        return self.function(inputs)


@pytest.fixture(scope="session")
def toys():
    return SimpleNamespace(
        Tale=Tale, Compiled=Compiled, every_hypothesis=every_hypothesis, plain_beam=plain_beam, normalize=normalize,
        spell=spell, read=read, END=END, LETTERS=LETTERS, START=START, SOURCE=SOURCE,
    )  # fmt: skip
