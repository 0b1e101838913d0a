"""The documents of the project, and whether their links lead anywhere. Standard library only."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

PATTERNS = (
    "README.md",
    "CHANGELOG.md",
    "saved_models/**/README.md",
    "tasks/**/README.md",
    "tasks/*/lesson.ipynb",
    "zoo/*/README.md",
    "scripts/scale.md",
)
"""What the documentation consists of."""

_FENCED = re.compile(r"^(```|~~~).*?^\1", re.MULTILINE | re.DOTALL)
_INLINE = re.compile(r"`[^`\n]*`")
_LINK = re.compile(r"\[(?:[^\[\]]|\[[^\]]*\])*\]\(\s*<?([^()\s>]+)>?(?:\s+\"[^\"]*\")?\s*\)")
_HTML = re.compile(r"<(?:a|img)\b[^>]*?\b(?:href|src)=\"([^\"]+)\"")
_HEADING = re.compile(r"^#{1,6}\s+(.+?)\s*#*$", re.MULTILINE)


def documents(root: Path = ROOT) -> list[Path]:
    """All documents below a folder; folders whose names begin with a dot are trainings under way."""
    found = {path for pattern in PATTERNS for path in root.glob(pattern)}
    return sorted(path for path in found if not any(part.startswith(".") for part in path.relative_to(root).parts))


def text_of(path: Path) -> str:
    """A document as Markdown; of a notebook, the cells that are text."""
    text = path.read_text(encoding="utf-8")
    if path.suffix != ".ipynb":
        return text
    cells = json.loads(text)["cells"]
    return "\n\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")


def links(text: str) -> Iterator[str]:
    """The targets of all links and pictures, without those in code."""
    prose = _INLINE.sub("", _FENCED.sub("", text))
    for pattern in (_LINK, _HTML):
        yield from (found.group(1) for found in pattern.finditer(prose))


def is_local(target: str) -> bool:
    """Whether a link leads into the project."""
    return not re.match(r"[a-z][a-z0-9+.-]*:", target)


def anchors(text: str) -> set[str]:
    """The anchors of a document's headings, as GitHub makes them."""
    headings = _HEADING.findall(_FENCED.sub("", text))
    bare = (re.sub(r"[^\w\- ]", "", re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower()) for heading in headings)
    return {heading.strip().replace(" ", "-") for heading in bare}


def problems(root: Path = ROOT) -> list[str]:
    """One line for each link that leads nowhere."""
    found = []
    for document in documents(root):
        for target in filter(is_local, links(text_of(document))):
            file, _, anchor = target.partition("#")
            path = (document.parent / file) if file else document
            if not path.exists():
                found.append(f"{document.relative_to(root)}: {target} does not exist")
            elif anchor and path.suffix in (".md", ".ipynb") and anchor not in anchors(text_of(path)):
                found.append(f"{document.relative_to(root)}: {target}: no heading has this anchor")
    return found
