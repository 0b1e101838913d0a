"""scripts/distill.py: a folder of pairs by one or several teachers, which a student can be trained on."""

from pathlib import Path
from typing import Any

import pytest
from zoo.tasks.translate import data
from zoo.tasks.translate.recipe import Train

from zoo import training
from zoo.task import find


@pytest.fixture(scope="module")
def teachers(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder, task = tmp_path_factory.mktemp("teachers"), find("translate")
    for seed in (1, 2):
        recipe = task.recipe.train(**{**task.recipe.presets["tiny"], "seed": seed, "score_test": False})
        training.train(task, recipe, folder / str(seed), plot=False)
    return [folder / "1", folder / "2"]


def test_a_student_learns_from_the_teachers_and_from_the_truth(
    teachers: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, import_script: Any
) -> None:
    script: Any = import_script("distill")
    monkeypatch.setattr(script, "translations", lambda models, texts: [f"{len(models)} {text}" for text in texts])
    script.main([*map(str, teachers), "--output", str(tmp_path / "out"), "--limit", "30"])
    sources, targets = ((tmp_path / "out" / f"train.{side}").read_text().splitlines() for side in ("en", "de"))
    assert len(sources) == len(targets) == 60
    assert targets[:30] == [f"2 {source}" for source in sources[:30]]
    assert sources[30:] == sources[:30]
    loaded = data.load(Train(dataset=str(tmp_path / "out"), vocabulary_size=300))
    assert loaded.sizes()["train"] == 60
    assert loaded.sizes()["test"] > 0


def test_further_sources_are_translated_beside_several_copies_of_the_true_pairs(
    teachers: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, import_script: Any
) -> None:
    script: Any = import_script("distill")
    monkeypatch.setattr(script, "translations", lambda models, texts: [text.upper() for text in texts])
    (tmp_path / "more.en").write_text("one\n\ntwo\u2028half\nthree\n", encoding="utf-8")
    given = [str(teachers[0]), "--output", str(tmp_path / "out"), "--sources", str(tmp_path / "more.en")]
    script.main([*given, "--limit", "2", "--originals", "2"])
    sources, targets = ((tmp_path / "out" / f"train.{side}").read_text("utf-8").split("\n") for side in ("en", "de"))
    assert (sources[:2], targets[:2]) == (["one", "two\u2028half"], ["ONE", "TWO\u2028HALF"])
    half = len(sources[2:-1]) // 2
    assert half > 1_000
    assert (sources[2 : 2 + half], targets[2 : 2 + half]) == (sources[2 + half : -1], targets[2 + half : -1])


def test_several_teachers_translate_together(teachers: list[Path], import_script: Any) -> None:
    script: Any = import_script("distill")
    models = script.load(teachers)
    texts = ["3 days ago", "five weeks", "1 hour"]
    together = list(script.translations(models, texts, batch=2))
    assert len(together) == 3
    alone = [answer["translation"] for answer in models[0].predict(texts)]
    assert list(script.translations(models[:1], texts)) == alone
