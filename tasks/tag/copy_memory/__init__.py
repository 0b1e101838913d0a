"""Memory test: symbols that have to be repeated after many blanks."""
