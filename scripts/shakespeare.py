"""Other ways to score the language model of Shakespeare's plays, beside `zoo evaluate`; adds them to `measured.json`.

    TFDS_DATA_DIR=... python scripts/shakespeare.py charlm-lstm-tiny_shakespeare               # validation, all rates
    TFDS_DATA_DIR=... python scripts/shakespeare.py charlm-lstm-tiny_shakespeare --rate 0.05 --record   # the last tenth

`windows`: each window of 256 characters by itself, with no context before it, as nanoGPT is scored. `dynamic`: dynamic
evaluation (Mikolov et al. 2010, section 4; Krause et al. 2018, section 3, by plain gradient descent): the net learns
from each piece of the text after that piece has been scored, and so gets used to what it reads. The rate is chosen on
the validation split; `--record` scores validation and test together.
"""

import argparse
from typing import Any

import measured
import numpy as np

from zoo import evaluation, saved
from zoo.ids import START

WINDOW = 256
"""Characters of a window, those of nanoGPT."""

PIECE = 100
"""Characters between two steps of gradient descent, those of a training's batch."""

RATES = (0.05, 0.15, 0.4, 0.8)

LARGEST = 1.0
"""Largest norm of a gradient, that of a training."""


def ids_of(model: Any, split: str) -> np.ndarray:
    """A split as ids, from the start token to the last character."""
    raw, tokenizer = evaluation.data(model).raw, model.assets["tokenizer"]
    pieces = [piece for part in split.split("+") for document in raw.split(part) for piece in document]
    return np.concatenate([[START], *(np.asarray(tokenizer.encode([piece])[0]) for piece in pieces)]).astype("int32")


def windows(net: Any, ids: np.ndarray) -> float:
    """Nats per character over windows that know nothing of the text before them."""
    count = (len(ids) - 1) // WINDOW
    tokens = ids[: count * WINDOW].reshape(count, WINDOW)
    targets = ids[1 : count * WINDOW + 1].reshape(count, WINDOW)
    return float(_nats(net(tokens, training=False), targets).numpy().mean())


def dynamic(net: Any, ids: np.ndarray, rate: float) -> float:
    """Nats per character of a net that learns from what it has read; its weights are put back."""
    import tensorflow as tf

    weights, before = net.trainable_variables, net.get_weights()

    @tf.function(reduce_retracing=True)
    def piece(tokens: Any, targets: Any, states: Any) -> tuple:
        with tf.GradientTape() as tape:
            logits, after = net.read(tokens, states, training=False)
            nats = _nats(logits, targets)
            loss = tf.reduce_mean(nats)
        gradients, _ = tf.clip_by_global_norm(tape.gradient(loss, [weight.value for weight in weights]), LARGEST)
        for weight, gradient in zip(weights, gradients, strict=True):
            weight.value.assign_sub(rate * tf.convert_to_tensor(gradient))
        return tf.reduce_sum(nats), after

    total, states = 0.0, net.begin(1)
    for first in range(0, len(ids) - 1, PIECE):
        last = min(first + PIECE, len(ids) - 1)
        nats, states = piece(tf.constant(ids[None, first:last]), tf.constant(ids[None, first + 1 : last + 1]), states)
        total += float(nats)
    net.set_weights(before)
    return total / (len(ids) - 1)


def _nats(logits: Any, targets: Any) -> Any:
    import keras

    return keras.losses.sparse_categorical_crossentropy(targets, logits, from_logits=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("--rate", type=float, help="learning rate; default several, to choose from")
    parser.add_argument("--record", action="store_true", help="score validation and test, and keep it")
    options = parser.parse_args()
    model = saved.load(options.model)
    ids = ids_of(model, "validation+test" if options.record else "validation")
    rates = RATES if options.rate is None else (options.rate,)
    found = {"windows": windows(model.net, ids), "dynamic": {rate: dynamic(model.net, ids, rate) for rate in rates}}
    print(found)
    if options.record:
        stored = measured.read()
        stored.setdefault("shakespeare", {})[options.model] = {
            "windows": found["windows"],
            "dynamic": found["dynamic"][rates[0]],
            "rate": rates[0],
            "characters": len(ids) - 1,
        }
        measured.write(stored)


if __name__ == "__main__":
    main()
