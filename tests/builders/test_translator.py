"""The translator: every pair of cells, every option, one pass and single steps, padding, saving, and real learning."""

import itertools
import os
import subprocess
import sys

import keras
import numpy as np
import pytest
from keras import ops

from zoo import builders, cells, decoding
from zoo.builders.translator import Translator
from zoo.errors import UserError
from zoo.layers.attention import TABLE as KINDS
from zoo.losses import TokenCrossentropy
from zoo.serialization import parameters

VOCABULARY, START, END = 12, 2, 3
SOURCE_IDS = np.array([[5, 6, 7, 8, 3], [4, 9, 3, 0, 0], [10, 11, 3, 0, 0]], "int32")
INPUTS = np.array([[2, 6, 5, 9], [2, 7, 8, 0], [2, 10, 0, 0]], "int32")
TARGETS = np.array([[6, 5, 9, 3], [7, 8, 3, 0], [10, 3, 0, 0]], "int32")


@pytest.fixture(autouse=True)
def _same_first_weights():
    """With others, a gradient may be so small that a weight does not move."""
    keras.utils.set_random_seed(1)


def model_of(cell="gru", **settings):
    return builders.translator(VOCABULARY, VOCABULARY, cell, **{"units": 4, "embedding_dim": 3, **settings})


def shaken(model, seed=0):
    """Random weights, so large that no two answers are close; padding is never the answer, as after training."""
    rng = np.random.default_rng(seed)
    model.set_weights([rng.normal(0, 0.8, weight.shape) for weight in model.weights])
    bias = model.output_bias if model.output_layer is None else model.output_layer.bias
    bias.assign(np.where(np.arange(VOCABULARY) == 0, -30, bias))
    return model


def array(tensor):
    return ops.convert_to_numpy(tensor)


def logits(model, source=SOURCE_IDS, target=INPUTS, training=False):
    return array(model((source, target), training=training))


def at_words(scores):
    """Those that count: in training, steps of the padding may be left out."""
    return scores[INPUTS != 0]


def train_once(model):
    model.compile(keras.optimizers.Adam(1e-2), TokenCrossentropy(), run_eagerly=True)
    return model.train_on_batch((SOURCE_IDS, INPUTS), TARGETS)


def check_training_moves_every_weight(model):
    before = [array(weight) for weight in model.trainable_weights]
    assert np.isfinite(train_once(model))
    for weight, old in zip(model.trainable_weights, before, strict=True):
        assert not np.array_equal(array(weight), old), f"{weight.path} did not move in a training step"


def check_steps_equal_the_pass(model):
    """Single steps' log-probabilities are the pass's logits, normalised here in numpy."""
    scores = logits(model).astype("float64")
    expected = scores - np.log(np.exp(scores).sum(-1, keepdims=True))
    state = model.encode(SOURCE_IDS)
    for time in range(INPUTS.shape[1]):
        table, state = model.step(ops.convert_to_tensor(INPUTS[:, time]), state)
        np.testing.assert_allclose(array(table), expected[:, time], atol=2e-5)
        if model.attention:
            np.testing.assert_allclose(array(state["attention"].value).sum(-1), 1, atol=1e-5)
            assert (array(state["attention"].value)[SOURCE_IDS == 0] == 0).all()


def decoded(model, search, sources, **options):
    """A search step by step, nothing compiled: tokens and scores."""
    options = {"start": START, "end": END, "max_new_tokens": 5, **options}
    found = decoding.find(search)(model.step, model.encode(ops.convert_to_tensor(sources)), **options)
    return array(found.tokens), array(found.scores)


# Every pair of cells, attentions in turn.
PAIRS = [
    (cell, decoder_cell, [*KINDS, None][(row + column) % (len(KINDS) + 1)])
    for row, cell in enumerate(cells.TABLE)
    for column, decoder_cell in enumerate(cells.TABLE)
]


@pytest.mark.parametrize(("cell", "decoder_cell", "attention"), PAIRS)
def test_every_pair_of_cells_trains_and_steps_as_it_was_trained(cell, decoder_cell, attention):
    model = model_of(cell, decoder_cell=decoder_cell, decoder_units=5, attention=attention)
    check_training_moves_every_weight(model)
    check_steps_equal_the_pass(model)


