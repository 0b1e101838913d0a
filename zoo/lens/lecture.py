"""The figures of an introductory lecture on recurrent nets, for notebooks: each function returns one.

Each has a command of its own that writes the same figure into a file:

    shapes      zoo lens shapes
    hello       zoo lens hello
    unrolled    zoo lens equations --plot unrolled.png
    gates       zoo lens gates MODEL TEXT
    carry       zoo lens carry MODEL TEXT
    gradients   zoo lens gradients --trained-on adding --before
"""

from typing import Any

from zoo import figures, saved
from zoo.lens import carry as carrying
from zoo.lens import choices, equations, settings, through_time
from zoo.lens import gates as opening
from zoo.lens import hello as spelling
from zoo.lens import shapes as five
from zoo.terminal.shades import visible


def shapes() -> Any:
    """The five shapes of sequence tasks, from five published models.

    Returns:
        The `matplotlib.figure.Figure`.
    """
    return five.draw(five.shapes())


def hello(word: str = "hello", cell: str = "simple_rnn", units: int = 3, steps: int = 400, seed: int = 1) -> Any:
    """A net of a few units that learns to spell a word, at training and at sampling time.

    Args:
        word: The word, of 2 to 10 letters.
        cell: A cell's name, with arguments after colons.
        units: Size of the hidden vector.
        steps: Training steps; 0 shows an untrained net.
        seed: Random seed.

    Returns:
        The `matplotlib.figure.Figure`.
    """
    return spelling.draw(spelling.learn(word, cell, units, steps, seed))


def unrolled(cell: str = "simple_rnn", units: int = 3, features: int = 2, steps: int = 3, seed: int = 1) -> Any:
    """A cell with random weights, unrolled over a few steps, with its equations and all numbers.

    Args:
        cell: A cell's name, with arguments after colons.
        units: Units of the cell.
        features: Number of inputs.
        steps: Time steps from a zero state on.
        seed: Random seed of weights and inputs.

    Returns:
        The `matplotlib.figure.Figure`.
    """
    return equations.draw(cell, equations.unroll(cell, units, features, steps, seed))


def gates(model: str | saved.SavedModel, text: str, layer: int = 1) -> Any:
    """The gates of a trained model along a text.

    Args:
        model: A model, its name or its folder.
        text: The text that it reads.
        layer: Number of the recurrent layer, from 1 on.

    Returns:
        The `matplotlib.figure.Figure`.
    """
    tokens, values = opening.read(_loaded(model), text, layer)
    return figures.draw_gates(None, values, [visible(token) for token in tokens])


def carry(model: str | saved.SavedModel, text: str, layer: int = 1) -> Any:
    """What the state of a trained model carries along a text.

    Args:
        model: A model, its name or its folder.
        text: The text that it reads.
        layer: Number of the recurrent layer, from 1 on.

    Returns:
        The `matplotlib.figure.Figure`.
    """
    found = _loaded(model)
    return carrying.draw(carrying.read(found, text, layer), f"{found.path.name}, layer {layer}")


def gradients(**options: Any) -> Any:
    """The gradient through time of several cells.

    Args:
        **options: Fields of `zoo.lens.settings.Gradients`, such as `cells="simple_rnn,lstm"`, `trained_on="adding"`,
            `before=True`, `steps=100`.

    Returns:
        The `matplotlib.figure.Figure`.
    """
    config = settings.Gradients(**options)
    choices.check(config)
    models = [saved.load(name) for name in choices.models(config.model)] if config.model is not None else []
    state = through_time.state_of(config, models)
    return through_time.draw(config, through_time.curves_of(config, models), state)


def _loaded(model: str | saved.SavedModel) -> saved.SavedModel:
    return saved.load(model) if isinstance(model, str) else model
