"""Pictures of all kinds that users have, and files that are none."""

import base64
import io
import os
import struct
import subprocess
import sys
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageCms

from zoo.data import images
from zoo.errors import UserError

COLOURS = np.random.default_rng(1).integers(0, 256, (5, 7, 3), dtype=np.uint8)
SMOOTH = np.stack(np.broadcast_arrays(np.linspace(0, 255, 40), np.linspace(255, 0, 30)[:, None], 90), -1).astype(
    "uint8"
)
RED, GREEN, BLUE = (255, 0, 0), (0, 255, 0), (0, 0, 255)


@pytest.mark.parametrize("name", ["a.png", "a.bmp", "a.tif", "a.ppm", "a.tga"])
def test_reads_lossless_formats_exactly(name: str) -> None:
    Image.fromarray(COLOURS).save(name)
    got = images.read(name)
    assert got.dtype == np.uint8
    np.testing.assert_array_equal(got, COLOURS)


@pytest.mark.parametrize("name", ["a.jpg", "a.webp", "a.jp2"])
def test_reads_lossy_formats_nearly(name: str) -> None:
    Image.fromarray(SMOOTH).save(name, quality=95)
    got = images.read(Path(name))
    assert got.shape == SMOOTH.shape
    assert np.abs(got.astype(int) - SMOOTH).max() < 24


def test_the_ending_does_not_matter_and_the_array_may_be_written_to() -> None:
    Image.fromarray(COLOURS).save("a.txt", "PNG")
    got = images.read("a.txt")
    got[0, 0] = 0
    assert images.read("a.txt")[0, 0].tolist() == COLOURS[0, 0].tolist()


def test_one_pixel() -> None:
    Image.new("RGB", (1, 1), RED).save("a.png")
    assert images.read("a.png").tolist() == [[list(RED)]]


def test_grey_and_black_and_white() -> None:
    grey = COLOURS[:, :, 0]
    Image.fromarray(grey).save("grey.png")
    np.testing.assert_array_equal(images.read("grey.png"), np.repeat(grey[:, :, None], 3, axis=2))
    Image.fromarray(grey > 127).save("two.png")
    with Image.open("two.png") as image:
        assert image.mode == "1"
    np.testing.assert_array_equal(images.read("two.png")[:, :, 1], np.where(grey > 127, 255, 0))


def test_palette() -> None:
    picture = Image.new("P", (3, 1))
    picture.putpalette([*RED, *GREEN, *BLUE])
    picture.putdata([2, 0, 1])
    picture.save("a.png")
    assert images.read("a.png").tolist() == [[list(BLUE), list(RED), list(GREEN)]]


def test_palette_with_a_transparent_colour() -> None:
    picture = Image.new("P", (2, 1))
    picture.putpalette([*RED, *GREEN])
    picture.putdata([0, 1])
    for name in ("a.png", "a.gif"):
        picture.save(name, transparency=1)
        assert images.read(name).tolist() == [[list(RED), [255, 255, 255]]]
    picture.save("bytes.png", transparency=bytes([255, 0]))
    assert images.read("bytes.png").tolist() == [[list(RED), [255, 255, 255]]]


def test_transparent_parts_show_white() -> None:
    picture = Image.new("RGBA", (3, 1))
    picture.putpixel((0, 0), (*RED, 255))
    picture.putpixel((1, 0), (0, 0, 0, 0))
    picture.putpixel((2, 0), (0, 0, 200, 51))  # a fifth of it, and four fifths of white
    picture.save("a.png")
    assert images.read("a.png").tolist() == [[list(RED), [255, 255, 255], [204, 204, 244]]]
    picture.convert("LA").save("grey.png")
    assert images.read("grey.png")[0, 1].tolist() == [255, 255, 255]


@pytest.mark.parametrize("mode", ["1", "L", "RGB"])
def test_one_colour_declared_transparent(mode: str) -> None:
    black: int | tuple[int, ...] = (0, 0, 0) if mode == "RGB" else 0
    Image.new(mode, (2, 2), black).save("a.png", transparency=black)
    assert (images.read("a.png") == 255).all()


@pytest.mark.parametrize("mode", ["La", "RGBa"])
def test_colours_that_come_multiplied_with_their_alpha(mode: str) -> None:
    picture = Image.new(mode.upper(), (1, 1), (0, 51) if mode == "La" else (0, 0, 0, 51)).convert(mode)
    assert np.asarray(images._rgb(picture)).tolist() == [[[204, 204, 204]]]


