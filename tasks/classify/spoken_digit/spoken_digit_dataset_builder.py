"""The builder: the recordings of the Free Spoken Digit Dataset, with a test split of takes or of one speaker."""

import io
import os
import re
import tarfile
import wave
from collections.abc import Callable, Iterator
from typing import Any, ClassVar

import numpy as np
import tensorflow_datasets.public_api as tfds

_URL = "https://github.com/Jakobovski/free-spoken-digit-dataset/archive/v1.0.9.tar.gz"

SPEAKERS = ("george", "jackson", "nicolas", "theo", "yweweler")

RATE = 8_000
"""Samples per second."""

HELD_OUT_TAKES = 5
"""Each speaker says each digit 50 times; the authors keep the first five takes, 0 to 4, for the test."""

_NAME = re.compile(r".*/recordings/(\d)_([a-z]+)_(\d+)\.wav")


def configs() -> list[str]:
    """The names of all configs: by takes, and with one speaker held out."""
    return [config.name for config in Builder.BUILDER_CONFIGS]


class Builder(tfds.core.GeneratorBasedBuilder):
    """Free Spoken Digit Dataset 1.0.9: the archive that TFDS's own `spoken_digit` reads, which has one split."""

    # The folder is not where its module name says; TFDS looks for checksums.tsv beside code_path.
    code_path = tfds.core.Path(__file__)
    pkg_dir_path = code_path.parent

    VERSION = tfds.core.Version("1.0.9")
    RELEASE_NOTES: ClassVar[dict[str, str]] = {"1.0.9": "The archive of this version."}
    BUILDER_CONFIGS: ClassVar[list[tfds.core.BuilderConfig]] = [
        tfds.core.BuilderConfig(name="takes", description="takes 0 to 4 of each speaker and digit are the test split"),
        *(tfds.core.BuilderConfig(name=who, description=f"the test split is the speaker {who}") for who in SPEAKERS),
    ]

    def _info(self) -> tfds.core.DatasetInfo:
        return self.dataset_info_from_configs(
            features=tfds.features.FeaturesDict(
                {
                    "samples": tfds.features.Tensor(shape=(None,), dtype=np.int16),
                    "label": tfds.features.ClassLabel(names=[str(digit) for digit in range(10)]),
                    "speaker": tfds.features.Text(),
                    "take": np.int64,
                }
            ),
            supervised_keys=("samples", "label"),
            homepage="https://github.com/Jakobovski/free-spoken-digit-dataset",
        )

    def _split_generators(self, dl_manager: tfds.download.DownloadManager) -> dict[str, Iterator]:
        archive = dl_manager.download(_URL)
        who = self.builder_config.name

        def tests(speaker: str, take: int) -> bool:
            return take < HELD_OUT_TAKES if who == "takes" else speaker == who

        return {
            "train": self._generate_examples(archive, lambda *recording: not tests(*recording)),
            "test": self._generate_examples(archive, tests),
        }

    def _generate_examples(self, archive: Any, chosen: Callable[[str, int], bool]) -> Iterator[tuple[str, dict]]:
        with tarfile.open(os.fspath(archive), "r:gz") as files:
            for member in files:
                found = _NAME.fullmatch(member.name)
                if found is None:
                    continue
                digit, speaker, take = found[1], found[2], int(found[3])
                if chosen(speaker, take):
                    content = files.extractfile(member)
                    assert content is not None
                    samples = _samples(content.read(), member.name)
                    yield member.name, {"samples": samples, "label": digit, "speaker": speaker, "take": take}


def _samples(content: bytes, name: str) -> np.ndarray:
    """The samples of a recording, `(time,)` int16."""
    with wave.open(io.BytesIO(content)) as file:
        found = file.getnchannels(), file.getsampwidth(), file.getframerate()
        if found != (1, 2, RATE):
            raise ValueError(f"{name} has {found} channels, bytes and rate; (1, 2, {RATE}) were expected.")
        return np.frombuffer(file.readframes(file.getnframes()), "<i2").astype("int16")
