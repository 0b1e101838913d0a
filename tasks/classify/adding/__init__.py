"""Two marked digits among others, and the question for their sum."""
