"""Names that are in no table: the nearest one, all that would do, the next step."""

import pytest

from zoo.errors import UserError
from zoo.names import look_up, nearest, unknown


@pytest.mark.parametrize(
    ("name", "close"),
    [("gur", "gru"), ("GRU", "gru"), ("lsmt", "lstm"), ("simple-rnn", "simple_rnn"), ("xyzzy", None), ("", None)],
)
def test_nearest(name: str, close: str | None) -> None:
    assert nearest(name, ["gru", "lstm", "simple_rnn"]) == close


def test_nearest_gives_the_name_as_it_is_spelled_in_the_table() -> None:
    assert nearest("adamw", ["AdamW", "SGD"]) == "AdamW"


def test_nearest_of_nothing() -> None:
    assert nearest("gru", []) is None


def test_look_up_finds() -> None:
    assert look_up({"gru": 1, "lstm": 2}, "lstm", "cell") == 2


def test_look_up_finds_a_value_that_is_false() -> None:
    assert look_up({"zero": 0}, "zero", "number") == 0


def test_look_up_fails_with_all_that_helps() -> None:
    with pytest.raises(UserError) as error:
        look_up({"lstm": 2, "gru": 1}, "gur", "cell", "Or write one")
    assert str(error.value) == "No cell is called 'gur'; did you mean 'gru'? Known: gru, lstm. Or write one."


def test_nothing_near_and_nothing_known() -> None:
    assert str(unknown("model", "x", [])) == "No model is called 'x'."


def test_a_user_error_is_a_value_error() -> None:
    assert isinstance(unknown("cell", "x", []), ValueError)
