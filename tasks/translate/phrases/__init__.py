"""Parallel phrases of two languages: dates, amounts and names, written by Unicode CLDR."""
