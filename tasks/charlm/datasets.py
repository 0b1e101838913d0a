"""The data sets of the language model task; one example is one document."""

from zoo.data.datasets import DatasetRow, generated

BUILTIN = "python_docs"

DATASETS = {
    BUILTIN: DatasetRow(
        "the reference texts that come with Python itself, 0.5 million characters of English; built in",
        ("text",),
        builder="zoo.tasks.charlm.python_docs.python_docs_dataset_builder",
        license="Python Software Foundation License, Version 2",
        builtin=True,
        terms="open",
    ),
    "hello": generated(
        "the word of the founding lecture, over and over: four letters to learn exactly; built in",
        ("text",),
        "zoo.tasks.charlm.hello.hello_dataset_builder",
        license="Apache-2.0",
    ),
    "tiny_shakespeare": DatasetRow(
        "1.1 million characters of Shakespeare's plays (Karpathy 2015)",
        ("text",),
        license="public domain",
        terms="open",
    ),
    "lm1b": DatasetRow(
        "0.8 billion words of news, sentence by sentence (Chelba et al. 2013); large",
        ("text",),
        splits={"train": "train[:99%]", "validation": "train[99%:]"},
    ),
    "wiki40b": DatasetRow(
        "Wikipedia's articles in 40 languages, by config, e.g. wiki40b/en (Guo et al. 2020); large",
        ("text",),
        needs_config=True,
        license="CC BY-SA, as Wikipedia",
        terms="open",
    ),
    "imdb_reviews": DatasetRow(
        "film reviews from IMDb, without their labels (Maas et al. 2011)",
        ("text",),
        splits={"train": "train[:90%]+unsupervised", "validation": "train[90%:]"},
        license="none stated, collected for research; see ai.stanford.edu/~amaas/data/sentiment",
        terms="research",
    ),
}
