"""Compares cells: a grid of trainings, equal numbers of parameters, differences with what chance explains of them."""
