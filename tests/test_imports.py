"""Who may import what: the table of the design, read off the source with `ast`."""

import ast
import fnmatch
import importlib.metadata
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

LIGHT = (
    "zoo zoo.errors zoo.ids zoo.legacy zoo.names zoo.settings zoo.data.datasets zoo.task "
    "zoo.options zoo.cards zoo.scores zoo.storage.model_card zoo.terminal.console zoo.terminal.shades"
)
DATA = "zoo.data"
NETS = "zoo.serialization zoo.engine zoo.cells zoo.layers zoo.losses zoo.decoding zoo.builders"
WHOLE = (
    "zoo.evaluation zoo.figures zoo.loss_terms zoo.metrics zoo.optimizers zoo.prediction zoo.pretraining zoo.saved "
    "zoo.storage.saved_model zoo.storage.stored"
)
EVERYTHING = f"{LIGHT} zoo.engine {DATA} {NETS} {WHOLE}"
READ = (
    "zoo zoo.cards zoo.errors zoo.ids zoo.legacy zoo.names zoo.storage.saved_model zoo.storage.schema "
    "zoo.storage.stored zoo.task"
)

# The first pattern that matches a file says what it may import besides the standard library and its own package.
ROWS = {
    "zoo/__init__.py": "zoo.registration",
    "zoo/__main__.py": "zoo.cli",
    "zoo/registration.py": "zoo.silence",
    "zoo/silence.py": "",
    "zoo/errors.py": "",
    "zoo/ids.py": "",
    "zoo/legacy.py": "",
    "zoo/settings.py": "zoo.errors zoo.names",
    "zoo/names.py": "zoo.errors",
    "zoo/data/__init__.py": "",
    "zoo/data/datasets.py": "zoo.errors zoo.names",
    "zoo/storage/__init__.py": "",
    "zoo/storage/schema.py": "msgspec zoo.errors",
    "zoo/cards.py": "zoo.errors zoo.legacy zoo.names zoo.storage.schema",
    "zoo/task.py": "zoo.cards zoo.data.datasets zoo.errors zoo.legacy zoo.names zoo.settings",
    "zoo/terminal/__init__.py": "",
    "zoo/terminal/help.py": "click",
    "zoo/terminal/console.py": "click zoo.data.files zoo.errors",
    "zoo/terminal/completion.py": "click zoo.cards zoo.cells zoo.task",
    "zoo/terminal/shades.py": "click zoo.errors",
    "zoo/terminal/environment.py": "zoo.errors",
    "zoo/options.py": "click zoo.legacy zoo.names zoo.settings zoo.terminal.help",
    "zoo/storage/archive.py": "h5py msgspec numpy zoo.errors",
    "zoo/storage/model_card.py": "zoo zoo.cards zoo.data.datasets zoo.errors zoo.legacy zoo.scores zoo.task",
    "zoo/storage/saved_model.py": "zoo.cards zoo.evaluation zoo.prediction zoo.task",
    "zoo/storage/stored.py": "zoo zoo.cards zoo.data.files zoo.data.text zoo.errors zoo.legacy",
    "zoo/storage/hub.py": "huggingface_hub zoo.cards zoo.data.cache zoo.errors zoo.task",
    "zoo/terminal/listing.py": "zoo.cards zoo.cells zoo.engine zoo.storage.model_card zoo.task",
    "zoo/scores.py": "",
    "zoo/statistics.py": "numpy scipy",
    "zoo/evaluation.py": "numpy zoo.task",
    "zoo/prediction.py": "zoo.errors zoo.names zoo.settings zoo.task",
    "zoo/data/*": "keras numpy PIL platformdirs pyarrow scipy tensorflow tensorflow_datasets tokenizers "
    "zoo.errors zoo.ids zoo.names zoo.storage.schema zoo.silence",
    "zoo/figures.py": "matplotlib numpy zoo.errors",
    "zoo/metrics.py": "numpy sklearn",
    "zoo/pretraining.py": (
        "keras numpy tensorflow zoo.builders zoo.errors zoo.evaluation zoo.optimizers zoo.settings zoo.task"
    ),
    "zoo/loss_terms.py": "keras zoo.engine zoo.errors zoo.layers zoo.settings",
    "zoo/optimizers.py": "keras zoo.engine zoo.loss_terms zoo.settings",
    "zoo/serialization.py": "keras zoo.names",
    "zoo/losses.py": "keras zoo.errors zoo.ids",
    "zoo/cells/__init__.py": "zoo.errors zoo.names",
    "zoo/cells/*": "keras numpy zoo.engine zoo.errors zoo.names zoo.serialization",
    "zoo/decoding/*": "keras numpy zoo.engine zoo.errors zoo.ids zoo.names",
    "zoo/engine/threads.py": "zoo.workers",
    "zoo/engine/*": "keras numpy numba llvmlite tensorflow jax zoo.cells zoo.errors",
    "zoo/layers/*": "keras zoo.engine zoo.serialization zoo.errors zoo.ids zoo.names zoo.cells",
    "zoo/builders/*": f"keras numpy zoo.errors zoo.ids zoo.names {NETS}",
    "zoo/runtime/choice.py": "zoo zoo.cards zoo.data.cache zoo.errors zoo.storage.schema",
    "zoo/runtime/*": f"numpy onnxruntime zoo.decoding zoo.workers {READ}",
    "zoo/export/__init__.py": "zoo.errors zoo.runtime",
    "zoo/export/command.py": "click zoo.cards zoo.options zoo.settings zoo.terminal.console zoo.terminal.environment",
    "zoo/export/formats.py": "zoo.errors zoo.names",
    "zoo/export/readme.py": "zoo.cards",
    "zoo/export/programs/*": "numpy PIL tokenizers",
    "zoo/export/runners/*": "ai_edge_litert numpy onnxruntime tensorflow",
    "zoo/export/serving/service.py": "click fastapi pydantic uvicorn zoo.errors zoo.runtime",
    "zoo/export/serving/client.py": "click zoo.errors zoo.ids zoo.runtime zoo.storage.schema zoo.storage.stored",
    "zoo/export/serving/__init__.py": "",
    "zoo/export/tensorflow/*": f"ai_edge_litert flatbuffers keras numpy tensorflow zoo.runtime {READ} {NETS}",
    "zoo/export/*": f"filelock keras numpy onnx zoo.data.cache zoo.runtime {READ} {NETS}",
    "zoo/saved.py": f"h5py keras numpy zoo.runtime zoo.storage.archive zoo.storage.hub zoo.storage.schema {EVERYTHING}",
    "zoo/workers/launcher.py": "zoo.terminal.console",
    "zoo/workers/settings.py": "zoo.errors zoo.settings",
    "zoo/workers/*": "",
    "zoo/bulk/blocks.py": "zoo.data.files zoo.errors zoo.settings zoo.terminal.console",
    "zoo/bulk/run.py": "click zoo.errors zoo.workers",
    "zoo/bulk/worker.py": "zoo.errors zoo.task zoo.terminal.answers zoo.terminal.console",
    "zoo/bulk/__init__.py": "",
    "zoo/training/*": f"filelock keras msgspec numpy rich zoo.workers {EVERYTHING}",
    "zoo/report/folder.py": "zoo.errors",
    "zoo/report/values.py": "numpy",
    "zoo/report/*": f"jinja2 numpy PIL sklearn zoo.statistics {EVERYTHING}",
    "zoo/testing.py": f"keras numpy tensorflow {EVERYTHING} zoo.training",
    "zoo/demo/commands.py": "click zoo.errors zoo.names zoo.options zoo.terminal.environment",
    "zoo/demo/__init__.py": "",
    "zoo/demo/limits.py": "",
    "zoo/demo/markup.py": "zoo.terminal.console zoo.terminal.shades",
    "zoo/demo/part.py": "numpy zoo.cards zoo.data zoo.errors",
    "zoo/demo/model_cache.py": "zoo.cards zoo.errors zoo.saved",
    "zoo/demo/server.py": "click fastapi gradio uvicorn zoo.errors",
    "zoo/demo/page.py": "gradio zoo.lens zoo.task",
    "zoo/lens/settings.py": "zoo.settings",
    "zoo/lens/choices.py": "zoo.cells zoo.errors zoo.names zoo.settings zoo.task",
    "zoo/lens/commands.py": (
        "click zoo.cards zoo.errors zoo.options zoo.terminal.completion zoo.terminal.environment zoo.terminal.help"
    ),
    "zoo/lens/diagrams.py": "matplotlib numpy zoo.figures",
    "zoo/lens/numpy_steps/*": "numpy",
    "zoo/lens/*": f"keras numpy {EVERYTHING} zoo.demo zoo.training",
    "zoo/comparison/grid.py": "zoo.cards zoo.errors zoo.settings zoo.task",
    "zoo/comparison/clusters.py": "zoo.errors zoo.workers",
    "zoo/comparison/processes.py": "zoo.cards zoo.errors zoo.workers",
    "zoo/comparison/commands.py": (
        "click zoo.cards zoo.cells zoo.errors zoo.names zoo.options zoo.settings zoo.task zoo.terminal.completion "
        "zoo.data.datasets zoo.terminal.environment"
    ),
    "zoo/comparison/*": f"keras numpy {EVERYTHING} zoo.report zoo.statistics zoo.training zoo.workers",
    "zoo/inspection/commands.py": (
        "click zoo.data.datasets zoo.options zoo.task zoo.terminal.console zoo.terminal.environment"
    ),
    "zoo/inspection/*": "numpy zoo.data zoo.evaluation zoo.ids zoo.task zoo.training",
    "zoo/terminal/answers.py": "click zoo.cards zoo.errors zoo.options zoo.runtime zoo.task",
    "zoo/cli.py": (
        "click zoo zoo.cards zoo.cells zoo.comparison zoo.data.datasets zoo.demo zoo.errors zoo.export zoo.inspection "
        "zoo.lens zoo.names zoo.options zoo.report zoo.runtime zoo.scores zoo.settings zoo.storage.model_card zoo.task "
        "zoo.terminal zoo.workers"
    ),
    "zoo/notebook.py": "click IPython zoo.cli zoo.errors",
    "tasks/__init__.py": "",
    "tasks/*/datasets.py": "zoo.data.datasets",
    "tasks/*/demo.py": (
        "numpy PIL sklearn zoo.cards zoo.data zoo.demo zoo.errors zoo.ids zoo.saved zoo.storage.schema zoo.task"
    ),
    "tasks/*/recipe.py": "zoo.errors zoo.names zoo.settings zoo.task",
    "tasks/*/*/*.py": (
        "babel mnist1d numpy PIL tensorflow tensorflow_datasets zoo.data.memory_tests zoo.errors zoo.names"
    ),
    "tasks/*/*.py": (
        f"keras numpy PIL sacrebleu sacremoses scipy seqeval sklearn tensorflow tensorflow_datasets {EVERYTHING} "
        "zoo.report"
    ),
}

