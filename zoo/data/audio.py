"""Sound: WAV files as samples, another sampling rate, and log-mel frames computed in a `tf.data` pipeline."""

import base64
import functools
import io
import math
import warnings
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import scipy.io.wavfile
import scipy.signal
import tensorflow as tf

from zoo.errors import UserError

MOST_BYTES = 64 << 20
"""Size of the largest file that is read: six minutes of stereo at 44,100 Hz."""

RATES = (1_000, 384_000)
"""Sampling rates that are read, in Hz."""

WINDOW, STEP = 0.025, 0.010
"""Length of a frame and distance of two of them, in seconds, as is customary for speech."""

LOWEST = 60.0
"""Lower edge of the first mel band, in Hz: below is hum."""

FLOOR = 1e-5
"""Added to the energy of a band before the logarithm; samples are from -1 to 1."""


class Sound(NamedTuple):
    """A sound.

    Attributes:
        samples: `(time,)` float32 from -1 to 1, one channel.
        rate: Samples per second.
    """

    samples: np.ndarray
    rate: int


def read(path: str | Path) -> Sound:
    """Reads a WAV file: 8 to 32 bit whole numbers or floating-point numbers; of several channels, their mean.

    Args:
        path: The file, or a `data:` URI that holds it (RFC 2397, base64).

    Raises:
        UserError: If there is no such file, it is no WAV file, has no samples, or is too large.
    """
    name = str(path) if len(str(path)) <= 60 else f"{str(path)[:40]}..."
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of scipy: chunks that it does not know
            rate, samples = scipy.io.wavfile.read(io.BytesIO(_content(path, name)))
    except UserError:
        raise
    except Exception as error:  # scipy raises whatever its parsing runs into
        raise UserError(f"{name} is not a WAV file that can be read ({error}). Save it as WAV, 16 bit.") from error
    if not RATES[0] <= rate <= RATES[1]:
        raise UserError(f"{name} has {rate:,} samples per second; {RATES[0]:,} to {RATES[1]:,} are read.")
    values = samples.astype("float32")
    if samples.dtype == np.uint8:
        values = (values - 128) / 128
    elif samples.dtype.kind == "i":
        values = values / float(-np.iinfo(samples.dtype).min)
    values = values.mean(axis=1) if values.ndim == 2 else values
    if not len(values) or not np.isfinite(values).all():
        raise UserError(f"{name} has {'a sample that is no number' if len(values) else 'no samples'}. Record it again.")
    return Sound(values, int(rate))


def _content(path: str | Path, name: str) -> bytes:
    if str(path).startswith("data:"):
        head, _, body = str(path).partition(",")
        if not head.endswith(";base64"):
            raise UserError(f"{name} is no sound in a data URI: it is not in base64.")
        return base64.b64decode(body, validate=True)
    file = Path(path)
    if not file.is_file():
        raise UserError(f"There is no file {name}.")
    if (size := file.stat().st_size) > MOST_BYTES:
        raise UserError(f"{name} has {size:,} bytes; sounds of up to {MOST_BYTES:,} are read.")
    return file.read_bytes()


def data_uri(sound: Sound) -> str:
    """A `data:` URI that `read` takes: a WAV file of 16 bit."""
    stream = io.BytesIO()
    samples = np.rint(np.clip(sound.samples, -1, 32767 / 32768) * 32768).astype("int16")
    scipy.io.wavfile.write(stream, sound.rate, samples)
    return f"data:audio/wav;base64,{base64.b64encode(stream.getvalue()).decode()}"


def resampled(sound: Sound, rate: int) -> Sound:
    """The sound at another sampling rate, by a polyphase filter: what the lower rate cannot hold is removed before."""
    if sound.rate == rate:
        return sound
    common = math.gcd(sound.rate, rate)
    samples = scipy.signal.resample_poly(sound.samples, rate // common, sound.rate // common)
    return Sound(samples.astype("float32"), rate)


def log_mel(samples: Any, rate: int, num_mel: int = 40) -> tf.Tensor:
    """Log-mel frames of a sound, with mean 0 and standard deviation 1 over all of it: loudness does not count.

    Short-time Fourier transform with Hann windows, power, triangles on the mel scale, logarithm.

    Args:
        samples: `(time,)` float32.
        rate: Samples per second.
        num_mel: Number of bands.

    Returns:
        `(frames, num_mel)` float32, a frame each `STEP` seconds; one frame at least.
    """
    window, step = round(WINDOW * rate), round(STEP * rate)
    samples = tf.convert_to_tensor(samples, tf.float32)
    samples = tf.pad(samples, [[0, tf.maximum(window - tf.shape(samples)[0], 0)]])
    power = tf.square(tf.abs(tf.signal.stft(samples, window, step, _fft_length(window))))
    logs = tf.math.log(tf.matmul(power, tf.constant(_triangles(rate, num_mel))) + FLOOR)
    return (logs - tf.reduce_mean(logs)) / (tf.math.reduce_std(logs) + 1e-3)


def _fft_length(window: int) -> int:
    return 1 << (window - 1).bit_length()


@functools.cache
def _triangles(rate: int, num_mel: int) -> np.ndarray:
    """Weights of the frequencies in each band, `(frequencies, num_mel)`."""
    bins = _fft_length(round(WINDOW * rate)) // 2 + 1
    with tf.init_scope():  # it may be asked for while a pipeline is traced
        return tf.signal.linear_to_mel_weight_matrix(num_mel, bins, rate, LOWEST, rate / 2).numpy()
