"""The builder: running sums modulo 3, generated as those of parity are."""

from typing import ClassVar

import tensorflow_datasets.public_api as tfds
from zoo.tasks.tag.parity import parity_dataset_builder as parity
from zoo.tasks.tag.parity.parity_dataset_builder import config

__all__ = ["Builder", "config"]


class Builder(parity.Builder):
    """Generated sequences of the digits 0, 1 and 2."""

    pkg_dir_path = tfds.core.Path(__file__).parent  # the folder is not where its module name says

    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES: ClassVar[dict[str, str]] = {"1.0.0": "First release."}
    BUILDER_CONFIGS: ClassVar[list[parity.Config]] = [config("40")]
    MODULUS = 3
