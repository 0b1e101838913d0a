"""Pretraining of a tagger on bare sentences: the windows it reads, what it hands on, and what is refused."""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from zoo.tasks.tag import data
from zoo.tasks.tag.pretraining import pretraining
from zoo.tasks.tag.recipe import Train

from zoo.cli import cli
from zoo.errors import UserError
from zoo.settings import TrainConfig
from zoo.training import data_files

SENTENCES = ["Ann lives in Rome .", "alone", "", "don't stop", "Bob lives in Oslo City ."]


def labeled(path: Path) -> Path:
    """Names and places in sentences that all differ."""
    rows = []
    for i in range(60):
        rows += [f"{('Ann', 'Bob')[i % 2]} B-PER", f"number{i} O", "lives O", "do O", "n't O", "Rome B-LOC", ". O", ""]
    path.write_text("\n".join(rows), encoding="utf-8")
    return path


@pytest.fixture
def recipe(tmp_path: Path) -> Train:
    (tmp_path / "bare.txt").write_text("\n".join(SENTENCES), encoding="utf-8")
    return Train(
        dataset=str(labeled(tmp_path / "own.conll")), pretrain_dataset=str(tmp_path / "bare.txt"), pretrain_epochs=1,
        min_count=1, embedding_dim=4, units=3, pretrain_batch_size=2, character_units=2,
    )  # fmt: skip


def texts(batches: Any, tokenizer: Any) -> list[str]:
    """The words of each row."""
    rows = [row for (tokens, _), _ in ((x, y) for x, y in batches) for row in np.asarray(tokens)]
    return sorted(" ".join(tokenizer.token(i) for i in row if i) for row in rows)


def test_it_reads_the_lines_of_a_file_word_by_word(recipe: Train) -> None:
    loaded = data.load(recipe)
    stage = pretraining(recipe, loaded)
    assert stage.data.sizes()["train"] == 3
    assert stage.data.sizes()["validation"] == loaded.sizes()["validation"]
    whole = texts(stage.data.train(1), loaded.assets["tokenizer"])
    assert whole == ["Ann lives <unk> Rome .", "Bob lives <unk> <unk> <unk> .", "do n't <unk>"]
    short = dataclasses.replace(recipe, pretrain_window=2, limit=1)
    train = pretraining(short, loaded).data.train
    parts = [texts(train(epoch), loaded.assets["tokenizer"])[0] for epoch in range(6)]
    assert set(parts) <= {"Ann lives", "lives <unk>", "<unk> Rome", "Rome ."}
    assert len(set(parts)) > 1
    assert texts(train(0), loaded.assets["tokenizer"]) == parts[:1]


def test_a_training_hands_its_weights_on(recipe: Train, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "own.vec").write_text("Ann 1 2 3 4\n")
    options = [
        "--dataset", recipe.dataset, "--epochs", "1", "--pretrain-dataset", str(recipe.pretrain_dataset),
        "--pretrain-epochs", "2", "--embedding-dim", "4", "--units", "3", "--character-units", "2", "--no-plot",
        "--word-vectors", str(tmp_path / "own.vec"), "--name", "own",
    ]  # fmt: skip
    cli(["train", "tag", *options], standalone_mode=False)
    assert "Starting from the weights of: embedding, characters, recurrent." in capsys.readouterr().err
    (tmp_path / "bare.txt").unlink()
    cli(
        ["evaluate", "own", "--dataset", str(labeled(tmp_path / "other.conll")), "--split", "all"],
        standalone_mode=False,
    )
    assert "accuracy" in capsys.readouterr().out
    cli(["tag", "--model", "own", "Ann doesn't"], standalone_mode=False)
    assert [pair.split("/")[0] for pair in capsys.readouterr().out.split()] == ["Ann", "does", "n't"]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"num_layers": 2}, "needs --num-layers 1"),
        ({"cell": "none"}, "--cell none has none"),
        ({"block": "residual"}, "needs --no-bidirectional"),
        ({"num_layers": 2, "bidirectional": False}, "got 2"),
    ],
)
def test_nets_that_cannot_be_pretrained_are_refused(recipe: Train, settings: dict, message: str) -> None:
    with pytest.raises(UserError, match=message):
        pretraining(dataclasses.replace(recipe, **settings), data.load(recipe))


def test_what_does_not_go_together_is_said(recipe: Train, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="needs sentences"):
        Train(pretrain_epochs=1)
    with pytest.raises(UserError, match="is read by --pretrain-epochs"):
        Train(pretrain_dataset="bare.txt")
    with pytest.raises(UserError, match="--pretrain-epochs is for words"):
        data.load(Train(pretrain_epochs=1, pretrain_dataset=recipe.pretrain_dataset, limit=4))
    (tmp_path / "bare.txt").write_text("alone\n\n")
    with pytest.raises(UserError, match="no line with two words"):
        pretraining(recipe, data.load(recipe)).data.sizes()
    (tmp_path / "bare.txt").unlink()
    with pytest.raises(UserError, match=r"bare\.txt"):
        pretraining(recipe, data.load(recipe)).data.sizes()


def test_a_changed_file_of_sentences_is_noticed(recipe: Train) -> None:
    for own in (recipe, dataclasses.replace(recipe, dataset="conll2003")):
        assert isinstance(own, TrainConfig)
        before = data_files.digests(own, ["conll2003"])
        Path(str(own.pretrain_dataset)).write_text(f"{len(before)} other words")
        assert "has changed" in str(data_files.changed(before, data_files.digests(own, ["conll2003"])))
