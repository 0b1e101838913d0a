"""A notebook with its stored outputs as Markdown and pictures. Standard library only."""

import base64
import json
from collections.abc import Iterator
from pathlib import Path


def write(notebook: Path, page: Path) -> None:
    """Writes a notebook as a page.

    Args:
        notebook: An `.ipynb` file.
        page: The Markdown file to write; pictures go into the same folder.
    """
    page.parent.mkdir(parents=True, exist_ok=True)
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    parts = [part for number, cell in enumerate(cells) for part in _cell(cell, number, page)]
    page.write_text("\n\n".join(parts) + "\n", encoding="utf-8")


def _cell(cell: dict, number: int, page: Path) -> Iterator[str]:
    source = "".join(cell["source"])
    if cell["cell_type"] == "markdown":
        yield source.replace("<details>", '<details markdown="1">')  # so that what is inside is Markdown too
        return
    yield f"```python\n{source}\n```"
    for place, output in enumerate(cell["outputs"]):
        data = output.get("data", {})
        if "image/png" in data:
            picture = page.with_name(f"{page.stem}-{number}-{place}.png")
            picture.write_bytes(base64.b64decode("".join(data["image/png"])))
            yield f"![output of the code above]({picture.name})"
        elif text := "".join(output.get("text") or data.get("text/plain", "")).rstrip():
            yield f"```text\n{text}\n```"
