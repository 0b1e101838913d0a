"""Reads any image file into one kind of array: uint8, RGB, upright, without transparency."""

import base64
import io
import os
import struct
import warnings
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from PIL import Image, ImageCms, UnidentifiedImageError
from PIL.ExifTags import Base

from zoo.errors import UserError
from zoo.names import nearest

MOST_PIXELS = 100_000_000
"""Larger images are refused: decoded, this many pixels take 300 MB. Cameras and scanners stay below it."""

MOST_FRAME_PIXELS = 25_000_000
"""Animations with larger pictures are refused: several copies of each are held while it is decoded."""

MOST_CLIP_PIXELS = 1_000_000_000
"""Animations with more pixels in all their pictures together are refused: decoding takes a second per 100 million."""

MOST_BYTES = 500_000_000
"""Larger files are refused; they are held in memory."""

MOST_PICTURES = 100_000
"""Animations of more pictures are refused."""

LONGEST_SHOWN = 200
"""Characters of a file's name that are repeated in an error."""

_PROGRAMS = ("EPS", "WMF", "FPX", "MIC")
"""Formats that Pillow has another program draw, or that are containers of others."""

_WHITE_16 = 65535
_TURNS = {  # EXIF's tag Orientation (CIPA DC-008, section 4.6.5): how to get the picture upright
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def read(path: str | Path) -> np.ndarray:
    """A picture from a file in any format that Pillow decodes.

    The picture is turned upright as its EXIF data say. Transparent parts show white. Of an animation or a file with
    several pages it is the first. Color profiles are not applied. 16-bit gray is scaled to 8. Numbers of 32 bits,
    which have no agreed white, are taken as 0 (black) to 1 (white) if they are real and as 0 to 65535 if they are
    whole; where they leave that range, the least becomes black and the greatest white.

    Args:
        path: The file, whose name's ending does not matter; or a `data:` URI, which holds the picture itself (RFC 2397,
            base64).

    Returns:
        `(height, width, 3)`, uint8, red, green, blue from 0 to 255; a writable array.

    Raises:
        UserError: If there is no such file, or it is a folder, empty, may not be read, not a picture, cut short or
            damaged, or has more than `MOST_PIXELS` pixels, which is checked before decoding.
    """
    if str(path).startswith("data:"):
        return _decoded(io.BytesIO(_from_uri(str(path))), f"{str(path)[:40]}...")
    _check_file(path)
    return _decoded(path, path)


def _decoded(source: str | Path | io.BytesIO, path: str | Path) -> np.ndarray:
    """The picture in a file or in memory; `path` is its name in errors."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of Pillow: large pictures, odd metadata
        with _user_errors(path), _stream(source) as file, Image.open(file) as image:
            if image.format in _PROGRAMS:
                raise UnidentifiedImageError
            if image.width * image.height > MOST_PIXELS:
                raise Image.DecompressionBombError
            image.load()
            return np.array(_rgb(_upright(image)))


def _stream(source: str | Path | io.BytesIO) -> BinaryIO:
    return source if isinstance(source, io.BytesIO) else open(source, "rb")


def _from_uri(uri: str) -> bytes:
    head, _, body = uri.partition(",")
    try:
        if not head.endswith(";base64"):
            raise ValueError("it is not in base64")
        return base64.b64decode(body, validate=True)
    except ValueError as error:
        raise UserError(f"{uri[:40]}... is not a picture in a data URI: {error}.") from error


def data_uri(frames: Iterable[np.ndarray], seconds: float = 0.1) -> str:
    """A `data:` URI that `read` and `animation` take: a PNG of one picture, a GIF of several.

    Args:
        frames: uint8, each `(height, width)` or `(height, width, 3)`.
        seconds: For which each of several is shown.
    """
    first, *others = map(Image.fromarray, frames)
    kind, stream = "gif" if others else "png", io.BytesIO()
    timed: dict[str, Any] = {"save_all": True, "append_images": others, "duration": round(1000 * seconds), "loop": 0}
    first.save(stream, kind, **(timed if others else {}))
    return f"data:image/{kind};base64,{base64.b64encode(stream.getvalue()).decode()}"


def animation(path: str | Path) -> Iterator[tuple[np.ndarray, float]]:
    """The pictures of an animation (GIF, animated WebP or PNG), one after another, each with the seconds it is shown.

    Every picture is whole, as a viewer shows it, though files often hold only what changes. A picture without an
    animation is one picture, shown for no time.

    Args:
        path: As for `read`.

    Yields:
        A picture as of `read`, and its seconds.

    Raises:
        UserError: As of `read`; also of a GIF that ends before its end, of which Pillow would show what is left.
    """
    if str(path).startswith("data:"):
        source, called = _from_uri(str(path)), f"{str(path)[:40]}..."
    else:
        _check_file(path)
        source, called = _content(path), str(path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of Pillow: large pictures, odd metadata
        with _user_errors(called), Image.open(io.BytesIO(source)) as image:
            if image.format in _PROGRAMS:
                raise UnidentifiedImageError
            _check_size(called, _gif_sizes(source) if image.format == "GIF" else [image.size])
            count = getattr(image, "n_frames", 1)
            _check_size(called, [image.size] * min(count, MOST_PICTURES + 1))
            for place in range(count):
                image.seek(place)
                _check_size(called, [image.size])  # each page of a TIFF has its own
                image.load()
                yield np.array(_rgb(_upright(image))), image.info.get("duration", 0) / 1000


def _content(path: str | Path) -> bytes:
    with _user_errors(path):
        if (size := os.path.getsize(path)) > MOST_BYTES:
            raise UserError(f"{path} has {size:,} bytes; pictures of up to {MOST_BYTES:,} are read.")
        return Path(path).read_bytes()


def _check_size(path: str | Path, sizes: Sequence[tuple[int, int]]) -> None:
    """Refuses an animation by the sizes of its pictures `(width, height)`, before any is decoded."""
    if len(sizes) > MOST_PICTURES:
        raise UserError(f"{path} has more than {MOST_PICTURES:,} pictures; split it into shorter clips.")
    pixels = [width * height for width, height in sizes]
    if max(pixels, default=0) > min(MOST_FRAME_PIXELS, MOST_PIXELS):
        raise UserError(
            f"{path} has pictures of {max(pixels):,} pixels; animations have up to "
            f"{min(MOST_FRAME_PIXELS, MOST_PIXELS):,}. Save a smaller copy first."
        )
    if sum(pixels) > MOST_CLIP_PIXELS:
        raise UserError(
            f"{path} has {sum(pixels):,} pixels in all its pictures; {MOST_CLIP_PIXELS:,} are read. Save a smaller or "
            "shorter copy first."
        )


def _gif_sizes(gif: bytes) -> list[tuple[int, int]]:
    """Width and height that a GIF has at each of its pictures (GIF89a specification, sections 17 to 27).

    A picture that reaches beyond the screen makes the screen larger, as in Pillow.

    Raises:
        OSError: If it has not all its blocks up to the trailer.
    """
    width, height = struct.unpack("<HH", gif[6:10])
    sizes: list[tuple[int, int]] = []
    place = 13 + _table(gif[10:11])
    while gif[place : place + 1] in (b"!", b","):
        if gif[place : place + 1] == b",":  # an image: descriptor, color table, code size, data
            descriptor = gif[place + 1 : place + 9]
            if len(descriptor) == 8:
                left, top, own_width, own_height = struct.unpack("<HHHH", descriptor)
                width, height = max(width, left + own_width), max(height, top + own_height)
            sizes.append((width, height))
            place += 11 + _table(gif[place + 9 : place + 10])
        else:  # an extension: its label, data
            place += 2
        while size := int.from_bytes(gif[place : place + 1], "big"):
            place += 1 + size
        place += 1
    if gif[place : place + 1] != b";":
        raise OSError("the file ends within the animation")
    return sizes


def _table(flags: bytes) -> int:
    """Bytes of the color table that a field of flags announces."""
    bits = int.from_bytes(flags, "big")
    return 3 << ((bits & 7) + 1) if bits & 0x80 else 0


def resized(image: np.ndarray, height: int, width: int) -> np.ndarray:
    """A picture of another size: bilinear, smoothed first where it gets smaller, so that fine patterns do not alias.

    The whole picture is kept and squashed or stretched to the new shape. The training pictures are treated the same
    way; a cropped or padded picture would look unlike those that a model was trained on.

    Args:
        image: `(height, width, 3)`, uint8.
        height: Of the result, in pixels, 1 or more.
        width: Of the result, in pixels, 1 or more.

    Returns:
        `(height, width, 3)`, uint8; `image` itself if it has that size.
    """
    if image.shape[:2] == (height, width):
        return image
    return np.array(Image.fromarray(image).resize((width, height), Image.Resampling.BILINEAR))


def _check_file(path: str | Path) -> None:
    """Raises a UserError unless there is a file with something in it."""
    if not str(path):
        raise UserError("A picture's name is empty; give that of a file.")
    if os.path.isdir(path):
        raise UserError(f"{path} is a folder; name a picture in it.")
    if not os.path.exists(path):
        close = nearest(Path(path).name[:LONGEST_SHOWN], _names_beside(path))
        shown = str(path) if len(str(path)) <= LONGEST_SHOWN else f"{str(path)[:LONGEST_SHOWN]}..."
        raise UserError(f"There is no file {shown}{f'; did you mean {close!r}?' if close else '.'}")
    if not os.path.isfile(path):
        raise UserError(f"{path} is not an ordinary file; save the picture to one first.")
    if not os.path.getsize(path):
        raise UserError(f"{path} is empty (0 bytes); fetch or save the picture again.")


def _names_beside(path: str | Path) -> list[str]:
    """Names of the files in the folder of a path; none if it cannot be listed."""
    try:
        return [item.name for item in Path(path).parent.iterdir() if item.is_file()]
    except OSError:
        return []


@contextmanager
def _user_errors(path: str | Path) -> Iterator[None]:
    """Turns what Pillow raises into a UserError of one sentence."""
    try:
        yield
    except UserError:
        raise
    except PermissionError as error:
        raise UserError(f"{path} may not be read: permission denied.") from error
    except UnidentifiedImageError as error:
        raise UserError(
            f"{path} is not a picture in a format known here; if a viewer shows it, save it from there as PNG or JPEG."
        ) from error
    except Image.DecompressionBombError as error:
        raise UserError(
            f"{path} has more than {MOST_PIXELS:,} pixels, the most that are read; save a smaller copy first."
        ) from error
    except Exception as error:  # on damaged files Pillow's decoders raise nearly anything
        reason = str(error).strip().rstrip(".") or type(error).__name__
        raise UserError(f"{path} is cut short or damaged ({reason}); fetch or save the picture again.") from error


def _upright(image: Image.Image) -> Image.Image:
    """The picture turned as its EXIF data say; as it is if they cannot be understood."""
    try:
        turn = _TURNS.get(image.getexif().get(Base.Orientation, 1))
    except Exception:  # Pillow may fail on any kind of damaged metadata; the picture itself can still be used
        return image
    return image if turn is None else image.transpose(turn)


def _rgb(image: Image.Image) -> Image.Image:
    """The picture in mode RGB, from any of Pillow's modes."""
    if image.mode in ("I", "F") or image.mode.startswith("I;16"):
        return Image.fromarray(_gray(np.asarray(image))).convert("RGB")
    if image.mode == "LAB":
        lab, srgb = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
        converted = ImageCms.profileToProfile(image, lab, srgb, outputMode="RGB")
        assert converted is not None  # it is None only when done in place
        return converted
    if image.mode in ("La", "RGBa"):
        image = image.convert(image.mode.replace("a", "A"))  # colors multiplied with their alpha, undone
    if image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return image.convert("RGB")


def _gray(values: np.ndarray) -> np.ndarray:
    """Numbers of 16 or 32 bits `(height, width)` as uint8; `read` says what is black and white."""
    real = values.dtype.kind == "f"
    values = np.nan_to_num(values.astype(np.float64), posinf=0, neginf=0)
    black, white = 0.0, 1.0 if real else float(_WHITE_16)
    if values.min() < black or values.max() > white:
        black, white = float(values.min()), float(values.max())
    return np.rint((values - black) / ((white - black) or 1.0) * 255).astype(np.uint8)
