"""The record of a beam search, from which its sequences are read backwards.

Each step is written as it was: which token is in which place, and which place of the previous step it continues.
Earlier steps are not reordered when hypotheses are. With a beam size of 2, where "a" and "b" come first and then "an"
and "at" are better than everything that begins with "b":

    time        0      1
    tokens      a b    n t
    parents     0 0    0 0      the "t" in place 1 follows place 0 of the step before: "at"
"""

from typing import Any, NamedTuple

from zoo.decoding.operations import ops, take_rows
from zoo.decoding.state import gather, while_loop, write
from zoo.ids import PAD


class History(NamedTuple):
    """Buffers with one entry per step."""

    tokens: Any  # (max_new_tokens, batch, beam_size)
    parents: Any  # (max_new_tokens, batch, beam_size)
    attention: Any  # (max_new_tokens, batch, beam_size, source_time), in the order of the parents

    @classmethod
    def empty(cls, max_new_tokens: int, batch: Any, beam_size: int, source_time: Any) -> "History":
        """Buffers before the first step."""
        ids = ops.full((max_new_tokens, batch, beam_size), PAD, "int32")
        return cls(ids, ids, ops.zeros((max_new_tokens, batch, beam_size, source_time), "float32"))

    def append(self, time: Any, tokens: Any, parents: Any, attention: Any | None) -> "History":
        """The history with one more step.

        Args:
            time: A scalar.
            tokens: `(batch, beam_size)`, the new ones.
            parents: `(batch, beam_size)`, the places of the tokens before them.
            attention: `(batch * beam_size, source_time)` in the order of the tokens before, or None.
        """
        recorded = self.attention
        if attention is not None:
            recorded = write(recorded, time, ops.reshape(attention, ops.shape(recorded)[1:]))
        return History(write(self.tokens, time, tokens), write(self.parents, time, parents), recorded)

    def select(self, examples: Any) -> "History":
        """The history of some examples, `(n,)` indices into the batch."""
        return History(*(ops.take(buffer, examples, axis=1) for buffer in self))

    def read(self, times: Any, parents: Any, lengths: Any, end: int) -> tuple[Any, Any]:
        """Reads sequences from the last token to the first.

        Args:
            times: `(batch, n)`, when the end token came; after the last step if it did not, -1 for no sequence.
            parents: `(batch, n)`, the places of the tokens before that.
            lengths: `(batch, n)`, numbers of tokens.
            end: The end token.

        Returns:
            Tokens `(batch, n, max_new_tokens)` and attention `(batch, n, max_new_tokens, source_time)`.
        """
        steps = self.tokens.shape[0]

        def body(time: Any, places: Any, tokens: Any, sources: Any) -> tuple:
            before = time < times
            token = gather(take_rows(self.tokens, time), places)
            token = ops.where(before, token, ops.where(time == times, end, PAD))
            # At the time of the end token, the place is already that of the parent.
            places = ops.where(before, gather(take_rows(self.parents, time), places), places)
            return time - 1, places, write(tokens, time, token), write(sources, time, places)

        zeros = ops.zeros((steps, *ops.shape(times)), "int32")  # (max_new_tokens, batch, n)
        last = ops.minimum(ops.max(times), steps - 1)  # later steps are padding
        variables = (ops.cast(last, "int32"), parents, zeros, zeros)
        _, _, tokens, sources = while_loop(lambda time, *_: time >= 0, body, variables)
        return ops.transpose(tokens, (1, 2, 0)), self._attention_of(sources, lengths)

    def _attention_of(self, sources: Any, lengths: Any) -> Any:
        """Attention of each token, recorded at the place of its parent, `sources` `(max_new_tokens, batch, n)`."""
        steps, batch, number = ops.shape(sources)
        beam_size = self.tokens.shape[2]
        rows = sources + beam_size * ops.arange(batch, dtype="int32")[None, :, None]
        source_time = ops.shape(self.attention)[3]
        flat = ops.reshape(self.attention, (steps, batch * beam_size, source_time))
        weights = gather(flat, ops.reshape(rows, (steps, batch * number)))
        weights = ops.reshape(weights, (steps, batch, number, source_time))
        inside = ops.arange(steps, dtype="int32") < lengths[:, :, None]  # (batch, n, max_new_tokens)
        return ops.where(inside[..., None], ops.transpose(weights, (1, 2, 0, 3)), 0.0)