LATE = {
    "zoo/terminal/answers.py": "zoo.bulk zoo.export zoo.runtime zoo.saved",
    "zoo/comparison/clusters.py": "ray",
    "zoo/training/group.py": "jax",
    "zoo/export/command.py": "zoo.saved",
    "zoo/storage/saved_model.py": "zoo.export",
    "zoo/cards.py": "zoo.storage.hub",
    "zoo/cli.py": "zoo.saved zoo.training",
    "zoo/terminal/environment.py": "keras tensorflow",
}
"""What a file may import inside functions only."""

DEEP = {"data", "storage", "tasks", "terminal"}
"""Folders of `zoo` whose modules have rows of their own."""

PREDICT = [f"zoo.tasks.{path.parent.name}.predict" for path in sorted((ROOT / "tasks").glob("*/predict.py"))]

FILES = sorted(path.relative_to(ROOT).as_posix() for part in ("zoo", "tasks") for path in (ROOT / part).rglob("*.py"))


def row(file: str) -> str:
    return next(allowed for pattern, allowed in ROWS.items() if fnmatch.fnmatch(file, pattern))


def module_of(file: str) -> list[str]:
    """The parts of the package that a file belongs to: the folder `tasks` is imported as `zoo.tasks`."""
    parts = file.split("/")[:-1]
    return ["zoo", *parts] if parts[0] == "tasks" else parts


