"""What all builders share: compiled models, weights by class and step, copies, signatures."""

import copy
import inspect

import keras
import numpy as np
import pytest
from keras import ops

from zoo import builders, losses
from zoo.errors import UserError

rng = np.random.default_rng(0)
IDS = np.array([[2, 5, 6, 4], [2, 7, 0, 0], [2, 8, 9, 0]], "int32")
NEXT = np.array([[5, 6, 4, 3], [7, 3, 0, 0], [8, 9, 3, 0]], "int32")
FEATURES = rng.normal(size=(3, 4, 5)).astype("float32")
LABELS = np.array([[0, 1, 2, 1], [1, 2, -1, -1], [0, 0, 1, -1]], "int32")
MAKERS = [builders.classifier, builders.tagger, builders.language_model, builders.translator, builders.captioner]


def tagger():
    return builders.tagger(3, "gru", 4, feature_dim=5)


def language_model():
    return builders.language_model(12, "gru", 4)


def translator():
    return builders.translator(12, 12, "gru", 4, embedding_dim=3)


CASES = {
    "tagger": (tagger, FEATURES, LABELS, {"loss", "accuracy"}),
    "language_model": (language_model, IDS, NEXT, {"loss"}),
    "translator": (translator, (IDS, IDS), NEXT, {"loss"}),
}


def test_same_words_and_defaults_mean_the_same_in_all_builders():
    seen: dict = {}
    for maker in MAKERS:
        for name, parameter in inspect.signature(maker).parameters.items():
            assert parameter.kind is not inspect.Parameter.VAR_KEYWORD, f"{maker.__name__} hides arguments"
            assert parameter.annotation is not inspect.Parameter.empty
            if name.endswith("dropout") or name in ("residual", "layer_norm", "scheduled_sampling", "dtype"):
                assert seen.setdefault(name, parameter.default) == parameter.default, name
        for word in ("Args:", "Raises:", *inspect.signature(maker).parameters):
            assert word in maker.__doc__, f"{maker.__name__} says nothing about {word}"
        assert {"logits", "probabilities"} & set(maker.__doc__.split("\n\n")[0].replace(".", " ").split())


@pytest.mark.parametrize("case", CASES)
def test_fit_works_at_once_and_after_loading_and_goes_on(case, tmp_path):
    make, inputs, targets, names = CASES[case]
    model = make()
    model.run_eagerly = case != "tagger"  # one in a graph is enough
    assert model.fit(inputs, targets, verbose=0).history.keys() == names
    model.save(tmp_path / "m.keras")
    loaded = keras.saving.load_model(tmp_path / "m.keras")
    model.run_eagerly = loaded.run_eagerly = True
    for one, other in zip(model.optimizer.variables, loaded.optimizer.variables, strict=True):
        np.testing.assert_array_equal(ops.convert_to_numpy(one), ops.convert_to_numpy(other))
    losses_ = [float(net.train_on_batch(inputs, targets, return_dict=True)["loss"]) for net in (model, loaded)]
    assert losses_[0] == pytest.approx(losses_[1], abs=1e-6)
    model.compile(keras.optimizers.SGD(0.1), model.loss, run_eagerly=True)
    assert model.fit(inputs, targets, verbose=0).history.keys() == {"loss"}, "old metrics are forgotten"


def test_a_model_that_was_never_trained_saves_and_loads_without_a_warning(tmp_path):
    model = language_model()
    model.save(tmp_path / "m.keras")
    loaded = keras.saving.load_model(tmp_path / "m.keras")  # warnings are errors here
    assert isinstance(loaded.loss, losses.TokenCrossentropy)
    twin = copy.deepcopy(loaded)
    np.testing.assert_array_equal(ops.convert_to_numpy(twin(IDS)), ops.convert_to_numpy(model(IDS)))


def weighted(nll, weights):
    return (nll * weights).sum() / weights.sum()


