"""The text that `scripts/text_for.py` writes."""

from typing import Any


def test_only_characters_of_the_other_text_are_left(import_script: Any) -> None:
    found = import_script("text_for").in_characters("abc \n", ["a Ébb<br /><br />c", "cab 7"])
    assert sorted(found.split("\n\n")) == ["a bb\nc", "cab "]


def test_the_order_is_mixed_and_always_the_same(import_script: Any) -> None:
    text_for, documents = import_script("text_for"), [letter * 3 for letter in "abcdefghij"]
    found = text_for.in_characters("abcdefghij", documents)
    assert found == text_for.in_characters("jihgfedcba", iter(documents))
    assert found != "\n\n".join(documents)
    assert sorted(found.split("\n\n")) == documents
