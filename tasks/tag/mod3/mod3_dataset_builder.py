"""The builder: running sums modulo 3, generated as those of parity are."""

import tensorflow_datasets.public_api as tfds
from zoo.tasks.tag.parity import parity_dataset_builder as parity

from zoo.data.memory_tests import config

__all__ = ["Builder", "config"]


class Builder(parity.Builder):
    """Generated sequences of the digits 0, 1 and 2."""

    pkg_dir_path = tfds.core.Path(__file__).parent  # the folder is not where its module name says

    MODULUS = 3
    FEATURES = 4  # the digits, and the sign that begins a sequence
