"""Residual blocks: the published equations, single steps, padding, directions, precision, saving; in every builder."""

import keras
import numpy as np
import pytest
from keras import ops

from zoo import builders, cells, layers
from zoo.errors import UserError
from zoo.ids import END, PAD


def noise(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


def array(tensor):
    return ops.convert_to_numpy(tensor)


def shake(layer, seed=1):
    """Weights unlike the initial ones, such as zeros and ones."""
    for number, weight in enumerate(layer.weights):
        if "seed" not in weight.path:
            weight.assign(weight + 0.3 * noise(*weight.shape, seed=seed + number))
    return layer


def normalized(x, norm):
    gamma, beta = map(array, norm.weights)
    mean, variance = x.mean(-1, keepdims=True), x.var(-1, keepdims=True)
    return (x - mean) / np.sqrt(variance + 1e-5) * gamma + beta


def expected(stack, x):
    """The equations of the module's docstring, in numpy; the recurrence itself is `Recurrent`, tested elsewhere."""
    hidden = x if stack.kernel is None else x @ array(stack.kernel) + array(stack.bias)
    for block in stack.blocks:
        recurrent = block.recurrent(normalized(hidden, block.norm).astype("float32"), return_state=False)
        kernel, bias = map(array, block.gated.weights)
        product = array(recurrent) @ kernel + bias
        value, gate = np.split(product, 2, axis=-1)
        hidden = hidden + value / (1 + np.exp(-gate))
    return normalized(hidden, stack.norm)


@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("features", [4, 6])
def test_it_is_the_equations(bidirectional, features):
    stack = layers.ResidualStack("gru", 6, num_layers=2, bidirectional=bidirectional)
    x = noise(3, 5, features)
    stack(x)
    assert (stack.kernel is None) == (features == 6), "only another size is projected"
    shake(stack)
    assert stack(x).shape == stack.compute_output_shape(x.shape) == (3, 5, 6)
    np.testing.assert_allclose(array(stack(x)), expected(stack, x), atol=1e-5)


@pytest.mark.parametrize("cell", cells.TABLE)
def test_single_steps_give_the_outputs_and_states_of_the_sequence(cell):
    stack = layers.ResidualStack(cell, 8, num_layers=2, return_state=True)
    x = noise(2, 7, 4)
    stack(x)
    shake(stack)
    outputs, finals = stack(x)
    state = stack.initial(2)
    assert [[int(item.shape[-1]) for item in layer] for layer in state] == stack.state_sizes
    for time in range(7):
        output, state = stack.step(ops.convert_to_tensor(x[:, time]), state)
        np.testing.assert_allclose(array(output), array(outputs[:, time]), atol=1e-5)
    for mine, theirs in zip(state, finals, strict=True):
        for one, other in zip(mine, theirs, strict=True):
            np.testing.assert_allclose(array(one), array(other), atol=1e-5)
    half, middle = stack(x[:, :4])
    rest, _ = stack(x[:, 4:], initial_state=middle)
    np.testing.assert_allclose(np.concatenate([array(half), array(rest)], 1), array(outputs), atol=1e-5)


@pytest.mark.parametrize("bidirectional", [False, True])
def test_padding_anywhere_changes_nothing(bidirectional):
    stack = layers.ResidualStack("lstm", 5, num_layers=2, bidirectional=bidirectional, return_state=True)
    short = noise(1, 4, 5)
    outputs, finals = stack(short)
    padded = np.concatenate([short, np.full((1, 3, 5), 99, "float32")], axis=1)
    mask = np.array([[True] * 4 + [False] * 3])
    for steps, real in ((padded, mask), (padded[:, ::-1][:, [0, 1, 2, 6, 5, 4, 3]], mask[:, ::-1])):
        out, states = stack(steps, mask=real)
        np.testing.assert_allclose(array(out)[real], array(outputs)[0], atol=1e-5)
        for mine, theirs in zip(states, finals, strict=True):
            for one, other in zip(mine, theirs, strict=True):
                np.testing.assert_allclose(array(one), array(other), atol=1e-5)


def test_dropout_drops_the_same_features_at_all_steps_and_never_the_skip():
    stack = layers.ResidualStack("gru", 64, dropout=0.5)
    x = noise(1, 1, 64).repeat(6, axis=1)
    stack(x)
    block = stack.blocks[0]
    branch = array(block(x, training=True)) - x
    dropped = (branch == 0).all(axis=1)[0]
    assert 0.2 < dropped.mean() < 0.8
    assert not (branch == 0)[:, :, ~dropped].any()
    np.testing.assert_allclose(array(stack(x)), array(stack(x)), atol=0)


def test_every_weight_moves_in_training_and_is_saved(tmp_path):
    model = keras.Sequential(
        [
            keras.Input((6, 3)),
            layers.ResidualStack("lstm", 4, num_layers=2, bidirectional=True, dropout=0.1),
            keras.layers.Dense(1),
        ]
    )
    model.compile(keras.optimizers.Adam(1e-2), "mse")
    before = [array(weight) for weight in model.trainable_weights]
    model.fit(noise(8, 6, 3), noise(8, 6, 1), verbose=0, epochs=2)
    for weight, old in zip(model.trainable_weights, before, strict=True):
        assert not np.array_equal(array(weight), old), weight.path
    model.save(tmp_path / "m.keras")
    loaded = keras.saving.load_model(tmp_path / "m.keras")
    np.testing.assert_allclose(array(loaded(noise(2, 6, 3))), array(model(noise(2, 6, 3))), atol=1e-6)


def test_half_precision_stays_near_and_is_kept_by_the_config():
    stack = layers.ResidualStack("gru", 8, num_layers=2, dtype="mixed_bfloat16")
    x = noise(2, 5, 3)
    stack(x)
    assert keras.backend.standardize_dtype(stack(x).dtype) == "bfloat16"
    clone = layers.ResidualStack.from_config(stack.get_config())
    assert clone.blocks[1].norm.dtype_policy.name == "mixed_bfloat16"
    full = layers.ResidualStack("gru", 8, num_layers=2)
    full(x)
    full.set_weights(stack.get_weights())
    np.testing.assert_allclose(array(ops.cast(stack(x), "float32")), array(full(x)), atol=0.1)


def test_what_makes_no_sense_is_refused():
    with pytest.raises(UserError, match="did you mean 'residual'"):
        layers.recurrent_stack("residaul", "gru", 4)
    with pytest.raises(ValueError, match="of its own"):
        layers.recurrent_stack("residual", "gru", 4, layer_norm=True)
    with pytest.raises(ValueError, match="at least one layer"):
        layers.ResidualStack("gru", 4, num_layers=0)
    with pytest.raises(ValueError, match="takes as many features"):
        layers.ResidualBlock("gru", 4)(noise(1, 2, 3))
    with pytest.raises(ValueError, match="need a recurrent cell"):
        builders.perceptron((4, 3), 2, block="residual")
    with pytest.raises(ValueError, match="num_layers=0"):
        builders.tagger(3, feature_dim=2, num_layers=0, block="residual")
    with pytest.raises(UserError, match="no recurrent encoder"):
        builders.captioner(20, "gru", 4, feature_shape=(2, 3), block="residual")
    with pytest.raises(UserError, match="mixes both directions"):
        builders.pretrainer(20, "gru", 4, block="residual")


IDS = np.array([[3, 5, 4, 7, 0], [2, 6, 0, 0, 0]], "int32")
BUILT = {
    "classifier": (lambda **o: builders.classifier(20, 3, "gru", 6, embedding_dim=4, **o), IDS),
    "language_model": (lambda **o: builders.language_model(20, "lstm", 6, **o), IDS),
    "tied": (lambda **o: builders.language_model(20, "lstm", 6, tie_output=True, **o), IDS),
    "tagger": (lambda **o: builders.tagger(3, "lstm", 6, vocabulary_size=20, embedding_dim=4, **o), IDS),
    "translator": (
        lambda **o: builders.translator(20, 20, "gru", 6, embedding_dim=4, encoder_layers=2, layer_norm=True, **o),
        [IDS, IDS],
    ),
    "sutskever": (
        lambda **o: builders.translator(20, 20, "lstm", 6, embedding_dim=4, attention=None, **o), [IDS, IDS]
    ),
    "perceptron": (
        lambda **o: builders.perceptron((5, 2), 3, "gru", 6, bidirectional=True, pooling=("mean", "max"), **o),
        noise(2, 5, 2),
    ),
    "pretrainer": (
        lambda **o: builders.pretrainer(20, "gru", 6, embedding_dim=4, bidirectional=False, num_samples=4, **o), IDS
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BUILT)
def test_every_builder_takes_blocks_and_keeps_them(name, tmp_path):
    make, inputs = BUILT[name]
    model = make(block="residual")
    found = [layer for layer in model.layers if isinstance(layer, layers.ResidualStack)]
    assert [layer.name for layer in found] in (["recurrent"], ["encoder"])
    assert not any(isinstance(layer, layers.ResidualStack) for layer in make().layers)
    answers = array(model(inputs))
    assert np.isfinite(answers).all()
    model.save(tmp_path / "m.keras")
    loaded = keras.saving.load_model(tmp_path / "m.keras")
    if name != "pretrainer":  # which draws samples
        np.testing.assert_allclose(array(loaded(inputs)), answers, atol=1e-5)
    for one, other in zip(model.get_weights(), loaded.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_language_model_of_blocks_writes_what_its_sequence_mode_finds_most_probable():
    model = shake(builders.language_model(12, "gru", 8, num_layers=2, block="residual", suppress_tokens=[PAD]))
    prompt = np.array([[3, 4, 5]], "int32")
    (written,) = model.generate(prompt, max_new_tokens=6, temperature=0)
    whole = np.concatenate([prompt[0], written])[None]
    best = 1 + array(model(whole))[0, :, 1:].argmax(-1)  # padding is never written
    end = list(written).index(END) + 1 if END in written else len(written)  # what follows the end is padding
    np.testing.assert_array_equal(best[2 : 2 + end], written[:end])


def test_streams_carry_the_states_of_blocks():
    model = builders.language_model(12, "lstm", 5, num_layers=2, block="residual", streams=2)
    tokens = np.array([[3, 4, 5, 6], [7, 8, 9, 3]], "int32")
    whole = array(model(tokens))
    first = model((tokens[:, :2], np.array([True, True])), training=True)
    second = model((tokens[:, 2:], np.array([False, False])), training=True)
    np.testing.assert_allclose(np.concatenate([array(first), array(second)], axis=1), whole, atol=1e-5)


@pytest.mark.filterwarnings("ignore:Layer .* does not have a `quantize`")
def test_int8_weights_answer_alike_and_are_kept(tmp_path):
    model = shake(builders.classifier(20, 3, "gru", 8, embedding_dim=4, num_layers=2, block="residual"))
    answers = array(model(IDS))
    model.quantize("int8")
    np.testing.assert_allclose(array(model(IDS)), answers, atol=0.1)
    model.save(tmp_path / "m.keras")
    loaded = keras.saving.load_model(tmp_path / "m.keras")
    np.testing.assert_allclose(array(loaded(IDS)), array(model(IDS)), atol=1e-5)
