"""Builders: functions of plain arguments that return a built and compiled `keras.Model`."""

from zoo.builders.captioner import captioner
from zoo.builders.classifier import classifier
from zoo.builders.language_model import language_model
from zoo.builders.perceptron import perceptron
from zoo.builders.pretrainer import pretrainer, token_mean
from zoo.builders.reader import reader
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