def package(file: str) -> str:
    """The name under which a file may import its neighbors: `zoo.cells`, `zoo.tasks.sentiment`."""
    parts = module_of(file)
    return short(".".join(parts)) if len(parts) > 1 else ""


def short(module: str) -> str:
    """`keras.ops` is Keras; `zoo.cells.gru` is `zoo.cells`; the folders of `DEEP` keep one name more."""
    parts = module.split(".")
    if parts[0] != "zoo":
        return parts[0]
    return ".".join(parts[: 3 if set(parts[1:2]) & DEEP else 2])


def names(node: ast.AST, file: str) -> Iterator[str]:
    """Modules that one statement imports; `from zoo import saved` is `zoo.saved`, `from zoo import __version__` zoo."""
    if isinstance(node, ast.Import):
        yield from (item.name for item in node.names)
    elif isinstance(node, ast.ImportFrom):
        assert not node.level or file.startswith("tasks/"), "imports are absolute, except within a task"
        above = module_of(file)[: -(node.level - 1) or None] if node.level else []
        base = ".".join([*above, *filter(None, [node.module])])
        for item in node.names:
            inner = ROOT / base.removeprefix("zoo.tasks").replace(".", "/").lstrip("/") / item.name
            inner = ROOT / "tasks" / inner.relative_to(ROOT) if base.startswith("zoo.tasks") else inner
            is_module = inner.is_dir() or inner.with_suffix(".py").is_file()
            yield f"{base}.{item.name}" if is_module else base


