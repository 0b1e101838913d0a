"""Memory test: symbols scattered among blanks, to be repeated in their order."""