CASES = {
    "no attention": {
        "cell": "lstm", "attention": None, "encoder_layers": 2, "decoder_layers": 2, "bidirectional": False,
        "residual": True, "tie_output": False,
    },
    "conditional": {
        "cell": "gru", "conditional_cell": True, "layer_norm": True, "share_embeddings": True, "decoder_layers": 2,
    },
    "fed back": {
        "cell": "simple_rnn", "attention": "dot", "input_feeding": True, "decoder_cell": "lstm", "decoder_units": 5,
        "bridge": "final", "tie_output": False, "layer_norm": True,
    },
    "dropout": {
        "word_dropout": 0.1, "embedding_dropout": 0.1, "dropout": 0.1, "output_dropout": 0.1,
        "scheduled_sampling": 0.3, "encoder_layers": 2, "decoder_layers": 2, "conditional_cell": True,
        "input_feeding": True,
    },
    "instances": {"cell": cells.LSTMCell(3), "decoder_cell": cells.GRUCell(5), "attention": "general"},
    "keras": {"cell": keras.layers.GRUCell(3), "input_feeding": True, "bridge": "final"},
    "blocks": {"cell": "gru", "block": "residual", "encoder_layers": 2, "layer_norm": True, "bridge": "final"},
    "mean": {"cell": "gru", "decoder_cell": keras.layers.LSTMCell(4), "bridge": "mean", "attention": None},
}  # fmt: skip


def test_the_cases_cover_every_option():
    options = set(parameters(Translator)) - {"units", "embedding_dim", "suppress_tokens"}
    assert {name for case in CASES.values() for name in case} == options - {
        "source_vocabulary_size",
        "target_vocabulary_size",
    }


@pytest.mark.parametrize("case", CASES)
def test_every_option_trains_steps_saves_and_loads(case, tmp_path):
    model = model_of(**CASES[case])
    if "dropout" in CASES[case]:
        # What is dropped at random has no gradient; that all is used is what the other cases show.
        assert np.isfinite(train_once(model))
    else:
        check_training_moves_every_weight(model)
    check_steps_equal_the_pass(shaken(model))
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert loaded.get_config() == model.get_config()
    np.testing.assert_array_equal(logits(loaded), logits(model))
    np.testing.assert_array_equal(decoded(loaded, "greedy", SOURCE_IDS)[0], decoded(model, "greedy", SOURCE_IDS)[0])


@pytest.mark.parametrize("case", CASES)
def test_padding_on_either_side_and_batch_mates_never_change_logits(case):
    model = shaken(model_of(**CASES[case]))
    together = logits(model, np.pad(SOURCE_IDS, ((0, 0), (0, 3))), np.pad(INPUTS, ((0, 0), (0, 2))))
    assert together.shape == (3, INPUTS.shape[1] + 2, VOCABULARY)
    sources, inputs = (keras.utils.pad_sequences([row[row > 0] for row in rows], 7) for rows in (SOURCE_IDS, INPUTS))
    left = logits(model, sources, inputs)
    for row, (source, target) in enumerate(zip(SOURCE_IDS, INPUTS, strict=True)):
        alone = logits(model, source[source > 0][None], target[target > 0][None])[0]
        np.testing.assert_allclose(together[row, : len(alone)], alone, atol=1e-5)
        np.testing.assert_allclose(left[row, -len(alone) :], alone, atol=1e-5)


@pytest.mark.parametrize(("search", "more"), [("greedy", {}), ("beam", {"beam_size": 3, "num_return": 2})])
@pytest.mark.parametrize("case", ["no attention", "conditional", "fed back"])
def test_padding_and_batch_mates_never_change_an_answer(case, search, more):
    model = shaken(model_of(**CASES[case]), 9)
    tokens, scores = decoded(model, search, np.pad(SOURCE_IDS, ((0, 0), (0, 3))), **more)
    assert len({row.tobytes() for row in tokens}) > 1, "with these weights, the source decides"
    for row, source in enumerate(SOURCE_IDS):
        alone = decoded(model, search, source[source > 0][None], **more)
        np.testing.assert_array_equal(tokens[row], alone[0][0])
        np.testing.assert_allclose(scores[row], alone[1][0], atol=1e-4)


