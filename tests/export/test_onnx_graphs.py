"""Every graph gives the numbers of Keras: all cells, all builders, with padding and from states."""

import keras
import numpy as np
import pytest

from zoo import builders, cells
from zoo.errors import UserError
from zoo.export import graphs

TOKENS = np.array([[5, 9, 4, 17, 8, 6], [7, 12, 5, 0, 0, 0], [19, 0, 0, 0, 0, 0]])
SIGNED = {"min_gru": "min_gru:signed=True", "rg_lru": "rg_lru:num_blocks=2:signed=True", "sru": "sru:peephole=True"}


@pytest.mark.parametrize("cell", cells.TABLE)
def test_a_classifier_of_every_cell(cell, graphs_of):
    net = builders.classifier(
        20, 3, cell, 8, embedding_dim=5, pooling=("last", "mean", "max", "attention"), pool_embeddings=True
    )
    (spec,) = graphs.graphs(graphs_of.shake(net))
    graphs_of.check(net, spec, TOKENS)
    graphs_of.check(net, spec, TOKENS[:1, :2])  # another batch and length


@pytest.mark.parametrize("cell", cells.TABLE)
def test_a_language_model_of_every_cell_goes_on_from_a_state(cell, graphs_of):
    options = {"block": "residual"} if cell in ("gru", "lru") else {"layer_norm": True, "residual": True}
    net = builders.language_model(20, cell, 8, num_layers=2, embedding_dim=5, **options)
    (spec,) = graphs.graphs(graphs_of.shake(net))
    random = np.random.default_rng(1)
    states = [0.1 * random.standard_normal((3, port.shape[1])) for port in spec.inputs[2:]]
    expected = graphs_of.check(net, spec, TOKENS, [6, 3, 1], *states, real=TOKENS > 0)
    first = graphs_of.check(net, spec, TOKENS[:1, :4], [4], *(state[:1] for state in states))
    rest = graphs_of.check(net, spec, TOKENS[:1, 4:], [2], *first[1:])
    np.testing.assert_allclose(rest[0][0, -1], expected[0][0, -1], atol=1e-5)


@pytest.mark.parametrize(
    "options",
    [
        {"cell": "gru:use_bias=False"},
        {"cell": "lstm:use_bias=False", "pooling": "last"},
        {"cell": "min_gru:signed=True:activation=g", "block": "residual", "num_layers": 2},
        {"cell": "sru:peephole=True", "num_layers": 2, "residual": True},
        {"cell": "rg_lru:num_blocks=2:signed=True", "layer_norm": True},
        {"cell": "slstm:num_heads=2:forget_gate=exp"},
        {"cell": "mogrifier_lstm:rank=2"},
        {"cell": "gated_delta:heads=2:key_dim=3:signed=True", "bidirectional": False},
        {"cell": "lru:activation=tanh"},
    ],
)
def test_arguments_of_cells(options, graphs_of):
    net = graphs_of.shake(builders.classifier(20, 3, units=8, embedding_dim=5, **options))
    graphs_of.check(net, graphs.graphs(net)[0], TOKENS)


@pytest.mark.parametrize("cell", ["gru", "lstm", "min_gru", "lru"])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"conditional_cell": True, "suppress_tokens": (1, 5)},
        {"attention": "dot", "layer_norm": True, "decoder_layers": 2},
        {"attention": None, "bridge": "final", "tie_output": False},
        {"attention": "general", "share_embeddings": True, "block": "residual"},
    ],
)
def test_a_translator(cell, options, graphs_of):
    net = graphs_of.shake(builders.translator(20, 20, cell, 8, embedding_dim=6, **options))
    check_decoder(net, TOKENS, graphs_of)


@pytest.mark.parametrize("cell", ["gru", "layer_norm_lstm", "gated_delta"])
def test_a_readout_that_is_fed_back(cell, graphs_of):
    net = builders.translator(20, 20, cell, 8, embedding_dim=6, input_feeding=True)
    check_decoder(graphs_of.shake(net), TOKENS, graphs_of)


def check_decoder(net, inputs, graphs_of):
    """Both graphs, the step with two hypotheses of each example."""
    encoder, step = graphs.graphs(net)
    real = inputs > 0 if inputs.ndim == 2 else None
    expected = graphs_of.check(net, encoder, inputs, real=real)
    states = len([port for port in encoder.outputs if not port.name.startswith("memory")])
    random = np.random.default_rng(2)
    rows = [np.repeat(state, 2, axis=0) for state in expected[:states]]
    rows = [row + 0.1 * random.standard_normal(row.shape) for row in rows]
    graphs_of.check(net, step, random.integers(2, 20, 2 * len(inputs)), *rows, *expected[states:])


PICTURES = np.random.default_rng(3).integers(0, 255, (2, 32, 33, 3)).astype("uint8")


@pytest.mark.parametrize(
    ("options", "inputs"),
    [
        ({"image_size": 32, "position_embeddings": True, "context_gate": True}, PICTURES[:, :, :32]),
        ({"tie_output": False, "conditional_cell": True, "pooling": ("mean", "max")}, PICTURES),
        ({"feature_shape": (4, 7)}, np.random.default_rng(4).standard_normal((2, 4, 7))),
    ],
)
def test_a_captioner(options, inputs, graphs_of):
    net = graphs_of.shake(builders.captioner(20, "gru", 8, embedding_dim=6, **options))
    for layer in () if net.encoder is None else net.encoder.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.moving_variance.assign(1 + np.abs(np.asarray(layer.moving_variance)))
    check_decoder(net, inputs, graphs_of)


