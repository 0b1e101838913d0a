"""The same searches on numpy as on Keras, over steps that depend on all that came before."""

import subprocess
import sys

import numpy as np
import pytest
from keras import ops, tree

from zoo import decoding

KEYS = list(range(20))


def as_numpy(tale):
    """A tale's step as one that runs outside of Keras: arrays in, arrays out."""

    def step(tokens, state):
        assert all(isinstance(leaf, np.ndarray) for leaf in (tokens, state["history"]))
        table, new = tale.step(ops.convert_to_tensor(tokens), state)
        return arrays(table), arrays(new)

    return step


def arrays(nest):
    return tree.map_structure(lambda leaf: None if leaf is None else np.asarray(leaf), nest)


@pytest.mark.parametrize(
    ("search", "options"),
    [
        ("greedy", {}),
        ("greedy", {"halvings": 2, "record": "seen"}),
        ("greedy", {"keep_state": True}),
        ("sample", {"seed": 3, "temperature": 0}),
        ("beam", {"beam_size": 1}),
        ("beam", {"beam_size": 4, "num_return": 3, "length_penalty": 1.0, "record": "seen"}),
        ("beam", {"beam_size": 5, "num_return": 2, "coverage_penalty": 0.4, "record": "seen", "halvings": 2}),
        ("beam", {"beam_size": 4, "num_return": 2, "consensus": 3.0, "record": "seen", "halvings": 2}),
        ("beam", {"beam_size": 3, "forced_prefix": np.array([[2, 4]] * 10 + [[3, 0]] * 10)}),
    ],
)
def test_it_finds_the_same(search, options, toys):
    tale, options = toys.Tale(end=-0.5), {"start": toys.START, "end": toys.END, "max_new_tokens": 7, **options}
    expected = arrays(decoding.find(search)(tale.step, tale.state(KEYS, shared=True), **options))
    with decoding.on_numpy():
        found = decoding.find(search)(as_numpy(tale), arrays(tale.state(KEYS, shared=True)), **options)
    np.testing.assert_array_equal(found.tokens, expected.tokens)
    np.testing.assert_array_equal(found.lengths, expected.lengths)
    np.testing.assert_allclose(found.scores, expected.scores, atol=1e-5)
    np.testing.assert_allclose(found.attention, expected.attention, atol=1e-6)
    if "keep_state" in options:
        np.testing.assert_array_equal(found.state["history"], expected.state["history"])


def test_equal_logits_give_the_lowest_ids():
    logits = np.zeros((1, 300), "float32")
    logits[0, [250, 3, 7]] = 1.0
    with decoding.on_numpy():
        _, tokens = decoding.vocabulary.best_tokens(logits, 3)
    assert tokens.tolist() == [[3, 7, 250]]


def test_a_sample_has_the_probabilities_that_the_step_gives():
    table = np.log(np.array([[0.0, 0.6, 0.3, 0.1]], "float32").clip(1e-30))
    rows = np.repeat(table, 4000, axis=0)
    options = {"start": np.full(4000, 1), "end": 0, "max_new_tokens": 1, "seed": 5}
    with decoding.on_numpy():
        drawn = decoding.sample(lambda tokens, state: (rows, state), [rows], **options).tokens[:, 0]
        again = decoding.sample(lambda tokens, state: (rows, state), [rows], **options).tokens[:, 0]
        cut = decoding.sample(lambda tokens, state: (rows, state), [rows], top_k=1, **options).tokens[:, 0]
    np.testing.assert_allclose(np.bincount(drawn, minlength=4) / 4000, [0, 0.6, 0.3, 0.1], atol=0.03)
    np.testing.assert_array_equal(drawn, again)
    assert set(cut) == {1}


def test_a_state_of_another_structure_is_refused(toys):
    step = as_numpy(toys.Tale())
    with decoding.on_numpy(), pytest.raises(ValueError, match="same structure"):
        decoding.greedy(
            lambda tokens, state: (step(tokens, state)[0], {"history": state["history"]}),
            arrays(toys.Tale().state(KEYS)), start=toys.START, end=toys.END, max_new_tokens=2,
        )  # fmt: skip


def test_nothing_imports_keras():
    code = (
        "import sys, numpy as np\n"
        "from zoo import decoding\n"
        "step = lambda tokens, state: (np.eye(5, dtype='float32')[(tokens + 1) % 5], state)\n"
        "with decoding.on_numpy():\n"
        "    options = {'start': 1, 'end': 4, 'max_new_tokens': 5, 'beam_size': 2}\n"
        "    print(decoding.beam(step, [np.zeros((1, 2))], **options).tokens.tolist())\n"
        "print('keras' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split("\n")[:2] == ["[[[2, 3, 4, 0, 0]]]", "False"]