@pytest.mark.parametrize("name", ["a.tif", "a.jpg"])
def test_cmyk(name: str) -> None:
    inks = {(0, 255, 255, 0): RED, (255, 0, 255, 0): GREEN, (0, 0, 0, 0): (255, 255, 255), (0, 0, 0, 255): (0, 0, 0)}
    for ink, colour in inks.items():
        Image.new("CMYK", (16, 16), ink).save(name)
        assert np.abs(images.read(name).astype(int) - colour).max() <= 4


def test_ycbcr_and_lab() -> None:
    picture = Image.new("RGB", (4, 4), (200, 80, 40)).convert("YCbCr")
    assert np.abs(np.asarray(images._rgb(picture)).astype(int) - (200, 80, 40)).max() <= 2
    srgb, lab = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
    for colour in (RED, (200, 80, 40), (255, 255, 255)):
        converted = ImageCms.profileToProfile(Image.new("RGB", (4, 4), colour), srgb, lab, outputMode="LAB")
        assert converted is not None
        converted.save("a.tif")
        assert np.abs(images.read("a.tif").astype(int) - colour).max() <= 6


@pytest.mark.parametrize("name", ["a.png", "a.tif", "a.pgm"])
def test_16_bits_of_grey_keep_order_and_range(name: str) -> None:
    ramp = np.linspace(0, 65535, 2000).astype(np.uint16).reshape(20, 100)
    if name == "a.pgm":
        Path(name).write_bytes(b"P5 100 20 65535\n" + ramp.astype(">u2").tobytes())
    else:
        Image.fromarray(ramp).save(name)
    got = images.read(name)
    np.testing.assert_array_equal(got[:, :, 0], np.rint(ramp / 257))
    assert (np.diff(got[:, :, 2].ravel().astype(int)) >= 0).all()
    assert (got.min(), got.max()) == (0, 255)


def test_dark_16_bits_stay_dark() -> None:
    Image.fromarray(np.full((2, 2), 257 * 3, np.uint16)).save("a.png")
    assert (images.read("a.png") == 3).all()


def test_16_bits_with_the_high_byte_first() -> None:
    Image.frombytes("I;16B", (2, 1), bytes([0x80, 0x80, 0xFF, 0xFF])).save("a.tif")
    assert images.read("a.tif")[0, :, 0].tolist() == [0x80, 255]


@pytest.mark.parametrize(
    ("numbers", "grey"),
    [
        (np.array([[0.0, 0.5, 1.0]], np.float32), [0, 128, 255]),
        (np.array([[0.2, 0.2]], np.float32), [51, 51]),
        (np.array([[-1.0, 0.0, 1.0]], np.float32), [0, 128, 255]),
        (np.array([[0.0, 300.0, np.nan, np.inf]], np.float32), [0, 255, 0, 0]),
        (np.array([[7.0, 7.0]], np.float32), [0, 0]),
        (np.array([[0, 257, 65535]], np.int32), [0, 1, 255]),
        (np.array([[-100, 100000]], np.int32), [0, 255]),
    ],
)
def test_numbers_of_32_bits(numbers: np.ndarray, grey: list[int]) -> None:
    Image.fromarray(numbers).save("a.tif")
    assert images.read("a.tif")[0, :, 1].tolist() == grey


def test_first_frame_of_an_animation_and_first_page() -> None:
    first, second = Image.new("RGB", (4, 3), RED), Image.new("RGB", (4, 3), BLUE)
    for name in ("a.gif", "a.png", "a.tif", "a.webp"):
        kind: dict[str, Any] = {"lossless": True} if name == "a.webp" else {}
        first.save(name, save_all=True, append_images=[second], **kind)
        assert (images.read(name) == RED).all()


TURNED = {
    1: COLOURS,
    2: COLOURS[:, ::-1],
    3: COLOURS[::-1, ::-1],
    4: COLOURS[::-1],
    5: COLOURS.transpose(1, 0, 2),
    6: np.rot90(COLOURS, -1),  # the first row is the right side of the picture: a quarter to the right
    7: COLOURS[::-1, ::-1].transpose(1, 0, 2),
    8: np.rot90(COLOURS),
}


