"""Two bits, a delay full of noise, and the question whether the two are different."""
