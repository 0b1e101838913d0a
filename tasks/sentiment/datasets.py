"""The data sets of the sentiment task."""

from zoo.data.datasets import DatasetRow, generated

POLARITY = ("negative", "positive")

DATASETS = {
    "reviews": generated(
        "synthetic reviews in which word order decides; built in, generated offline in seconds",
        ("text", "label"),
        "zoo.tasks.sentiment.reviews.reviews_dataset_builder",
        license="Apache-2.0, written by a grammar of this project",
    ),
    "imdb_reviews": DatasetRow(
        "50,000 film reviews from IMDb, two labels (Maas et al. 2011)",
        ("text", "label"),
        splits={"unlabeled": "unsupervised"},
        labels=POLARITY,
        license="none stated, collected for research; see ai.stanford.edu/~amaas/data/sentiment",
        terms="research",
    ),
    "glue/sst2": DatasetRow(
        "Stanford Sentiment Treebank, sentences, two labels; its test labels are secret, so validation serves as test",
        ("sentence", "label"),
        splits={"validation": None, "test": "validation"},
        terms="unknown",
    ),
    "yelp_polarity_reviews": DatasetRow(
        "598,000 reviews from Yelp, two labels (Zhang, Zhao and LeCun 2015)",
        ("text", "label"),
        labels=POLARITY,
        license="Yelp data set license, academic use",
        terms="research",
    ),
    "ag_news_subset": DatasetRow(
        "127,600 news items, four topics (Zhang, Zhao and LeCun 2015)",
        ("description", "label"),
        license="non-commercial use; see the TFDS catalog",
        terms="research",
    ),
}
