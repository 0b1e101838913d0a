"""Memory test: the sum of the digits so far, modulo 3."""
