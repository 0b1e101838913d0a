"""ONNX as a format of exports."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from zoo.export import graphs
from zoo.export.graphs import GraphSpec
from zoo.export.onnx import nets, weights
from zoo.runtime.loading import open_net


def specs(model: Any) -> tuple[GraphSpec, ...]:
    """The graphs of a saved model.

    Raises:
        UserError: If it is none of those that `zoo.export.graphs` names.
    """
    return graphs.graphs(model.net)


def prepare(net: Any, specs: Sequence[GraphSpec], quantize: str | None) -> dict[str, bytes]:
    """All graphs in memory, before anything is written: name of a file -> its content.

    Raises:
        UserError: If the net has a part that has no export.
    """
    return {
        f"{spec.name}.onnx": weights.compress(nets.build(net, spec), quantize).SerializeToString() for spec in specs
    }


def load(folder: Path) -> Any:
    """The net of an exported folder, as `zoo.runtime` answers with it."""
    return open_net(folder)
