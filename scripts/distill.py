"""Sequence-level knowledge distillation: a folder of pairs whose targets are the translations of one or more teachers.

    python scripts/distill.py models/en-de-1 models/en-de-2 models/en-de-3 models/en-de-4 --output distilled
    zoo train translate --preset multi30k-en-de --dataset distilled --no-score-test
    python scripts/distill.py models/en-de-1 models/en-de-2 --sources more.en --originals 2 --output distilled

The teachers, trained from one data set with one vocabulary, translate together the sources that they learned from, or
those of another file, by beam search over the mean of their probabilities. A student learns from these translations,
and by default from the true ones as well; its own greedy search then comes near the teachers' beams. Validation and
test pairs are copied.

References: Kim and Rush, "Sequence-Level Knowledge Distillation" (2016), section 3.2; ensembles as teachers: Freitag,
Al-Onaizan and Sankaran, "Ensemble Distillation for Neural Machine Translation" (2017).
"""

import argparse
import dataclasses
import itertools
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any


def load(paths: Sequence[Path]) -> list[Any]:
    """The teachers.

    Raises:
        SystemExit: If their vocabularies differ, so that their probabilities cannot be averaged.
    """
    from zoo import saved
    from zoo.training.teachers import meaning

    first, *others = models = [saved.load(path) for path in paths]
    for model in others:
        if meaning(model.assets) != meaning(first.assets):
            sys.exit(f"{model.path} has another vocabulary than {first.path}. Train them from the same data.")
    return models


def translations(models: Sequence[Any], texts: Sequence[str], batch: int = 64) -> Iterator[str]:
    """The teachers' translations, in the order of the texts."""
    from zoo.tasks.translate.data import source_encoder, target_tokenizer

    from zoo import builders
    from zoo.data import text

    assets = models[0].assets
    encode, nets = source_encoder(assets, models[0].recipe.max_length + 1), tuple(model.net for model in models)
    for some in text.in_batches(texts, batch):
        found = builders.search(nets if len(nets) > 1 else nets[0], text.pad(encode(some)), **assets["search"])
        yield from target_tokenizer(assets).decode(found["tokens"][:, 0])


def main(arguments: list[str] | None = None) -> None:
    """Writes the folder."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n\n")[0])
    parser.add_argument("teachers", nargs="+", type=Path)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--sources", type=Path, help="translate the lines of this file, not the training sources")
    parser.add_argument("--limit", type=int, help="translate only the first N sources")
    parser.add_argument("--originals", type=int, default=1, help="how often the true pairs are there, 0 or more")
    options = parser.parse_args(arguments)
    from zoo.tasks.translate.raw import open_pairs

    from zoo.bulk.blocks import blocks

    models = load(options.teachers)
    recipe = dataclasses.replace(models[0].recipe, limit=options.limit)
    raw = open_pairs(
        recipe.dataset, recipe.reverse, recipe.source, columns=(recipe.source_column, recipe.target_column)
    )
    options.output.mkdir(parents=True)
    languages = models[0].assets["languages"]
    for split in ("train", "validation", "test"):
        own = options.limit if split == "train" and not options.sources else None
        pairs = [
            [side.decode("utf-8", "replace").replace("\n", " ") for side in pair]
            for pair in raw.split(split, own).as_numpy_iterator()
        ]
        if split == "train":
            sources = [source for source, _ in pairs]
            if options.sources:
                lines = itertools.chain.from_iterable(blocks(options.sources))
                sources = [line for line in lines if line.strip()][: options.limit]
            taught = [list(pair) for pair in zip(sources, translations(models, sources), strict=True)]
            pairs = [pair for pair in taught if pair[1].strip()] + pairs * options.originals
        for side, language in enumerate(languages):
            lines = "".join(f"{pair[side]}\n" for pair in pairs)
            (options.output / f"{split}.{language}").write_text(lines, encoding="utf-8")
        print(f"{split}: {len(pairs):,} pairs", file=sys.stderr)


if __name__ == "__main__":
    main()
