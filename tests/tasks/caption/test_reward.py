"""Learning from a reward: rewards of captions, sampled batches, and the stage within a training."""

import csv
import dataclasses
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from zoo.tasks.caption import reward, task
from zoo.tasks.caption.recipe import RECIPE, Train

from zoo import training
from zoo.ids import END, START
from zoo.task import installed

COLORS = {"red": (250, 10, 10), "green": (10, 250, 10), "blue": (10, 10, 250), "white": (255, 255, 255)}


@pytest.fixture(scope="module")
def recipe(tmp_path_factory: pytest.TempPathFactory) -> Train:
    """Pictures of one color, which their captions name."""
    path = tmp_path_factory.mktemp("colors")
    lines = ["image,caption"]
    for number in range(24):
        color = list(COLORS)[number % 4]
        Image.new("RGB", (20, 18 + number), COLORS[color]).save(path / f"{number}.png")
        lines += [f"{number}.png,It is {color}.", f"{number}.png,All of it is {color}"]
    (path / "captions.csv").write_text("\n".join(lines), encoding="utf-8")
    tiny = {**RECIPE.presets["tiny"], "batch_size": 8, "max_length": 8, "reward_epochs": 2, "num_samples": 3}
    return Train(**{**tiny, "dataset": str(path), "reward_learning_rate": 1e-2, "ema_momentum": 0.9})


def rewards_of(bleu: float, *captions: str, ended: bool = True) -> list[float]:
    references = [["a dog runs", "the dog runs fast"], ["a cat sleeps"], ["two birds fly"]]
    return reward.Reward(references, bleu)(captions, [ended] * len(captions), 0)


def test_the_reward_of_a_caption_is_what_it_shares_with_its_references() -> None:
    best, less, other, nothing = rewards_of(0.0, "a dog runs", "a dog", "a cat sleeps", "")
    assert best > less > other > nothing == 0
    assert rewards_of(2.0, "a dog runs") == [pytest.approx(best + 2)], "its BLEU-1 is 1"
    assert rewards_of(0.0, "a dog runs", ended=False)[0] < best, "one that breaks off gets less"


def test_bleu_of_one_caption_is_clipped_and_has_a_brevity_penalty() -> None:
    (twice,) = rewards_of(1.0, "dog dog", ended=False)
    (without,) = rewards_of(0.0, "dog dog", ended=False)
    assert twice - without == pytest.approx(0.5 * np.exp(1 - 4 / 2)), "references have 4 and 5 words with their end"


def test_advantages_are_against_the_mean_of_the_others_and_sum_to_zero() -> None:
    rewards = np.random.default_rng(0).normal(size=(4, 5))
    found = reward.advantages(rewards)
    np.testing.assert_allclose(found.sum(axis=1), 0, atol=1e-12)
    assert found[2, 1] == pytest.approx(rewards[2, 1] - np.delete(rewards[2], 1).mean())
    assert not reward.advantages(np.ones((2, 3))).any()


def test_inputs_are_the_sampled_ids_one_step_later() -> None:
    ids = np.array([[[7, 3, 0], [7, 8, 9]]])
    inputs, targets = reward.shifted(ids)
    assert inputs.tolist() == [[[START, 7, 0], [START, 7, 8]]]
    assert targets is ids


def test_batches_are_sampled_by_the_model_as_it_is(recipe: Train) -> None:
    data = task.load(recipe)
    first, stage = task.stages(recipe, data)
    assert (first.name, stage.name, stage.on_policy, stage.start) == ("train", "reward", True, "weights")
    assert first.recipe is recipe
    assert (stage.recipe.dropout, stage.recipe.epochs, stage.recipe.learning_rate) == (0, 2, 1e-2)
    model = stage.build(stage.recipe, stage.data)
    ((pictures, before), after, weights), *others = stage.data.train(0, model)
    assert len(others) == 1, "20 pictures: two batches of 8, the rest waits"
    assert pictures.shape == (8, 16, 16, 3)
    assert before.shape == after.shape == (8, 3, after.shape[2])
    assert weights.shape == (8, 3)
    np.testing.assert_allclose(weights.sum(axis=1), 0, atol=1e-5)
    assert weights.any()
    assert ((before[:, :, 0] == START) == (after[:, :, 0] > 0)).all()
    assert ((before > 0) == (after > 0)).all(), "what has ended has neither inputs nor targets"
    assert (after[:, :, :-1] >= np.minimum(after[:, :, 1:], 1)).all(), "nothing stands behind padding"
    again = next(stage.data.train(0, model))
    np.testing.assert_array_equal(after, again[1])
    ids = next(stage.data.train(1, model))[1]
    assert ids.shape != after.shape or (ids != after).any()
    model.output_layer.bias.assign(np.eye(data.assets["tokenizer"].size)[END] * 50)
    assert next(stage.data.train(0, model))[1][:, :, 0].tolist() == [[END] * 3] * 8
    assert len(task.stages(dataclasses.replace(recipe, reward_epochs=0), data)) == 1


def test_the_history_has_both_stages(recipe: Train, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Its own score would be 0 for a model as small as this, so that nothing would ever be the best.
    rising = iter(range(99))
    monkeypatch.setattr(
        task, "_scores", lambda texts, known: dict.fromkeys(("bleu_1", "bleu_4", "cider"), float(next(rising)))
    )
    whole = training.train(installed()["caption"], recipe, tmp_path / "whole", plot=False)
    rows = history(tmp_path / "whole")
    assert [row["epoch"] for row in rows] == ["1", "2", "3"]
    assert [bool(row["loss"]) for row in rows] == [True, False, False]
    assert [bool(row["reward_loss"]) for row in rows] == [False, True, True]
    assert [bool(row["validation_reward"]) for row in rows] == [False, True, True]
    facts = whole.metrics["training"]
    assert (facts["epochs"], facts["best_epoch"], facts["chosen_by"]) == (3, 3, "reward")


def history(path: Path) -> list[dict[str, str]]:
    with (path / "history.csv").open() as stream:
        return list(csv.DictReader(stream))
