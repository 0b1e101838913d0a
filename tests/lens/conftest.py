"""`zoo lens` as it is typed, and whether it drew something: functions that tests take as fixtures."""

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from zoo import cli
from zoo.errors import UserError


def _invoke(words):
    return CliRunner().invoke(cli.cli, ["lens", *map(str, words)], catch_exceptions=False)


@pytest.fixture(scope="session")
def run():
    """`run(*words)` is what the command prints on standard output, as lines."""

    def lines(*words):
        result = _invoke(words)
        assert result.exit_code == 0, result.output
        return result.stdout.splitlines()

    return lines


@pytest.fixture(scope="session")
def refused():
    """`refused(*words)` is the sentence with which the command refuses them."""

    def sentence(*words):
        with pytest.raises(UserError) as error:
            _invoke(words)
        return str(error.value)

    return sentence


@pytest.fixture(scope="session")
def is_drawn():
    """`is_drawn(file)` checks that a picture is not blank, and returns its gray values."""

    def pixels(file):
        found = np.asarray(Image.open(file).convert("L"))
        assert found.std() > 5, "a blank picture"
        return found

    return pixels
