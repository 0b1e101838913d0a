"""Draws pictures of the terminal while a model trains, and of a report, into scripts/demo.

    python scripts/terminal_screenshots.py [training] [report]

A training runs in a pseudo-terminal; a terminal emulator (pyte) follows what it writes, and a browser draws one of its
screens. Needs pyte, the extra test, and Chromium or Chrome from the system's packages.
"""

import fcntl
import html
import os
import pty
import re
import select
import struct
import subprocess
import sys
import tempfile
import termios
from pathlib import Path

import pyte
from playwright.sync_api import Browser
from screenshots import FOLDER, chromium, small

COLUMNS, ROWS = 96, 26

TRAINING = ["train", "sentiment", "--cell", "gru"]

MIDDLE = re.compile(r"epoch 4/6 .* [5-9]\d%.* left")
"""A line of the screen that the picture of a training shows."""

REPORT = ["evaluate", "classify-perceptron-digits", "--report"]

# The colors of ANSI's names on a dark ground.
COLORS = {
    "black": "#3b4252", "red": "#ff8080", "green": "#98d982", "brown": "#ffd866", "blue": "#82aaff",
    "magenta": "#e39df7", "cyan": "#7fdbca", "white": "#e5e9f0", "default": "#e5e9f0",
}  # fmt: skip


def screens(command: list[str], folder: str) -> tuple[str, str]:
    """Runs a command in a terminal; as HTML, its first screen with the line `MIDDLE`, and its last one."""
    screen, middle = pyte.Screen(COLUMNS, ROWS), None
    stream = pyte.ByteStream(screen)
    stream.feed(f"$ zoo {' '.join(command)}\r\n".encode())
    child, terminal = pty.fork()
    if not child:
        os.chdir(folder)
        os.environ["TERM"] = "xterm-256color"
        os.execv(sys.executable, [sys.executable, "-m", "zoo", *command])
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
    while True:
        select.select([terminal], [], [])
        try:
            content = os.read(terminal, 65536)
        except OSError:  # the other end is closed
            break
        stream.feed(content)
        if middle is None and any(map(MIDDLE.match, screen.display)):
            middle = drawn(screen)
    _, status = os.waitpid(child, 0)
    if status:
        sys.exit(f"zoo {' '.join(command)} failed.")
    if middle is None:
        sys.exit(f"No screen shows {MIDDLE.pattern}.")
    return middle, drawn(screen)


def drawn(screen: pyte.Screen) -> str:
    """A screen as HTML."""
    rows = len("\n".join(line.rstrip() for line in screen.display).rstrip().splitlines())
    text = "\n".join("".join(_cell(screen.buffer[row][column]) for column in range(COLUMNS)) for row in range(rows))
    return (
        f"<body style='margin:0;background:#1e222a'><pre style='margin:0;padding:14px 18px;display:inline-block;"
        f"color:{COLORS['default']};font:15px/1.35 monospace'>{text}</pre></body>"
    )


def _cell(cell: pyte.screens.Char) -> str:
    color = COLORS.get(cell.fg, f"#{cell.fg}")
    weight = ";font-weight:bold" if cell.bold else ""
    return f"<span style='color:{color}{weight}'>{html.escape(cell.data)}</span>"


def shoot(browser: Browser, content: str, name: str) -> None:
    """Draws a page of HTML."""
    page = browser.new_page(viewport={"width": 1000, "height": 560})
    page.set_content(content)
    small(page.locator("pre").screenshot(), FOLDER / f"{name}.png")


def report(browser: Browser) -> None:
    """Writes a report and draws the top of its page."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, "-m", "zoo", *REPORT, folder + "/report"], check=True)
        page = browser.new_page(viewport={"width": 1000, "height": 1400})
        page.goto(next(Path(folder, "report").glob("*.html")).as_uri())
        small(page.screenshot(), FOLDER / "report.png")


def main() -> None:
    names = sys.argv[1:] or ["training", "report"]
    with chromium() as browser:
        if "training" in names:
            with tempfile.TemporaryDirectory() as folder:
                middle, end = screens(TRAINING, folder)
            shoot(browser, middle, "training")
            shoot(browser, end, "trained")
        if "report" in names:
            report(browser)


if __name__ == "__main__":
    main()
