"""Layers around a recurrent cell."""

from zoo.layers.attention import AdditiveAttention, DotAttention, GeneralAttention
from zoo.layers.bridge import Bridge
from zoo.layers.carried_state import CarriedState
from zoo.layers.character_encoder import CharacterEncoder
from zoo.layers.decoder import RecurrentDecoder
from zoo.layers.embedding import TokenEmbedding
from zoo.layers.former import register_former_names
from zoo.layers.frame_encoder import FrameEncoder
from zoo.layers.image_encoder import image_encoder
from zoo.layers.pooling import Pooling
from zoo.layers.recurrent import Recurrent, reverse
from zoo.layers.residual_block import ResidualBlock, ResidualStack, recurrent_stack
from zoo.layers.sampled_softmax import SampledSoftmax
from zoo.layers.word_dropout import WordDropout

__all__ = [
    "AdditiveAttention",
    "Bridge",
    "CarriedState",
    "CharacterEncoder",
    "DotAttention",
    "FrameEncoder",
    "GeneralAttention",
    "Pooling",
    "Recurrent",
    "RecurrentDecoder",
    "ResidualBlock",
    "ResidualStack",
    "SampledSoftmax",
    "TokenEmbedding",
    "WordDropout",
    "image_encoder",
    "recurrent_stack",
    "reverse",
]

register_former_names()
