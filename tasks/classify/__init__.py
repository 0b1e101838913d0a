"""One-to-one: one picture in, one label out, without recurrence or read row by row; memory tests."""
