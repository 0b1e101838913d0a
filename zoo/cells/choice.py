"""From what a user gives as a cell to cells: a name, a class, an instance, a list of these."""

import inspect
from typing import Any

import keras

from zoo.cells import TABLE, find
from zoo.cells.arguments import split
from zoo.errors import UserError
from zoo.names import unknown


def pattern(cell: Any, units: int) -> Any:
    """A `cell` argument as it is stored: a name stays, a class is called with `units`, a list is stacked.

    A name with arguments, such as `"min_gru:signed"` (see `zoo.cells.arguments.split`), is an instance.

    Args:
        cell: A name in `zoo.cells.TABLE`; a cell class; an instance; or a list of these, which becomes
            `keras.layers.StackedRNNCells`.
        units: Units for a class.

    Raises:
        UserError: If a name is unknown, or the value is no cell.
    """
    if isinstance(cell, str):
        name, arguments = split(cell)
        return _with_arguments(name, units, arguments) if arguments else _checked_name(name)
    if isinstance(cell, type):
        return _checked(cell(units)) if issubclass(cell, keras.layers.Layer) and not _is_layer(cell) else _checked(cell)
    if isinstance(cell, (list, tuple)) and cell:
        return keras.layers.StackedRNNCells([make(part, units) for part in cell])
    return _checked(cell)


def make(cell: Any, units: int, *, dtype: Any = None, name: str | None = None) -> Any:
    """A new, unbuilt cell.

    Args:
        cell: A name in `zoo.cells.TABLE`, a cell class (called with `units`), or an instance, which serves as a
            pattern: its config is used, its weights are not. A list of cells is stacked to one.
        units: Units for a name or a class; an instance has its own.
        dtype: Precision for a name; an instance has its own.
        name: Name of the new cell.

    Raises:
        UserError: If a name is unknown, or the value is no cell.
    """
    cell = pattern(cell, units)
    options = {} if name is None else {"name": name}
    if isinstance(cell, str):
        return find(cell)(units, dtype=dtype, **options)
    return _copy(cell, options)


def _checked_name(name: str) -> str:
    find(name)
    return name


def _with_arguments(name: str, units: int, arguments: dict[str, Any]) -> Any:
    """An instance of a named cell.

    Raises:
        UserError: If it has no such argument, or does not take the value.
    """
    cls = find(name)
    known = {parameter for base in cls.__mro__ if "__init__" in vars(base) for parameter in _arguments(base)}
    for argument in arguments:
        if argument not in known:
            raise unknown("argument", argument, known, f"These are the arguments of the cell {name!r}")
    return cls(units, **arguments)


def _arguments(cls: type) -> list[str]:
    """Names of the arguments that a class of this package adds, without `units`."""
    if not cls.__module__.startswith("zoo."):
        return []
    parameters = inspect.signature(cls).parameters.values()
    return [item.name for item in parameters if item.kind != item.VAR_KEYWORD and item.name != "units"]


def _copy(cell: Any, options: dict[str, Any]) -> Any:
    """A new cell of an instance's config.

    Raises:
        UserError: If its config does not tell the arguments of its constructor.
    """
    if type(cell) is keras.layers.StackedRNNCells:
        return keras.layers.StackedRNNCells([_copy(part, {}) for part in cell.cells], **options)
    try:
        config = cell.get_config()
        if lost := _lost_arguments(cell, config):
            raise TypeError(f"Its config lacks {', '.join(lost)}.")
        config.pop("name", None)
        return type(cell).from_config({**config, **options})
    except (TypeError, ValueError, NotImplementedError) as error:
        raise UserError(
            f"The cell {type(cell).__name__} cannot be copied, and every layer and direction needs one of its own: "
            f"give it a get_config that returns all arguments of its constructor. ({error})"
        ) from error


def _lost_arguments(cell: Any, config: dict[str, Any]) -> list[str]:
    """Arguments that a config leaves out although the cell has them as attributes of other values than the defaults."""
    named = inspect.signature(getattr(type(cell), "__init__")).parameters.values()  # noqa: B009
    return [
        item.name
        for item in named
        if item.kind in (item.KEYWORD_ONLY, item.POSITIONAL_OR_KEYWORD)
        and item.name not in config
        and isinstance(item.default, (bool, int, float, str))
        and isinstance(getattr(cell, item.name, None), (bool, int, float, str))
        and getattr(cell, item.name) != item.default
    ]


def _is_layer(cls: type) -> bool:
    """Whether a class of Keras runs over a whole sequence instead of taking a step."""
    return issubclass(cls, (keras.layers.RNN, keras.layers.Wrapper, keras.Model))


def _checked(cell: Any) -> Any:
    """The cell itself.

    Raises:
        UserError: If it is none; says what to give instead.
    """
    cls = cell if isinstance(cell, type) else type(cell)
    is_cell = hasattr(cell, "state_size") and hasattr(cell, "from_config") and not isinstance(cell, type)
    if is_cell and not _is_layer(cls):
        return cell
    if issubclass(cls, keras.layers.Layer):
        raise UserError(
            f"{cls.__name__} is a layer, not a cell, which has a state_size and takes one step by "
            f"call(inputs, states). {_instead(cell, cls)}"
        )
    raise UserError(f"A cell is a name ({', '.join(TABLE)}), a cell class or an instance; got {cell!r}.")


def _instead(layer: Any, cls: type) -> str:
    """What to give in the place of a layer."""
    inner = getattr(getattr(layer, "forward_layer", layer), "cell", None)
    own = getattr(getattr(layer, "arguments", None), "cell", None)
    if own is not None:
        return f"Give its cell, {own!r}."
    name = type(inner).__name__ if isinstance(inner, keras.layers.Layer) else f"{cls.__name__}Cell"
    both = " with bidirectional=True" if cls is keras.layers.Bidirectional else ""
    if hasattr(keras.layers, name):
        return f"Give keras.layers.{name}(units){both}, or a name: {', '.join(TABLE)}."
    return f"Give the cell that it runs{both}, or a name: {', '.join(TABLE)}."
