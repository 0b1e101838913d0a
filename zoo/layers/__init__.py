"""Layers that stand around a recurrent cell."""

from zoo.layers.dropout import LockedDropout, WordDropout
from zoo.layers.embedding import TokenEmbedding
from zoo.layers.pooling import Pooling
from zoo.layers.recurrent import Recurrent, reverse
from zoo.layers.sampled_softmax import SampledSoftmax

__all__ = ["LockedDropout", "Pooling", "Recurrent", "SampledSoftmax", "TokenEmbedding", "WordDropout", "reverse"]