@pytest.mark.parametrize("case", CASES)
def test_weights_of_classes_rows_and_steps_are_weighted_means(case):
    make, inputs, targets, _ = CASES[case]
    model = make()
    model.compile(keras.optimizers.SGD(0.0), model.loss, run_eagerly=True)
    output = ops.convert_to_numpy(model(inputs)).astype("float64")
    real = targets >= 0 if case == "tagger" else targets > 0
    logs = np.log(output) if case == "tagger" else output - np.log(np.exp(output).sum(-1, keepdims=True))
    nll = -np.take_along_axis(logs, np.maximum(targets, 0)[..., None], -1)[..., 0]
    by_class = {1: 50.0, 3: 0.25, 6: 7.0}
    steps = np.vectorize(lambda label: by_class.get(label, 1.0))(targets)
    rows = np.array([1.0, 0.5, 0.0])

    def loss(**options):
        return model.fit(inputs, targets, batch_size=3, verbose=0, shuffle=False, **options).history["loss"][0]

    assert loss() == pytest.approx(weighted(nll, real * 1.0), abs=1e-5)
    assert loss(class_weight=by_class) == pytest.approx(weighted(nll, real * steps), abs=1e-5)
    assert loss(sample_weight=steps) == pytest.approx(weighted(nll, real * steps), abs=1e-5)
    for weights in (rows, rows[:, None], 0.1 * rows):
        assert loss(sample_weight=weights) == pytest.approx(weighted(nll, real * rows[:, None]), abs=1e-5)
    both = loss(sample_weight=rows, class_weight=by_class)
    assert both == pytest.approx(weighted(nll, real * steps * rows[:, None]), abs=1e-5)
    found = model.train_on_batch(inputs, targets, class_weight=by_class)
    assert float(np.ravel(found)[0]) == pytest.approx(weighted(nll, real * steps), abs=1e-5)


def test_class_weight_of_one_hot_labels_and_of_a_data_set():
    model = tagger()
    model.compile(keras.optimizers.SGD(0.0), "categorical_crossentropy", run_eagerly=True)
    one_hot = np.eye(3)[np.maximum(LABELS, 0)]
    assert model._step_weights(one_hot, {"class_weight": {1: 5.0}})["sample_weight"].tolist() == [
        [1, 5, 1, 5], [5, 1, 1, 1], [1, 1, 5, 1],
    ]  # fmt: skip

    class Batches(keras.utils.PyDataset):
        def __len__(self):
            return 1

        def __getitem__(self, index):
            return FEATURES, LABELS

    with pytest.raises(UserError, match=r"as an array.*weights of shape \(batch, time\)"):
        model.fit(Batches(), class_weight={1: 5.0})


def test_weights_of_another_length_are_told():
    with pytest.raises(UserError, match=r"shape \(3, 2\), the targets have \(3, 4\)"):
        losses.StepCrossentropy()(LABELS, np.full((3, 4, 3), 1 / 3), np.ones((3, 2)))


def test_the_accuracy_of_steps_leaves_out_those_without_a_label():
    metric = losses.StepAccuracy()
    metric.update_state(LABELS, np.eye(3)[np.where(LABELS < 0, 0, LABELS)])
    assert float(metric.result()) == 1
    metric.reset_state()
    metric.update_state(LABELS, np.eye(3)[np.zeros_like(LABELS)], np.array([1.0, 1.0, 0.0]))
    assert float(metric.result()) == pytest.approx(1 / 6)
    assert losses.StepAccuracy.from_config(metric.get_config()).name == "accuracy"


def test_ids_are_integers_of_any_length_in_an_export():
    (spec,) = language_model().input_signature
    assert (spec.dtype, spec.shape) == ("int32", (None, None))
    ((source, target),) = translator().input_signature
    assert source.dtype == target.dtype == "int32"
    (features,) = tagger().input_signature
    assert features.shape == (None, None, 5)


def test_prompts_of_any_padding_are_continued_alike():
    model = language_model()
    prompts = [[2, 5, 6], [2, 7]]
    right, left = (keras.utils.pad_sequences(prompts, padding=side) for side in ("post", "pre"))
    options = {"max_new_tokens": 5, "seed": 3}
    expected = model.generate(prompts, **options)
    assert expected.shape == (2, 5)
    for given in (right, left):
        np.testing.assert_array_equal(model.generate(given, **options), expected)
    greedy = model.generate(prompts, max_new_tokens=5, beam_size=1)
    assert model.generate(prompts, max_new_tokens=5, beam_size=3).shape == (2, 5)
    for row, prompt in enumerate(prompts):  # step by step, by the whole pass
        ids = list(prompt)
        for token in greedy[row].tolist()[: 1 + ([*greedy[row].tolist(), 3].index(3))]:
            best = int(ops.convert_to_numpy(model(np.array([ids], "int32")))[0, -1].argmax())
            if 0 in ids[1:]:
                break  # a padding token was generated: the pass would not read it
            assert token == best
            ids.append(token)
    with pytest.raises(UserError, match="Prompt 1 is empty"):
        model.generate([[2], []])
