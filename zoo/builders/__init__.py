"""Builders: functions of plain arguments that return a `keras.Model`."""

from zoo.builders.captioner import captioner
from zoo.builders.classifier import classifier
from zoo.builders.pretrainer import pretrainer, token_mean
from zoo.builders.searcher import search, searcher
from zoo.builders.translator import translator

__all__ = ["captioner", "classifier", "pretrainer", "search", "searcher", "token_mean", "translator"]
