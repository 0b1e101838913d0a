"""Processes that work together: their options, who starts and watches them, and their share of the cores."""
