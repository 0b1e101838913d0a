"""The data sets of the captioning task."""

from zoo.data.datasets import DatasetRow, generated

DATASETS = {
    "scenes": generated(
        "drawn scenes of colored shapes, five true captions each; built in, generated offline",
        ("image", "captions", "facts"),
        "zoo.tasks.caption.scenes.scenes_dataset_builder",
        license="Apache-2.0, like the code that draws them",
    ),
    "flickr8k": DatasetRow(
        "8,000 photographs, five captions each (Hodosh et al. 2013); needs two archives downloaded by hand",
        ("image", "captions"),
        builder="zoo.tasks.caption.flickr8k.flickr8k_dataset_builder",
        license="non-commercial research; see its README",
        terms="research",
    ),
    "coco_captions": DatasetRow(
        "123,000 photographs, five captions each (Chen et al. 2015); large",
        ("image", "captions/text"),
        splits={"validation": "val"},  # the splits of Karpathy and Li
        license="CC BY 4.0 for the captions; the terms of Flickr for the photographs",
        terms="unknown",
    ),
}
