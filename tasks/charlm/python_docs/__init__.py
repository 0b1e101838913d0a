"""The reference texts that come with Python: real English, in the standard library of every machine."""
