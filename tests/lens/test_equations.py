"""The numpy steps of all cells, and `zoo lens equations`, which shows them."""

import json

import keras
import numpy as np
import pytest
from click.testing import CliRunner

from zoo import cells, cli
from zoo.errors import UserError
from zoo.lens import equations
from zoo.lens.numpy_steps import NUMPY_STEPS

VARIANTS = [
    "min_gru:signed",
    "min_gru:activation=g",
    "min_lstm:signed",
    "min_lstm:activation=tanh",
    "sru:peephole",
    "lru:channels=3",
    "lru:activation=relu",
    "rg_lru:signed:num_blocks=2",
    "gated_delta:signed:heads=2",
    "gated_delta:heads=1:key_dim=3",
    "mogrifier_lstm:rounds=4",
    "mogrifier_lstm:rounds=3:rank=2",
    "layer_norm_lstm:norm_epsilon=0.1",
    "slstm:num_heads=2",
    "slstm:forget_gate=exp",
    "ind_rnn:max_length=20",
]
"""Cells with every argument that changes their equations."""


def test_every_cell_has_a_numpy_step():
    assert NUMPY_STEPS.keys() == cells.TABLE.keys()


@pytest.mark.parametrize("cell", [*cells.TABLE, *VARIANTS, *(f"{name}:use_bias=false" for name in cells.TABLE)])
def test_a_cell_equals_its_numpy_step(cell):
    for seed, features in ((1, 3), (2, 4), (3, 1)):
        comparison = equations.compare(cell, 4, features, seed)
        assert comparison.largest_difference < equations.CLOSE
        assert all(np.abs(values).max() > 0 for values in comparison.by_cell.values()), "nothing but zeros"


@pytest.mark.parametrize("name", cells.TABLE)
def test_every_cell_shows_its_equations(name):
    keras.backend.clear_session()
    lines = equations.equations(name)
    assert any("h_t" in line for line in lines)
    assert all("=" in line for line in lines)
    assert "Source:" in equations.documentation(name)


def test_a_wrong_step_is_noticed(monkeypatch):
    def wrong(weights, inputs, states, arguments):
        output, new = NUMPY_STEPS["gru"](weights, inputs, states, arguments)
        return output, [state + 1e-3 for state in new]

    monkeypatch.setattr(equations, "NUMPY_STEPS", {"gru": wrong})
    comparison = equations.compare("gru", 3, 2)
    assert comparison.largest_difference == pytest.approx(1e-3, rel=1e-2)
    result = CliRunner().invoke(cli.cli, ["lens", "equations", "--cell", "gru"], catch_exceptions=False)
    assert result.stdout.splitlines()[-1].endswith("the cell and these equations disagree")
    with pytest.raises(UserError, match="no numpy step of 'lstm'"):
        equations.compare("lstm", 3, 2)


def test_the_command():
    done = CliRunner().invoke(cli.cli, ["lens", "equations", "--cell", "lstm", "--units", "10"], catch_exceptions=False)
    lines = done.stdout.splitlines()
    assert lines[0] == "Long short-term memory."
    assert "    f_t = sigmoid(W_xf x_t + W_hf h_{t-1} + b_f)    forget gate" in lines
    assert [line.split()[0] for line in lines if line.startswith("state c")][:1] == ["state"]
    assert "state c: 2 more" in done.stdout
    assert lines[-1].endswith("rounding")
    done = CliRunner().invoke(cli.cli, ["lens", "equations", "--cell", "min_gru:signed", "--json"])
    found = json.loads(done.stdout)
    assert found["largest_difference"] < 1e-6
    np.testing.assert_allclose(found["numpy"]["output"], found["cell"]["output"], atol=1e-6)
    assert "h_t  = (1 - z_t) * h_{t-1} + z_t * h~_t" in found["equations"]
