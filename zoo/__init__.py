"""Recurrent sequence models for Keras 3: cells, layers, builders, decoding, training, saved models.

Importing this package costs nothing; take what you need from its parts:

    from zoo import builders, cells, layers, saved
"""

__version__ = "0.1.0"
