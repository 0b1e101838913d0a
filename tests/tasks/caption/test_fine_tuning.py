"""Training on from a captioner whose pretrained encoder is part of it, and may have learned on."""

from pathlib import Path

import keras
import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image
from zoo.tasks.caption import data

from zoo import saved
from zoo.cli import cli
from zoo.errors import UserError

SIDE = 8


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pictures of one color with captions, and an encoder with a batch normalization."""
    path = tmp_path_factory.mktemp("colors")
    lines = ["image,caption,split"]
    for split, count in (("train", 16), ("validation", 4), ("test", 4)):
        for number in range(count):
            color, shade = ("red", (200 + number, 0, 0)) if number % 2 else ("blue", (0, 0, 200 + number))
            Image.new("RGB", (SIDE, SIDE), shade).save(path / f"{split}{number}.png")
            lines.append(f"{split}{number}.png,all {color},{split}")
    (path / "captions.csv").write_text("\n".join(lines), encoding="utf-8")
    inputs = keras.Input((SIDE, SIDE, 3))
    x = keras.layers.Conv2D(4, 4, 4, use_bias=False)(keras.layers.Rescaling(1 / 255)(inputs))
    keras.Model(inputs, keras.layers.BatchNormalization()(x)).save(path / "encoder.keras")
    return path


def train(folder: Path, *arguments: object) -> None:
    given = ["train", "caption", "--dataset", folder, "--epochs", 1, "--no-plot", "--models-dir", folder, *arguments]
    result = CliRunner().invoke(cli, list(map(str, given)), catch_exceptions=False)
    assert result.exit_code == 0, result.output


def encoder_weights(folder: Path, name: str) -> list[np.ndarray]:
    """Kernel, and of the batch normalization: scale, offset, mean and variance."""
    return saved.load(folder / name).net.encoder.get_weights()


def test_a_fine_tuned_encoder_is_the_one_that_a_further_training_sees_with(folder: Path) -> None:
    small = ("--units", 4, "--embedding-dim", 4, "--batch-size", 4, "--image-size", SIDE)
    encoder = ("--encoder", folder / "encoder.keras")
    train(folder, *small, *encoder, "--fine-tune", "--random-flip", "--learning-rate", 0.1, "--name", "first")
    before = keras.saving.load_model(folder / "encoder.keras").get_weights()
    kernel, scale, offset, mean, variance = encoder_weights(folder, "first")
    for one, other in zip((kernel, scale, offset), before, strict=False):
        assert np.abs(one - other).max() > 1e-3
    np.testing.assert_array_equal(mean, before[3])  # statistics of a pretrained network stay
    np.testing.assert_array_equal(variance, before[4])

    (folder / "encoder.keras").rename(folder / "gone.keras")  # the model has it
    train(folder, "--init-from", folder / "first", "--learning-rate", 0, "--name", "second")
    for one, other in zip(encoder_weights(folder, "second"), encoder_weights(folder, "first"), strict=True):
        np.testing.assert_array_equal(one, other)
    # Nothing was learned, so features of the right encoder give the same captions and loss; they are of half precision.
    first, second = (saved.load(folder / name).metrics["scores"]["validation"] for name in ("first", "second"))
    assert second == pytest.approx(first, abs=1e-3)

    # The features that the second training learned from are those of the first one's encoder, not those of the file.
    recipe = saved.load(folder / "second").recipe
    seen = data.features(data.open_images(recipe.dataset), recipe, "validation").take([0, 1])
    pictures = np.stack([np.asarray(Image.open(folder / f"validation{number}.png")) for number in range(2)])
    expected = saved.load(folder / "first").net.encoder.predict_on_batch(pictures.astype("float32"))
    np.testing.assert_allclose(seen, expected, rtol=2e-3, atol=2e-3)


def test_another_encoder_beside_a_model_to_start_from_is_refused(folder: Path) -> None:
    with pytest.raises(UserError, match=r"keeps its vocabulary.*image encoder.*Leave out that option"):
        train(folder, "--init-from", folder / "first", "--encoder", "EfficientNetB0")
