"""What a beam search did, from which its sequences are read off backwards.

A step is written down as it stands: which token stands in which place, and which place of the step before it continues.
Nothing that was written is reordered when hypotheses are. With a width of 2, where "a" and "b" come first and then "an"
and "at" are better than all that begins with "b":

    time        0      1
    tokens      a b    n t
    parents     0 0    0 0      the "t" in place 1 follows place 0 of the step before: "at"
"""

from typing import Any, NamedTuple

from keras import ops

from zoo.decoding.result import PAD
from zoo.decoding.state import loop, pick, write


class History(NamedTuple):
    """Buffers of one entry a step."""

    tokens: Any  # (length, batch, width)
    parents: Any  # (length, batch, width)
    attention: Any  # (length, batch, width, source_time), in the order of the parents

    @classmethod
    def blank(cls, length: int, batch: Any, width: int, source_time: Any) -> "History":
        """Empty buffers."""
        numbers = ops.full((length, batch, width), PAD, "int32")
        return cls(numbers, numbers, ops.zeros((length, batch, width, source_time), "float32"))

    def note(self, time: Any, tokens: Any, parents: Any, seen: Any | None) -> "History":
        """The history with one more step.

        Args:
            time: A scalar.
            tokens: `(batch, width)`, the new ones.
            parents: `(batch, width)`, the places of the tokens before them.
            seen: `(batch * width, source_time)`, attention in the order of the tokens before, or None.
        """
        return History(
            write(self.tokens, time, tokens),
            write(self.parents, time, parents),
            self.attention
            if seen is None
            else write(self.attention, time, ops.reshape(seen, ops.shape(self.attention)[1:])),
        )

    def only(self, examples: Any) -> "History":
        """The history of some examples, `(n,)` indices into the batch."""
        return History(*(ops.take(buffer, examples, axis=1) for buffer in self))

    def read(self, times: Any, parents: Any, lengths: Any, end: int) -> tuple[Any, Any]:
        """Reads sequences off, from the last token to the first.

        Args:
            times: `(batch, n)`, when the end token came; after the last step if it did not, -1 for no sequence.
            parents: `(batch, n)`, the places of the tokens before that.
            lengths: `(batch, n)`, numbers of tokens.
            end: The end token.

        Returns:
            Tokens `(batch, n, length)` and attention `(batch, n, length, source_time)`.
        """
        length = self.tokens.shape[0]

        def body(time: Any, places: Any, tokens: Any, sources: Any) -> tuple:
            before = time < times
            token = pick(ops.take(self.tokens, time, axis=0), places)
            token = ops.where(before, token, ops.where(time == times, end, PAD))
            # When the end token came, the place is already that of the parent.
            places = ops.where(before, pick(ops.take(self.parents, time, axis=0), places), places)
            return time - 1, places, write(tokens, time, token), write(sources, time, places)

        blank = ops.zeros((length, *ops.shape(times)), "int32")
        begin = (ops.full((), length - 1, "int32"), parents, blank, blank)
        _, _, tokens, sources = loop(lambda time, *_: time >= 0, body, begin)
        return ops.transpose(tokens, (1, 2, 0)), self._seen(sources, lengths)

    def _seen(self, sources: Any, lengths: Any) -> Any:
        """Attention of each token: it was written in the place of the token before, `sources` `(length, batch, n)`."""
        length, batch, number = ops.shape(sources)
        width = self.tokens.shape[2]
        rows = sources + width * ops.arange(batch, dtype="int32")[None, :, None]
        source_time = ops.shape(self.attention)[3]
        flat = ops.reshape(self.attention, (length, batch * width, source_time))
        found = pick(flat, ops.reshape(rows, (length, batch * number)))
        found = ops.reshape(found, (length, batch, number, source_time))
        inside = ops.arange(length, dtype="int32") < lengths[:, :, None]  # (batch, n, length)
        return ops.where(inside[..., None], ops.transpose(found, (1, 2, 0, 3)), 0.0)
