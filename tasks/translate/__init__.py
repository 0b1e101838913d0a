"""Translate sentences: one sequence in, another of its own length out (many-to-many, delayed)."""
