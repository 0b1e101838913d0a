"""Synthetic reviews in which the order of the words decides the label."""