@pytest.mark.parametrize("name", ["a.png", "a.tif", "a.webp"])
@pytest.mark.parametrize("orientation", TURNED)
def test_turned_upright(name: str, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    kind: dict[str, Any] = {"lossless": True} if name == "a.webp" else {}
    Image.fromarray(COLOURS).save(name, exif=exif, **kind)
    np.testing.assert_array_equal(images.read(name), TURNED[orientation])


def test_a_jpeg_is_turned_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(SMOOTH).save("a.jpg", exif=exif, quality=95)
    assert np.abs(images.read("a.jpg").astype(int) - np.rot90(SMOOTH, -1)).max() < 24


@pytest.mark.parametrize(
    "exif", [b"Exif\0\0nonsense", b"Exif\0\0II*\0\xff\xff\xff\xff", b"Exif\0\0MM\0*\0\0\0\x08\0\x09"]
)
def test_exif_data_that_make_no_sense_do_no_harm(exif: bytes) -> None:
    Image.fromarray(SMOOTH).save("a.jpg", exif=exif)
    assert images.read("a.jpg").shape == SMOOTH.shape


def refusal(path: str) -> str:
    with pytest.raises(UserError) as error:
        images.read(path)
    told = str(error.value)
    assert path[:200] in told
    assert "\n" not in told
    return told


def test_no_such_file() -> None:
    assert refusal("dog.jpg") == "There is no file dog.jpg."
    Path("pictures").mkdir()
    Path("pictures/Dogs.jpg").touch()
    Path("pictures/dog.jpgs").mkdir()
    assert refusal("pictures/dog.jpg") == "There is no file pictures/dog.jpg; did you mean 'Dogs.jpg'?"
    assert refusal("nowhere/dog.jpg") == "There is no file nowhere/dog.jpg."
    assert refusal("x" * 5000).startswith("There is no file x")


def test_a_link_to_nothing_is_no_file() -> None:
    Path("dog.jpg").symlink_to("nothing")
    assert refusal("dog.jpg") == "There is no file dog.jpg."


def test_not_a_file_with_something_in_it() -> None:
    Path("pictures").mkdir()
    assert refusal("pictures") == "pictures is a folder; name a picture in it."
    Path("empty.png").touch()
    assert "0 bytes" in refusal("empty.png")
    os.mkfifo("pipe")
    assert "not an ordinary file" in refusal("pipe")


def test_a_file_that_may_not_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    Image.fromarray(COLOURS).save("a.png")

    def denied(file: object) -> None:
        raise PermissionError

    monkeypatch.setattr(Image, "open", denied)  # root, as whom tests may run, may read all files
    assert "permission denied" in refusal("a.png")


def test_not_a_picture() -> None:
    Path("a.jpg").write_text("A dog runs over the grass.\n" * 9)
    assert "not a picture in a format known here" in refusal("a.jpg")
    Path("a.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    assert "save it from there as PNG" in refusal("a.svg")


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "progressive JPEG", "GIF", "BMP", "TIFF", "WEBP", "PPM"])
def test_no_half_picture_is_accepted(kind: str) -> None:
    noise = np.random.default_rng(2).integers(0, 256, (40, 30, 3), dtype=np.uint8)
    options: dict[str, Any] = {"progressive": True} if " " in kind else {}
    buffer = io.BytesIO()
    Image.fromarray(noise).save(buffer, kind.split()[-1], **options)
    whole = buffer.getvalue()
    Path("whole").write_bytes(whole)
    for part in (0.5, 0.7, 0.9, 0.98):
        Path("part").write_bytes(whole[: int(len(whole) * part)])
        assert "cut short or damaged (" in refusal("part")
    picture = images.read("whole")
    for missing in range(1, 16):  # without its end, but with all pixels, a picture may be read
        Path("part").write_bytes(whole[:-missing])
        try:
            got = images.read("part")
        except UserError:
            continue
        np.testing.assert_array_equal(got, picture)


def test_damage_is_told() -> None:
    Image.fromarray(COLOURS).save("a.png")
    data = bytearray(Path("a.png").read_bytes())
    data[data.index(b"IDAT") + 8] ^= 0xFF
    Path("a.png").write_bytes(data)
    assert "cut short or damaged (" in refusal("a.png")


def forged_png(name: str, width: int, height: int) -> None:
    """A file that says it is a picture of a size and holds none."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    Path(name).write_bytes(b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b""))


@pytest.mark.parametrize("side", [10_001, 12_000, 20_000, 2_000_000_000])
def test_too_large_is_refused_by_the_header(side: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without decoding, and where Pillow itself is silent, warns or refuses."""
    monkeypatch.setattr(Image.Image, "load", lambda self: pytest.fail("decoded"))
    forged_png("a.png", side, side)
    assert "more than 100,000,000 pixels" in refusal("a.png")


