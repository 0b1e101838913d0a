"""Sequence labeling (many-to-many): frames of a clip, words or numbers in, one label for each of them out."""