@pytest.mark.parametrize("case", ["no attention", "fed back"])
def test_searches_compile(case):
    model = shaken(model_of(**CASES[case]))
    for search, more in (("greedy", {}), ("beam", {"beam_size": 3})):
        compiled = builders.searcher(model, search, start=START, end=END, max_new_tokens=5, **more)
        found = compiled.predict_on_batch({"inputs": SOURCE_IDS})
        tokens, scores = decoded(model, search, SOURCE_IDS, **more)
        np.testing.assert_array_equal(found["tokens"], tokens)
        np.testing.assert_allclose(found["scores"], scores, atol=1e-4)


def test_an_empty_source_gets_an_answer():
    for case in CASES.values():
        assert np.isfinite(logits(shaken(model_of(**case)), np.zeros((2, 3), "int32"), INPUTS[:2])).all()


def test_the_source_decides_and_order_in_it():
    model = shaken(model_of())
    straight, turned = logits(model, np.array([[5, 6, 7], [7, 6, 5]]), np.array([[2, 4], [2, 4]]))
    assert np.abs(straight - turned).max() > 1e-2


def test_a_target_token_is_not_seen_before_its_time():
    for case in CASES.values():
        model = shaken(model_of(**case))
        changed = INPUTS.copy()
        changed[:, 2] = 11
        before, after = logits(model), logits(model, target=changed)
        np.testing.assert_array_equal(before[:, :2], after[:, :2])
        assert np.abs(before[0, 2] - after[0, 2]).max() > 1e-3


def test_tied_output_is_the_target_embedding_and_tied_source_is_one_table():
    tied, free = model_of(), model_of(tie_output=False)
    assert sum(weight.name == "embeddings" for weight in tied.weights) == 2
    assert tied.decoder.readout_dim == 3, "the readout has the size of a vector"
    model = shaken(tied)
    source, target = (array(layer.vectors()) for layer in (model.source_embedding, model.target_embedding))
    readout = np.random.default_rng(0).normal(size=(2, 3)).astype("float32")
    expected = np.einsum("bs,vs->bv", readout, target) + array(model.output_bias)
    np.testing.assert_allclose(array(model._logits(readout)), expected, atol=1e-5)
    assert tuple(free.output_layer.kernel.shape) == (4, VOCABULARY)
    assert not np.array_equal(source, target)
    joint = model_of(share_embeddings=True)
    assert joint.source_embedding is joint.target_embedding
    assert len(joint.weights) == len(tied.weights) - 1


def test_the_bridge_starts_from_the_mean_with_attention_and_from_final_states_without():
    assert model_of().arguments.bridge == "mean"
    assert model_of(attention=None).arguments.bridge == "final"
    for bridge, size in (("mean", 8), ("final", 2 * 8 * 2)):  # two directions; final: h and c of two layers
        model = model_of("lstm", bridge=bridge, encoder_layers=2)
        assert tuple(model.bridge.projection.kernel.shape) == (size, 2 * 4)
    assert tuple(model_of(bidirectional=False).bridge.projection.kernel.shape) == (4, 4)


def test_the_mean_bridge_is_the_mean_over_real_positions():
    model = shaken(model_of(bridge="mean"))
    memory = array(model.read(SOURCE_IDS, training=False)[1].values)
    [[state]] = model.encode(SOURCE_IDS)["cells"]
    kernel, bias = model.bridge.get_weights()
    for row, source in enumerate(SOURCE_IDS):
        mean = memory[row, source > 0].mean(0)
        np.testing.assert_allclose(array(state)[row], np.tanh(mean @ kernel + bias), atol=1e-5)


@pytest.mark.parametrize("name", ["word_dropout", "embedding_dropout", "dropout", "output_dropout"])
def test_dropout_is_on_in_training_and_off_in_inference(name):
    model, bare = model_of(**{name: 0.5}), shaken(model_of())
    model.set_weights(bare.get_weights())
    np.testing.assert_array_equal(logits(model), logits(bare))
    keras.utils.set_random_seed(0)
    one, other = (logits(model, training=True) for _ in range(2))
    assert np.abs(one - logits(bare)).max() > 1e-2
    assert np.abs(one - other).max() > 1e-2
    np.testing.assert_allclose(at_words(logits(bare, training=True)), at_words(logits(bare)), rtol=0, atol=1e-5)


