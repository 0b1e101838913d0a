"""The one run: resume, best weights, budget, stages, and what it refuses."""

import csv
import dataclasses
import itertools
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import keras
import numpy as np
import pytest
import tensorflow as tf
from click.testing import CliRunner

from zoo import builders, cards, layers, metrics, optimizers, saved, training
from zoo.cli import cli
from zoo.data.datasets import DatasetCard
from zoo.errors import UserError
from zoo.settings import PredictConfig, TrainConfig
from zoo.task import Data, Installed, Recipe, Stage, Task, installed
from zoo.training import run, stages
from zoo.training.progress import Progress

RNG = np.random.default_rng(0)
TOKENS = RNG.integers(2, 12, (48, 4)).astype("int32")
LABELS = (TOKENS[:, 0] > TOKENS[:, -1]).astype("int64")  # first against last: order decides


def batches(tokens, labels):
    weights = np.ones(len(labels), "float32")
    return tf.data.Dataset.from_tensor_slices((tokens, labels, weights))


def load(recipe, assets=None, fine_tune=False):
    def train(epoch):
        return batches(TOKENS, LABELS).shuffle(48, seed=epoch, reshuffle_each_iteration=False).batch(16)

    def split(name, limit=None):
        return batches(TOKENS[:32], LABELS[:32]).batch(16)

    sizes = {"train": 48, "validation": 32, "test": 32}
    return Data(None, train, split, {"labels": ["no", "yes"]}, lambda: sizes, DatasetCard("toy"))


def build(recipe, data):
    model = builders.classifier(12, 2, recipe.cell, 4, embedding_dim=4, dropout=0.2, word_dropout=0.1)
    loss = keras.losses.SparseCategoricalCrossentropy()
    model.compile(
        optimizers.from_recipe(recipe, 48), loss, weighted_metrics=["accuracy"], run_eagerly=True
    )  # no tracing: a test is a second
    return model


def score(model, some, assets):
    probabilities = np.concatenate([model.predict_on_batch(tokens) for tokens, *_ in some])
    labels = np.concatenate([targets for _, targets, _ in some.as_numpy_iterator()])
    return metrics.classification(probabilities, labels)


def predict(saved, ask):
    yield from (json.dumps(len(item)) for item in ask.inputs)


def main_stage(recipe, data, build=build, score=score):
    return Stage("train", recipe, data, build, score, "log_loss", higher_is_better=False)


def task_of(*stages, score=score, build=build):
    """The toy task: stages before or after the main one are functions of recipe and data."""

    def listed(recipe, data):
        made = [stage(recipe, data) for stage in stages if stage]
        place = next((i for i, stage in enumerate(stages) if stage is None), 0)
        return [*made[:place], main_stage(recipe, data, build, score), *made[place:]]

    return Task(load, listed, score, predict, "log_loss", higher_is_better=False, examples=lambda: ("a",))


TASK = task_of()


@pytest.fixture
def toy(monkeypatch):
    """A task that no package installs, trained in a second."""

    task = Installed("toy", "toy")
    # cached properties: what stands in the instance's dictionary is what they give
    task.__dict__.update(task=TASK, recipe=Recipe(TrainConfig, PredictConfig, {}, {}, "toys"), summary="toy")
    monkeypatch.setattr("zoo.task.installed", lambda: {"toy": task})
    return task


RECIPE = TrainConfig(dataset="toy", epochs=4, batch_size=16, learning_rate=1e-2, ema_momentum=0.9, patience=0)


def interrupted(monkeypatch, epoch, *arguments):
    """Begins a training that dies in the middle of an epoch, as by a kill."""
    whole = Progress.on_train_batch_end

    def die(self, batch, logs=None):
        whole(self, batch, logs)
        if self.epoch == epoch and batch == 1:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Progress, "on_train_batch_end", die)
        with pytest.raises(KeyboardInterrupt):
            training.train(*arguments, plot=False)


def history(path):
    with (path / "history.csv").open() as stream:
        return list(csv.DictReader(stream))


