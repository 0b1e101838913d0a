"""Pretraining without labels: read a text, predict each word's neighbours."""

from typing import Any

import keras
from keras import ops

from zoo.layers import Recurrent, SampledSoftmax, TokenEmbedding

PAD = 0


@keras.saving.register_keras_serializable("zoo")
class Pretrainer(keras.Model):
    """Language models of both directions over one embedding; see `pretrainer`."""

    def __init__(
        self,
        vocabulary: int,
        cell: Any = "gru",
        units: int = 128,
        embedding: int = 128,
        bidirectional: bool = True,
        embedding_dropout: float = 0.1,
        samples: int = 512,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.settings = {
            "vocabulary": vocabulary, "cell": cell, "units": units, "embedding": embedding,
            "bidirectional": bidirectional, "embedding_dropout": embedding_dropout, "samples": samples,
        }  # fmt: skip
        self.directions = 2 if bidirectional else 1
        # The names are the classifier's: by them the weights find their place there.
        self.embedding = TokenEmbedding(vocabulary, embedding, dropout=embedding_dropout, name="embedding")
        self.recurrent = Recurrent(cell, units, bidirectional=bidirectional, name="recurrent")
        self.projections = [keras.layers.Dense(embedding, name=f"projection_{way}") for way in range(self.directions)]
        self.softmax = SampledSoftmax(vocabulary, samples, name="softmax")

    def build(self, tokens_shape: tuple) -> None:
        self.embedding.build(tokens_shape)
        self.recurrent.build((*tokens_shape, self.settings["embedding"]))
        size = self.recurrent.compute_output_shape((*tokens_shape, self.settings["embedding"]))[-1]
        for projection in self.projections:
            projection.build((None, size // self.directions))
        self.softmax.build((None, self.settings["embedding"]))

    def call(self, tokens: Any, training: bool | None = None) -> Any:
        """tokens `(batch, time)` -> `(batch, 2)`: the summed loss of each text in nats, and its predicted tokens."""
        mask = ops.not_equal(tokens, PAD)
        states = self.recurrent(self.embedding(tokens, mask=mask, training=training), mask=mask, training=training)
        both = ops.cast(ops.logical_and(mask[:, 1:], mask[:, :-1]), "float32")  # pairs of neighbours that are real
        ways = ops.split(states, self.directions, axis=-1)
        # The forward state at t has read up to t and predicts t + 1; the backward one has read from the end to t.
        losses = self._loss(0, ways[0][:, :-1], tokens[:, 1:])
        if self.directions == 2:
            losses = losses + self._loss(1, ways[1][:, 1:], tokens[:, :-1])
        return ops.stack([ops.sum(losses * both, axis=1), self.directions * ops.sum(both, axis=1)], axis=1)

    def _loss(self, way: int, states: Any, targets: Any) -> Any:
        vectors = ops.reshape(self.projections[way](states), (-1, self.settings["embedding"]))
        table = self.embedding.table.embeddings
        return ops.reshape(self.softmax(vectors, ops.reshape(targets, (-1,)), table), ops.shape(targets))

    def get_config(self) -> dict[str, Any]:
        return {"name": self.name, **self.settings}


def token_mean(_: Any, output: Any) -> Any:
    """The loss to compile a `Pretrainer` with: nats a predicted token, over the whole batch."""
    return ops.sum(output[:, 0]) / ops.maximum(ops.sum(output[:, 1]), 1.0)


def pretrainer(vocabulary: int, cell: Any = "gru", units: int = 128, **settings: Any) -> Pretrainer:
    """A model that learns an embedding and recurrent layers from texts without labels.

    A forward language model predicts each next word, a backward one each previous word; they share the embedding,
    which also is the output table. Train it with `loss=token_mean`, then hand the layers `embedding` and `recurrent`
    to a `classifier` of the same sizes. Source: Dai and Le, "Semi-supervised Sequence Learning" (2015), section 3,
    with both directions as in Peters et al., "Deep contextualized word representations" (2018), section 3.1.

    Args:
        vocabulary: Number of token ids, sorted by falling frequency; id 0 is padding.
        cell: Cell name, class or instance.
        units: Units of each direction.
        **settings: `embedding` size, `bidirectional`, `embedding_dropout`, and `samples`, the negatives a batch.

    Returns:
        tokens `(batch, time)` -> `(batch, 2)`: summed loss and number of predictions of each text.
    """
    model = Pretrainer(vocabulary, cell, units, **settings)
    model.build((None, None))
    return model
