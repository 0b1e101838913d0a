"""Spoken digits: the builder's splits, frames in batches, random changes, a WAV file of any rate. No network."""

import hashlib
import io
import json
import tarfile
import wave
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import scipy.io.wavfile
import tensorflow as tf
import tensorflow_datasets as tfds
from zoo.tasks.classify import data, sound
from zoo.tasks.classify.model import build
from zoo.tasks.classify.predict import predict
from zoo.tasks.classify.recipe import Predict, Train, can_answer
from zoo.tasks.classify.spoken_digit import spoken_digit_dataset_builder as builder

from zoo import training
from zoo.data import audio
from zoo.errors import UserError
from zoo.saved import SavedModel
from zoo.task import ErrorLine, find

SPEAKERS, TAKES = builder.SPEAKERS[:2], 7


def recording(digit: int, speaker: int, take: int) -> np.ndarray:
    """A tone whose pitch is the digit, with some noise."""
    time = np.arange(1_500 + 100 * take) / builder.RATE
    noise = np.random.default_rng([digit, speaker, take]).normal(0, 500, len(time))
    return (8_000 * np.sin(2 * np.pi * (300 + 300 * digit) * time) + noise).astype("int16")


def archive() -> bytes:
    """An invented archive of the form of the real one."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as files:
        for digit in range(10):
            for number, speaker in enumerate(SPEAKERS):
                for take in range(TAKES):
                    content = io.BytesIO()
                    with wave.open(content, "wb") as file:
                        file.setparams((1, 2, builder.RATE, 0, "NONE", ""))
                        file.writeframes(recording(digit, number, take).tobytes())
                    name = f"free-spoken-digit-dataset-1.0.9/recordings/{digit}_{speaker}_{take}.wav"
                    entry = tarfile.TarInfo(name)
                    entry.size = len(content.getvalue())
                    files.addfile(entry, io.BytesIO(content.getvalue()))
    return stream.getvalue()


@pytest.fixture(scope="module", autouse=True)
def _offered(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The invented archive where TFDS looks first."""
    folder, content = tmp_path_factory.mktemp("data"), archive()
    (folder / "downloads/manual").mkdir(parents=True)
    name = "free-spoken-digit-dataset-1.0.9.tar.gz"
    (folder / "downloads/manual" / name).write_bytes(content)
    known = {builder._URL: tfds.download.checksums.UrlInfo(len(content), hashlib.sha256(content).hexdigest(), name)}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TFDS_DATA_DIR", str(folder))
        patch.setattr(builder.Builder, "url_infos", known)
        yield


def recipe(**settings: Any) -> Train:
    return Train(**{"dataset": "spoken_digit", "cell": "gru", "units": 8, "batch_size": 8, "num_mel": 12, **settings})


def test_takes_or_a_speaker_are_the_test_split() -> None:
    by_takes = data.load(recipe())
    assert by_takes.sizes() == {"train": 30, "validation": 10, "test": 100}
    by_speaker = data.load(recipe(dataset=f"spoken_digit/{SPEAKERS[0]}"))
    assert by_speaker.sizes()["test"] == 70
    tests = [samples.tobytes() for samples, _ in by_speaker.raw.split("test").as_numpy_iterator()]
    assert set(tests) == {recording(d, 0, t).tobytes() for d in range(10) for t in range(TAKES)}
    with pytest.raises(UserError, match="george"):
        data.load(recipe(dataset="spoken_digit/goerge"))


def frames_of(label: int) -> list[np.ndarray]:
    """The frames of each recording of a digit in the test split."""
    takes = [recording(label, speaker, take) for speaker in range(2) for take in range(builder.HELD_OUT_TAKES)]
    return [audio.log_mel(samples / np.float32(32768), 8_000, 12).numpy() for samples in takes]


def test_batches_have_the_frames_of_each_recording() -> None:
    loaded = data.load(recipe())
    assert loaded.assets["shape"] == [None, 12]
    known = {label: frames_of(label) for label in range(10)}
    found = 0
    for (frames, mask), labels, weights in loaded.split("test").as_numpy_iterator():
        assert frames.shape[:2] == mask.shape
        for row, real, label, weight in zip(frames, mask, labels, weights, strict=True):
            assert weight == 1
            assert any(len(one) == real.sum() and np.allclose(one, row[real], atol=1e-4) for one in known[label])
            assert not row[~real].any()
            found += 1
    assert found == 100


