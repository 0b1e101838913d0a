"""Spoken digits: 2,500 recordings by five speakers."""
