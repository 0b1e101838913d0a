"""Bias, initializers, regularizers and constraints: of every cell, by every path, as Keras's own cells take them."""

import keras
import numpy as np
import pytest
from keras import ops

from zoo import builders, cells, engine, layers
from zoo.errors import UserError

IDS = np.array([[2, 5, 6, 4], [2, 7, 0, 0]], "int32")
FEATURES = np.random.default_rng(0).normal(size=(2, 6, 5)).astype("float32")
CLASSICS = {"simple_rnn": keras.layers.SimpleRNNCell, "lstm": keras.layers.LSTMCell, "gru": keras.layers.GRUCell}
GROUPS = ("kernel", "recurrent", "bias")
KINDS = {"initializer": "HeNormal", "regularizer": "L2", "constraint": "MaxNorm"}


def built(name, **arguments):
    cell = cells.find(name)(4, **arguments)
    cell.build((None, 5))
    return cell


@pytest.fixture(params=["plain", "compiled"])
def path(request, monkeypatch):
    if request.param == "plain":
        monkeypatch.setenv("ZOO_ENGINE", "plain")
    return request.param


@pytest.mark.parametrize("name", cells.TABLE)
def test_without_bias_there_is_no_bias_and_every_weight_learns(name):
    assert not [weight.name for weight in built(name, use_bias=False).weights if "bias" in weight.name]
    model = builders.tagger(3, cells.find(name)(4, use_bias=False), feature_dim=5)
    before = [ops.convert_to_numpy(weight) for weight in model.trainable_weights]
    model.fit(FEATURES, np.tile([[0, 1, 2]], (2, 2)), verbose=0)
    for weight, old in zip(model.trainable_weights, before, strict=True):
        assert not np.array_equal(ops.convert_to_numpy(weight), old), weight.path


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", cells.TABLE)
def test_arguments_reach_the_weights_and_are_kept(name, kind):
    value = {"initializer": keras.initializers.Constant(0.25), "regularizer": "l2", "constraint": "max_norm"}[kind]
    cell = built(name, **{f"{group}_{kind}": value for group in GROUPS})
    for copy in (cell, type(cell).from_config(cell.get_config()), cells.make(cell, 4)):
        if not copy.built:
            copy.build((None, 5))
        weights = [weight for weight in copy.weights if weight.name.endswith(("kernel", "bias"))]
        assert weights
        for weight in weights:
            if kind == "initializer":
                assert 0.25 in ops.convert_to_numpy(weight), f"{weight.name} ignores its initializer"
            else:
                assert getattr(weight, kind) is not None, f"{weight.name} has no {kind}"


@pytest.mark.parametrize("name", cells.TABLE)
def test_a_model_has_the_loss_and_keeps_the_constraint_through_fit_and_file(name, path, tmp_path):
    l1 = keras.regularizers.L1(0.5)
    cell = cells.find(name)(4, kernel_regularizer=l1, recurrent_regularizer=l1, kernel_constraint="non_neg")
    model = builders.tagger(3, cell, feature_dim=5)
    penalized = [w for w in model.trainable_weights if isinstance(w.regularizer, keras.regularizers.L1)]
    expected = sum(0.5 * np.abs(ops.convert_to_numpy(weight)).sum() for weight in penalized)
    assert expected > 0
    assert sum(map(float, model.losses)) == pytest.approx(expected, rel=1e-5)
    history = model.fit(FEATURES, np.tile([[0, 1, 2]], (2, 2)), verbose=0).history
    assert history["loss"][0] > expected
    kernels = [weight for weight in model.trainable_weights if weight.constraint is not None]
    assert kernels
    assert all(ops.convert_to_numpy(weight).min() >= 0 for weight in kernels)
    model.save(tmp_path / "m.keras")
    loaded = keras.saving.load_model(tmp_path / "m.keras")
    assert sum(map(float, loaded.losses)) == pytest.approx(sum(map(float, model.losses)), rel=1e-5)


@pytest.mark.parametrize("name", CLASSICS)
def test_keras_reads_our_config_and_we_read_its(name):
    arguments = {f"{group}_{kind}": value for group in GROUPS for kind, value in KINDS.items()}
    ours = cells.find(name)(4, use_bias=False, **arguments)
    theirs = CLASSICS[name].from_config(ours.get_config())
    assert not theirs.use_bias
    for group in GROUPS:
        for kind, value in KINDS.items():
            assert type(getattr(theirs, f"{group}_{kind}")).__name__ == value
    own = {key: value for key, value in theirs.get_config().items() if key in ours.get_config()}
    assert cells.find(name).from_config(own).kernel_regularizer.get_config() == ours.kernel_regularizer.get_config()