def test_an_image_encoder_of_other_layers(graphs_of):
    inputs = keras.Input((None, None, 3))
    x = keras.layers.Rescaling(1 / 127, [-1.0, 0.0, 1.0])(inputs)
    x = keras.layers.DepthwiseConv2D(3, 2, "same", activation="relu")(x)
    y = keras.layers.ReLU(6.0)(keras.layers.Conv2D(3, 1, padding="same")(x))
    encoder = keras.Model(inputs, keras.layers.Add()([x, keras.layers.BatchNormalization()(y)]))
    net = graphs_of.shake(builders.captioner(20, "gru", 8, encoder=encoder, embedding_dim=6))
    check_decoder(net, PICTURES, graphs_of)


@pytest.mark.parametrize(
    ("options", "inputs"),
    [
        ({"vocabulary_size": 20, "differences": True}, [TOKENS]),
        ({"feature_dim": 3, "cell": "min_gru"}, [np.random.default_rng(5).standard_normal((3, 6, 3)), [6, 3, 1]]),
        ({"feature_dim": 3, "num_layers": 0}, [np.random.default_rng(5).standard_normal((3, 6, 3)), [6, 3, 1]]),
        (
            {"frame_shape": (13, 12, 1), "differences": True, "cell": "gru"},
            [np.random.default_rng(6).integers(0, 255, (3, 6, 13, 12, 1)), [6, 3, 1]],
        ),
    ],
)
def test_a_tagger(options, inputs, graphs_of):
    net = graphs_of.shake(builders.tagger(4, units=8, embedding_dim=5, **options))
    (spec,) = graphs.graphs(net)
    graphs_of.check(net, spec, *inputs, real=TOKENS > 0)


@pytest.mark.parametrize("cell", ["lstm", "gru", "min_gru"])
def test_a_tagger_that_reads_characters(cell, graphs_of):
    """Words of any number of characters, one without any, and padding."""
    net = builders.tagger(
        4, cell, 8, vocabulary_size=20, embedding_dim=5, character_vocabulary_size=9, bidirectional=True
    )
    characters = np.random.default_rng(1).integers(1, 9, (*TOKENS.shape, 5))
    lengths = np.random.default_rng(2).integers(1, 6, TOKENS.shape) * (TOKENS > 0)
    lengths[0, 1] = 0
    characters = characters * (np.arange(5) < lengths[:, :, None])
    (spec,) = graphs.graphs(graphs_of.shake(net))
    graphs_of.check(net, spec, TOKENS, characters, real=TOKENS > 0)


def test_perceptrons(graphs_of):
    random = np.random.default_rng(8)
    plain, rows = builders.perceptron((4, 3), 3, units=8), builders.perceptron((4, 3, 2), 3, "sru", 8, block="residual")
    several = builders.perceptron((None, 3), 3, "gru", 8, bidirectional=True)
    convolved = builders.perceptron((None, 3), 3, "gru", 8, conv_filters=4, kernel_size=4)
    for net, inputs in (
        (plain, [random.standard_normal((2, 4, 3))]),
        (rows, [random.standard_normal((2, 4, 3, 2))]),
        (several, [random.standard_normal((3, 6, 3)), TOKENS > 0]),
        (convolved, [random.standard_normal((3, 6, 3)), TOKENS > 0]),
    ):
        graphs_of.check(graphs_of.shake(net), graphs.graphs(net)[0], *inputs)


def test_fused_cells_are_the_operators_of_onnx(graphs_of):
    from zoo.export.onnx import nets

    for cell, kind in (("lstm", "LSTM"), ("gru", "GRU"), ("simple_rnn", "RNN"), ("ind_rnn", "Scan")):
        net = builders.classifier(20, 3, cell, 8, num_layers=2)
        kinds = [node.op_type for node in nets.build(net, graphs.graphs(net)[0]).graph.node]
        assert kinds.count(kind) == (4 if kind == "Scan" else 2), cell


@keras.saving.register_keras_serializable("test_export")
class Own(cells.find("gru")):
    """A cell of one's own: it may have other equations."""


def test_what_has_no_export_is_refused(graphs_of):
    from zoo.export.onnx import nets

    refused = [
        (builders.classifier(20, 3, Own(8)), "The cell Own has no export"),
        (builders.translator(20, 20, "min_gru", 8, input_feeding=True), "feeds its readout back has no export"),
        (keras.Sequential([keras.Input((3,)), keras.layers.UnitNormalization()]), "The layer UnitNormalization has no"),
    ]
    for net, sentence in refused:
        with pytest.raises(UserError, match=sentence):
            [nets.build(net, spec) for spec in graphs.graphs(net)]
    net = builders.classifier(20, 3, "gru", 8)
    net.get_layer("label").quantize("int8")
    with pytest.raises(UserError, match="is quantized"):
        nets.build(net, graphs.graphs(net)[0])


@pytest.mark.parametrize(("quantize", "share", "close"), [("int8", 0.35, 2e-2), ("float16", 0.55, 2e-3)])
def test_smaller_weights(quantize, share, close, graphs_of):
    import onnxruntime

    from zoo.export.onnx import nets, weights

    net = graphs_of.shake(builders.classifier(300, 3, "gru", 64, num_layers=2, embedding_dim=64))
    (spec,) = graphs.graphs(net)
    whole = nets.build(net, spec).SerializeToString()
    small = weights.compress(nets.build(net, spec), quantize).SerializeToString()
    assert len(small) < share * len(whole)
    one, other = (onnxruntime.InferenceSession(content).run(None, {"tokens": TOKENS})[0] for content in (whole, small))
    assert 0 < np.abs(one - other).max() < close
