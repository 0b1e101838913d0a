"""Symbols that have to be repeated after many blanks."""
