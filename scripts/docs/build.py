"""Builds the documentation site of READMEs, docstrings, lessons and cards.

    pip install '.[docs]'
    python scripts/docs/build.py --strict                  # into build/site
    python scripts/docs/build.py && python -m http.server --directory build/site

With --strict a broken link, a public name without a docstring, or any warning of MkDocs fails.
"""

import argparse
import importlib.util
import json
import shutil
import subprocess
import sys
from pathlib import Path

import links
import names
import notebooks

ROOT = Path(__file__).resolve().parents[2]

CONFIG = Path(__file__).with_name("mkdocs.yml")

TITLES = {
    "saved": "Saved models",
    "export": "Export and runtime",
    "data": "Data",
    "lens": "Lens",
    "losses": "Losses, metrics, optimizers",
    "task": "Tasks and settings",
    "testing": "Checks for your own cells and tasks",
}
"""Titles of reference pages; the others have the name of their package."""


def gather(target: Path) -> None:
    """Copies all documents and what they link to, and writes the pages of the reference, into an empty folder."""
    for document in links.documents():
        place = target / document.relative_to(ROOT)
        if document.suffix == ".ipynb":
            notebooks.write(document, place.with_suffix(".md"))
        else:
            place.parent.mkdir(parents=True, exist_ok=True)
            text = document.read_text(encoding="utf-8")
            place.write_text(text.replace("lesson.ipynb)", "lesson.md)"), encoding="utf-8")
        _copy_linked(document, target)
    for page, entries in names.pages().items():
        (target / "api").mkdir(exist_ok=True)
        (target / "api" / f"{page}.md").write_text(reference(page, entries), encoding="utf-8")


def _copy_linked(document: Path, target: Path) -> None:
    """Copies pictures, source files and data that a document links to."""
    for link in filter(links.is_local, links.links(links.text_of(document))):
        file = (document.parent / link.partition("#")[0]).resolve()
        if file.is_file() and file.suffix not in (".md", ".ipynb") and file.is_relative_to(ROOT):
            place = target / file.relative_to(ROOT)
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(file, place)


def reference(page: str, entries: list[names.Entry]) -> str:
    """A page of the reference: each module once, with the members that are public."""
    lines = [f"# {TITLES.get(page, f'zoo.{page}')}", ""]
    members: dict[str, list[str]] = {}
    for entry in entries:
        members.setdefault(entry.module, []).append(entry.member)
    for module, shown in members.items():
        lines += [f"::: {module}", "    options:", f"      members: {json.dumps(shown)}", ""]
    return "\n".join(lines)


def navigation() -> list:
    """The menu of the site."""
    lessons = {
        "charlm": "Recurrence in ten minutes",
        "sentiment": "A classifier from your own table",
        "translate": "Attention, checked",
        "classify": "A cell of your own",
    }
    tasks = sorted(path.parent.name for path in ROOT.glob("tasks/*/README.md"))
    models = sorted(path.parent.name for path in links.documents() if path.parent.parent.name == "saved_models")
    return [
        {"zoo": "README.md"},
        {"Lessons": [{title: f"tasks/{task}/lesson.md"} for task, title in lessons.items()]},
        {"Tasks": [{"All tasks": "tasks/README.md"}, *({task: f"tasks/{task}/README.md"} for task in tasks)]},
        {"Models": ["saved_models/README.md", *({name: f"saved_models/{name}/README.md"} for name in models)]},
        {"Reference": [{TITLES.get(page, f"zoo.{page}"): f"api/{page}.md"} for page in names.pages()]},
        {"Several workers": "scripts/scale.md"},
        {"Changes": "CHANGELOG.md"},
    ]


def build(output: Path, strict: bool) -> int:
    """Builds the site; returns the exit code of MkDocs."""
    work = output.with_name(f"{output.name}-pages")
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    gather(work)
    config = output.with_name(f"{output.name}.yml")  # JSON is YAML
    settings = {"INHERIT": str(CONFIG), "docs_dir": str(work), "site_dir": str(output), "nav": navigation()}
    config.write_text(json.dumps(settings, indent=1), encoding="utf-8")
    words = [sys.executable, "-m", "mkdocs", "build", "--clean", "--config-file", str(config)]
    return subprocess.run([*words, *(["--strict"] if strict else [])], cwd=ROOT, check=False).returncode


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--strict", action="store_true")
    parser.add_argument("--output", type=Path, default=ROOT / "build" / "site")
    words = parser.parse_args()
    found = [*links.problems(), *names.problems()]
    for problem in found:
        print(problem, file=sys.stderr)
    if found and words.strict:
        sys.exit(1)
    needed = ("mkdocs", "material", "mkdocstrings", "mkdocstrings_handlers")
    if missing := [name for name in needed if importlib.util.find_spec(name) is None]:
        sys.exit(f"{' and '.join(missing)} cannot be imported: pip install '.[docs]' in the clone.")
    sys.exit(build(words.output.resolve(), words.strict))


if __name__ == "__main__":
    main()
