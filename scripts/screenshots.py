"""Draws the pictures of `zoo demo` in scripts/demo: each tab after a click on an example, and one on a phone.

    python scripts/screenshots.py [TAB...]

Needs the extras demo and test, and Chromium or Chrome from the system's packages.
"""

import io
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, expect, sync_playwright

FOLDER = Path(__file__).parent / "demo"

CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")

TABS = {
    "digits": "Digits",
    "captioning": "Captioning",
    "sentiment": "Sentiment",
    "tagging": "Tagging",
    "writing": "Writing",
    "translation": "Translation",
    "lens-gates": "Lens: gates",
    "lens-memory": "Lens: memory",
}

EXAMPLE = {"captioning": 0, "tagging": 2, "lens-gates": 0}
"""Number of the example that is clicked, where it is not the first."""

PHONE = "sentiment"

MOST_BYTES = 150_000


@contextmanager
def chromium() -> Iterator[Browser]:
    """The system's Chromium or Chrome, without a window."""
    found = next((path for name in CHROMIUM if (path := shutil.which(name))), None)
    if found is None:
        sys.exit("There is no Chromium or Chrome: install one with the system's package manager.")
    FOLDER.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield browser
        browser.close()


@contextmanager
def served() -> Iterator[str]:
    """The address of a page that is being served."""
    command = [sys.executable, "-m", "zoo", "demo", "--port", "0"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        found = re.search(r"http://\S+", process.stdout.readline())
        assert found, "the page did not start"
        yield found.group()
    finally:
        process.terminate()
        process.wait(20)


def shoot(page: Page, name: str, to: Path) -> None:
    """Opens a tab, clicks an example, waits for the answer and keeps the picture."""
    page.get_by_role("tab").first.wait_for()
    tab = page.get_by_role("tab", name=TABS[name], exact=True)
    if not tab.is_visible():  # there is no room for all tabs
        page.locator(".overflow-menu > button").click()
        tab = page.locator(".overflow-dropdown button", has_text=TABS[name])
    tab.click()
    expect(page.locator(f"#status-{name}")).to_contain_text("trained on", timeout=120_000)
    page.locator(f"#examples-{name} .gallery-item").nth(EXAMPLE.get(name, 0)).click()
    expect(page.locator(f"#answer-{name} .zoo")).to_be_visible(timeout=60_000)
    page.wait_for_timeout(2_500)
    page.mouse.move(0, 0)
    small(page.screenshot(full_page=True), to)


def small(content: bytes, to: Path) -> None:
    """Writes a picture with fewer colors."""
    picture = Image.open(io.BytesIO(content)).convert("RGB")
    for colors in (256, 128, 64):
        picture.quantize(colors, dither=Image.Dither.NONE).save(to, optimize=True)
        if to.stat().st_size < MOST_BYTES:
            break
    print(f"{to}: {picture.width} x {picture.height}, {to.stat().st_size:,} bytes")


def main() -> None:
    names = sys.argv[1:] or list(TABS)
    with served() as address, chromium() as browser:
        page = browser.new_page(viewport={"width": 1100, "height": 640})
        page.on("console", lambda entry: print("console:", entry.type, entry.text[:300]))
        page.on(
            "request",
            lambda request: None if request.url.startswith((address, "data:", "blob:")) else print(request.url),
        )
        page.on("response", lambda response: print(response.status, response.url) if response.status >= 400 else None)
        page.goto(address)
        for name in names:
            shoot(page, name, FOLDER / f"{name}.png")
        if PHONE in names:
            phone = browser.new_page(viewport={"width": 390, "height": 800}, has_touch=True)
            phone.goto(address)
            shoot(phone, PHONE, FOLDER / "phone.png")


if __name__ == "__main__":
    main()
