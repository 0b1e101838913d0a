"""Builders: functions of plain arguments that return a `keras.Model`."""

from zoo.builders.classifier import classifier
from zoo.builders.pretrainer import pretrainer, token_mean
from zoo.builders.searcher import searcher
from zoo.builders.translator import translator

__all__ = ["classifier", "pretrainer", "searcher", "token_mean", "translator"]
