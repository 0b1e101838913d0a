"""Clips from animations, folders and videos."""

import base64
import importlib
import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from zoo.data import frames, images
from zoo.errors import UserError

SHADES = [0, 40, 80, 120, 160, 200]


def gray_images(shades=SHADES, size=(10, 8)) -> list[Image.Image]:
    return [Image.new("L", size, shade) for shade in shades]


def write_gif(path: Path, shades=SHADES, duration=80) -> Path:
    first, *others = gray_images(shades)
    first.save(path, "gif", save_all=True, append_images=others, duration=duration, loop=0)
    return path


def shades(clip: frames.Clip) -> list[int]:
    assert (clip.frames == clip.frames[:, :1, :1]).all()
    return clip.frames[:, 0, 0, 0].tolist()


def test_a_gif_has_its_frames_and_their_duration(tmp_path: Path) -> None:
    clip = frames.read(write_gif(tmp_path / "a.gif"), 4, 5)
    assert clip.frames.shape == (6, 4, 5, 3)
    assert clip.frames.dtype == np.uint8
    assert (shades(clip), clip.seconds) == (SHADES, 0.08)


def test_gray_is_one_channel(tmp_path: Path) -> None:
    assert frames.read(write_gif(tmp_path / "a.gif"), 4, 5, 1).frames.shape == (6, 4, 5, 1)


def test_merged_equal_frames_are_separated_again(tmp_path: Path) -> None:
    still = [0, 40, 40, 40, 80, 80, 120]
    path = write_gif(tmp_path / "a.gif", still)
    with Image.open(path) as image:
        assert image.n_frames == 4
    assert shades(frames.read(path, 2, 2)) == still


@pytest.mark.parametrize("kind", ["png", "webp"])
def test_other_animations(tmp_path: Path, kind: str) -> None:
    first, *others = [item.convert("RGB") for item in gray_images()]
    options = {"lossless": True} if kind == "webp" else {}
    first.save(tmp_path / "a", kind, save_all=True, append_images=others, duration=[40] * 5 + [80], **options)
    clip = frames.read(tmp_path / "a", 2, 2)
    assert (shades(clip), clip.seconds) == ([*SHADES, 200], 0.04)


def test_an_image_is_a_clip_of_one_frame(tmp_path: Path) -> None:
    gray_images()[1].save(tmp_path / "a.png")
    clip = frames.read(tmp_path / "a.png", 2, 2)
    assert (shades(clip), clip.seconds) == ([40], frames.DEFAULT_SECONDS)


def test_a_data_uri(tmp_path: Path) -> None:
    packed = base64.b64encode(write_gif(tmp_path / "a.gif").read_bytes()).decode()
    assert shades(frames.read(f"data:image/gif;base64,{packed}", 2, 2)) == SHADES


def test_a_folder_is_sorted_by_the_numbers_in_its_names(tmp_path: Path) -> None:
    for number, image in zip([1, 2, 9, 10, 11, 100], gray_images(), strict=True):
        image.save(tmp_path / f"frame{number}.{'png' if number % 2 else 'bmp'}")
    (tmp_path / "notes.txt").write_text("no image")
    clip = frames.read(tmp_path, 3, 3, fps=20)
    assert (shades(clip), clip.seconds) == (SHADES, 0.05)


def test_a_folder_of_clips_is_no_clip(tmp_path: Path) -> None:
    write_gif(tmp_path / "still.gif", SHADES[:1])
    write_gif(tmp_path / "._hidden.gif")
    assert shades(frames.read(tmp_path, 2, 2)) == SHADES[:1]
    write_gif(tmp_path / "walk.gif")
    with pytest.raises(UserError, match=r"walk\.gif is an animation, so .* is no clip; .* instead: .*/\*\.gif"):
        frames.read(tmp_path, 2, 2)
    (tmp_path / "labels.csv").touch()
    with pytest.raises(UserError, match=r"has labels\.csv, so it is a folder of clips, .* instead: .*/\*\.gif"):
        frames.read(tmp_path, 2, 2)


def test_images_of_different_sizes_are_resized_to_one(tmp_path: Path) -> None:
    Image.new("RGB", (5, 9), (10, 10, 10)).save(tmp_path / "1.png")
    Image.new("RGB", (90, 20), (20, 20, 20)).save(tmp_path / "2.png")
    assert shades(frames.read(tmp_path, 6, 6)) == [10, 20]


@pytest.mark.parametrize("part", [0.3, 0.6, 0.9, 0.999])
def test_a_truncated_gif_is_refused(tmp_path: Path, part: float) -> None:
    rng = np.random.default_rng(0)
    first, *others = [Image.fromarray(rng.integers(0, 255, (20, 20), "uint8")) for _ in range(6)]
    stream = io.BytesIO()
    first.save(stream, "gif", save_all=True, append_images=others, duration=80)
    whole = stream.getvalue()
    (tmp_path / "whole.gif").write_bytes(whole)
    assert len(list(images.animation(tmp_path / "whole.gif"))) == 6
    (tmp_path / "cut.gif").write_bytes(whole[: int(len(whole) * part)])
    with pytest.raises(UserError, match=r"cut\.gif is cut short or damaged"):
        frames.read(tmp_path / "cut.gif", 4, 4)


def test_a_gif_truncated_between_two_frames_is_refused(tmp_path: Path) -> None:
    whole = write_gif(tmp_path / "a.gif").read_bytes()
    (tmp_path / "cut.gif").write_bytes(whole[:-1])  # all but the trailer: Pillow notices nothing
    with pytest.raises(UserError, match="ends within the animation"):
        frames.read(tmp_path / "cut.gif", 4, 4)


def test_other_inputs_are_refused(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "zero.gif").touch()
    (tmp_path / "text.gif").write_text("no image")
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "1.png").write_text("no image")
    for name, message in {
        "nowhere.gif": "There is no file",
        "empty": "has no images",
        "zero.gif": "is empty",
        "text.gif": "is not a picture",
        "bad": "is not a picture",
        "nowhere.mp4": "There is no file",
    }.items():
        with pytest.raises(UserError, match=message):
            frames.read(tmp_path / name, 4, 4)


def test_a_clip_that_would_fill_the_memory_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_gif(tmp_path / "a.gif", duration=[20] * 5 + [60_000])
    monkeypatch.setattr(frames, "MAX_FRAMES", 1000)
    with pytest.raises(UserError, match="3,005 frames"):
        frames.read(path, 2, 2)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # imageio leaves its pipes open
def test_a_video(tmp_path: Path) -> None:
    imageio = pytest.importorskip("imageio.v3")
    pytest.importorskip("imageio_ffmpeg")
    shown = np.stack([np.full((32, 32, 3), shade, "uint8") for shade in SHADES])
    imageio.imwrite(tmp_path / "a.mp4", shown, plugin="FFMPEG", fps=10, macro_block_size=16)
    clip = frames.read(tmp_path / "a.mp4", 4, 4)
    assert clip.seconds == pytest.approx(0.1)
    np.testing.assert_allclose(clip.frames[:, 0, 0, 0], SHADES, atol=12)
    (tmp_path / "bad.mp4").write_text("no video")
    with pytest.raises(UserError, match="cannot be read as a video"):
        frames.read(tmp_path / "bad.mp4", 4, 4)


def test_a_video_without_ffmpeg_names_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise ImportError(name)

    (tmp_path / "a.mp4").touch()
    monkeypatch.setattr(importlib, "import_module", missing)
    with pytest.raises(UserError, match=r"zoo\[video\]"):
        frames.read(tmp_path / "a.mp4", 4, 4)
