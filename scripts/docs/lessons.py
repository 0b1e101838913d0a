"""Runs the lessons from top to bottom and keeps their outputs in the notebooks, small and without what changes.

    python scripts/docs/lessons.py                                # all lessons
    python scripts/docs/lessons.py tasks/charlm/lesson.ipynb      # one
    python scripts/docs/lessons.py --check                        # runs nothing: are the stored outputs fit to commit?

Needs the extra `lessons`: pip install '.[lessons]'.
"""

import argparse
import re
import sys
import tempfile
import time
from pathlib import Path

import nbformat

ROOT = Path(__file__).resolve().parents[2]

LESSONS = sorted(ROOT.glob("tasks/*/lesson.ipynb"))

MOST_BYTES = 100_000
"""Largest output of a cell."""

PLACES = re.compile(r"(/tmp|/root|/home|/Users|/var|/work)/[^\s'\"]*|[A-Z]:\\[^\s'\"]*")
"""Paths that exist on one machine only."""


def run(notebook: nbformat.NotebookNode, folder: Path, timeout: float = 600) -> nbformat.NotebookNode:
    """A notebook after all its cells have run.

    Args:
        notebook: The notebook; it is changed.
        folder: Where it runs.
        timeout: Seconds that a cell may take.

    Raises:
        nbclient.exceptions.CellExecutionError: With the first cell that fails.
    """
    from nbclient import NotebookClient

    # This Python's own kernel, whatever kernels the machine has.
    resources = {"metadata": {"path": str(folder)}}
    client = NotebookClient(
        notebook, timeout=timeout, kernel_name="python3", resources=resources, coalesce_streams=True
    )
    client.execute()
    return notebook


def clean(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """Keeps what a cell answers; drops progress and notes (standard error), and times of execution."""
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        if cell.cell_type == "code":
            cell.outputs = [output for output in cell.outputs if output.get("name") != "stderr"]
            for output in cell.outputs:
                output.get("metadata", {}).clear()
    return notebook


def problems(notebook: nbformat.NotebookNode) -> list[str]:
    """Why the outputs of a notebook are not fit to commit."""
    found = []
    for number, cell in enumerate(notebook.cells):
        if cell.cell_type != "code":
            continue
        if cell.execution_count is None:
            found.append(f"cell {number} has not been run")
        for output in cell.outputs:
            text = str(output)
            if output.output_type == "error":
                found.append(f"cell {number} failed: {output.evalue}")
            if len(text) > MOST_BYTES:
                found.append(f"cell {number} has an output of {len(text):,} bytes, more than {MOST_BYTES:,}")
            if "image/png" not in text and (place := PLACES.search(text)):
                found.append(f"cell {number} names a place of one machine: {place.group()[:80]}")
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("lessons", nargs="*", type=Path, default=LESSONS)
    parser.add_argument("--check", action="store_true")
    words = parser.parse_args()
    failed = False
    for path in words.lessons:
        notebook, began = nbformat.read(path, as_version=4), time.monotonic()
        if not words.check:
            with tempfile.TemporaryDirectory() as folder:
                clean(run(notebook, Path(folder)))
        found = problems(notebook)
        for problem in found:
            print(f"{path}: {problem}", file=sys.stderr)
        if not words.check:
            print(f"{path}: {time.monotonic() - began:.0f} s")
            nbformat.write(notebook, path)
        failed |= bool(found)
    sys.exit(failed)


if __name__ == "__main__":
    main()
