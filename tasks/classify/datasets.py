"""The data sets of the classification task."""

from zoo.data.datasets import DatasetRow, generated

BUILTIN = "digits"

ORDERS = ("pixels", "permuted")
"""Variants of a set of pictures: sequences of single pixels, row by row or in one fixed random order."""

PICTURE = ("image", "label")
SEQUENCE = ("inputs", "label")

DATASETS = {
    BUILTIN: DatasetRow(
        "1,797 handwritten digits of 8 x 8 pixels (Alpaydin and Kaynak 1998); built in, part of scikit-learn; "
        "digits/pixels and digits/permuted: one pixel per step",
        PICTURE,
        variants=ORDERS,
        license="CC BY 4.0",
        builtin=True,
        terms="open",
    ),
    "mnist": DatasetRow(
        "70,000 handwritten digits of 28 x 28 pixels (LeCun, Cortes and Burges 1998)",
        PICTURE,
        variants=ORDERS,
        license="CC BY-SA 3.0",
        terms="open",
    ),
    "fashion_mnist": DatasetRow(
        "70,000 pieces of clothing, like MNIST (Xiao, Rasul and Vollgraf 2017)",
        PICTURE,
        variants=ORDERS,
        license="MIT",
        terms="open",
    ),
    "kmnist": DatasetRow(
        "70,000 cursive Japanese characters, like MNIST (Clanuwat et al. 2018)",
        PICTURE,
        variants=ORDERS,
        license="CC BY-SA 4.0",
        terms="open",
    ),
    "mnist1d": generated(
        "5,000 series of 40 steps in ten classes, MNIST-1D (Greydanus and Kobak 2024); built in",
        SEQUENCE,
        "zoo.tasks.classify.mnist1d.mnist1d_dataset_builder",
        license="Apache-2.0, drawn by the package mnist1d",
    ),
    "spoken_digit": DatasetRow(
        "2,500 recordings of spoken digits by five speakers; spoken_digit/theo and others: a speaker nobody heard",
        ("samples", "label"),
        builder="zoo.tasks.classify.spoken_digit.spoken_digit_dataset_builder",
        config="takes",
        license="CC BY-SA 4.0",
        details={"sample_rate": 8_000},
    ),
    "delayed_xor": generated(
        "memory test: the exclusive or of two bits after a delay of up to 100 steps; built in",
        SEQUENCE,
        "zoo.tasks.classify.delayed_xor.delayed_xor_dataset_builder",
        config="100",
        details={"distance_offset": 2},  # the two bits
    ),
    "adding": generated(
        "memory test: the sum of two marked digits among up to 100 (Hochreiter and Schmidhuber 1997); built in",
        SEQUENCE,
        "zoo.tasks.classify.adding.adding_dataset_builder",
        config="100",
        details={"distance_offset": 0},
    ),
}
"""A row with `sample_rate` has recordings. A row with `distance_offset` is a memory test: a sequence's length less this
offset is the distance it tests."""
