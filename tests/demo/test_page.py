"""The page in a real browser: typing, uploading, drawing, reading the answers; nothing in the console, nothing from
outside."""

import re
import shutil
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from zoo.data import images
from zoo.demo.limits import MOST_UPLOADED
from zoo.task import find

pytest.importorskip("gradio", reason='gradio is not installed: pip install "zoo[demo]"')
playwright = pytest.importorskip("playwright.sync_api", reason='playwright is not installed: pip install "zoo[test]"')
expect = playwright.expect

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
BROWSER = next((path for name in BROWSERS if (path := shutil.which(name))), None)

if BROWSER is None:
    pytest.skip("There is no Chromium or Chrome on the path.", allow_module_level=True)

MODELS = "classify-perceptron-digits,caption-gru-scenes,sentiment-gru-reviews,tag-gru-clips,charlm-gru-python_docs"
"""Small ones; none for translation, whose tab says so."""

PATIENCE = 60_000
"""Milliseconds for an answer on a busy machine, the loading of a model included."""


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("server")
    command = [sys.executable, "-m", "zoo", "demo", "--port", "0", "--models", MODELS]
    with (folder / "errors").open("w") as errors:
        process = subprocess.Popen(  # a background job of a shell ignores interrupts, and so do its children
            command,
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
        )
        assert process.stdout is not None
        line = process.stdout.readline()
        found = re.search(r"http://127\.0\.0\.1:\d+", line)
        try:
            assert found, line + (folder / "errors").read_text()
            yield found.group()
        finally:
            process.send_signal(signal.SIGINT)
            code = process.wait(30)
            process.stdout.close()
    told = (folder / "errors").read_text()
    assert code == 0, told
    assert "The page is closed." in told
    # gradio shows a traceback of its own for a request that no page makes; no answer of ours may fail.
    assert "zoo/demo/model_cache.py" not in told, told
    assert not list(folder.glob("*.*")), "something was written into the working folder"


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    with playwright.sync_playwright() as running:
        browser = running.chromium.launch(executable_path=BROWSER, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def page(chromium: Any, address: str) -> Iterator[Any]:
    """The page, opened anew; afterwards nothing stands in its console, and it asked nobody else for anything."""
    opened = chromium.new_page(viewport={"width": 1100, "height": 800})
    wrong: list[str] = []
    opened.on("console", lambda entry: wrong.append(entry.text) if entry.type == "error" else None)
    opened.on("pageerror", lambda error: wrong.append(str(error)))
    opened.on("response", lambda got: wrong.append(f"{got.status} {got.url}") if got.status >= 400 else None)
    opened.on(
        "request",
        lambda asked: None if asked.url.startswith((address, "data:", "blob:")) else wrong.append(asked.url),
    )
    opened.set_default_timeout(PATIENCE)
    opened.goto(address)
    opened.get_by_role("tab").first.wait_for()
    yield opened
    opened.close()
    assert wrong == []


def open_tab(page: Any, title: str) -> None:
    page.get_by_role("tab", name=title, exact=True).click()
    expect(page.locator(f"#status-{title.lower()}")).to_contain_text("trained on", timeout=PATIENCE)


def test_a_text_is_typed(page: Any) -> None:
    open_tab(page, "Sentiment")
    page.locator("#sentiment-0 textarea").fill("a wonderful film <b>and</b> a wonderful end")
    page.locator("#run-sentiment").click()
    answer = page.locator("#answer-sentiment")
    expect(answer.locator(".zoo-head")).to_have_text("positive", timeout=PATIENCE)
    expect(answer.locator(".zoo-text")).to_have_text("a wonderful film <b>and</b> a wonderful end")
    expect(answer.locator(".zoo-for").first).to_be_visible()
    page.locator("#sentiment-0 textarea").fill("")
    page.locator("#run-sentiment").click()
    expect(answer.get_by_role("alert")).to_contain_text("is empty", timeout=PATIENCE)
    page.locator("#examples-sentiment .gallery-item").nth(1).click()
    expect(answer.locator(".zoo-head")).to_have_text("negative", timeout=PATIENCE)


def test_a_picture_is_uploaded_and_a_broken_one_ends_nothing(page: Any, tmp_path: Path) -> None:
    open_tab(page, "Captioning")
    scene = images.read(find("caption").task.examples()[0])
    Image.fromarray(scene).save(tmp_path / "scene.png")
    (tmp_path / "broken.png").write_bytes((tmp_path / "scene.png").read_bytes()[:500])
    answer, upload = page.locator("#answer-captioning"), page.locator("#captioning-0 input[type=file]")
    upload.set_input_files(tmp_path / "broken.png")
    expect(answer.get_by_role("alert")).to_contain_text("broken.png is cut short", timeout=PATIENCE)
    page.get_by_role("button", name="Remove Image").click()
    upload.set_input_files(tmp_path / "scene.png")
    expect(answer.locator(".zoo-head")).to_contain_text("cyan ring", timeout=PATIENCE)
    assert answer.locator("figure").count() == len(answer.locator(".zoo-head").inner_text().split())
    shown = answer.locator("figure img").first.evaluate("picture => picture.naturalWidth")
    assert shown == 120


def test_a_file_that_is_too_large_is_refused(page: Any, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    open_tab(page, "Tagging")
    noise = np.random.default_rng(1).integers(0, 255, (2_000, 2_000, 3), "uint8")
    Image.fromarray(noise).save(tmp_path / "large.png")
    assert (tmp_path / "large.png").stat().st_size > MOST_UPLOADED
    page.locator("#tagging-0 input[type=file]").set_input_files(tmp_path / "large.png")
    expect(page.get_by_text(re.compile("exceeds|too large|maximum", re.IGNORECASE)).first).to_be_visible(
        timeout=PATIENCE
    )
    page.locator("#examples-tagging .gallery-item").first.click()
    expect(page.locator("#answer-tagging .zoo-strip")).to_be_visible(timeout=PATIENCE)


def test_a_digit_is_drawn(page: Any) -> None:
    expect(page.locator("#status-digits")).to_contain_text("trained on", timeout=PATIENCE)
    box = page.locator("#digits-0 canvas").bounding_box()
    middle = box["x"] + box["width"] / 2
    page.mouse.move(middle, box["y"] + 0.2 * box["height"])
    page.mouse.down()
    page.mouse.move(middle, box["y"] + 0.8 * box["height"], steps=20)
    page.mouse.up()
    answer = page.locator("#answer-digits .zoo-head")
    expect(answer).to_have_text("1", timeout=PATIENCE)
    page.locator("#digits-0 .zoo-clear").click()
    page.locator("#run-digits").click()
    expect(page.locator("#answer-digits").get_by_role("alert")).to_contain_text("Nothing is drawn", timeout=PATIENCE)
    page.locator("#examples-digits .gallery-item").first.click()
    expect(answer).to_have_text("0", timeout=PATIENCE)


def test_a_text_is_written_and_another_model_is_not_there(page: Any) -> None:
    open_tab(page, "Writing")
    page.locator("#writing-0 textarea").fill("The function")
    page.locator("#run-writing").click()
    written = page.locator("#answer-writing .zoo-written")
    expect(written).to_have_text(re.compile("^The function.{200}", re.DOTALL), timeout=PATIENCE)
    page.get_by_role("tab", name="Translation", exact=True).click()
    expect(page.locator("#tab-translation").get_by_role("alert")).to_contain_text("No saved model", timeout=PATIENCE)


def test_the_page_fits_a_phone(chromium: Any, address: str) -> None:
    phone = chromium.new_page(viewport={"width": 360, "height": 740})
    phone.goto(address)
    phone.locator("#run-digits").wait_for()
    phone.locator("#examples-digits .gallery-item").first.click()
    expect(phone.locator("#answer-digits .zoo-head")).to_have_text("0", timeout=PATIENCE)
    assert phone.evaluate("document.documentElement.scrollWidth") <= 360
    phone.close()


def fetch(address: str, path: str, data: bytes | None = None, kind: str = "application/json") -> tuple[int, bytes]:
    request = urllib.request.Request(address + path, data, {"Content-Type": kind})
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=30) as got:
            return got.status, got.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()


def multipart(content: bytes) -> tuple[bytes, str]:
    head = b'--x\r\nContent-Disposition: form-data; name="files"; filename="a.png"\r\n\r\n'
    return head + content + b"\r\n--x--\r\n", "multipart/form-data; boundary=x"


def test_hostile_requests_end_nothing(page: Any, address: str, tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("never shown")
    for path in (f"{tmp_path}/secret.txt", "/etc/passwd", "../../../../etc/passwd"):
        code, content = fetch(address, f"/gradio_api/file={path}")
        assert code in (400, 403, 404)
        assert b"never shown" not in content
        assert b"root:" not in content
    assert fetch(address, "/gradio_api/upload", *multipart(b"x" * 100))[0] == 200
    assert fetch(address, "/gradio_api/upload", *multipart(b"x" * (MOST_UPLOADED + 1)))[0] == 413
    for body in (
        b"",
        b"{",
        b"[]",
        b'{"data": 1, "fn_index": 0}',
        b'{"data": [], "fn_index": 9999, "session_hash": "x"}',
    ):
        assert fetch(address, "/gradio_api/queue/join", body)[0] >= 400
    open_tab(page, "Sentiment")
    page.locator("#sentiment-0 textarea").fill("a wonderful film")
    page.locator("#run-sentiment").click()
    expect(page.locator("#answer-sentiment .zoo-head")).to_have_text("positive", timeout=PATIENCE)


def test_the_browser_may_load_from_this_server_alone(chromium: Any, address: str) -> None:
    page = chromium.new_page()
    policy = page.goto(address).headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "http" not in policy
    page.close()
