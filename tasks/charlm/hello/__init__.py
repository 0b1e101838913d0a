"""One word, again and again: the smallest lesson in recurrence."""