def edges(file: str, source: str) -> Iterator[tuple[str, bool]]:
    """`(module, whether inside a function)` of every import but those of the standard library."""

    def walk(node: ast.AST, late: bool) -> Iterator[tuple[str, bool]]:
        for name in names(node, file):
            if name.split(".")[0] not in sys.stdlib_module_names:
                yield short(name), late
        for child in ast.iter_child_nodes(node):
            yield from walk(child, late or isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)))

    return walk(ast.parse(source), False)


def forbidden(file: str, source: str) -> set[str]:
    allowed, late = {*row(file).split(), package(file)}, set(LATE.get(file, "").split())
    inner = tuple(f"{name}." for name in allowed if name != "zoo")
    return {
        name
        for name, inside in edges(file, source)
        if name not in allowed and not name.startswith(inner) and not (inside and name in late)
    }


@pytest.mark.parametrize("file", FILES)
def test_imports_only_from_rows_above(file: str) -> None:
    assert forbidden(file, (ROOT / file).read_text(encoding="utf-8")) == set()


def test_looks_at_every_file() -> None:
    assert len(FILES) > 25
    assert {"zoo/cli.py", "zoo/cells/gru.py", "tasks/sentiment/data.py"} <= set(FILES)


@pytest.mark.parametrize(
    ("file", "source", "found"),
    [
        ("zoo/cells/gru.py", "import tensorflow as tf", "tensorflow"),
        ("zoo/layers/pooling.py", "def f():\n    import tensorflow", "tensorflow"),
        ("zoo/builders/tagger.py", "from tensorflow.data import Dataset", "tensorflow"),
        ("zoo/decoding/beam.py", "from zoo import builders", "zoo.builders"),
        ("zoo/cells/gru.py", "from zoo.layers.pooling import Pooling", "zoo.layers"),
        ("zoo/cells/__init__.py", "import keras", "keras"),
        ("zoo/training/run.py", "from zoo.tasks.sentiment import data", "zoo.tasks.sentiment"),
        ("zoo/cli.py", "from zoo import training", "zoo.training"),
        ("tasks/sentiment/data.py", "from zoo.tasks.tag.data import load", "zoo.tasks.tag"),
        ("tasks/sentiment/task.py", "from zoo import cli", "zoo.cli"),
        ("tasks/sentiment/recipe.py", "import keras", "keras"),
        ("tasks/sentiment/reviews/reviews_dataset_builder.py", "from zoo.data import text", "zoo.data.text"),
    ],
)
def test_a_forbidden_import_is_found(file: str, source: str, found: str) -> None:
    assert forbidden(file, source) == {found}