def test_all_words_dropped_but_padding_is_a_text_of_unknown_words():
    model, bare = model_of(word_dropout=0.999999), shaken(model_of())
    model.set_weights(bare.get_weights())
    unknown = [np.where(tokens > 0, 1, 0) for tokens in (SOURCE_IDS, INPUTS)]
    found, expected = logits(model, training=True), logits(bare, *unknown)
    np.testing.assert_allclose(at_words(found), at_words(expected), rtol=0, atol=1e-5)


def test_scheduled_sampling_feeds_the_model_s_own_guesses_in_training_only():
    """Of rate 1, every input but the first becomes what the model says after the true tokens before it."""
    bare = shaken(model_of(), seed=3)
    model, part = model_of(scheduled_sampling=1.0), model_of(scheduled_sampling=0.5)
    for other in (model, part):
        other.set_weights(bare.get_weights())
        np.testing.assert_array_equal(logits(other), logits(bare))
    said = INPUTS.copy()
    said[:, 1:] = logits(bare).argmax(-1)[:, :-1]
    said[INPUTS == 0] = 0
    assert (said != INPUTS).sum() > 3, "the guesses must differ from the truth, or nothing is shown"
    assert (said[:, 0] == START).all()
    found, expected = logits(model, training=True), logits(bare, target=said)
    np.testing.assert_allclose(at_words(found), at_words(expected), rtol=0, atol=1e-5)
    # Of rate one half, at each place one of the two; after three places of the first row there are eight ways.
    keras.utils.set_random_seed(0)
    seen = {logits(part, training=True)[0, -1].round(4).tobytes() for _ in range(12)}
    ways = [np.where(np.array([0, *(int(bit) for bit in f"{way:03b}")]), said[0], INPUTS[0]) for way in range(8)]
    possible = logits(bare, np.repeat(SOURCE_IDS[:1], 8, 0), np.array(ways))[:, -1]
    assert len(seen) > 1
    for found in seen:
        gaps = np.abs(possible - np.frombuffer(found, "float32")).max(-1)
        assert gaps.min() < 1e-3


def test_a_cell_instance_is_a_pattern_with_units_of_its_own():
    pattern = cells.LSTMCell(3)
    model = model_of(pattern, units=7)
    assert model.decoder.state_sizes == [[3, 3]]
    assert not pattern.built
    assert model.encoder.compute_output_shape((None, None, 3)) == (None, None, 6)


def test_a_cell_class_is_called_with_the_units_and_survives_saving(tmp_path):
    model = shaken(model_of(cells.GRUCell, decoder_cell=cells.LSTMCell, decoder_units=5))
    assert model.decoder.state_sizes == [[5, 5]]
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(logits(loaded), logits(model))


def test_batches_of_any_length_pass_through_one_compiled_model():
    """After a few shapes TensorFlow compiles for an unknown length."""
    model = shaken(model_of(input_feeding=True))
    for steps in (2, 3, 4):
        found = model.predict_on_batch((SOURCE_IDS, INPUTS[:, :steps]))
        np.testing.assert_allclose(found, logits(model, target=INPUTS[:, :steps]), atol=1e-5)


def words_to_turn():
    """All 584 words of one to three letters: sources, and inputs and targets that spell them backwards."""
    letters = range(4, VOCABULARY)
    words = [word for length in (1, 2, 3) for word in itertools.product(letters, repeat=length)]
    order = np.random.default_rng(0).permutation(len(words))
    words = [list(words[number]) for number in order]

    def padded(rows):
        return np.array([row + [0] * (4 - len(row)) for row in rows], "int32")

    sources = padded([[*word, END] for word in words])
    return sources, padded([[START, *word[::-1]] for word in words]), padded([[*word[::-1], END] for word in words])


