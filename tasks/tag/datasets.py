"""The data sets of the tagging task.

`features` of a row are the sequence and its labels. Further facts stand in `details`:

    kind            what a step is: "frames" (uint8 images), "tokens" (words) or "features" (numbers)
    label_columns   the features that may be learned, where there are several (`--tags`)
    seconds         how long a frame is shown
"""

from collections.abc import Sequence

from zoo.data.datasets import DatasetRow, generated


def _memory_test(name: str, description: str, steps: int, labels: Sequence[str]) -> DatasetRow:
    return generated(
        f"memory test: {description}; built in, also {name}/STEPS",
        ("inputs", "labels"),
        f"zoo.tasks.tag.{name}.{name}_dataset_builder",
        config=str(steps),
        labels=labels,
        details={"kind": "features"},
    )


DATASETS = {
    "clips": generated(
        "synthetic clips of moving, hiding and merging objects, one label per frame; built in, generated in seconds",
        ("frames", "labels"),
        "zoo.tasks.tag.clips.clips_dataset_builder",
        details={"kind": "frames", "seconds": 0.08},
    ),
    "copy_memory": _memory_test("copy_memory", "symbols to repeat after up to 100 steps", 100, ("a", "b", "c", "d")),
    "parity": _memory_test("parity", "whether the number of ones is odd, up to 40 bits", 40, ("even", "odd")),
    "mod3": _memory_test("mod3", "sums modulo 3 of up to 40 digits", 40, ("0", "1", "2")),
    "selective_copy": _memory_test(
        "selective_copy", "symbols among up to 100 blanks, to repeat", 100, ("a", "b", "c", "d")
    ),
    "conll2003": DatasetRow(
        "news in English, named entities; also parts of speech and chunks (Tjong Kim Sang, De Meulder 2003)",
        ("tokens", "ner"),
        splits={"validation": "dev"},
        details={"kind": "tokens", "label_columns": ("ner", "pos", "chunks")},
        license="for research; the texts are those of the Reuters Corpus",
        terms="research",
    ),
    "universal_dependencies": DatasetRow(
        "parts of speech; universal_dependencies/en_ewt or another treebank of TFDS",
        ("tokens", "upos"),
        config="en_ewt",
        splits={"validation": "dev"},
        details={"kind": "tokens"},
        license="of each treebank; en_ewt: CC BY-SA 4.0",
        terms="unknown",
    ),
}
