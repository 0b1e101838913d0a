"""The tab of `zoo demo`: a sentence, its translation, and which words each of its words was made from."""

import numpy as np

from zoo.demo import markup
from zoo.demo.part import Demo, Text
from zoo.saved import SavedModel

from .heatmap import by_word, words

END_MARK = "(end)"
"""How the end token is shown among the words that were read."""


def answer(saved: SavedModel, text: str) -> str:
    """The translation, and a row for each of its words with the words that were read."""
    attends = saved.recipe.attention != "none"
    result = saved.predict(text, attention=attends)
    source, target = saved.assets["languages"]
    head = [markup.head(result["translation"]), markup.note(f"From {source} to {target}.")]
    if not attends:
        return markup.block(*head, markup.note("This model was trained without attention: there is none to show."))
    read, written, weights = result["source_tokens"], result["target_tokens"], result["attention"]
    if not written:
        return markup.block(*head)
    shown = by_word(np.array(weights), read, written)
    across = [word for word, _ in words(read)]
    across[-1] = END_MARK
    rows = [
        (word, list(zip(across, map(float, row), strict=True)))
        for (word, _), row in zip(words(written), shown, strict=True)
        if word != "</s>"
    ]
    return markup.block(
        *head,
        markup.title("Where it looked"),
        markup.attention(rows),
        markup.note(
            "Each line begins with a word of the translation. The stronger the color of a word beside it, the more it "
            "counted."
        ),
        _cut(len(read), saved.recipe.max_length),
    )


def _cut(count: int, longest: int) -> str:
    """A remark where the end of a text was not read."""
    if count < longest:
        return ""
    return markup.note(f"Only the first {longest - 1} tokens were read: translate one sentence at a time.")


def examples() -> list[str]:
    """Sentences like those of Multi30k, in both languages, and one that is unlike them."""
    return [
        "A man is walking his dog in the park.",
        "Two children are playing with a red ball on the beach.",
        "Ein Mann mit einem roten Hut spielt Gitarre.",
        "The stock market fell by three percent.",
    ]


DEMO = Demo(
    title="Translation",
    shape="Many to many, of another length: a sentence is read to its end, then another one is written word by word "
    "(encoder and decoder with attention).",
    inputs=[Text("Sentence", max_length=1_000, placeholder="Write a sentence about what one can see")],
    answer=answer,
    examples=examples,
    button="Translate",
)