def test_an_import_inside_a_function_of_the_command_line_is_allowed() -> None:
    assert forbidden("zoo/cli.py", "def f():\n    from zoo import saved, training") == set()


def test_every_package_that_is_imported_is_declared() -> None:
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    listed = project.partition("\ndependencies = [")[2].partition("\n]")[0]
    declared = {name.lower() for name in re.findall(r'^ *"([\w.-]+)', listed, re.MULTILINE)} | {
        "jax",
        "onnx",
        "onnxruntime",
        "ai-edge-litert",
        "flatbuffers",
        "huggingface_hub",
        "pyarrow",
        "gradio",
        "pydantic",
        "fastapi",
        "uvicorn",
        "ray",
        "ipython",
    }  # extras
    used = {name for file in FILES for name, _ in edges(file, (ROOT / file).read_text(encoding="utf-8"))}
    foreign = {name for name in used if name.split(".")[0] != "zoo"}
    assert {"click", "keras", "sklearn"} <= foreign
    providers = importlib.metadata.packages_distributions()
    assert {name for name in foreign if not declared & {item.lower() for item in providers.get(name, [name])}} == set()


@pytest.mark.parametrize("module", ["zoo", "zoo.cells", "zoo.cli"])
def test_importing_it_is_light(module: str) -> None:
    heavy = ("keras", "tensorflow", "tensorflow_datasets", "jax", "numpy", "zoo.tasks")
    code = f"import sys, {module}; print(*[name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


@pytest.mark.parametrize("module", ["zoo.runtime.loading", "zoo.decoding", "zoo.storage.stored", *PREDICT])
def test_importing_it_imports_no_keras(module: str) -> None:
    if module == "zoo.runtime.loading":
        pytest.importorskip("onnxruntime", reason="onnxruntime is not installed: pip install 'zoo[onnx]'")
    code = f"import sys, {module}; print(*[name for name in ('keras', 'tensorflow', 'jax') if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


@pytest.mark.parametrize(
    "first",
    [
        "import zoo, keras", "import keras, zoo", "from zoo import layers", "import zoo.cells.gru",
        "from zoo import losses", "from zoo.decoding import beam", "from zoo.data import batches",
        "from zoo import saved",
    ],
)  # fmt: skip
def test_classes_are_known_to_keras_whatever_is_imported_first(first: str) -> None:
    code = (
        f"{first}\n"
        "from keras.saving import get_registered_object\n"
        "assert all(map(get_registered_object, ('zoo>Translator', 'zoo>GRUCell', 'zoo>TokenCrossentropy')))"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_users_tasks_file_is_never_run(tmp_path: Path) -> None:
    (tmp_path / "tasks.py").write_text("raise SystemExit('this file must not be run')")
    command = [sys.executable, "-m", "zoo", "list", "tasks"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert "sentiment" in done.stdout
