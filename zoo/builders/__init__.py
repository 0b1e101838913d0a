"""Builders: functions of plain arguments that return a `keras.Model`."""

from zoo.builders.classifier import classifier
from zoo.builders.pretrainer import pretrainer, token_mean

__all__ = ["classifier", "pretrainer", "token_mean"]
