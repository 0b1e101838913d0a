"""Builders: functions of plain arguments that return a `keras.Model`."""

from zoo.builders.captioner import captioner
from zoo.builders.classifier import classifier
from zoo.builders.language_model import language_model, reader
from zoo.builders.perceptron import perceptron
from zoo.builders.pretrainer import pretrainer, token_mean
from zoo.builders.searcher import search, searcher
from zoo.builders.tagger import tagger
from zoo.builders.translator import translator

__all__ = [
    "captioner",
    "classifier",
    "language_model",
    "perceptron",
    "pretrainer",
    "reader",
    "search",
    "searcher",
    "tagger",
    "token_mean",
    "translator",
]

# Temporary until the renamed builders are merged.
import functools as _functools
import inspect as _inspect

_OLD = {
    "vocabulary_size": "vocabulary",
    "num_classes": "classes",
    "embedding_dim": "embedding",
    "num_layers": "depth",
    "source_vocabulary_size": "source_vocabulary",
    "target_vocabulary_size": "target_vocabulary",
    "position_embeddings": "places",
    "conditional_cell": "conditional",
    "share_embeddings": "tie_source",
    "suppress_tokens": "forbidden",
    "feature_shape": "features",
    "frame_shape": "frame",
    "encoder_layers": "encoder_depth",
    "decoder_layers": "decoder_depth",
    "beam_size": "beam",
    "length_penalty": "penalty",
    "coverage_penalty": "coverage",
    "num_return": "nbest",
    "max_new_tokens": "length",
    "forced_prefix": "prefix",
}


def _renamed(function):
    @_functools.wraps(function)
    def call(*args, **kwargs):
        known = _inspect.signature(function).parameters
        renamed = {name if name in known else _OLD.get(name, name): value for name, value in kwargs.items()}
        if function.__name__ == "captioner" and "pooling" in renamed:
            renamed["summary"] = renamed.pop("pooling")
        if function.__name__ == "searcher" and "beam_size" in kwargs:
            renamed["width"] = renamed.pop("beam")
        return function(*args, **renamed)

    return call


for _name in (
    "classifier",
    "pretrainer",
    "translator",
    "tagger",
    "perceptron",
    "language_model",
    "captioner",
    "search",
    "searcher",
):
    globals()[_name] = _renamed(globals()[_name])
