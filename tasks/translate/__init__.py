"""Translation: a sentence in, its translation out (sequence to sequence with attention, many-to-many)."""
