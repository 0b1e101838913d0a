"""Recurrent sequence models for Keras 3: cells, layers, builders, decoding, training, saved models.

Importing this package does not import Keras; take what you need from its parts:

    from zoo import builders, cells, layers, saved

After `import zoo`, `keras.saving.load_model` finds the classes of saved models by itself.
"""

from pathlib import Path

from zoo import registration

__version__ = "0.2.0"

_HERE = Path(__file__).resolve().parent
if not (_HERE / "tasks").is_dir():  # a clone, where the folder `tasks` stands beside this one
    __path__.append(str(_HERE.parent))

registration.after_keras()
