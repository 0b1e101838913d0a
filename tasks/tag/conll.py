"""Labeled words from a file in columns: those of the CoNLL shared tasks, and CoNLL-U.

EU NNP B-NP B-ORG     CoNLL-2002, -2003, WNUT, ...: one word per line, columns separated by tabs or blanks. The word is
rejects VBZ B-VP O    the first column and the label the last; an empty line ends a sentence; -DOCSTART- lines are
                      skipped, and so are comments (`# id = 12`, `# doc 3`).

1	Dogs	dog	NOUN	NNS	Number=Plur	2	nsubj	_	_     CoNLL-U: ten columns separated by tabs. Ranges of words
2	run	run	VERB	VBP	_	0	root	_	_                     (`2-3`) and empty nodes (`8.1`) are skipped.
"""

import functools
import re
import sys
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from zoo.data.files import lines
from zoo.errors import UserError
from zoo.names import unknown

CONLLU = {"form": 1, "lemma": 2, "upos": 3, "xpos": 4, "feats": 5, "deprel": 7}
"""Column of CoNLL-U -> its place."""

CONLLU_COLUMNS = 10

MOST_COLUMNS = 1_000
"""Largest number of a column."""

ID = re.compile(r"\d+([-.]\d+)?")
"""What the first column of CoNLL-U holds."""

NO_VALUE = "_"
"""A label that CoNLL-U does not give."""

DOCSTART = "-DOCSTART-"
"""How a line begins that stands between two documents."""

HEADERS = (
    "tag", "tags", "label", "labels", "ner", "ner_tag", "ner_tags", "ner_label", "ner_labels", "entity", "entity_label",
    "entity_tag", "pos", "pos_tag", "pos_tags", "pos_label", "upos", "xpos", "class", "iob", "iob2", "bio", "gold",
)  # fmt: skip
"""What a header calls its last column."""

WORD_HEADERS = {"word", "words", "token", "tokens", "form", "text"}
"""What it calls its column of words."""

ONE_LABEL = 0.99
"""Fraction of words with one label above which a file is probably read by the wrong column."""

Labels = list[str | None]

Sentence = tuple[list[str], Labels]
"""Words, and one label for each; None for a word that has none."""


class Layout(NamedTuple):
    """Where words and labels stand in a line.

    Attributes:
        word: Place of the word, from 0.
        label: Place of the label; -1 is the last.
        conllu: Whether the file is CoNLL-U.
    """

    word: int
    label: int
    conllu: bool

    def describe(self) -> str:
        """The layout in words."""
        if self.conllu:
            names = {place: name for name, place in CONLLU.items()}
            return f"CoNLL-U; words = {names[self.word]}, labels = {names[self.label]}"
        last = "the last column" if self.label == -1 else f"column {self.label + 1}"
        return f"columns; words = column {self.word + 1}, labels = {last}"


def layout(path: Path, tags: str | None = None, word_column: int | None = None) -> Layout:
    """How a file is read.

    Args:
        path: The file.
        tags: Which labels: a column of `CONLLU`, or the number of a column, from 1; default upos, or the last column.
        word_column: Number of the column of words, from 1; default the second of CoNLL-U, else the first.

    Raises:
        UserError: If the file has no such column.
    """
    if word_column is not None and not 1 <= word_column <= MOST_COLUMNS:
        raise UserError(f"--word-column counts columns from 1 to {MOST_COLUMNS:,}; got {word_column}.")
    conllu = _is_conllu(path)
    word = (CONLLU["form"] if conllu else 0) if word_column is None else word_column - 1
    if tags is None:
        return Layout(word, CONLLU["upos"] if conllu else -1, conllu)
    if conllu and tags in CONLLU:
        return Layout(word, CONLLU[tags], conllu)
    if re.fullmatch("[0-9]{1,4}", tags) and 1 <= int(tags) <= MOST_COLUMNS:
        if conllu and int(tags) - 1 not in CONLLU.values():
            raise unknown("column of CoNLL-U", tags, CONLLU)
        return Layout(word, int(tags) - 1, conllu)
    if conllu:
        raise unknown("column of CoNLL-U", tags, CONLLU, "A number counts columns from 1")
    raise UserError(
        f"{path} has columns without names: --tags takes the number of a column, from 1; got {tags[:40]!r}."
    )