def test_a_resumed_training_ends_where_an_uninterrupted_one_does(toy, tmp_path, monkeypatch):
    whole = training.train(toy, RECIPE, tmp_path / "whole", plot=False)
    interrupted(monkeypatch, 3, toy, RECIPE, tmp_path / "cut")
    assert not (tmp_path / "cut").exists(), "nothing half-written has the model's name"
    resumed = training.train(toy, RECIPE, tmp_path / "cut", plot=False, resume=True)
    assert history(tmp_path / "whole") == history(tmp_path / "cut")
    for a, b in zip(whole.net.get_weights(), resumed.net.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    assert not list(tmp_path.glob(".*")), "the state of a finished training is gone"


def test_kill_nine_loses_one_epoch_at_most(tmp_path):
    """Through the command line, by the signal that no program can catch."""
    rows = [f"{'good' if i % 2 else 'bad'} film number {i},{'yes' if i % 2 else 'no'}" for i in range(96)]
    (tmp_path / "own.csv").write_text("text,label\n" + "\n".join(rows) + "\n")
    command = [sys.executable, "-m", "zoo", "train", "sentiment", "--dataset", "own.csv", "--epochs", "3"]
    command += [
        "--units",
        "2",
        "--embedding-dim",
        "2",
        "--no-bidirectional",
        "--patience",
        "0",
        "--batch-size",
        "16",
        "--no-plot",
        "--name",
    ]
    state = tmp_path / "saved_models" / ".killed.training" / "train" / "state.json"
    process = subprocess.Popen([*command, "killed"], cwd=tmp_path, stderr=subprocess.DEVNULL)
    until = time.monotonic() + 120
    while time.monotonic() < until and process.poll() is None:
        if state.exists() and json.loads(state.read_text())["epoch"] >= 1:
            break
        time.sleep(0.05)
    os.kill(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL, "killed while it trained"
    for arguments in (["killed", "--resume"], ["whole"]):
        done = CliRunner().invoke(cli, [*command[3:], *arguments], catch_exceptions=False)
        assert done.exit_code == 0, done.output
    assert history(tmp_path / "saved_models" / "killed") == history(tmp_path / "saved_models" / "whole")


def test_the_best_epoch_is_published_not_the_last(toy, tmp_path, monkeypatch):
    values = iter([0.5, 0.2, 0.4, 0.9, 0.2])  # the last is the test split's
    seen = []

    def scripted(model, some, assets):
        seen.append([np.array(w) for w in model.get_weights()])
        return {"log_loss": next(values)}

    toy.__dict__["task"] = task_of(score=scripted)
    saved = training.train(toy, RECIPE, tmp_path / "m", plot=False)
    assert saved.metrics["training"]["best_epoch"] == 2
    assert saved.metrics["scores"]["validation"]["log_loss"] == 0.2
    for published, second in zip(saved.net.get_weights(), seen[1], strict=True):
        np.testing.assert_array_equal(published, second)


def test_patience_ends_a_training_that_gets_worse(toy, tmp_path):
    values = iter([0.5, 0.6, 0.7, 0.8, 0.9])
    toy.__dict__["task"] = task_of(score=lambda *_: {"log_loss": next(values)})
    saved = training.train(toy, dataclasses.replace(RECIPE, epochs=9, patience=2), tmp_path / "m", plot=False)
    assert saved.metrics["training"]["epochs"] == 3


def test_a_budget_stops_in_time_and_still_saves(toy, tmp_path):
    saved = training.train(toy, dataclasses.replace(RECIPE, epochs=1000, max_minutes=0.02), tmp_path / "m", plot=False)
    assert 1 <= saved.metrics["training"]["epochs"] < 1000
    assert saved.metrics["scores"]["test"]["accuracy"] >= 0


def test_a_loss_that_is_no_number_is_told_and_the_state_kept(toy, tmp_path, monkeypatch):
    def broken(recipe, data):
        model = build(recipe, data)
        model.compile(model.optimizer, lambda y, p: keras.ops.mean(p) * float("nan"), run_eagerly=True)
        return model

    toy.__dict__["task"] = task_of(build=broken)
    with pytest.raises(UserError, match="smaller --learning-rate"):
        training.train(toy, RECIPE, tmp_path / "m", plot=False)
    assert cards.under_way(tmp_path / "m").is_dir()


def test_nothing_is_overwritten_or_thrown_away_unasked(toy, tmp_path, monkeypatch):
    path = tmp_path / "m"
    interrupted(monkeypatch, 2, toy, RECIPE, path)
    with pytest.raises(UserError, match=r"interrupted after epoch 1 of the stage 'train'\. Go on with --resume"):
        training.train(toy, RECIPE, path, plot=False)
    with pytest.raises(UserError, match=r"learning_rate \(0.01 -> 0.5\)"):
        training.train(toy, dataclasses.replace(RECIPE, learning_rate=0.5), path, plot=False, resume=True)
    training.train(toy, RECIPE, path, plot=False, resume=True)
    with pytest.raises(UserError, match="--overwrite"):
        training.train(toy, RECIPE, path, plot=False)
    with pytest.raises(UserError, match=r"no interrupted training.*It is finished"):
        training.train(toy, RECIPE, path, plot=False, resume=True)
    training.train(toy, dataclasses.replace(RECIPE, epochs=1), path, plot=False, overwrite=True)


def test_averaged_weights_are_scored_and_raw_ones_go_on(toy, tmp_path):
    """With a momentum near 1 the average hardly leaves its start, while the raw weights learn."""
    slow = dataclasses.replace(RECIPE, ema_momentum=0.9999, epochs=3, learning_rate=3e-2)
    saved = training.train(toy, slow, tmp_path / "m", plot=False)
    rows = history(tmp_path / "m")
    assert float(rows[-1]["loss"]) < float(rows[0]["loss"]) - 0.02, "the raw weights learn"
    gap = abs(float(rows[-1]["validation_log_loss"]) - float(rows[0]["validation_log_loss"]))
    assert gap < 0.02, "the averaged ones stay"
    assert saved.metrics["scores"]["test"]["log_loss"] == pytest.approx(0.69, abs=0.1)


def pretraining(recipe, data):
    def first(recipe, data):
        model = builders.pretrainer(12, recipe.cell, 4, embedding_dim=4)
        model.compile(optimizers.from_recipe(recipe, 48), builders.token_mean, run_eagerly=True)
        return model

    def nats(model, some, assets):
        total = sum(np.asarray(model.predict_on_batch(tokens)).sum(0) for tokens, *_ in some)
        return {"nats": float(total[0] / total[1])}

    bare = dataclasses.replace(data, train=lambda epoch: data.train(epoch).map(lambda tokens, y, w: (tokens, y)))
    own = dataclasses.replace(recipe, epochs=2)
    return Stage("pretrain", own, bare, first, nats, "nats", higher_is_better=False)


def test_a_stage_before_hands_its_weights_over_and_resumes(toy, tmp_path, monkeypatch, capsys):
    toy.__dict__["task"] = task_of(pretraining, None)
    recipe = dataclasses.replace(RECIPE, epochs=3, ema_momentum=0.0)
    whole = training.train(toy, recipe, tmp_path / "whole", plot=False)
    assert "Starting from the weights of: embedding, recurrent" in capsys.readouterr().err
    for epoch in (2, 3):  # once within the first stage, once within the main one
        name = tmp_path / f"cut{epoch}"
        interrupted(monkeypatch, epoch, toy, recipe, name)
        where = "after epoch 1 of the stage 'pretrain'" if epoch == 2 else "after epoch 2 of the stage 'train'"
        with pytest.raises(UserError, match=where):
            training.train(toy, recipe, name, plot=False)
        resumed = training.train(toy, recipe, name, plot=False, resume=True)
        for a, b in zip(whole.net.get_weights(), resumed.net.get_weights(), strict=True):
            np.testing.assert_allclose(a, b, atol=1e-6)


def test_fine_tuning_starts_from_the_weights_of_a_saved_model_and_resumes(toy, tmp_path, monkeypatch, capsys):
    first = training.train(toy, RECIPE, tmp_path / "first", plot=False)
    recipe = dataclasses.replace(RECIPE, init_from=str(first.path), epochs=3, ema_momentum=0.0)
    still = dataclasses.replace(recipe, epochs=1, learning_rate=0.0)
    same = training.train(toy, still, tmp_path / "same", plot=False)
    for a, b in zip(first.net.get_weights(), same.net.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    assert "Starting from the weights of: embedding, recurrent, label" in capsys.readouterr().err
    spent = {**first.metrics["training"], "minutes": 40.0, "minutes_before": 2.0}
    saved.update_metrics(first.path, {**first.metrics, "training": spent})
    whole = training.train(toy, recipe, tmp_path / "whole", plot=False)
    assert whole.metrics["training"]["minutes_before"] == 42.0
    assert cards.minutes(whole.metrics["training"]) == "42"
    assert float(history(whole.path)[0]["loss"]) < float(history(first.path)[0]["loss"])
    interrupted(monkeypatch, 2, toy, recipe, tmp_path / "cut")
    resumed = training.train(toy, recipe, tmp_path / "cut", plot=False, resume=True)
    for a, b in zip(whole.net.get_weights(), resumed.net.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_fine_tuning_warns_of_another_division_of_the_same_data(toy, tmp_path, capsys):
    first = training.train(toy, RECIPE, tmp_path / "first", plot=False)
    recipe = dataclasses.replace(RECIPE, init_from=str(first.path), epochs=1)
    training.train(toy, recipe, tmp_path / "same", plot=False)
    assert "division" not in capsys.readouterr().err
    data = {**first.metrics["data"], "sizes": {"train": 48, "validation": 31, "test": 32}}
    saved.update_metrics(first.path, {**first.metrics, "data": data})
    training.train(toy, recipe, tmp_path / "other", plot=False)
    assert "first was trained on another division of toy (validation 31, now 32)" in capsys.readouterr().err


def test_fine_tuning_refuses_a_network_that_does_not_fit_and_a_model_that_has_changed(toy, tmp_path, monkeypatch):
    first = training.train(toy, RECIPE, tmp_path / "first", plot=False)
    recipe = dataclasses.replace(RECIPE, init_from=str(first.path))
    with pytest.raises(UserError, match=r"recurrent/.*kernel \(4, 16\) where the saved model has \(4, 12\)"):
        training.train(toy, dataclasses.replace(recipe, cell="lstm"), tmp_path / "other", plot=False)
    interrupted(monkeypatch, 2, toy, recipe, tmp_path / "cut")
    training.train(toy, RECIPE, first.path, plot=False, overwrite=True)
    (first.path / "files.json").write_text((first.path / "files.json").read_text() + "\n")
    with pytest.raises(UserError, match=r"files\.json has changed"):
        training.train(toy, recipe, tmp_path / "cut", plot=False, resume=True)


def test_a_student_comes_near_its_teachers_and_resumes(toy, tmp_path, monkeypatch):
    given = {"ema_momentum": 0.0, "epochs": 6}
    one, two = (
        training.train(toy, dataclasses.replace(RECIPE, seed=seed, **given), tmp_path / f"teacher{seed}", plot=False)
        for seed in (2, 3)
    )
    recipe = dataclasses.replace(RECIPE, teachers=f"{one.path}, {two.path}", distillation=20.0, **given)
    alone = training.train(toy, dataclasses.replace(RECIPE, **given), tmp_path / "alone", plot=False)
    taught = training.train(toy, recipe, tmp_path / "taught", plot=False)
    answers = (one.net.predict(TOKENS, verbose=0) + two.net.predict(TOKENS, verbose=0)) / 2
    far, near = (np.abs(model.net.predict(TOKENS, verbose=0) - answers).mean() for model in (alone, taught))
    assert near < far / 2
    interrupted(monkeypatch, 2, toy, recipe, tmp_path / "cut")
    resumed = training.train(toy, recipe, tmp_path / "cut", plot=False, resume=True)
    for a, b in zip(taught.net.get_weights(), resumed.net.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    interrupted(monkeypatch, 2, toy, recipe, tmp_path / "late")
    (two.path / "files.json").write_text((two.path / "files.json").read_text() + "\n")
    with pytest.raises(UserError, match=r"files\.json has changed"):
        training.train(toy, recipe, tmp_path / "late", plot=False, resume=True)


def test_teachers_that_mean_something_else_are_refused(toy, tmp_path):
    teacher = training.train(toy, dataclasses.replace(RECIPE, epochs=1), tmp_path / "teacher", plot=False)
    recipe = dataclasses.replace(RECIPE, teachers=str(teacher.path))
    toy.__dict__["task"] = dataclasses.replace(
        TASK, load=lambda *_, **__: dataclasses.replace(load(RECIPE), assets={"labels": ["yes", "no"]})
    )
    with pytest.raises(UserError, match="has other labels than toy has in this training"):
        training.train(toy, recipe, tmp_path / "student", plot=False)
    with pytest.raises(UserError, match="nowhere"):
        training.train(toy, dataclasses.replace(RECIPE, teachers="nowhere"), tmp_path / "student", plot=False)
    with pytest.raises(UserError, match=r"--distillation 0\.5 is a weight of what --teachers answer"):
        dataclasses.replace(RECIPE, distillation=0.5)
    with pytest.raises(UserError, match="--teachers ' ,' names no saved model"):
        dataclasses.replace(RECIPE, teachers=" ,")
    assert dataclasses.replace(RECIPE, teachers="a, b,,a").teacher_names == ["a", "b"]


def refining(values):
    """A stage after the main one whose validation scores, from its start on, are given."""

    def after(recipe, data):
        own = dataclasses.replace(recipe, epochs=2, ema_momentum=0.0)
        arrays = dataclasses.replace(data, train=lambda epoch, model: data.train(epoch).as_numpy_iterator())
        return Stage(
            "reward", own, arrays, build, lambda *_: {"cost": next(values)}, "cost", False, on_policy=True,
            start="weights",
        )  # fmt: skip

    return after


def test_a_stage_after_goes_on_from_the_best_weights_and_counts_only_if_better(toy, tmp_path):
    recipe = dataclasses.replace(RECIPE, epochs=2)
    scored = itertools.count(1)
    better = {"score": lambda *_: {"log_loss": 1 / next(scored)}}
    toy.__dict__["task"] = task_of(**better)
    alone = training.train(toy, recipe, tmp_path / "alone", plot=False)
    assert alone.metrics["training"]["best_epoch"] == 2
    for values, best, chosen_by in ([1.0, 9.0, 8.0], 2, "log_loss"), ([1.0, 0.02, 0.01], 4, "cost"):
        toy.__dict__["task"] = task_of(None, refining(iter(values)), **better)
        both = training.train(toy, recipe, tmp_path / f"best{best}")
        told = both.metrics["training"]
        assert (told["epochs"], told["best_epoch"], told["chosen_by"]) == (4, best, chosen_by)
        rows = history(tmp_path / f"best{best}")
        assert [row["epoch"] for row in rows] == list("1234")
        assert [bool(row["loss"]) for row in rows] == [True, True, False, False]
        pairs = zip(alone.net.get_weights(), both.net.get_weights(), strict=True)
        assert all(np.array_equal(one, other) for one, other in pairs) == (best == 2)
    toy.__dict__["task"] = task_of(None, refining(iter([1.0])))
    short = training.train(toy, dataclasses.replace(recipe, max_minutes=1e-6), tmp_path / "short", plot=False)
    assert short.metrics["training"]["epochs"] == 1, "no time is left for it"


def test_a_stage_after_resumes_exactly(toy, tmp_path, monkeypatch, capsys):
    recipe = dataclasses.replace(RECIPE, epochs=1)
    toy.__dict__["task"] = task_of(None, refining(iter([3.0, 2.0, 1.0])))
    whole = training.train(toy, recipe, tmp_path / "whole", plot=False)
    toy.__dict__["task"] = task_of(None, refining(iter([3.0, 2.0, 1.0])))
    interrupted(monkeypatch, 2, toy, recipe, tmp_path / "cut")
    resumed = training.train(toy, recipe, tmp_path / "cut", plot=False, resume=True)
    assert "Resuming after epoch 1 of 2" in capsys.readouterr().err
    assert history(tmp_path / "cut") == history(tmp_path / "whole")
    for one, other in zip(whole.net.get_weights(), resumed.net.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_curves_are_drawn(toy, tmp_path):
    training.train(toy, dataclasses.replace(RECIPE, epochs=2), tmp_path / "m")
    assert (tmp_path / "m" / "curves.png").read_bytes().startswith(b"\x89PNG")


def test_every_installed_task_has_what_a_training_needs():
    assert len(installed()) >= 1
    for task in installed().values():
        assert issubclass(task.recipe.train, TrainConfig)
        assert "tiny" in task.recipe.presets
        for preset in task.recipe.presets.values():
            task.recipe.train(**preset)


def test_a_quicker_score_serves_after_each_epoch_and_the_full_one_at_the_end(toy, tmp_path):
    asked = []

    def full(model, some, assets):
        asked.append("full")
        return score(model, some, assets)

    def quick(model, some, assets):
        asked.append("quick")
        return {"log_loss": score(model, some, assets)["log_loss"]}

    stages = lambda recipe, data: [main_stage(recipe, data, score=quick)]  # noqa: E731
    toy.__dict__["task"] = dataclasses.replace(TASK, score=full, stages=stages)
    saved = training.train(toy, dataclasses.replace(RECIPE, epochs=2), tmp_path / "toy", plot=False)
    assert asked == ["quick", "quick", "full"]
    assert set(saved.metrics["scores"]["validation"]) == {"log_loss"}
    assert "accuracy" in saved.metrics["scores"]["test"]


@pytest.mark.parametrize(
    ("train", "validation", "said"),
    [
        ([3, 9, 4, 5], [4, 9], "1 of 4 training examples are longer than --max-length 5 and are not learned.\n"),
        ([3] * 2_000 + [9], [4], ""),
        ([9] + [3] * 2_000, [4], "1 of the first 2,000 training examples are longer than --max-length 5"),
        ([9] * 2_000 + [3], [4], "2,000 of the first 2,000 training examples are longer"),
        ([6, 9], [4], "All examples of train are longer than --max-length 5; the shortest of the first 2 has 6 t"),
        ([3], [7, 6], "All examples of validation are longer than --max-length 5; the shortest of the first 2 has 6 t"),
    ],
)
def test_examples_that_are_too_long_are_counted(capsys, train, validation, said):
    splits = {"train": train, "validation": validation}
    data = SimpleNamespace(
        lengths=lambda split, limit: iter(splits[split][:limit]), sizes=lambda: {"train": len(train)}
    )
    stage = Stage("train", SimpleNamespace(max_length=5), data, build, score, "log_loss")
    if said.startswith("All"):
        with pytest.raises(UserError, match=f"{said}.* Give a larger --max-length"):
            stages._check_lengths(stage)
    else:
        stages._check_lengths(stage)
        err = capsys.readouterr().err
        assert err.startswith(said)
        assert bool(err) == bool(said)


def test_a_validation_loss_without_a_batch_is_left_out():
    data = dataclasses.replace(load(RECIPE), paired=lambda name: batches(TOKENS, LABELS).take(0).batch(16))
    model = build(RECIPE, data)
    model.fit(data.train(0), shuffle=False, verbose=0)
    scores, _ = stages.validate(main_stage(RECIPE, data), model, 32)
    assert "log_loss" in scores
    assert "loss" not in scores


def test_nothing_is_traced_again_after_the_first_epoch(monkeypatch):
    """Batches of other lengths and sizes run by the same graph: Python passes a layer only while it is traced."""
    traces = []
    pool = layers.Pooling.call

    def call(self, sequence, mask=None):
        traces.append(1)
        return pool(self, sequence, mask)

    monkeypatch.setattr(layers.Pooling, "call", call)
    model = builders.classifier(12, 2, "gru", 4, embedding_dim=4)
    counts = []
    for epoch in range(3):
        for length in (4, 3, 2):
            model.fit(batches(TOKENS[:, :length], LABELS).batch(13 + epoch), shuffle=False, verbose=0)
        counts.append(len(traces))
    assert counts == [counts[0]] * 3


@pytest.mark.parametrize("precision", ["mixed_bfloat16", "mixed_float16"])
def test_the_precision_of_a_training_is_that_of_the_saved_model(toy, tmp_path, precision):
    trained = training.train(
        toy, dataclasses.replace(RECIPE, epochs=1, precision=precision), tmp_path / "m", plot=False
    )
    assert keras.config.dtype_policy().name == "float32", "what comes next is not affected"
    for model in (trained, saved.load(tmp_path / "m")):
        assert model.net.get_layer("recurrent").dtype_policy.name == precision
        assert model.net.get_layer("recurrent").compute_dtype == precision.removeprefix("mixed_")
        assert {weight.dtype for weight in model.net.weights} == {"float32"}


def test_text_that_a_vocabulary_does_not_know_is_said():
    def of(tokens, **assets):
        batches = [((np.array([tokens]), np.array([3])), None, None)]
        data = SimpleNamespace(assets=assets, split=lambda name, limit: batches, card=SimpleNamespace(name="new"))
        return run._unknown_tokens(SimpleNamespace(path=Path("old")), data)

    assert "67% of the tokens of new are unknown to the vocabulary of old" in of([1, 1, 5, 0], tokenizer=None)
    assert of([1, *[5] * 9], tokenizer=None) is None
    assert of([1, 1, 5, 0]) is None
