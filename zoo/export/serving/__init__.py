"""Exported models behind a server: a service of one's own, and a client of TensorFlow Serving."""