def sentences(path: Path, tags: str | None = None, word_column: int | None = None) -> Iterator[Sentence]:
    """The sentences of a file.

    Args:
        path: The file.
        tags: See `layout`.
        word_column: See `layout`.

    Raises:
        UserError: With the number of the line that cannot be used.
    """
    where_is = layout(path, tags, word_column)
    others = functools.cache(lambda: _labels(path, where_is.label))  # read where a line may be a comment, not before
    comments: list[int] = []
    words: list[str] = []
    labels: Labels = []
    columns, short, headed = 0, [], False
    for number, line in enumerate(lines(path), 1):
        if _is_between(line):
            if words:
                yield words, labels
            words, labels = [], []
            continue
        fields = _fields(line)
        may_be = not words and not where_is.conllu and line.startswith("# ")
        if may_be and (known := others()) is not None and _label(fields, where_is.label) not in known:
            comments.append(number)
            continue
        if _is_comment(line, len(fields), columns, where_is.conllu):
            continue
        place = f"{path}, line {number}"
        if where_is.conllu and len(fields) != CONLLU_COLUMNS:
            short.append((number, len(fields)))
        columns = _check(fields, 0 if where_is.conllu else columns, where_is, place, line)
        if not words and not headed and _is_header(fields):
            raise UserError(
                f"{place}: {line.strip()!r} looks like the names of columns. Delete the line: such files have none."
            )
        headed = True
        if where_is.conllu and not fields[0].isdigit():
            continue
        words.append(fields[where_is.word].strip())
        label = fields[where_is.label].strip()
        labels.append(None if where_is.conllu and label == NO_VALUE else label)
    if words:
        yield words, labels
    if comments:
        print(f"{path.name}: lines that begin with '# ' are comments: {len(comments):,}, first line {comments[0]:,}.",
              file=sys.stderr, flush=True)  # fmt: skip
    if short:
        number, found = short[0]
        more = f", and {len(short) - 1:,} more lines are like it" if short[1:] else ""
        print(f"Warning: {path}, line {number:,}: {found} columns instead of {CONLLU_COLUMNS}{more}. "
              "Their words and labels are used.", file=sys.stderr, flush=True)  # fmt: skip


def _is_between(line: str) -> bool:
    """Whether a line stands between sentences."""
    return not line.strip() or line.startswith(DOCSTART)


def _fields(line: str) -> list[str]:
    return line.rstrip("\r\n").split("\t") if "\t" in line else line.split()


def _label(fields: Sequence[str], place: int) -> str:
    """The label of a line; empty if the line is too short."""
    return fields[place].strip() if place < len(fields) else ""


def _labels(path: Path, place: int) -> set[str] | None:
    """The labels of all words but `#`; None if `#` is a word within a sentence.

    If it never is, a line such as `# doc 1` at the start of a sentence is a comment, unless its label is one of these.
    """
    found: set[str] = set()
    within = False
    for line in lines(path):
        if within and line.startswith("# ") and " = " not in line:
            return None
        if not line.startswith("# "):
            within = not _is_between(line)
            found |= {_label(_fields(line), place)} if within else set()
    return found


def _check(fields: Sequence[str], columns: int, where_is: Layout, place: str, line: str) -> int:
    """The number of columns of a line.

    Raises:
        UserError: If the line cannot be used.
    """
    if where_is.conllu and not ID.fullmatch(fields[0]):
        raise UserError(f"{place}: the first column of CoNLL-U is the number of the word; got {fields[0]!r}.")
    needed = max(where_is.word, where_is.label, 1) + 1
    if needed > 2 and len(fields) < needed:
        raise UserError(
            f"{place}: {len(fields)} columns; column {needed} was requested. Correct the line, or name another column "
            "by --tags or --word-column."
        )
    if len(fields) < 2 or not fields[where_is.word].strip() or not fields[where_is.label].strip():
        raise UserError(
            f"{place}: a line has a word and its label, with a blank or a tab between; got {line.strip()!r}."
        )
    if columns and len(fields) != columns:
        raise UserError(
            f"{place}: {len(fields)} columns; the lines before have {columns}. Give all lines the same number."
        )
    return len(fields)


def _is_header(fields: Sequence[str]) -> bool:
    """Whether the first line of a file names its columns."""
    names = [re.sub(r"[\s-]+", "_", field.strip().lower()) for field in fields]
    return bool(WORD_HEADERS & set(names)) and names[-1] in HEADERS


