"""The data sets of the tagging task.

`features` of a row are the sequence and its labels. Further facts stand in `details`:

    kind            what a step is: "frames" (uint8 images), "tokens" (words) or "features" (numbers)
    label_columns   the features that may be learned, where there are several (`--tags`)
    seconds         how long a frame is shown
"""

from zoo.data.datasets import DatasetRow

DATASETS = {
    "clips": DatasetRow(
        "synthetic clips of moving, hiding and merging objects, one label per frame; built in, generated in seconds",
        ("frames", "labels"),
        builder="zoo.tasks.tag.clips.clips_dataset_builder",
        license="Apache-2.0, drawn by a program of this project",
        builtin=True,
        synthetic=True,
        details={"kind": "frames", "seconds": 0.08},
        terms="open",
    ),
    "copy_memory": DatasetRow(
        "memory test: symbols to repeat after up to 100 steps; built in, also copy_memory/STEPS",
        ("inputs", "labels"),
        builder="zoo.tasks.tag.copy_memory.copy_memory_dataset_builder",
        config="100",
        labels=("a", "b", "c", "d"),
        license="Apache-2.0, drawn by a program of this project",
        builtin=True,
        synthetic=True,
        details={"kind": "features"},
        terms="open",
    ),
    "parity": DatasetRow(
        "memory test: whether the number of ones is odd, up to 40 bits; built in, also parity/STEPS",
        ("inputs", "labels"),
        builder="zoo.tasks.tag.parity.parity_dataset_builder",
        config="40",
        labels=("even", "odd"),
        license="Apache-2.0, drawn by a program of this project",
        builtin=True,
        synthetic=True,
        details={"kind": "features"},
        terms="open",
    ),
    "mod3": DatasetRow(
        "memory test: sums modulo 3 of up to 40 digits; built in, also mod3/STEPS",
        ("inputs", "labels"),
        builder="zoo.tasks.tag.mod3.mod3_dataset_builder",
        config="40",
        labels=("0", "1", "2"),
        license="Apache-2.0, drawn by a program of this project",
        builtin=True,
        synthetic=True,
        details={"kind": "features"},
        terms="open",
    ),
    "selective_copy": DatasetRow(
        "memory test: symbols among up to 100 blanks, to repeat; built in, also selective_copy/STEPS",
        ("inputs", "labels"),
        builder="zoo.tasks.tag.selective_copy.selective_copy_dataset_builder",
        config="100",
        labels=("a", "b", "c", "d"),
        license="Apache-2.0, drawn by a program of this project",
        builtin=True,
        synthetic=True,
        details={"kind": "features"},
        terms="open",
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
