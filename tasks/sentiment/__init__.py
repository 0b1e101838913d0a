"""Many-to-one: a text in, a label with its probability out (sentiment, topics, any classes)."""
