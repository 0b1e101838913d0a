"""The folder of a report: checked before anything is computed, and never written over what is not a report."""

import contextlib
import json
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from zoo.errors import UserError

PAGE, MARK = "index.html", "report.json"
"""The page; and the file that says that a folder is a report of ours, and which files are."""


def check(folder: Path) -> None:
    """Checks that a report may be written into a folder.

    Raises:
        UserError: If it exists and holds anything but an older report.
    """
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        raise UserError(f"{folder} is {'a link' if folder.is_symlink() else 'a file'}; --report takes a new folder.")
    own = _own(folder)
    theirs = sorted(path.name for path in folder.iterdir() if path.name not in own) if folder.is_dir() else []
    if theirs:
        raise UserError(
            f"{folder} holds {theirs[0]!r}, which is not part of a report of zoo: nothing is overwritten. "
            "Choose a new folder for --report."
        )


def _own(folder: Path) -> set[str]:
    """Names of the files that an older report wrote."""
    try:
        mark = json.loads((folder / MARK).read_text(encoding="utf-8"))
        return {MARK, *map(str, mark["files"])} if mark["zoo"] == "report" else set()
    except (OSError, ValueError, KeyError, TypeError):
        return set()


@contextlib.contextmanager
def replacing(folder: Path) -> Iterator[Path]:
    """A new folder beside `folder`, which takes its place when the block ends without an error.

    Raises:
        UserError: As in `check`, or if nothing can be written there.
    """
    new = None
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        new = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
        new.chmod(0o755)
        yield new
        mark = {"zoo": "report", "files": sorted(path.name for path in new.iterdir())}
        (new / MARK).write_text(json.dumps(mark, indent=1) + "\n", encoding="utf-8")
        check(folder)
        shutil.rmtree(folder, ignore_errors=True)
        new.rename(folder)
    except OSError as error:
        raise UserError(f"{folder} cannot be written: {error.strerror}. Choose another folder for --report.") from error
    finally:
        if new is not None:
            shutil.rmtree(new, ignore_errors=True)