@pytest.mark.parametrize("name", CLASSICS)
def test_without_bias_compiled_fused_and_loop_agree(name, monkeypatch):
    layer = layers.Recurrent(cells.find(name)(4, use_bias=False), bidirectional=True, return_state=True)
    fused = cells.find(name)(4, use_bias=False).fused(return_sequences=True)
    compiled, _ = layer(FEATURES, training=True)
    assert layer.choice(training=True).path == "compiled", layer.choice(training=True).reason
    loop = engine.plain_only()
    with loop:
        plain, _ = layer(FEATURES, training=True)
    fused.build(FEATURES.shape)
    fused.set_weights(layer.runs[0][0].get_weights())
    np.testing.assert_allclose(ops.convert_to_numpy(compiled), ops.convert_to_numpy(plain), atol=1e-5)
    np.testing.assert_allclose(
        ops.convert_to_numpy(compiled)[:, :, :4], ops.convert_to_numpy(fused(FEATURES)), atol=1e-5
    )


@pytest.mark.parametrize("forget", [True, False])
def test_the_lstm_starts_its_forget_bias_at_one_only_if_asked(forget):
    cell = built("lstm", unit_forget_bias=forget, bias_initializer=keras.initializers.Constant(0.5))
    expected = [0.5] * 4 + [1.0 if forget else 0.5] * 4 + [0.5] * 8
    np.testing.assert_array_equal(ops.convert_to_numpy(cell.bias), expected)
    fused = cell.fused()
    fused.build((None, None, 5))
    np.testing.assert_array_equal(ops.convert_to_numpy(fused.cell.bias), expected)


def test_initializers_without_a_seed_give_each_layer_its_own_numbers():
    layer = layers.Recurrent(cells.GRUCell(5, kernel_initializer=keras.initializers.HeNormal()), num_layers=2)
    layer.build((None, None, 5))
    one, two = (ops.convert_to_numpy(run.cell.kernel) for (run,) in layer.runs)
    assert not np.array_equal(one, two)


def test_a_config_with_units_alone_still_loads():
    cell = cells.LSTMCell.from_config({"name": "cell", "trainable": True, "dtype": "float32", "units": 3})
    assert (cell.units, cell.use_bias, cell.unit_forget_bias) == (3, True, True)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"kernel_initializer": "glorot_unifrm"}, r"kernel_initializer='glorot_unifrm'.*Did you mean 'glorot_uniform'"),
        ({"bias_regularizer": "l3"}, r"bias_regularizer='l3' is unknown to Keras"),
        ({"recurrent_constraint": "maxnrm"}, r"recurrent_constraint='maxnrm'"),
        ({"use_bais": False}, "did you mean 'use_bias'"),
    ],
)
def test_an_unknown_value_is_refused_by_name(arguments, text):
    with pytest.raises(UserError, match=text):
        cells.GRUCell(4, **arguments)


def test_a_config_of_an_initializer_is_taken_as_keras_takes_it():
    cell = built("gru", kernel_initializer={"class_name": "Constant", "config": {"value": 0.5}})
    copy = type(cell).from_config(cell.get_config())
    assert copy.kernel_initializer.value == 0.5
    assert ops.convert_to_numpy(cell.kernel).min() == 0.5


@keras.saving.register_keras_serializable("zoo_tests")
class Halved(cells.GRUCell):
    """Other equations than its parent's: the fused layer and the kernels of the parent must not run it."""

    def step(self, projected, states, training=None):
        output, [h] = super().step(projected, states, training)
        return 0.5 * output, [0.5 * h]


def test_a_subclass_of_a_classic_runs_its_own_equations():
    layer = layers.Recurrent(Halved(4))
    reference = keras.layers.RNN(Halved(4), return_sequences=True)
    layer.build(FEATURES.shape)
    reference.build(FEATURES.shape)
    reference.set_weights(layer.get_weights())
    np.testing.assert_allclose(
        ops.convert_to_numpy(layer(FEATURES, training=True)), ops.convert_to_numpy(reference(FEATURES)), atol=1e-6
    )
