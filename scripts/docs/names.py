"""The public names of the library by page of its reference, read off the source. Standard library only."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

PACKAGES = ("cells", "layers", "builders", "decoding", "engine")
"""Packages whose public names are those of `__all__`: one page each."""

MODULES = {
    "saved": ("zoo.saved", "zoo.storage.saved_model", "zoo.evaluation"),
    "export": ("zoo.export", "zoo.runtime"),
    "data": ("zoo.data.*",),
    "lens": ("zoo.lens.*", "zoo.lens.numpy_steps"),
    "losses": ("zoo.losses", "zoo.metrics", "zoo.optimizers"),
    "figures": ("zoo.figures",),
    "task": ("zoo.task", "zoo.settings", "zoo.errors"),
    "testing": ("zoo.testing",),
    "notebook": ("zoo.notebook",),
}
"""Page -> modules all of whose names without an underscore are public; `.*` means every module of a package."""


@dataclass(frozen=True)
class Entry:
    """A public name.

    Attributes:
        name: As users import it: `zoo.cells.GRUCell`.
        module: Where it is defined: `zoo.cells.gru`.
        member: Its name there; a builder that is made of a class has the class.
        documented: Whether it has a docstring.
    """

    name: str
    module: str
    member: str
    documented: bool


def file_of(module: str, root: Path = ROOT) -> Path:
    """The source of a module or package."""
    path = root.joinpath(*module.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def _tree(module: str, root: Path) -> ast.Module:
    return ast.parse(file_of(module, root).read_text(encoding="utf-8"))


def pages(root: Path = ROOT) -> dict[str, list[Entry]]:
    """Page -> its public names."""
    found = {package: list(_exported(f"zoo.{package}", root)) for package in PACKAGES}
    for page, patterns in MODULES.items():
        found[page] = [
            entry for pattern in patterns for module in _modules(pattern, root) for entry in _public(module, root)
        ]
    return found


def problems(root: Path = ROOT) -> list[str]:
    """One line for each public name without a docstring."""
    entries = [entry for page in pages(root).values() for entry in page]
    lines = [f"{entry.name} ({entry.module}) has no docstring" for entry in entries if not entry.documented]
    modules = sorted({entry.module for entry in entries})
    return lines + [f"{module} has no docstring" for module in modules if not ast.get_docstring(_tree(module, root))]


def _modules(pattern: str, root: Path) -> list[str]:
    if not pattern.endswith(".*"):
        return [pattern]
    package = pattern.removesuffix(".*")
    names = sorted(path.stem for path in root.joinpath(*package.split(".")).glob("*.py"))
    return [f"{package}.{name}" for name in names if not name.startswith("_")]


def _exported(package: str, root: Path) -> Iterator[Entry]:
    """The names of a package's `__all__`, each where it is defined."""
    for node in ast.walk(_tree(package, root)):
        if isinstance(node, ast.Assign) and [ast.unparse(target) for target in node.targets] == ["__all__"]:
            for name in ast.literal_eval(node.value):
                yield _defined(package, name, root, f"{package}.{name}")


def _public(module: str, root: Path) -> Iterator[Entry]:
    """The functions and classes of a module without an underscore."""
    for node in _tree(module, root).body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and not node.name.startswith("_"):
            yield Entry(f"{module}.{node.name}", module, node.name, bool(ast.get_docstring(node)))


def _defined(module: str, name: str, root: Path, public: str) -> Entry:
    """Follows imports to the definition of a name.

    Raises:
        LookupError: If there is none.
    """
    body = _tree(module, root).body
    for place, node in enumerate(body):
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and node.name == name:
            return Entry(public, module, name, bool(ast.get_docstring(node)))
        if isinstance(node, (ast.Assign, ast.AnnAssign)) and name in _targets(node):
            if isinstance(node.value, ast.Call) and ast.unparse(node.value.func) == "builder":
                return _defined(module, ast.unparse(node.value.args[0]), root, public)
            follows = body[place + 1] if place + 1 < len(body) else None
            is_text = isinstance(follows, ast.Expr) and isinstance(follows.value, ast.Constant)
            return Entry(public, module, name, is_text)
    for node in ast.walk(ast.Module(body, [])):  # also what only type checkers and lazy packages import
        if (
            isinstance(node, ast.ImportFrom)
            and node.module
            and name in {item.asname or item.name for item in node.names}
        ):
            original = next(item.name for item in node.names if (item.asname or item.name) == name)
            return _defined(node.module, original, root, public)
    raise LookupError(f"{public} is not defined in {module}")


def _targets(node: ast.Assign | ast.AnnAssign) -> list[str]:
    return [ast.unparse(target) for target in (node.targets if isinstance(node, ast.Assign) else [node.target])]
