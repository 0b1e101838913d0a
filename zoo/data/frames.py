"""Any clip a user may have, an animation, a folder of pictures or a film, to frames of one size and rate."""

import importlib
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from zoo.data import images
from zoo.errors import UserError

FILMS = (".avi", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".ogv", ".webm", ".wmv")
"""What files are called that need ffmpeg."""

UNTOLD = 0.1
"""Seconds of a picture whose file tells none, or less than a viewer can show: what browsers take."""

LEAST = 0.011
"""Shorter durations than this are taken for `UNTOLD`, as browsers do."""

MOST = 100_000
"""Frames; more are refused. At 24 pixels square, this many fill 60 MB."""


TO_GREY = "L"
"""Pillow's grey: 0.299 red + 0.587 green + 0.114 blue."""


@dataclass(frozen=True)
class Clip:
    """Frames at a constant rate.

    Attributes:
        frames: `(time, height, width, channels)`, uint8.
        seconds: For which each of them is shown.
    """

    frames: np.ndarray
    seconds: float


def read(path: str | Path, height: int, width: int, channels: int = 3, fps: float = 25.0) -> Clip:
    """A clip from a file or a folder.

    Every picture is squashed or stretched to the wanted size, so pictures of a folder may be of unequal sizes. A
    picture of an animation that is shown twice as long as the shortest one becomes two frames: programs that write
    animations join equal pictures.

    Args:
        path: An animation in any format that Pillow decodes, or a `data:` URI of one; a folder of pictures, which are
            sorted by name, numbers by their size; or a film, if imageio and its ffmpeg are installed.
        height: Of the frames, in pixels.
        width: Of the frames, in pixels.
        channels: 3 for red, green and blue, 1 for grey.
        fps: Frames a second of a folder, which does not tell.

    Raises:
        UserError: If there is no such file or folder, it has no picture, one of them cannot be read, or it is too long.
    """
    if str(path).startswith("data:") or not (Path(path).is_dir() or Path(path).suffix.lower() in FILMS):
        shown = [(_scaled(frame, height, width, channels), seconds) for frame, seconds in images.animation(path)]
        return _even(path, shown)
    frames, seconds = (_folder(Path(path)), 1 / fps) if Path(path).is_dir() else _film(Path(path))
    scaled = [_scaled(frame, height, width, channels) for frame in _few(path, frames)]
    if not scaled:
        raise UserError(f"{path} has no frames; save the film again.")
    return Clip(np.stack(scaled), seconds)


def _scaled(frame: np.ndarray, height: int, width: int, channels: int) -> np.ndarray:
    frame = images.resized(frame, height, width)
    return np.array(Image.fromarray(frame).convert(TO_GREY))[:, :, None] if channels == 1 else frame


def _even(path: str | Path, shown: list[tuple[np.ndarray, float]]) -> Clip:
    """Frames at the rate of the picture that is shown shortest."""
    durations = [UNTOLD if seconds < LEAST else seconds for _, seconds in shown]
    shortest = min(durations)
    times = [max(round(seconds / shortest), 1) for seconds in durations]
    if sum(times) > MOST:
        raise UserError(f"{path} would be {sum(times):,} frames, more than {MOST:,}; cut it into shorter clips.")
    return Clip(np.repeat(np.stack([frame for frame, _ in shown]), times, axis=0), shortest)


def _few(path: str | Path, frames: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
    for number, frame in enumerate(frames):
        if number == MOST:
            raise UserError(f"{path} has more than {MOST:,} frames; cut it into shorter clips.")
        yield frame


def _folder(path: Path) -> Iterator[np.ndarray]:
    known = Image.registered_extensions()
    found = [item for item in path.iterdir() if item.suffix.lower() in known and not item.name.startswith(".")]
    if not found:
        raise UserError(f"{path} has no pictures; put the frames there, one file each, such as 001.png.")
    return (images.read(item) for item in sorted(found, key=_natural))


def _natural(path: Path) -> tuple[list[tuple[int, str]], str]:
    """A key by which `frame9` comes before `frame10`."""
    parts = re.findall(r"\d+|\D+", path.name)
    return [(int(part), "") if part.isdecimal() else (-1, part.lower()) for part in parts], path.name


def _film(path: Path) -> tuple[Iterator[np.ndarray], float]:
    if not path.is_file():
        raise UserError(f"There is no file {path}.")
    try:
        film = importlib.import_module("imageio.v3")
        importlib.import_module("imageio_ffmpeg")  # what imageio's plugin needs
    except ImportError as error:
        raise UserError(f"{path} is a film; to read films, install the extra: pip install 'zoo[video]'.") from error
    with _faults_told(path):
        rate = float(film.immeta(path, plugin="FFMPEG")["fps"])
    return _decoded(path, film), 1 / rate


def _decoded(path: Path, film: Any) -> Iterator[np.ndarray]:
    with _faults_told(path):
        yield from film.imiter(path, plugin="FFMPEG")


@contextmanager
def _faults_told(path: Path) -> Iterator[None]:
    """Turns what imageio raises, which on damaged films is nearly anything, into a UserError of one sentence."""
    try:
        yield
    except Exception as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0][:200].rstrip(".")
        raise UserError(f"{path} cannot be read as a film ({reason}); save it again.") from error