def test_learns_to_spell_words_backwards():
    keras.utils.set_random_seed(0)
    model = model_of(units=32, embedding_dim=16)
    sources, inputs, targets = words_to_turn()
    known, new = slice(0, 500), slice(500, None)
    model.compile(keras.optimizers.Adam(2e-2, clipnorm=1.0), TokenCrossentropy(), jit_compile=False)
    losses = []

    def note(epoch, logs):
        losses.append(logs["loss"])
        model.stop_training = logs["loss"] < 0.02

    enough = keras.callbacks.LambdaCallback(on_epoch_end=note)
    model.fit((sources[known], inputs[known]), targets[known], epochs=80, batch_size=32, callbacks=[enough], verbose=0)
    assert losses[0] > 1.5, "at first it knows next to nothing"
    for search, more in (("greedy", {}), ("beam", {"beam_size": 3})):
        spell = builders.searcher(model, search, start=START, end=END, max_new_tokens=4, **more)
        tokens = spell.predict_on_batch({"inputs": sources[new]})["tokens"].reshape(-1, 4)
        right = (tokens == targets[new]).all(1).mean()
        assert right > 0.9, f"{search} search spells {right:.0%} of new words right"


def test_what_does_not_go_together_is_told():
    with pytest.raises(ValueError, match="got sizes 12 and 13"):
        builders.translator(12, 13, share_embeddings=True)
    with pytest.raises(ValueError, match="got 'last'"):
        model_of(bridge="last")
    for sizes in ((4, 12), (12, 4)):
        with pytest.raises(ValueError, match="four special ids and one more"):
            builders.translator(*sizes)
    with pytest.raises(ValueError, match="needs an attention"):
        model_of(attention=None, conditional_cell=True)
    with pytest.raises(UserError, match="did you mean 'additive'"):
        model_of(attention="additiv")
    with pytest.raises(UserError, match="did you mean 'lstm'"):
        model_of(decoder_cell="lsmt")


JAX = """
import keras, numpy as np
from keras import ops
from zoo import builders
assert keras.backend.backend() == "jax"
source = np.array([[5, 6, 7, 3], [4, 3, 0, 0]], "int32")
inputs = np.array([[2, 6, 5], [2, 7, 0]], "int32")
model = builders.translator(
    12, 12, "gru", units=4, embedding_dim=3, conditional_cell=True, input_feeding=True, bidirectional=False
)
rng = np.random.default_rng(0)
model.set_weights([rng.normal(0, 0.8, weight.shape) for weight in model.weights])
logits = ops.convert_to_numpy(model((source, inputs)))
left = ops.convert_to_numpy(model((np.array([source[0], [0, 0, 4, 3]], "int32"), inputs)))
assert np.abs(left - logits).max() < 1e-5, "padding on the left"
expected = logits - np.log(np.exp(logits).sum(-1, keepdims=True))
state = model.encode(ops.convert_to_tensor(source))
for time in range(3):
    table, state = model.step(ops.convert_to_tensor(inputs[:, time]), state)
    assert np.abs(ops.convert_to_numpy(table) - expected[:, time]).max() < 2e-5
"""


def test_steps_are_those_of_the_pass_on_jax(tmp_path):
    pytest.importorskip("jax")
    done = subprocess.run(
        [sys.executable, "-c", JAX],
        cwd=tmp_path, env={**os.environ, "KERAS_BACKEND": "jax"}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]


def test_generates_as_the_search_does():
    model = shaken(model_of())
    options = {"beam_size": 3, "length_penalty": 0.4, "max_new_tokens": 5}
    found = builders.search(model, SOURCE_IDS, num_return=2, **options)["tokens"]
    best = model.generate(SOURCE_IDS, **options)
    assert best.dtype == "int32"
    np.testing.assert_array_equal(model.generate(SOURCE_IDS, num_return=2, **options), found)
    np.testing.assert_array_equal(best, found[:, 0])


def test_tells_its_layers():
    """`summary` is Keras's: no part of a model may take its name."""
    lines = []
    builders.translator(9, 9, "gru", 4, embedding_dim=4).summary(print_fn=lines.append)
    assert "RecurrentDecoder" in "\n".join(lines)
