"""Reads the language of the captions, word by word from the left: words to claims.

    caption    = sentence | phrase [background]
    sentence   = "the" name "is" (place | adjective | comparison) | whole "are" adjective
    comparison = ("larger" | "smaller") "than" "the" name | "the same size as the" name
    whole      = ("both" | "all" ("three" | "four")) nouns
    phrase     = ["there" ("is" | "are")] group [("and" | "but") ("no" noun | group) | place | relation group]
    group      = ("a" | "an") name | ("two" | "three" | "four") names
    name       = [size] [texture] [color] noun
    place      = "in the" ("middle" | ("upper" | "lower") ("left" | "right"))
               | "on the" ("left" | "right") | "at the" ("top" | "bottom")
    relation   = "to the" ("left" | "right") "of" | "above" | "below"
    background = "on a" [finish] ground "background"

A place and a relation take groups of one; "but" takes "no".
"""

from collections.abc import Collection

from .claims import Attributed, Background, Both, Claim, Compared, Group, Placed, Related

# Written out once more, not taken from the generator: what the checker reads is a language, not a table.
PLURALS = {
    "circle": "circles",
    "square": "squares",
    "triangle": "triangles",
    "star": "stars",
    "ring": "rings",
    "cross": "crosses",
    "object": "objects",
}
ADJECTIVES = (
    ("small", "large"),
    ("plain", "striped", "dotted"),
    ("red", "orange", "yellow", "green", "blue", "purple", "pink", "cyan"),
)
"""In their order before a noun."""

FINISHES = ("plain", "shaded", "noisy")
GROUNDS = ("black", "grey", "white", "brown")
NUMBERS = {"two": 2, "three": 3, "four": 4}


class ParseError(ValueError):
    """The words are no caption."""


def parse(caption: str) -> list[Claim]:
    """The claims of a caption; it is true if all of them hold.

    Raises:
        ParseError: If it is not of the language: a word is unknown or out of place, an article or a plural wrong.
    """
    reader = _Reader(caption.split(" "))
    if reader.peek() in ("the", "both", "all"):
        claims = [reader.sentence()]
    else:
        claims = [reader.phrase()]
        if reader.take("on"):
            claims.append(reader.background())
    if reader.peek():
        raise ParseError(f"{reader.peek()!r} is left over in {caption!r}")
    return claims


class _Reader:
    """Recursive descent: each method reads what it is called after and stops behind it."""

    def __init__(self, words: list[str]) -> None:
        self._words = words
        self._at = 0

    def peek(self, ahead: int = 0) -> str:
        """A word to come, empty behind the last one."""
        return self._words[self._at + ahead] if self._at + ahead < len(self._words) else ""

    def take(self, *words: str) -> bool:
        """Reads these words if they come next."""
        found = tuple(self._words[self._at : self._at + len(words)]) == words
        self._at += len(words) * found
        return found

    def sentence(self) -> Claim:
        if not self.take("the"):
            group = self._whole()
            self._expect("are")
            return Attributed(group, self._one_of([word for words in ADJECTIVES for word in words]))
        group = self._name(1, 1)
        self._expect("is")
        for words, order in ((("larger", "than"), 1), (("smaller", "than"), -1), (("the", "same", "size", "as"), 0)):
            if self.take(*words):
                self._expect("the")
                return Compared(group, order, self._name(1, 1))
        if self.peek() in ("in", "on", "at"):
            return Placed(group, self._place())
        return Attributed(group, self._one_of([word for words in ADJECTIVES for word in words]))

    def phrase(self) -> Claim:
        verb = self._one_of(("is", "are")) if self.take("there") else ""
        first = self._group()
        if verb and (verb == "is") != (first.most is None):
            raise ParseError(f"{verb!r} with the wrong number")
        if self.peek() in ("and", "but"):
            return self._joined(first)
        if first.most is None and self._place_ahead():
            return Placed(first, self._place())
        side = self._relation() if first.most is None else ""
        return Related(first, side, self._single()) if side else first

    def background(self) -> Claim:
        """What follows "on"."""
        self._expect("a")
        finish = [self._one_of(FINISHES)] if self.peek() in FINISHES else []
        ground = self._one_of(GROUNDS)
        self._expect("background")
        return Background(frozenset([*finish, ground]))

    def _joined(self, first: Group) -> Claim:
        but = self._one_of(("and", "but")) == "but"
        if self.take("no"):
            return Both(first, Group(0, 0, self._one_of(PLURALS), frozenset()))
        if but:
            raise ParseError("'but' without 'no'")
        return Both(first, self._group())

    def _group(self) -> Group:
        if self.peek() in NUMBERS:
            number = NUMBERS[self._one_of(NUMBERS)]
            return self._name(number, number)
        return self._single()

    def _single(self) -> Group:
        article = self._one_of(("a", "an"))
        if (article == "an") != self.peek().startswith(("a", "e", "i", "o", "u")):
            raise ParseError(f"{article!r} before {self.peek()!r}")
        return self._name(1, None)

    def _whole(self) -> Group:
        number = 2 if self.take("both") else self._all()
        return self._name(number, number)

    def _all(self) -> int:
        self._expect("all")
        return NUMBERS[self._one_of(("three", "four"))]

    def _name(self, least: int, most: int | None) -> Group:
        adjectives = [self._one_of(words) for words in ADJECTIVES if self.peek() in words]
        nouns = PLURALS if least == 1 else {plural: noun for noun, plural in PLURALS.items()}
        noun = self._one_of(nouns)
        return Group(least, most, noun if least == 1 else nouns[noun], frozenset(adjectives))

    def _place_ahead(self) -> bool:
        """Whether a place comes, and not the background, which begins with "on" too."""
        return self.peek() in ("in", "at") or (self.peek() == "on" and self.peek(1) == "the")

    def _place(self) -> tuple[str, ...]:
        preposition = self._one_of(("in", "on", "at"))
        self._expect("the")
        if preposition == "on":
            return (self._one_of(("left", "right")),)
        if preposition == "at":
            return (self._one_of(("top", "bottom")),)
        if self.take("middle"):
            return ("middle",)
        return self._one_of(("upper", "lower")), self._one_of(("left", "right"))

    def _relation(self) -> str:
        """The side, empty if no relation comes."""
        if self.take("to", "the"):
            side = self._one_of(("left", "right"))
            self._expect("of")
            return side
        return "upper" if self.take("above") else "lower" if self.take("below") else ""

    def _expect(self, word: str) -> None:
        self._one_of((word,))

    def _one_of(self, words: Collection[str]) -> str:
        word = self.peek()
        if word not in words:
            raise ParseError(f"{word!r} instead of {', '.join(words)}")
        self._at += 1
        return word
