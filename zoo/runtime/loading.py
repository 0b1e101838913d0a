"""From an exported folder to a model that answers."""

from pathlib import Path

from zoo import cards
from zoo import task as tasks
from zoo.errors import UserError
from zoo.runtime.choice import EXPORT, choose, exported
from zoo.runtime.nets import Net, make
from zoo.runtime.sessions import Session
from zoo.storage import schema, stored
from zoo.storage.saved_model import SavedModel


def load(model: str | Path, models_dir: str | Path | None = None) -> SavedModel:
    """Loads the ONNX export of a saved model.

    Args:
        model: Name or folder of a saved model that has been exported, or an exported folder.
        models_dir: Where to look for a name first.

    Raises:
        UserError: If there is no export, it is damaged or that of another model, or ONNX Runtime is not installed.
    """
    path = cards.locate(model, models_dir)
    choose(path, "onnx")
    folder = exported(path)
    summary, named = cards.summarize(folder), stored.verify(folder, EXPORT)
    assets = dict(stored.read_asset(folder, name) for name in named if name.startswith("assets/"))
    net = open_net(folder)
    schema.check_agreement(assets, None, net.classes, net.vocabularies, str(folder))
    installed = tasks.find(summary.task)
    return SavedModel(
        path, installed, installed.recipe.configure(summary.recipe["train"]), summary.metrics, assets, net
    )


def open_net(folder: Path) -> Net:
    """The net of an exported folder.

    Raises:
        UserError: If a graph is missing, or cannot be loaded.
    """
    export = schema.read(folder, EXPORT, schema.Export)
    if export["format"] != "onnx":
        raise UserError(f"{folder} holds an export as {export['format']}; this runtime reads ONNX.")
    graphs = {
        name: Session(schema.regular(folder, graph["file"]), graph, by_rows=graph["inputs"][0]["name"] != "pictures")
        for name, graph in export["graphs"].items()
    }
    return make(export, graphs)
