"""The data sets of the translation task. Languages and direction are those of TFDS's supervised keys."""

from zoo.data.datasets import DatasetRow

DATASETS = {
    "phrases": DatasetRow(
        "dates, money, units, lists and names from Unicode CLDR, any two locales, e.g. phrases/en-de; built in",
        builder="zoo.tasks.translate.phrases.phrases_dataset_builder",
        config="en-de",
        license="Unicode-3.0",
        builtin=True,
        synthetic=True,
        terms="open",
    ),
    "multi30k": DatasetRow(
        "30,000 captions of photographs in en, de, fr, cs, e.g. multi30k/en-de (Elliott et al. 2016)",
        builder="zoo.tasks.translate.multi30k.multi30k_dataset_builder",
        needs_config=True,
        splits={"test": "test_2016_flickr", "test_2016_flickr": "test_2016_flickr"},
        license="none stated, made for research; see github.com/multi30k/dataset",
        terms="research",
    ),
    "ted_hrlr_translate": DatasetRow(
        "TED talks of low-resource languages, e.g. ted_hrlr_translate/pt_to_en (Qi et al. 2018)",
        needs_config=True,
        license="CC BY-NC-ND 4.0",
        terms="research",
    ),
    "wmt14_translate": DatasetRow("news, e.g. wmt14_translate/de-en; large", needs_config=True),
    "wmt15_translate": DatasetRow("news, e.g. wmt15_translate/fi-en; large", needs_config=True),
    "wmt16_translate": DatasetRow("news, e.g. wmt16_translate/ro-en; large", needs_config=True),
    "wmt17_translate": DatasetRow("news, e.g. wmt17_translate/lv-en; large", needs_config=True),
    "wmt18_translate": DatasetRow("news, e.g. wmt18_translate/et-en; large", needs_config=True),
    "wmt19_translate": DatasetRow(
        "news, e.g. wmt19_translate/lt-en; large; it has no test split, so validation (newstest2018) serves as test",
        needs_config=True,
        splits={"validation": None, "test": "validation"},
    ),
    "opus": DatasetRow("medicine, law and subtitles in many languages, e.g. opus/medical", needs_config=True),
    "para_crawl": DatasetRow("web pages, e.g. para_crawl/ende; large", needs_config=True),
}