def test_training_changes_recordings_by_seed_and_epoch() -> None:
    loaded = data.load(recipe(speed_range=0.2, time_shift=0.05, noise=0.2, batch_size=64))

    def epoch(number: int) -> list[np.ndarray]:
        return [frames for (frames, _), *_ in loaded.train(number).as_numpy_iterator()]

    first, again, second = epoch(0), epoch(0), epoch(1)
    assert all(np.array_equal(one, other) for one, other in zip(first, again, strict=True))
    assert len(first) != len(second) or any(
        one.shape != other.shape or not np.array_equal(one, other) for one, other in zip(first, second, strict=False)
    )


def test_a_change_of_speed_moves_the_pitch() -> None:
    samples = tf.constant(recording(3, 0, 0) / np.float32(32768))
    faster = sound.at_speed(samples, 1.25).numpy()
    assert len(faster) == int((len(samples) - 1) / 1.25)
    peak = np.abs(np.fft.rfft(faster)).argmax() * 8_000 / len(faster)
    assert peak == pytest.approx(1.25 * 1_200, rel=0.01)
    np.testing.assert_allclose(sound.at_speed(samples, 1.0), samples[:-1], atol=1e-6)


def test_nothing_changes_where_nothing_is_asked_for() -> None:
    samples = tf.constant(recording(3, 0, 0) / np.float32(32768))
    found = sound.changed(samples, 8_000, 0.0, 0.0, 0.0, tf.constant([1, 2], tf.int64))
    np.testing.assert_allclose(found, samples[:-1], atol=1e-6)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> SavedModel:
    folder = tmp_path_factory.mktemp("models")
    settings = recipe(epochs=15, learning_rate=2e-2, conv_filters=8, kernel_size=3, pooling="attention", dropout=0.0)
    return training.train(find("classify"), settings, folder / "toy", plot=False)


def test_a_wav_file_of_any_rate_is_answered(model: SavedModel, tmp_path: Path, capsys: Any) -> None:
    assert model.metrics["scores"]["test"]["accuracy"] >= 0.8
    samples = recording(4, 0, 0) / np.float32(32768)
    scipy.io.wavfile.write(tmp_path / "four.wav", 8_000, samples)
    higher = audio.resampled(audio.Sound(samples, 8_000), 44_100)
    scipy.io.wavfile.write(tmp_path / "higher.wav", 44_100, np.stack([higher.samples] * 2, axis=1))
    (tmp_path / "none.wav").write_text("no sound")
    names = [str(tmp_path / name) for name in ("four.wav", "higher.wav", "none.wav")]
    lines = list(predict(model, Predict(inputs=names)))
    assert [line.split("\t")[1] for line in lines[:2]] == ["4", "4"]
    assert isinstance(lines[2], ErrorLine)
    assert "44,100 samples per second, resampled to 8,000" in capsys.readouterr().err
    (packed,) = map(json.loads, predict(model, Predict(inputs=names[:1], json=True)))
    assert packed["label"] == "4"


def test_neighbors_in_a_batch_change_no_answer(model: SavedModel) -> None:
    long = np.random.default_rng(0).normal(size=(60, 12)).astype("float32")
    short = long[:9]
    steps = np.stack([long, np.concatenate([short, np.full((51, 12), 7, "float32")])])
    mask = np.arange(60) < np.array([[60], [9]])
    together = keras.ops.convert_to_numpy(model.net([steps, mask]))
    alone = keras.ops.convert_to_numpy(model.net([short[None], np.ones((1, 9), bool)]))
    np.testing.assert_allclose(together[1], alone[0], atol=2e-6)


def test_what_does_not_fit_is_refused(model: SavedModel) -> None:
    with pytest.raises(UserError, match="recurrent"):
        build(Train(dataset="spoken_digit"), data.load(Train(dataset="spoken_digit")))
    with pytest.raises(UserError, match="--speed-range"):
        data.load(recipe(augment=True))
    with pytest.raises(UserError, match="num_mel"):
        data.load(recipe(num_mel=20), model.assets)


def test_sounds_are_answered_by_a_model_of_sounds_and_nothing_else_is() -> None:
    sounds, pictures = {"sample_rate": 8_000}, {"builtin": True}
    for name in ("digit.wav", "A.WAV ", "data:audio/wav;base64,AA=="):
        assert can_answer(Predict(inputs=[name]), sounds)
        assert not can_answer(Predict(inputs=[name]), pictures)
    for inputs in (["seven.png"], ["[1, 2]"], [], iter(["x.wav"])):
        assert can_answer(Predict(inputs=inputs), pictures)
        assert not can_answer(Predict(inputs=inputs), sounds)
