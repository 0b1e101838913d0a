"""From texts to the ids that a model reads: the same in training and in prediction. No Keras here."""

from collections.abc import Callable, Sequence

from zoo.data import text
from zoo.ids import UNKNOWN

from .recipe import Train


def encoder(tokenizer: text.Tokenizer, recipe: Train) -> Callable[[Sequence[str]], list]:
    """Texts -> ids, each truncated to the recipe's length; an empty text is one unknown token."""

    def encode(texts: Sequence[str]) -> list:
        return [
            text.truncate(ids or [UNKNOWN], recipe.max_length, recipe.head_fraction) for ids in tokenizer.encode(texts)
        ]

    return encode
