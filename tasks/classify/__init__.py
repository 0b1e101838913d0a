"""Image and sequence classification: a picture in, a label out, all at once or row by row; memory tests."""
