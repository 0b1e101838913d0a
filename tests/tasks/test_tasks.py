"""Every installed task: trains its tiny preset, saves, reloads, evaluates, predicts, through Python and the shell."""

import copy
import functools
import importlib
import json
import pickle
import re

import keras
import numpy as np
import pytest
from click.testing import CliRunner

from zoo import cards, cells, evaluation, layers, saved, testing, training
from zoo.cli import cli
from zoo.errors import UserError
from zoo.report import values
from zoo.report import write as reports
from zoo.storage import model_card
from zoo.task import installed

TASKS = installed()


def test_there_are_tasks():
    assert TASKS


SMALL = {
    "zoo.tasks.sentiment.reviews.reviews_dataset_builder._SIZES": {"train": 2_000, "validation": 200, "test": 200},
    "zoo.tasks.translate.phrases.compose.SIZES": {"train": 1_000, "validation": 60, "test": 60},
    "zoo.tasks.caption.scenes.compose.SIZES": {"train": 64, "validation": 40, "test": 64},
    "zoo.tasks.tag.clips.compose.SIZES": {"train": 100, "validation": 50, "test": 60},
}
"""Sizes of generated sets, enough for the preset `tiny`."""


@pytest.fixture(scope="module", autouse=True)
def small_sets(tmp_path_factory):
    """Smaller data sets than a user would get, in a folder where nobody else finds them."""
    with pytest.MonkeyPatch.context() as patch:
        for place, sizes in SMALL.items():
            assert importlib.import_module(place.rpartition(".")[0])
            patch.setattr(place, sizes)
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("data")))
        yield


@pytest.fixture(scope="module", params=TASKS)
def trained(request, tmp_path_factory):
    task = TASKS[request.param]
    return task, testing.check_task(task, tmp_path_factory.mktemp("models"))


def run(*arguments, **options):
    result = CliRunner().invoke(cli, [str(item) for item in arguments], catch_exceptions=False, **options)
    assert result.exit_code == 0, result.output
    return result.stdout.splitlines()


def test_pipelines_are_not_tuned(trained):
    """Where a process has one core, the end of a tuned iterator waits for the thread that tunes it, up to a minute."""
    _, model = trained
    data = model.installed.task.load(model.recipe, None)
    made = [
        data.train(0),
        *map(data.split, ("validation", "test")),
        *([data.paired("validation")] if data.paired else []),
    ]
    assert [pipeline.options().autotune.enabled for pipeline in made] == [False] * len(made)


def test_predicts_a_line_for_each_input_in_order(trained):
    task, saved = trained
    examples = [item for item in task.task.examples() if item]
    lines = run(task.name, "--model", saved.path, "--json", *examples)
    assert [json.loads(line) for line in lines] == saved.predict(examples)
    assert len(run(task.name, "--model", saved.path, *examples)) == len(examples)


def test_is_fine_tuned_from_its_own_weights_and_vocabulary(trained, tmp_path):
    task, model = trained
    options = ["--epochs", "1", "--limit", "40", "--learning-rate", "0", "--no-plot", "--no-score-test"]
    if "search" in model.assets:  # how it searches is no part of the network
        options += ["--beam-size", "4", "--length-penalty", "1.2"]
    run("train", task.name, "--init-from", model.path, *options, "--models-dir", tmp_path, "--name", "tuned")
    tuned = saved.load(tmp_path / "tuned")
    assert tuned.recipe.init_from == str(model.path)
    assert sorted(tuned.assets) == sorted(model.assets)
    if search := model.assets.get("search"):
        assert tuned.assets["search"] == {**search, "beam_size": 4, "length_penalty": 1.2}
    for before, after in zip(model.net.trainable_weights, tuned.net.trainable_weights, strict=True):
        np.testing.assert_allclose(before, after, atol=1e-6, err_msg=before.path)  # a moving average rounds


