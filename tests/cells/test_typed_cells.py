"""Cells as they are typed, with arguments after colons."""

import numpy as np
import pytest

from zoo import builders, cells
from zoo.cells.arguments import split
from zoo.errors import UserError


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("gru", ("gru", {})),
        ("min_gru:signed", ("min_gru", {"signed": True})),
        ("x:a=3:b=0.5:c=false:d=none:e=tanh", ("x", {"a": 3, "b": 0.5, "c": False, "d": None, "e": "tanh"})),
    ],
)
def test_name_and_arguments(typed, expected):
    assert split(typed) == expected


@pytest.mark.parametrize("typed", ["gru:", "gru:3", "gru:a=1:a=2", "gru:=1"])
def test_what_is_no_argument_is_refused(typed):
    with pytest.raises(UserError, match="NAME:ARGUMENT=VALUE"):
        split(typed)


def test_the_arguments_reach_the_cell():
    cell = cells.make("min_gru:signed:activation=tanh", 4)
    assert (cell.units, cell.signed, cell.activation) == (4, True, "tanh")
    assert cells.make("min_gru", 4).signed is False
    assert cells.make("lstm:use_bias=false", 4).use_bias is False


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        ("min_gru:sined", "No argument is called 'sined'; did you mean 'signed'"),
        ("gru:signed", "No argument is called 'signed'"),
        ("mingru:signed", "did you mean 'min_gru'"),
        ("gru:units=3", "No argument is called 'units'"),
    ],
)
def test_arguments_that_a_cell_does_not_have_are_refused(typed, message):
    with pytest.raises(UserError, match=message):
        cells.make(typed, 4)


def test_a_model_with_such_a_cell_is_saved_with_it(tmp_path):
    import keras

    model = builders.tagger(num_classes=2, cell="min_gru:signed", units=4, feature_dim=3, bidirectional=False)
    steps = np.ones((1, 5, 3), "float32")
    model.save(tmp_path / "m.keras")
    loaded = keras.saving.load_model(tmp_path / "m.keras")
    np.testing.assert_allclose(loaded(steps), model(steps), atol=1e-6)
    assert loaded.recurrent.runs[0][0].cell.signed
