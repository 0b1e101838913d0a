"""Clips of any kind (an animation, a folder of images, a video) as frames of one size at a constant rate."""

import importlib
import os
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from zoo.data import files, images
from zoo.errors import UserError

VIDEO_SUFFIXES = (".avi", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".ogv", ".webm", ".wmv")
"""Suffixes of files that ffmpeg reads; Pillow reads the others."""

ANIMATED_SUFFIXES = (".gif", ".webp", ".apng")
"""Suffixes of pictures that may be animations."""

LABELS = "labels.csv"
"""The table of a folder of clips, which is no clip."""

DEFAULT_SECONDS = 0.1
"""Duration of a frame whose file gives none, or one below `MIN_SECONDS`; browsers do the same."""

MIN_SECONDS = 0.011
"""Shortest duration of a frame that browsers respect."""

MAX_FRAMES = 100_000
"""Longer clips are refused. At 24 x 24 gray pixels, 100,000 frames are 60 MB."""

MOST_BYTES = 1_000_000_000
"""Clips that would be more, at the size that is asked for, are refused."""

GRAY = "L"
"""Pillow's gray: 0.299 red + 0.587 green + 0.114 blue."""


@dataclass(frozen=True)
class Clip:
    """Frames at a constant rate.

    Attributes:
        frames: `(time, height, width, channels)`, uint8.
        seconds: Duration of each frame.
    """

    frames: np.ndarray
    seconds: float


def read(path: str | Path, height: int, width: int, channels: int = 3, fps: float = 25.0) -> Clip:
    """Reads a clip from a file or a folder.

    Every frame is resized to `height` and `width`, whatever its proportions, so the images of a folder may differ in
    size. A frame of an animation that is shown twice as long as the shortest one becomes two frames: programs that
    write animations merge equal frames.

    Args:
        path: An animation in any format that Pillow decodes, or a `data:` URI of one; a folder of images, in the
            order of their names, where `9` comes before `10`; or a video, if imageio and its ffmpeg are installed.
        height: Of the frames, in pixels.
        width: Of the frames, in pixels.
        channels: 3 for red, green and blue, 1 for gray.
        fps: Frames per second of a folder of images.

    Raises:
        UserError: If there is no such file or folder, it has no image, one cannot be read, it is a folder of clips, or
            the clip is too long.
    """
    if str(path).startswith("data:") or not (os.path.isdir(path) or Path(path).suffix.lower() in VIDEO_SUFFIXES):
        pictures = images.animation(path)
        timed = [(_scaled(frame, height, width, channels), seconds) for frame, seconds in pictures]
        return _at_constant_rate(path, timed)
    frames, seconds = (_folder(Path(path)), 1 / fps) if os.path.isdir(path) else _video(Path(path))
    most = _most_frames(height * width * channels)
    scaled = [_scaled(frame, height, width, channels) for frame in _limited(path, frames, most)]
    if not scaled:
        raise UserError(f"{path} has no frames; save the video again.")
    return Clip(np.stack(scaled), seconds)


def _scaled(frame: np.ndarray, height: int, width: int, channels: int) -> np.ndarray:
    frame = images.resized(frame, height, width)
    return np.array(Image.fromarray(frame).convert(GRAY))[:, :, None] if channels == 1 else frame


def _at_constant_rate(path: str | Path, timed: list[tuple[np.ndarray, float]]) -> Clip:
    """Frames at the rate of the one that is shown shortest; the others are repeated."""
    durations = [DEFAULT_SECONDS if seconds < MIN_SECONDS else seconds for _, seconds in timed]
    shortest = min(durations)
    repeats = [max(round(seconds / shortest), 1) for seconds in durations]
    most = _most_frames(timed[0][0].size)
    if sum(repeats) > most:
        raise UserError(f"{path} would be {sum(repeats):,} frames, more than {most:,}; split it into shorter clips.")
    return Clip(np.repeat(np.stack([frame for frame, _ in timed]), repeats, axis=0), shortest)


def _most_frames(size: int) -> int:
    """Frames of a clip whose frames have so many bytes."""
    return max(1, min(MAX_FRAMES, MOST_BYTES // size))


def _limited(path: str | Path, frames: Iterable[np.ndarray], most: int) -> Iterator[np.ndarray]:
    for number, frame in enumerate(frames):
        if number == most:
            raise UserError(f"{path} has more than {most:,} frames; split it into shorter clips.")
        yield frame


def _folder(path: Path) -> Iterator[np.ndarray]:
    known = Image.registered_extensions()
    found = sorted((item for item in files.visible(path) if item.suffix.lower() in known), key=_natural)
    if (path / LABELS).is_file():
        clips = path / f"*{found[0].suffix if found else '.gif'}"
        raise UserError(f"{path} has {LABELS}, so it is a folder of clips, not a clip; name its clips instead: {clips}")
    if not found:
        raise UserError(f"{path} has no images; put the frames there, one file each, such as 001.png.")
    return map(_frame, found)


def _frame(path: Path) -> np.ndarray:
    """The picture of one file of a folder.

    Raises:
        UserError: If it is an animation, so that the folder has clips and not the frames of one.
    """
    if path.suffix.lower() in ANIMATED_SUFFIXES and len(list(islice(images.animation(path), 2))) > 1:
        clips = path.with_name(f"*{path.suffix}")
        raise UserError(f"{path} is an animation, so {path.parent} is no clip; name its clips instead: {clips}")
    return images.read(path)


def _natural(path: Path) -> tuple[list[tuple[int, str]], str]:
    """A sort key by which `frame9` comes before `frame10`."""
    parts = re.findall(r"\d+|\D+", path.name)
    return [(int(part), "") if part.isdecimal() else (-1, part.lower()) for part in parts], path.name


def _video(path: Path) -> tuple[Iterator[np.ndarray], float]:
    """The frames of a video, and the seconds of each."""
    if not os.path.isfile(path):
        raise UserError(f"There is no file {path}.")
    try:
        imageio = importlib.import_module("imageio.v3")
        importlib.import_module("imageio_ffmpeg")  # what imageio's plugin needs
    except ImportError as error:
        raise UserError(f"{path} is a video; to read videos, install the extra: pip install 'zoo[video]'.") from error
    with _readable(path):
        facts = imageio.immeta(path, plugin="FFMPEG")
        rate, (width, height) = float(facts["fps"]), facts["size"]
    if width * height > images.MOST_FRAME_PIXELS:
        raise UserError(
            f"{path} has frames of {width:,} x {height:,} pixels; films have up to {images.MOST_FRAME_PIXELS:,}. Save "
            "a smaller copy first."
        )
    if not 0 < rate < MAX_FRAMES:
        raise UserError(f"{path} says that it has {rate:g} frames per second; save it again.")
    return _decoded(path, imageio), 1 / rate


def _decoded(path: Path, imageio: Any) -> Iterator[np.ndarray]:
    with _readable(path):
        yield from imageio.imiter(path, plugin="FFMPEG")


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    """Turns what imageio raises, which on damaged videos is nearly anything, into a UserError of one sentence."""
    try:
        yield
    except Exception as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0][:200].rstrip(".")
        raise UserError(f"{path} cannot be read as a video ({reason}); save it again.") from error
