"""Where files go that can be made again: the user's cache, or a temporary folder where there is none."""

import os
import tempfile
from pathlib import Path

import platformdirs


def can_be_written(folder: Path) -> bool:
    """Whether a folder is there, or can be made, and takes files."""
    parent = next(path for path in (folder, *folder.parents) if os.path.exists(path))
    return os.path.isdir(parent) and os.access(parent, os.W_OK)


def folder() -> Path:
    """The user's cache folder, such as `~/.cache/zoo`; a temporary folder of the user's own if it takes no files."""
    cache = platformdirs.user_cache_path("zoo", appauthor=False)
    if can_be_written(cache):
        return cache
    user = os.getuid() if hasattr(os, "getuid") else 0
    temporary = Path(tempfile.gettempdir()) / f"zoo-{user}"
    theirs = os.path.exists(temporary) and temporary.stat().st_uid != user  # anybody may make a folder there
    return cache if theirs or not can_be_written(temporary) else temporary


def datasets() -> Path:
    """Where built-in data sets are generated."""
    return folder() / "datasets"