def test_learns_from_a_teacher(trained, tmp_path):
    task, model = trained
    given = ("--init-from", model.path, "--teachers", model.path, "--epochs", "1", "--limit", "40", "--no-plot")
    command = ["train", task.name, *map(str, given), "--no-score-test", "--models-dir", str(tmp_path), "--name", "s"]
    result = CliRunner().invoke(cli, command, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    assert saved.load(tmp_path / "s").recipe.teachers == str(model.path)


def test_evaluates_as_json_and_nothing_else(trained):
    _, saved = trained
    (line,) = run("evaluate", saved.path, "--split", "validation", "--limit", "40", "--json")
    scores = json.loads(line)
    assert scores["examples"] == 40
    assert saved.metrics["monitor"] in scores


def test_a_report_is_one_page_with_its_pictures(trained, tmp_path):
    _, saved = trained
    target = tmp_path / "report"
    run("evaluate", saved.path, "--split", "validation", "--limit", "24", "--report", target)
    text = (target / "index.html").read_text(encoding="utf-8")
    assert saved.path.name in text
    files = {file.name for file in target.iterdir()}
    assert len(files) >= 4
    assert 'src="data:image/png' in text
    assert not re.search(r'src="(?!data:)', text)
    refused = CliRunner().invoke(cli, ["evaluate", str(saved.path), "--report", str(saved.path)])
    assert isinstance(refused.exception, UserError)
    assert "nothing is overwritten" in str(refused.exception)


def test_answers_of_a_report_are_those_that_were_scored(trained):
    _, saved = trained
    scores = training.evaluate(saved, split="validation", limit=30)
    found = reports.answers(saved, split="validation", limit=30)
    if isinstance(found, values.TextLoss):
        assert found.nats.mean() == pytest.approx(scores["loss"], abs=1e-3)
    elif isinstance(found, values.Generated):
        score = found.combine(found.statistics.sum(axis=0))
        assert score == pytest.approx(scores[found.monitor], abs=0.5)  # other batches: ties may fall differently
    elif isinstance(found, values.Classified):
        assert (found.predicted == found.targets).mean() == pytest.approx(scores["accuracy"], abs=1e-6)
    else:
        right = np.concatenate(found.targets) == np.concatenate(found.predicted)
        assert right.mean() == pytest.approx(scores["accuracy"], abs=1e-6)


def test_simple_methods_and_unusual_inputs_are_there_for_cards(trained):
    task, saved = trained
    baselines = task.task.baselines(saved, evaluation.data(saved), "validation")
    assert len(baselines) >= 1
    assert all(np.isfinite(list(row.values())).all() for row in baselines.values())
    inputs = task.task.far_inputs(saved.assets)
    assert len(inputs) == 2
    assert all(isinstance(model_card.answer_text(saved.predict(item)), str) for item in inputs.values())


def test_the_history_has_a_validation_loss(trained):
    _, saved = trained
    head = (saved.path / "history.csv").read_text(encoding="utf-8").splitlines()[0].split(",")
    assert {"validation_loss", "validation_log_loss"} & set(head)


def test_a_saved_model_is_copied_pickled_and_shown(trained):
    task, saved = trained
    question = next(item for item in task.task.examples() if item)
    for twin in (copy.deepcopy(saved), pickle.loads(pickle.dumps(saved))):
        assert twin.net is not saved.net
        assert twin.predict(question) == saved.predict(question)
    assert repr(saved).startswith(f"<SavedModel {saved.path.name}: task {task.name}, cell ")
    assert len(repr(saved)) < 200
    assert saved._repr_html_().startswith("<table>")
    assert saved.evaluate(split="validation", limit=8)["examples"] == 8


def test_statistics_of_single_examples_make_the_score_of_all(trained):
    task, saved = trained
    statistics = training.example_statistics(saved)
    assert statistics.ndim == 2
    assert len(statistics) > 1
    score = saved.metrics["scores"]["test"][task.task.monitor]
    # Scores are rounded to three or four digits.
    assert float(task.task.combine(statistics.sum(axis=0))) == pytest.approx(score, abs=6e-4)


def test_card_and_list_tell_of_it(trained):
    _, saved = trained
    assert saved.path.name in "\n".join(run("list", "models", "--models-dir", saved.path.parent))
    card = "\n".join(run("card", saved.path))
    assert cards.number(saved.metrics["scores"]["test"][saved.metrics["monitor"]]) in card
    assert card + "\n" == (saved.path / "README.md").read_text()


# Every task with a third of the cells, every cell on two tasks; `--sweep` takes all.
OTHER_CELLS = [
    pytest.param(name, cell, marks=[] if (row + column) % 3 == 0 else pytest.mark.sweep)
    for row, (name, task) in enumerate(TASKS.items())
    for column, cell in enumerate((*cells.TABLE, *task.recipe.cells))
    if cell != task.recipe.train().cell  # which is in `trained`
]


@functools.cache
def tiny_data(name):
    """The data of a task's preset for tests."""
    task = TASKS[name]
    return task.task.load(task.recipe.train(**{**task.recipe.presets["tiny"], "limit": 64}))


@pytest.mark.parametrize(("name", "cell"), OTHER_CELLS)
def test_every_other_cell_learns_every_task_and_is_saved(name, cell, tmp_path):
    task = TASKS[name]
    recipe = task.recipe.train(**{**task.recipe.presets["tiny"], "cell": cell, "limit": 64})
    data = tiny_data(name)
    (stage,) = task.task.stages(recipe, data)
    model = stage.build(recipe, data)
    inputs, targets, weights = next(iter(data.train(0)))
    before = [np.array(value) for value in model.get_weights()]
    loss = model.train_on_batch(inputs, targets, sample_weight=weights)
    assert np.isfinite(loss).all()
    assert any(np.any(old != new) for old, new in zip(before, model.get_weights(), strict=True))
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras", compile=False)
    for one, other in zip(model.get_weights(), loaded.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    answers = [net.predict_on_batch(inputs) for net in (model, loaded)]
    np.testing.assert_allclose(answers[1], answers[0], atol=1e-5)


@pytest.mark.parametrize("name", TASKS)
def test_blocks_are_trained_saved_and_loaded_or_refused(name, tmp_path):
    task = TASKS[name]
    values = {**task.recipe.presets["tiny"], "block": "residual", "limit": 64}
    if task.recipe.train().cell in task.recipe.cells:  # no recurrence by default
        with pytest.raises(UserError, match="needs a recurrent cell"):
            training.train(task, task.recipe.train(**values), tmp_path / "refused", plot=False)
        values["cell"] = "gru"
    recipe = task.recipe.train(**values)
    if name == "caption":
        with pytest.raises(UserError, match="no recurrent encoder"):
            training.train(task, recipe, tmp_path / "refused", plot=False)
        return
    trained = training.train(task, recipe, tmp_path / "model", plot=False)
    assert any(isinstance(layer, layers.ResidualStack) for layer in trained.net.layers)
    assert testing.check_saved(trained.path).recipe.block == "residual"
