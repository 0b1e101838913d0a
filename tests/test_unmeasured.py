"""`render.py --check` finds numbers of documents that nobody measured."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "scripts"))
import unmeasured

README = unmeasured.ROOT / "tasks" / "sentiment" / "README.md"


def found(text: str) -> list[str]:
    return [number for _, number in unmeasured.numbers(text)]


def test_numbers_of_prose_and_of_tables_are_seen():
    assert found("It has 91.28 points, 12 %\nand 1,234.5 of 7.\n| a | 0.5 |") == ["91.28", "12", "1234.5", "0.5"]


@pytest.mark.parametrize(
    "text",
    ["    code 1.5", "`--dropout 0.1`", "```\n0.25\n```", "<!-- a -->\n1.5\n<!-- /a -->", "[a](b-1.5.md)", "3.15.1"],
)
def test_code_links_versions_and_rendered_blocks_are_not(text):
    assert found(text) == []


def test_a_number_is_measured_at_the_digits_that_it_has():
    assert unmeasured.is_measured("91.28", [0.91284])
    assert unmeasured.is_measured("0.913", [0.91284])
    assert not unmeasured.is_measured("91.29", [0.91284])


def test_an_invented_number_is_told_with_its_line_and_a_stale_quotation_too():
    quoted = {"tasks/sentiment/README.md": [{"numbers": ["84.3", "99.1"], "source": "others"}]}
    problems = list(unmeasured.problems(README, "one\nwe have 77.77, they 84.3\n", quoted))
    assert len(problems) == 2
    assert "README.md:2: 77.77 is in no measured file" in problems[0]
    assert "does not have 99.1" in problems[1]
