"""WAV files, another sampling rate, log-mel frames."""

import io
from pathlib import Path

import numpy as np
import pytest
import scipy.io.wavfile

from zoo import testing
from zoo.data import audio
from zoo.errors import UserError


def tone(rate: int = 8_000, seconds: float = 0.5, hertz: float = 440.0) -> np.ndarray:
    return (0.5 * np.sin(2 * np.pi * hertz * np.arange(int(rate * seconds)) / rate)).astype("float32")


@pytest.mark.parametrize("kind", ["uint8", "int16", "int32", "float32"])
def test_every_kind_of_sample_is_read_as_the_same_sound(tmp_path: Path, kind: str) -> None:
    stored = tone()
    if kind == "uint8":
        stored = np.rint(128 + 127 * stored).astype("uint8")
    elif kind != "float32":
        stored = np.rint(stored * np.iinfo(kind).max).astype(kind)
    scipy.io.wavfile.write(tmp_path / "tone.wav", 8_000, stored)
    found = audio.read(tmp_path / "tone.wav")
    assert (found.rate, found.samples.dtype) == (8_000, np.float32)
    np.testing.assert_allclose(found.samples, tone(), atol=0.01)


def test_channels_become_their_mean(tmp_path: Path) -> None:
    scipy.io.wavfile.write(tmp_path / "two.wav", 8_000, np.stack([tone(), np.zeros_like(tone())], axis=1))
    np.testing.assert_allclose(audio.read(tmp_path / "two.wav").samples, tone() / 2, atol=1e-6)


def test_a_data_uri_holds_the_sound() -> None:
    sound = audio.Sound(tone(), 8_000)
    found = audio.read(audio.data_uri(sound))
    np.testing.assert_allclose(found.samples, sound.samples, atol=1 / 32768)


def test_another_rate_is_the_same_tone() -> None:
    found = audio.resampled(audio.Sound(tone(44_100), 44_100), 8_000)
    assert (found.rate, len(found.samples)) == (8_000, 4_000)
    np.testing.assert_allclose(found.samples[200:-200], tone()[200:-200], atol=0.01)
    above = audio.resampled(audio.Sound(tone(44_100, hertz=6_000), 44_100), 8_000)
    assert np.abs(above.samples[200:-200]).max() < 0.01, "what the lower rate cannot hold is gone, not folded down"


def test_frames_are_those_of_numpy() -> None:
    """A second source: the transform by numpy, the triangles by their definition."""
    rate, bands = 8_000, 12
    samples = np.random.default_rng(0).normal(0, 0.1, 1_000).astype("float32")
    frames = np.lib.stride_tricks.sliding_window_view(samples, 200)[::80]
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(200) / 200)
    power = np.abs(np.fft.rfft(frames * window, 256)) ** 2

    def mel(hertz: float | np.ndarray) -> np.ndarray:
        return 1127.0 * np.log1p(np.asarray(hertz) / 700.0)

    edges = np.linspace(mel(audio.LOWEST), mel(rate / 2), bands + 2)
    of_bin = mel(np.fft.rfftfreq(256, 1 / rate))
    up = (of_bin[:, None] - edges[None, :-2]) / np.diff(edges)[:-1]
    down = (edges[None, 2:] - of_bin[:, None]) / np.diff(edges)[1:]
    logs = np.log(power @ np.maximum(0, np.minimum(up, down)) + audio.FLOOR)
    logs -= logs.mean()
    found = audio.log_mel(samples, rate, bands).numpy()
    assert found.shape == (11, bands)
    np.testing.assert_allclose(found, logs / (logs.std() + 1e-3), atol=2e-2)


def test_loudness_changes_little_and_the_shortest_sound_has_a_frame() -> None:
    samples = np.random.default_rng(0).normal(0, 0.2, 4_000).astype("float32")
    np.testing.assert_allclose(audio.log_mel(samples, 8_000), audio.log_mel(samples / 2, 8_000), atol=0.05)
    for length in (1, 199, 200, 201):
        assert audio.log_mel(samples[:length], 8_000).shape[0] == 1
    assert np.isfinite(audio.log_mel(np.zeros(4_000, "float32"), 8_000)).all(), "silence"


@pytest.mark.parametrize(
    ("content", "message"),
    [(None, "There is no file"), (b"", "not a WAV file"), (b"RIFF....WAVE", "not a WAV file"), (b"ID3" * 99, "WAV")],
)
def test_files_that_are_no_sounds_are_refused(tmp_path: Path, content: bytes | None, message: str) -> None:
    if content is not None:
        (tmp_path / "x.wav").write_bytes(content)
    with pytest.raises(UserError, match=message):
        audio.read(tmp_path / "x.wav")


def test_a_sound_without_samples_is_refused(tmp_path: Path) -> None:
    scipy.io.wavfile.write(tmp_path / "x.wav", 8_000, np.zeros(0, "int16"))
    with pytest.raises(UserError, match=r"no samples|not a WAV file"):
        audio.read(tmp_path / "x.wav")
    scipy.io.wavfile.write(tmp_path / "y.wav", 8_000, np.array([0, np.nan], "float32"))
    with pytest.raises(UserError, match="no number"):
        audio.read(tmp_path / "y.wav")


def test_damaged_files_end_in_a_sentence() -> None:
    stream = io.BytesIO()
    scipy.io.wavfile.write(stream, 8_000, np.arange(50, dtype="int16"))
    testing.check_reader(audio.read, stream.getvalue(), "x.wav")
