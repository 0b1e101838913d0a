"""A saved model's folder: its files and their checks, its JSON, its card, the Hub. `zoo.saved` saves and loads it."""