def check_sense(path: Path, found: Sequence[Sentence], what: Layout | None) -> None:
    """Refuses what is no text with labels, warns of what is probably none, and says how the file was read.

    Args:
        path: The file, for messages.
        found: Its sentences.
        what: How they were read; None if it was a table, which says so itself.

    Raises:
        UserError: If all words are numbers, or no word has a label.
    """
    if what is not None:
        print(f"{path.name}: {what.describe()}.", file=sys.stderr, flush=True)
    conllu = what is not None and what.conllu
    words = [word for some, _ in found for word in some]
    counts = Counter(label for _, some in found for label in some)
    if len(words) > 20 and all(re.fullmatch(r"[\d.,:-]+", word) for word in words):
        raise UserError(
            f"{path}: every word is a number, such as {words[0]!r}. Name the column of words: --word-column 2."
        )
    missing = counts.pop(None, 0) + (0 if conllu else counts.get(NO_VALUE, 0))
    if missing > len(words) / 2:
        raise UserError(
            f"{path}: {missing:,} of {len(words):,} words have no label there (it is {NO_VALUE!r}). Name another "
            f"column: --tags {'upos, xpos or feats' if conllu else 'NUMBER'}."
        )
    if len(words) > 100 and counts:
        label, most = counts.most_common(1)[0]
        if len(counts) > 1 and most > ONE_LABEL * len(words):
            print(f"Warning: {most / len(words):.1%} of the words of {path.name} have the label {label!r}.",
                  file=sys.stderr, flush=True)  # fmt: skip
        if len(counts) > len(words) / 2:
            raise UserError(
                f"{path}: {len(counts):,} different labels for {len(words):,} words, such as {label!r}; these are no "
                "labels. Name another column: --tags NUMBER."
            )


def _is_conllu(path: Path) -> bool:
    """Whether lines have ten columns, of which the first is a number; a damaged line may have fewer."""
    words = (line for line in lines(path) if not _is_between(line) and not line.startswith("#"))
    candidates = (line.rstrip("\r\n").split("\t") for line in words)
    first = list(islice(candidates, 20))
    whole = sum(len(fields) == CONLLU_COLUMNS for fields in first)
    return whole > 0.7 * len(first) and all(ID.fullmatch(fields[0]) for fields in first)


def _is_comment(line: str, fields: int, columns: int, conllu: bool) -> bool:
    """Whether a line is a comment. In other files than CoNLL-U, `# O` is a word with a label."""
    if not line.startswith("#"):
        return False
    return conllu or (line.startswith("# ") and (" = " in line or (columns > 0 and fields != columns)))


CLITIC = re.compile(r"(.+?)(n['\u2019]t|['\u2019](?:s|re|ve|ll|d|m))", re.IGNORECASE)
"""A word with a short form at its end, which treebanks of English split off: `do n't`, `it 's`."""

MARK, JOINER = "\u0300", "\u200d"
"""What stands for every sign that belongs to the one before it, and what joins two emoji."""

EXTENDING = re.compile("[\u200c\U0001f3fb-\U0001f3ff\U000e0020-\U000e007f]")
"""Such signs that are no marks of Unicode: the non-joiner, tones of skin, and those that spell a flag."""

PIECE = re.compile(
    rf"\w[\w{MARK}{JOINER}]*(?:[^\w\s]+\w[\w{MARK}{JOINER}]*)*"
    rf"|(?:[\U0001f1e6-\U0001f1ff]{{2}}|[^\w\s])[{MARK}{JOINER}]*(?:(?<={JOINER})[^\w\s][{MARK}{JOINER}]*)*"
)
"""A word with what is inside it, or one other character, such as an emoji or a flag."""


def split_words(text: str, known: set[str] | None = None) -> list[str]:
    """The words of a sentence as typed: punctuation at a word's ends becomes words of its own, as in such files.

    Args:
        text: Anything; it is composed (NFC), and marks stay with their letter.
        known: Words of the training, which stay as they are, such as `U.N.`. They also say how that text was split:
            a word that it did not have is split before a short form (`don't` into `do` and `n't`) or at its hyphens if
            it had those by themselves.
    """
    found: list[str] = []
    for word in unicodedata.normalize("NFC", text).split():
        if known and word in known:
            found.append(word)
            continue
        # `re` has no class for marks.
        shape = "".join(MARK if unicodedata.category(c)[0] == "M" or EXTENDING.match(c) else c for c in word)
        for piece in PIECE.finditer(shape):
            found += _split_further(word[slice(*piece.span())], known or set())
    return found


def _split_further(word: str, known: set[str]) -> list[str]:
    """A word, or its parts if the training text had those and not the whole."""
    if word in known:
        return [word]
    clitic = CLITIC.fullmatch(word)
    if clitic and clitic[2].lower().replace("\u2019", "'") in known:
        return [*_split_further(clitic[1], known), clitic[2]]
    if "-" in word and "-" in known:
        return [part for part in re.split("(-+)", word) if part]
    return [word]