def test_the_limit_itself_is_read(monkeypatch: pytest.MonkeyPatch, recwarn: pytest.WarningsRecorder) -> None:
    monkeypatch.setattr(images, "MOST_PIXELS", 35)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 20)  # Pillow warns from here on
    Image.fromarray(COLOURS).save("a.png")
    np.testing.assert_array_equal(images.read("a.png"), COLOURS)
    monkeypatch.setattr(images, "MOST_PIXELS", 34)
    assert "more than 34 pixels" in refusal("a.png")
    assert not recwarn.list


def uri_of(data: bytes, kind: str = "image/png") -> str:
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"


@pytest.mark.parametrize("kind", ["image/png", "image/jpeg", "", "image/png;charset=utf-8"])
def test_a_data_uri_holds_the_picture_itself(kind: str) -> None:
    """What it says of its kind does not matter, as the ending of a file does not."""
    Image.fromarray(COLOURS).save("a.png")
    np.testing.assert_array_equal(images.read(uri_of(Path("a.png").read_bytes(), kind)), images.read("a.png"))


def test_a_data_uri_is_turned_upright_and_refused_like_a_file(monkeypatch: pytest.MonkeyPatch) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(COLOURS).save("a.png", exif=exif)
    uri = uri_of(Path("a.png").read_bytes())
    np.testing.assert_array_equal(images.read(uri), TURNED[6])
    monkeypatch.setattr(images, "MOST_PIXELS", 34)
    with pytest.raises(UserError, match="more than 34 pixels"):
        images.read(uri)


@pytest.mark.parametrize(
    ("uri", "told"),
    [
        ("data:image/png,%89PNG", "it is not in base64"),
        ("data:image/png;base64,a!b?", "is not a picture in a data URI"),
        ("data:image/png;base64,abc", "is not a picture in a data URI"),
        ("data:image/png;base64,äöü", "is not a picture in a data URI"),
        (uri_of(b"A dog runs over the grass.\n" * 9), "not a picture in a format known here"),
        ("data:", "it is not in base64"),
        ("data:image/png;base64,", "not a picture in a format known here"),
        (uri_of(b"\x89PNG\r\n\x1a\n" + bytes(40)), "data:image/png;base64"),
    ],
)
def test_a_data_uri_without_a_picture_is_told_in_short(uri: str, told: str) -> None:
    with pytest.raises(UserError) as error:
        images.read(uri)
    assert told in str(error.value)
    assert len(str(error.value)) < 200
    assert "\n" not in str(error.value)


def test_a_cut_data_uri_is_told() -> None:
    Image.fromarray(SMOOTH).save("a.png")
    whole = Path("a.png").read_bytes()
    with pytest.raises(UserError, match="cut short or damaged"):
        images.read(uri_of(whole[: len(whole) // 2]))


def test_resized_to_the_same_size_is_the_same() -> None:
    assert images.resized(COLOURS, 5, 7) is COLOURS


def test_resized_squashes() -> None:
    halves = np.zeros((8, 12, 3), np.uint8)
    halves[:, 6:] = 255
    small = images.resized(halves, 4, 2)
    assert small.shape == (4, 2, 3)
    assert small.dtype == np.uint8
    assert (small[:, 0] < 64).all()
    assert (small[:, 1] > 191).all()


def test_fine_patterns_become_grey() -> None:
    board = np.indices((64, 64)).sum(0) % 2 * 255  # taking every eighth pixel would give all black or all white
    small = images.resized(np.repeat(board[:, :, None], 3, 2).astype(np.uint8), 8, 8)
    assert np.abs(small.astype(int) - 127).max() <= 3


def test_resized_makes_larger_and_takes_views() -> None:
    large = images.resized(COLOURS[:1, :1], 3, 4)
    assert (large == COLOURS[0, 0]).all()
    np.testing.assert_array_equal(
        images.resized(COLOURS[:, ::-1], 10, 14), images.resized(COLOURS[:, ::-1].copy(), 10, 14)
    )


def test_light_to_import() -> None:
    code = "import sys, zoo.data.images; print({'keras', 'tensorflow'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=Path(__file__).parents[2])
    assert done.stdout == "set()\n"


def test_a_data_uri_holds_a_picture_or_an_animation() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (3, 5, 7, 3)).astype("uint8")
    np.testing.assert_array_equal(images.read(images.data_uri(pixels[:1])), pixels[0])
    grey = [np.full((4, 6), shade, "uint8") for shade in (0, 255, 0)]
    shown = list(images.animation(images.data_uri(grey, 0.08)))
    assert [seconds for _, seconds in shown] == pytest.approx([0.08] * 3)
    assert [int(frame.max()) for frame, _ in shown] == [0, 255, 0]
