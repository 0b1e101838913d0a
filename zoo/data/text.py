"""Texts to ids and back, by the `tokenizers` library: characters, words, BPE or unigram pieces."""

import functools
import json
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tokenizers
from tokenizers import Regex, decoders, models, normalizers, pre_tokenizers, trainers

from zoo.errors import UserError
from zoo.ids import END, PAD, SPECIAL, START, UNKNOWN
from zoo.names import look_up
from zoo.storage import schema

_WORD = Regex(
    r"\p{N}+(?:[.,]\p{N}+)*(?:/\p{N}+)?(?![\p{L}\p{M}\p{N}])"
    r"|[\p{L}\p{M}\p{N}]+(?:['\x{2019}][\p{L}\p{M}]+)*"
    r"|[^\s\p{L}\p{M}\p{N}]"
)
"""A number or mark (`9.5/10`), a word with its inner apostrophes (`don't`), or one other character (`!`, an emoji)."""

_PIECES = [pre_tokenizers.Metaspace(), pre_tokenizers.Split(Regex(r"[^\p{L}\p{M}▁]"), "isolated")]
"""For BPE and unigram: `▁` opens a word, no piece joins a word with its comma, numbers are spelled digit by digit."""


def _char() -> tuple[tokenizers.Tokenizer, type]:
    blank = tokenizers.Tokenizer(models.WordLevel(unk_token="<unk>"))
    blank.pre_tokenizer = pre_tokenizers.Split(Regex(r"[\s\S]"), "isolated")
    blank.decoder = decoders.Fuse()
    return blank, trainers.WordLevelTrainer


def _word() -> tuple[tokenizers.Tokenizer, type]:
    blank = tokenizers.Tokenizer(models.WordLevel(unk_token="<unk>"))
    # "removed" and inverted: what matches stays, the white space between goes.
    blank.pre_tokenizer = pre_tokenizers.Split(_WORD, "removed", invert=True)
    return blank, trainers.WordLevelTrainer


def _given() -> tuple[tokenizers.Tokenizer, type]:
    # No pre-tokenizer: what is handed over as one text is one token, whatever it is made of.
    return tokenizers.Tokenizer(models.WordLevel(unk_token="<unk>")), trainers.WordLevelTrainer


def _bpe() -> tuple[tokenizers.Tokenizer, type]:
    blank = tokenizers.Tokenizer(models.BPE(unk_token="<unk>"))
    blank.pre_tokenizer = pre_tokenizers.Sequence(_PIECES)
    blank.decoder = decoders.Metaspace()
    return blank, trainers.BpeTrainer


def _unigram() -> tuple[tokenizers.Tokenizer, type]:
    blank = tokenizers.Tokenizer(models.Unigram())
    blank.pre_tokenizer = pre_tokenizers.Sequence(_PIECES)
    blank.decoder = decoders.Metaspace()
    return blank, trainers.UnigramTrainer


_HALF = re.compile("[\ud800-\udfff]")

KINDS = {"char": _char, "word": _word, "given": _given, "bpe": _bpe, "unigram": _unigram}


def whole_characters(text: str) -> str:
    """A text without halves of characters (lone surrogates), which the library refuses; each becomes U+FFFD."""
    return text if text.isascii() else _HALF.sub("\ufffd", text)


