"""A training from settings to a saved model: stages, one loop over epochs, checkpoints, progress, history."""

from zoo.evaluation import CountedBatches, evaluate, example_statistics
from zoo.training.run import train

__all__ = ["CountedBatches", "evaluate", "example_statistics", "train"]
