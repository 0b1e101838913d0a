"""The ids that every vocabulary begins with."""

PAD, UNKNOWN, START, END = 0, 1, 2, 3
"""Padding, the unknown token, and the beginning and the end of a text."""

SPECIAL = ("<pad>", "<unk>", "<s>", "</s>")
"""How they are written, in the order of their ids."""

MAX_CHARACTERS = 24
"""Characters that are read of a word, half of them from its end if it has more: web addresses, mostly."""