class Tokenizer:
    """A trained tokenizer whose first ids are `<pad>`, `<unk>`, `<s>`, `</s>`.

    Args:
        inner: The tokenizer of the `tokenizers` library that does the work.
    """

    def __init__(self, inner: tokenizers.Tokenizer) -> None:
        self.inner = inner

    @classmethod
    def train(
        cls,
        texts: Iterable[str],
        kind: str = "word",
        vocabulary_size: int = 20_000,
        *,
        lowercase: bool = False,
        replace: Sequence[tuple[str, str]] = (),
        min_count: int = 1,
    ) -> "Tokenizer":
        """Learns a vocabulary. The texts are streamed; only counts are held in memory.

        Args:
            texts: What to learn from.
            kind: `"char"`, `"word"`, `"bpe"` or `"unigram"`; or `"given"`: each text is one word, split elsewhere.
            vocabulary_size: Largest number of entries, the four special ones included.
            lowercase: Fold case.
            replace: Pairs of text and replacement, applied before anything else, e.g. `("<br />", " ")`.
            min_count: Occurrences an entry needs (not for unigram, which has a likelihood of its own).

        Raises:
            UserError: If the kind is unknown.
        """
        inner, trainer = look_up(KINDS, kind, "kind of tokenizer")()
        steps: list = [normalizers.Replace(old, new) for old, new in replace]
        steps += [normalizers.NFC()] + [normalizers.Lowercase()] * lowercase
        inner.normalizer = normalizers.Sequence(steps)
        if kind == "char":
            normalize = cls(inner).normalize
            characters = _count_characters(map(normalize, texts), min_count)
            vocabulary = [*SPECIAL, *characters[: vocabulary_size - len(SPECIAL)]]
            inner.model = models.WordLevel({token: i for i, token in enumerate(vocabulary)}, unk_token="<unk>")
            inner.add_special_tokens(list(SPECIAL))
            inner.encode_special_tokens = True
            return cls(inner)
        options: dict[str, Any] = {"unk_token": "<unk>"} if kind == "unigram" else {"min_frequency": min_count}
        if kind == "bpe":
            options["limit_alphabet"] = vocabulary_size - len(SPECIAL)
        learn = trainer(vocab_size=vocabulary_size, special_tokens=list(SPECIAL), show_progress=False, **options)
        try:
            inner.train_from_iterator(texts, learn)
        except Exception as error:  # the library raises bare Exception
            if "vocabulary" not in str(error).lower():
                raise
            raise UserError(
                f"A vocabulary of {vocabulary_size} entries is too small for {kind} tokens of these texts: {error}. "
                "Give a larger --vocabulary-size."
            ) from error
        # The specials are ids for models, never a way to spell them in a text: "</s>" in a review is five signs.
        inner.encode_special_tokens = True
        return cls(inner)

    @property
    def size(self) -> int:
        """Entries of the vocabulary."""
        return self.inner.get_vocab_size()

    @property
    def splits(self) -> bool:
        """Whether it divides a text; one of the kind "given" takes all of it for one word."""
        return self.inner.pre_tokenizer is not None

    def encode(self, texts: Sequence[str]) -> list[list[int]]:
        """Ids of each text, without start and end. A text without any token gives an empty list."""
        return [
            item.ids
            for item in self.inner.encode_batch_fast(list(map(whole_characters, texts)), add_special_tokens=False)
        ]

    def normalize(self, text: str) -> str:
        """A text as the vocabulary sees it: composed (NFC), case folded if so trained; half characters become `?`."""
        whole = text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")
        if self._only_composes and unicodedata.is_normalized("NFC", whole):  # 15 times as fast as to compose it
            return whole
        return whole if self.inner.normalizer is None else self.inner.normalizer.normalize_str(whole)

    @functools.cached_property
    def _only_composes(self) -> bool:
        """Whether composing is all that is done to a text."""
        found = json.loads(self.inner.to_str())["normalizer"]
        steps = found.get("normalizers", [found]) if found else []
        return all(step == {"type": "NFC"} for step in steps)

    def encode_with_offsets(self, text: str) -> list[tuple[int, int, int]]:
        """`(id, start, end)` for each token of a text: the characters `text[start:end]` it covers."""
        item = self.inner.encode(whole_characters(text), add_special_tokens=False)
        spans = []
        for token, (start, end) in zip(item.ids, item.offsets, strict=True):
            if self.token(token) == "▁" and text[start:end].strip():
                end = start  # it opens the first word of the text; it covers no character
            spans.append((token, start, end))
        return spans

    def decode(self, ids: Iterable[Sequence[int]]) -> list[str]:
        """Texts of ids; padding, start and end are left out, unknown ids show as `<unk>`."""
        silent = (PAD, START, END)
        return [self.inner.decode([int(i) for i in row if i not in silent], skip_special_tokens=False) for row in ids]

    def token(self, index: int) -> str:
        """The vocabulary's entry of an id."""
        return self.inner.id_to_token(int(index)) or "<unk>"

    def save(self, path: Path) -> None:
        """Writes one JSON file."""
        path.write_text(self.inner.to_str(), encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> "Tokenizer":
        """Reads what `save` wrote.

        Raises:
            ValueError: If the file is no tokenizer, or its first ids are not the special ones.
        """
        _check_parts(path, schema.decode(path, path.name))
        try:
            inner = tokenizers.Tokenizer.from_str(path.read_text(encoding="utf-8"))
        except (KeyboardInterrupt, SystemExit, GeneratorExit):
            raise
        except BaseException as error:  # the library raises bare Exception, and what Rust calls a panic
            raise ValueError(f"{path.name} is not a tokenizer: {error}") from error
        if [inner.id_to_token(i) for i in range(len(SPECIAL))] != list(SPECIAL):
            raise ValueError(f"{path.name} is a tokenizer, but its first ids are not {' '.join(SPECIAL)}")
        if any(inner.id_to_token(i) is None for i in range(inner.get_vocab_size())):
            raise ValueError(f"{path.name} is a tokenizer, but its ids are not those from 0 to its size")
        inner.encode_special_tokens = True
        return cls(inner)


def _check_parts(path: Path, value: Any) -> None:
    """Checks that a tokenizer has no parts but those of `KINDS`: others may take hours or gigabytes for a short text.

    Raises:
        ValueError: If it has.
    """
    if not isinstance(value, dict):
        raise ValueError(f"{path.name} is not a tokenizer: it is no JSON object")
    allowed = [json.loads(make()[0].to_str()) for make in KINDS.values()]
    if not any(_is_model(value.get("model"), own["model"]) for own in allowed):
        raise ValueError(f"{path.name} is not a tokenizer that zoo writes: its model is another")
    if _contents(value.get("added_tokens")) != list(SPECIAL):
        raise ValueError(f"{path.name} is a tokenizer, but its first ids are not {' '.join(SPECIAL)}")
    for part in ("pre_tokenizer", "post_processor", "decoder", "truncation", "padding"):
        if value.get(part) not in [own[part] for own in allowed]:
            raise ValueError(f"{path.name} has a {part} that zoo does not write")
    normalizer = value.get("normalizer")
    steps = normalizer.get("normalizers", [normalizer]) if isinstance(normalizer, dict) else [normalizer]
    for step in steps if isinstance(steps, list) else [steps]:
        if step not in (None, {"type": "NFC"}, {"type": "Lowercase"}) and not _replaces(step):
            raise ValueError(f"{path.name} has a normalizer that zoo does not write: {str(step)[:80]!r}")


def _is_model(value: Any, own: dict[str, Any]) -> bool:
    """Whether a model is one of ours apart from its entries: no random merges, and unknown tokens become `<unk>`."""
    if not isinstance(value, dict) or value.get("type") != own["type"]:
        return False
    learned = {"vocab": value.get("vocab"), "merges": value.get("merges")}
    expected = {**own, **learned, **({"unk_id": UNKNOWN} if "unk_id" in own else {})}
    return all(name in expected and item == expected[name] for name, item in value.items()) and (
        value.get("unk_token", value.get("unk_id")) in ("<unk>", UNKNOWN)
    )


def _contents(added: Any) -> list[Any]:
    """The texts of tokens that were added to a vocabulary."""
    return [item.get("content") for item in added if isinstance(item, dict)] if isinstance(added, list) else []


def _replaces(step: Any) -> bool:
    """Whether a normalizer puts a text in the place of one that is not shorter."""
    match step:
        case {"type": "Replace", "pattern": {"String": str(pattern)}, "content": str(content)}:
            return 0 < len(pattern) <= 100 and len(content) <= len(pattern)
    return False


def _count_characters(texts: Iterable[str], min_count: int) -> list[str]:
    """The characters of texts that occur `min_count` times or more, the most frequent first.

    Counted as code points by numpy: several times faster than a training by the library.
    """
    counts = np.zeros(0, np.int64)  # one for each code point up to the largest that occurs
    for text in texts:
        points = np.frombuffer(text.encode("utf-32-le", "replace"), np.uint32)
        found = np.bincount(points, minlength=counts.size)
        found[: counts.size] += counts
        counts = found
    kept = np.flatnonzero(counts >= max(min_count, 1))
    return [chr(point) for point in kept[np.argsort(-counts[kept], kind="stable")]]


def truncate(ids: Sequence[int], max_length: int, head_fraction: float = 1.0) -> Sequence[int]:
    """At most `max_length` ids: some from the head and the rest from the tail.

    Args:
        ids: Ids of one text.
        max_length: Largest number of ids.
        head_fraction: Fraction of `max_length` taken from the front; with 0.25 and 8, two from the front and six from
            the end.
    """
    if len(ids) <= max_length:
        return ids
    front = round(max_length * head_fraction)
    back = max_length - front
    return [*ids[:front], *ids[len(ids) - back :]] if back else ids[:front]


def pad(rows: Sequence[Sequence[int]], length: int | None = None) -> np.ndarray:
    """Right-padded ids, `(len(rows), time)` int32.

    Args:
        rows: Ids of each text.
        length: Time steps; default the longest row, and at least one.

    Example:
        `pad([[5, 6, 7], [8], []])` is `[[5, 6, 7], [8, 0, 0], [0, 0, 0]]`.
    """
    length = length or max([1, *map(len, rows)])
    out = np.full((len(rows), length), PAD, "int32")
    for row, ids in zip(out, rows, strict=True):
        row[: len(ids)] = ids
    return out


def in_batches(items: Iterable, size: int) -> Iterator[list]:
    """Lists of at most `size` items, in order; shorter ones where `items.ready()` says that the next is not there."""
    ready = getattr(items, "ready", lambda: True)
    batch = []
    for item in items:
        batch.append(item)
        if len(batch) == size or not ready():
            yield batch
            batch = []
    if batch:
        yield batch
