"""From images with captions to batches: several captions per image, order, features, sizes."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from zoo.tasks.caption import data, model, task
from zoo.tasks.caption.recipe import Train

from zoo.data.images import read, resized
from zoo.errors import UserError
from zoo.ids import END, PAD, START
from zoo.layers import image_encoder

COLORS = {
    "red": (250, 10, 10), "green": (10, 250, 10), "blue": (10, 10, 250), "yellow": (250, 250, 10),
    "pink": (250, 150, 180), "black": (0, 0, 0), "white": (255, 255, 255), "grey": (128, 128, 128),
}  # fmt: skip
SPLITS = {"train": list(COLORS) * 3, "validation": ["red", "grey", "blue"], "test": ["pink", "black"] * 2}
SIDE = 8


def captions_of(color: str, number: int) -> list[str]:
    """One to four, of different lengths."""
    many = [
        f"All {color}.",
        f"A {color} thing",
        f"It is {color}, all of it",
        f"A thing that is {color}: all of it!",
    ]
    return many[: number % 4 + 1]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pictures of one color, and captions that name it; one caption is far too long."""
    path = tmp_path_factory.mktemp("colors")
    lines = ["image,caption,split"]
    for split, colors in SPLITS.items():
        for number, color in enumerate(colors):
            name = f"{split}-{number}.png"
            Image.new("RGB", (9 + number, 12), COLORS[color]).save(path / name)
            lines += [f'{name},"{caption}",{split}' for caption in captions_of(color, number)]
    lines.append(f"train-0.png,{'red ' * 50},train")
    (path / "captions.csv").write_text("\n".join(lines), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def recipe(folder: Path) -> Train:
    return Train(
        dataset=str(folder), image_size=SIDE, batch_size=4, captions_per_image=3, max_length=12, vocabulary_size=60
    )


@pytest.fixture(scope="module")
def loaded(recipe: Train) -> Any:
    return data.load(recipe)


def batches_of(loaded: Any, epoch: int = 0) -> list:
    return [
        tuple(np.asarray(item) for item in (pictures, before, after, weights))
        for (pictures, before), after, weights in loaded.train(epoch)
    ]


def test_random_flip_mirrors_half_of_the_images_but_those_whose_captions_name_a_side(tmp_path: Path) -> None:
    ramp = np.tile(np.linspace(0, 255, SIDE).astype("uint8")[None, :, None], (SIDE, 1, 3))
    lines = ["image,caption,split"]
    for number in range(60):
        Image.fromarray(ramp).save(tmp_path / f"{number}.png")
        lines.append(f"{number}.png,{'dark on the Left.' if number % 3 == 0 else 'a ramp'},train")
    lines += [f"{split}.png,a ramp,{split}" for split in ("validation", "test")]
    for split in ("validation", "test"):
        Image.fromarray(ramp).save(tmp_path / f"{split}.png")
    (tmp_path / "captions.csv").write_text("\n".join(lines), encoding="utf-8")
    recipe = Train(dataset=str(tmp_path), image_size=SIDE, batch_size=4, captions_per_image=1)

    def seen(loaded: Any, epoch: int) -> list[tuple[int, bool]]:
        """Lengths of captions, which say whether they name a side, and whether the image is mirrored."""
        rows = []
        for pictures, _, after, _ in batches_of(loaded, epoch):
            for picture, ids in zip(pictures, after[:, 0], strict=True):
                straight, turned = (np.array_equal(picture, one) for one in (ramp, ramp[:, ::-1]))
                assert straight != turned
                rows.append((int((ids != PAD).sum()), bool(turned)))
        return rows

    flipping = data.load(dataclasses.replace(recipe, random_flip=True))
    first, second = seen(flipping, 0), seen(flipping, 1)
    assert sorted(length for length, _ in first) == [3] * 40 + [5] * 20
    for rows in (first, second):
        assert not any(turned for length, turned in rows if length == 5)
        assert 10 <= sum(turned for length, turned in rows if length == 3) <= 30
    assert [turned for _, turned in first] != [turned for _, turned in second]
    assert seen(data.load(dataclasses.replace(recipe, random_flip=True)), 1) == second
    assert not any(turned for _, turned in seen(data.load(recipe), 0))
    (((pictures, _), *_),) = flipping.paired("validation")
    np.testing.assert_array_equal(pictures, ramp[None])


def test_random_flip_is_refused_where_a_frozen_encoder_sees_each_image_once() -> None:
    with pytest.raises(UserError, match=r"--random-flip: a frozen encoder .*Give --fine-tune"):
        Train(encoder="EfficientNetB0", random_flip=True)
    assert Train(encoder="EfficientNetB0", random_flip=True, fine_tune=True).random_flip


def test_targets_are_the_inputs_one_step_later_and_groups_are_filled_with_zeros(loaded: Any) -> None:
    fillers = 0
    for pictures, before, after, weights in batches_of(loaded):
        assert pictures.shape == (len(weights), SIDE, SIDE, 3)
        assert pictures.dtype == np.uint8
        assert before.shape == after.shape == (len(weights), 3, before.shape[2])
        assert weights.tolist() == [1] * len(weights)
        assert len(weights) <= 4
        for inputs, targets in zip(
            before.reshape(-1, before.shape[2]), after.reshape(-1, before.shape[2]), strict=True
        ):
            length = (targets != PAD).sum()
            if not length:
                fillers += 1
                assert not inputs.any()
                continue
            assert inputs[0] == START
            assert targets[length - 1] == END
            np.testing.assert_array_equal(inputs[1:length], targets[: length - 1])
            assert not inputs[length + 1 :].any()
        assert (before[:, 0, 0] == START).all(), "no group is empty"
    wanted = [len(captions_of(color, number)) for number, color in enumerate(SPLITS["train"])]
    assert fillers == sum(-count % 3 for count in wanted)


def test_pictures_belong_to_their_captions_and_none_is_lost_but_the_long_one(loaded: Any) -> None:
    tokenizer, said = loaded.assets["tokenizer"], []
    for pictures, _, after, _ in batches_of(loaded):
        for picture, group in zip(pictures, after, strict=True):
            color = next(name for name, rgb in COLORS.items() if (picture == rgb).all())
            captions = [caption for caption in tokenizer.decode(group) if caption]
            assert all(color in caption.split() for caption in captions)
            said += captions
    expected = [one for number, color in enumerate(SPLITS["train"]) for one in captions_of(color, number)]
    assert sorted(said) == sorted(data.scoring.normalize(caption) for caption in expected)
    assert not any(mark in caption for caption in said for mark in ".,:!A")


def test_the_lengths_are_those_by_which_captions_are_left_out(loaded: Any, recipe: Train) -> None:
    lengths = list(loaded.lengths("train", None))
    fitting = [length for length in lengths if length <= recipe.max_length]
    assert len(fitting) == len(lengths) - 1 == sum(min(number % 4 + 1, 4) for number in range(24))
    assert list(loaded.lengths("validation", 1)) == [3], "All red, and an end"


def test_an_epoch_has_its_own_order_and_the_same_one_again(loaded: Any, recipe: Train) -> None:
    def order(epoch: int, loaded: Any = loaded) -> list:
        return [item.tobytes() for batch in batches_of(loaded, epoch) for item in batch]

    assert order(0) == order(0, data.load(recipe))
    assert order(0) != order(1)
    assert order(0) != order(0, data.load(dataclasses.replace(recipe, seed=2)))
    assert sorted(order(0)) != order(0)


def test_a_group_of_one_is_a_caption_a_row(recipe: Train) -> None:
    alone = data.load(dataclasses.replace(recipe, captions_per_image=1))
    rows = sum(len(weights) for *_, weights in batches_of(alone))
    assert rows == sum(len(captions_of(color, number)) for number, color in enumerate(SPLITS["train"]))
    assert all(before.shape[1] == 1 for _, before, _, _ in batches_of(alone))


def test_a_limit_counts_pictures_and_no_other_split(recipe: Train) -> None:
    few = data.load(dataclasses.replace(recipe, limit=2))
    assert few.sizes() == {"train": 2, "validation": 3, "test": 4}
    colors = np.concatenate([pictures[:, 0, 0] for pictures, *_ in batches_of(few)])
    assert {tuple(rgb) for rgb in colors.tolist()} == {COLORS["red"], COLORS["green"]}
    assert "grey" not in few.assets["tokenizer"].inner.get_vocab()
    assert data.load(dataclasses.replace(recipe, limit=10_000)).sizes()["train"] == 24


def rows_of(loaded: Any, split: str, limit: int | None = None) -> list:
    return [
        (picture, json.loads(reference))
        for batch in loaded.split(split, limit)
        for picture, reference, weight in zip(*map(np.asarray, batch), strict=True)
        if weight
    ]


def test_a_split_is_the_same_while_training_and_of_a_saved_model(loaded: Any, recipe: Train, folder: Path) -> None:
    """Stored arrays there, files here: the same pictures with the same references, in the same order."""
    saved = data.load(recipe, loaded.assets)
    assert saved.assets is loaded.assets
    for split in ("validation", "test"):
        ours, theirs = rows_of(loaded, split), rows_of(saved, split)
        assert len(ours) == len(theirs) == len(SPLITS[split])
        for number, ((one, known), (other, same)) in enumerate(zip(ours, theirs, strict=True)):
            color = SPLITS[split][number]
            assert known == same == {"captions": captions_of(color, number), "facts": ""}
            np.testing.assert_array_equal(one, other)
            np.testing.assert_array_equal(one, resized(read(folder / f"{split}-{number}.png"), SIDE, SIDE))
        assert len(rows_of(loaded, split, 2)) == len(rows_of(saved, split, 2)) == 2


def test_a_saved_model_keeps_its_tokenizer_and_search(loaded: Any, recipe: Train) -> None:
    again = data.load(dataclasses.replace(recipe, beam_size=9), loaded.assets)
    assert again.assets["search"] == {
        "beam_size": recipe.beam_size,
        "length_penalty": recipe.length_penalty,
        "consensus": 0.0,
        "max_new_tokens": recipe.max_length,
    }
    chosen = data.load(dataclasses.replace(recipe, beam_size=9, consensus=4.0)).assets["search"]
    assert (chosen["beam_size"], chosen["consensus"]) == (9, 4.0)
    with pytest.raises(UserError, match="--consensus 4 compares several hypotheses"):
        data.load(dataclasses.replace(recipe, beam_size=1, consensus=4.0))


@pytest.fixture(scope="module")
def encoder_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An encoder whose features are the pictures, 2 x 2 positions with four mixtures of their mean colors."""
    inputs = keras.Input((SIDE, SIDE, 3))
    x = keras.layers.AveragePooling2D(4)(inputs)
    path = tmp_path_factory.mktemp("encoders") / "means.keras"
    keras.Model(inputs, keras.layers.Conv2D(4, 1, use_bias=False)(x)).save(path)
    return path


def test_a_frozen_encoder_s_features_take_the_place_of_pictures(
    recipe: Train, encoder_file: Path, loaded: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    by_file = dataclasses.replace(recipe, encoder=str(encoder_file))
    assert model.frozen(by_file)
    assert not model.frozen(dataclasses.replace(by_file, fine_tune=True))
    assert not model.frozen(recipe)
    net = model.encoder(by_file)
    featured = data.load(by_file)
    for (pictures, *words), (maps, *same) in zip(batches_of(loaded), batches_of(featured), strict=True):
        assert maps.dtype == np.float16
        expected = net.predict_on_batch(pictures)
        np.testing.assert_allclose(maps, expected, rtol=2e-3, atol=0.05)
        for one, other in zip(words, same, strict=True):
            np.testing.assert_array_equal(one, other)
    # The next training sees nothing anew, and a saved model, in which the encoder is, gets pictures.
    monkeypatch.setattr(data, "encoder", lambda _: pytest.fail("the encoder was asked again"))
    saved = data.load(by_file, featured.assets)
    assert rows_of(saved, "test")[0][0].dtype == np.uint8


def test_an_image_is_encoded_only_once(
    recipe: Train, encoder_file: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    by_file = dataclasses.replace(recipe, encoder=str(encoder_file))
    calls: list[int] = []

    class Counting:
        def __init__(self, recipe: Train) -> None:
            self.predict_on_batch = lambda pictures: calls.append(len(pictures)) or net.predict_on_batch(pictures)

    net = model.encoder(by_file)
    monkeypatch.setattr(data, "encoder", Counting)
    first = data.load(by_file)
    for epoch in (0, 1):
        batches_of(first, epoch)
    assert sum(calls) == 24
    batches_of(data.load(by_file))
    assert sum(calls) == 24
    rows_of(first, "test")
    assert sum(calls) == 28


def test_another_encoder_file_is_another_encoder(recipe: Train, encoder_file: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.keras"
    copy.write_bytes(encoder_file.read_bytes())

    def fingerprint(encoder: Any) -> str:
        return data._encoder_fingerprint(dataclasses.replace(recipe, encoder=str(encoder)))

    assert fingerprint(copy) == fingerprint(encoder_file)
    copy.write_bytes(copy.read_bytes() + b" ")
    assert fingerprint(copy) != fingerprint(encoder_file)
    assert keras.version() in fingerprint("EfficientNetB0") != fingerprint("EfficientNetB1")


def test_an_encoder_of_larger_pictures_is_refused(recipe: Train, encoder_file: Path, tmp_path: Path) -> None:
    image_encoder(encoder_file, 16).save(tmp_path / "larger.keras")
    smaller = dataclasses.replace(recipe, encoder=str(tmp_path / "larger.keras"), image_size=8)
    with pytest.raises(UserError, match=r"larger.keras takes images of 16 x 16 pixels, not of 8: give --image-size 16"):
        model.encoder(smaller)
    with pytest.raises(UserError, match="--image-size 16"):
        batches_of(data.load(smaller))


def test_larger_pictures_have_a_finer_map(recipe: Train, encoder_file: Path) -> None:
    one, two = (dataclasses.replace(recipe, encoder=str(encoder_file), image_size=size) for size in (8, 16))
    assert model.encoder(two).output_shape[1] == 2 * model.encoder(one).output_shape[1]


def test_the_model_of_a_frozen_encoder_trains_on_features_and_scores_pictures(
    recipe: Train, encoder_file: Path
) -> None:
    small = dataclasses.replace(
        recipe, encoder=str(encoder_file), units=4, embedding_dim=4, beam_size=1, captions_per_image=2, limit=8
    )
    featured = data.load(small)
    net = model.build(small, featured)
    kernel = net.encoder.get_weights()
    inputs, targets, weights = next(iter(featured.train(0)))
    net.train_on_batch(inputs, targets, weights)
    np.testing.assert_array_equal(net.encoder.get_weights(), kernel)
    on_features = task.score(net, featured.split("test"), featured.assets)
    on_pictures = task.score(net, data.load(small, featured.assets).split("test"), featured.assets)
    assert on_features == on_pictures
    assert "fact_accuracy" not in on_features, "of a folder's pictures nothing is known"


def test_a_folder_without_a_table_and_an_unknown_set_are_refused(recipe: Train, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="did you mean 'scenes'"):
        data.load(dataclasses.replace(recipe, dataset="scene"))
    with pytest.raises(UserError, match=r"has no captions\.csv"):
        data.load(dataclasses.replace(recipe, dataset=str(tmp_path)))


def test_facts_and_captions_of_an_image_are_packed_together() -> None:
    example = [["A dog.", "Ünder"]], ['{"a": 1}']
    (packed,) = tf.data.Dataset.from_tensor_slices(example).map(data._packed).as_numpy_iterator()
    assert json.loads(packed) == {"captions": ["A dog.", "Ünder"], "facts": '{"a": 1}'}
