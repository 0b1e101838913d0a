"""Layers that stand around a recurrent cell."""

from zoo.layers.attention import AdditiveAttention, DotAttention, GeneralAttention
from zoo.layers.bridge import Bridge
from zoo.layers.carried import Carried
from zoo.layers.decoder import RecurrentDecoder
from zoo.layers.dropout import LockedDropout, WordDropout
from zoo.layers.embedding import TokenEmbedding
from zoo.layers.frame_encoder import FrameEncoder
from zoo.layers.image_encoder import image_encoder
from zoo.layers.pooling import Pooling
from zoo.layers.recurrent import Recurrent, reverse
from zoo.layers.sampled_softmax import SampledSoftmax

__all__ = [
    "AdditiveAttention",
    "Bridge",
    "Carried",
    "DotAttention",
    "FrameEncoder",
    "GeneralAttention",
    "LockedDropout",
    "Pooling",
    "Recurrent",
    "RecurrentDecoder",
    "SampledSoftmax",
    "TokenEmbedding",
    "WordDropout",
    "image_encoder",
    "reverse",
]
