"""Memory test: whether the number of ones so far is odd."""
