"""Answers as HTML: escaped, in proportion."""

import re

from zoo.demo import markup
from zoo.terminal import shades


def test_every_function_escapes() -> None:
    bad = "<i>&\"'"
    made = [
        markup.head(bad), markup.title(bad), markup.note(bad), markup.message(bad), markup.written(bad, bad),
        markup.words([(bad, 0.5), (bad, 0.0)]), markup.bars([(bad, 0.5)]), markup.attention([(bad, [(bad, 1.0)])]),
        markup.tiles([(bad, bad)]), markup.timeline([(0, 1, bad, 0.5)], "s"), markup.thumbnails([bad], "x"),
    ]  # fmt: skip
    for part in made:
        assert "<i>" not in part
        assert "&lt;i&gt;&amp;&quot;&#x27;" in part


def test_words_are_colored_by_sign_and_size() -> None:
    shown = markup.words([("good", 1.0), (" and ", 0.0), ("bad", -0.5), ("so", 0.01)])
    assert re.findall(r'class="(zoo-\w+)" style="background: rgba\(([\d, .]+)\)', shown) == [
        ("zoo-for", f"{shades.PAGE_FOR}, 0.60"),
        ("zoo-against", f"{shades.PAGE_AGAINST}, 0.30"),
    ]
    assert re.sub("<[^>]*>", "", shown) == "good and badso"


def test_code_in_a_note() -> None:
    assert "<code>zoo train</code>" in markup.note("Use `zoo train`.")


def test_labels_keep_their_color_and_spans_their_length() -> None:
    shown = markup.timeline([(0.0, 1.0, "a", 0.9), (1.0, 3.0, "b", 0.8), (3.0, 4.0, "a", 0.7)], "s")
    assert re.findall(r"width: ([\d.]+)%; background: (#\w+)", shown) == [
        ("25.000", markup.LABELS[0]), ("50.000", markup.LABELS[1]), ("25.000", markup.LABELS[0]),
    ]  # fmt: skip
