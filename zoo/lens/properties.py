"""Properties of a text that a unit of a language model may follow, as one number at each character."""

from collections.abc import Callable, Mapping

import numpy as np

OPENING, CLOSING = "([{", ")]}"


def inside_quotes(text: str) -> np.ndarray:
    """1 from a double quote up to the next one; a blank line ends all quotes."""
    return _running(text, lambda state, i: 0.0 if text[i - 1 : i + 1] == "\n\n" else state != (text[i] == '"'))


def inside_brackets(text: str) -> np.ndarray:
    """How many brackets of any kind are open; a blank line closes all."""

    def depth(state: float, i: int) -> float:
        if text[i - 1 : i + 1] == "\n\n":
            return 0.0
        return max(state + (text[i] in OPENING) - (text[i] in CLOSING), 0.0)

    return _running(text, depth)


def position_in_line(text: str) -> np.ndarray:
    """Characters since the last line feed: the length of the line so far."""
    return _running(text, lambda state, i: 0.0 if text[i] == "\n" else state + 1)


def indentation(text: str) -> np.ndarray:
    """Spaces at the beginning of the line, as far as it has been read; tabs count as one."""
    position = position_in_line(text)

    def spaces(state: float, i: int) -> float:
        if text[i] == "\n":
            return 0.0
        return state + 1 if text[i] in " \t" and state == position[i] - 1 else state

    return _running(text, spaces)


def position_in_word(text: str) -> np.ndarray:
    """Letters and digits since the last other character."""
    return _running(text, lambda state, i: state + 1 if text[i].isalnum() else 0.0)


def in_capitals(text: str) -> np.ndarray:
    """1 at a capital letter, and after it until a letter that is none."""
    return _running(text, lambda state, i: float(text[i].isupper()) if text[i].isalpha() else state)


def _running(text: str, update: Callable[[float, int], float]) -> np.ndarray:
    """A number that each character may change, after each: `(characters,)`."""
    values, state = np.zeros(len(text)), 0.0
    for i in range(len(text)):
        state = values[i] = float(update(state, i))
    return values


PROPERTIES: Mapping[str, Callable[[str], np.ndarray]] = {
    "inside quotes": inside_quotes,
    "inside brackets": inside_brackets,
    "position in line": position_in_line,
    "indentation": indentation,
    "position in word": position_in_word,
    "in capitals": in_capitals,
}
"""What it is called -> a function of a text that gives one number per character."""
