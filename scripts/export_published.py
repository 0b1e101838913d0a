"""Exports every published model and prints how alike both sides are, as a Markdown table.

    python scripts/export_published.py /tmp/exports --quantize int8
    python scripts/export_published.py /tmp/exports --table-only

A data set that is not here is replaced by a built-in one that the model can read; the table says which.
"""

import argparse
from pathlib import Path

from zoo import cards
from zoo.export import parity


def main():
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument("folder", type=Path, help="where the exports go, one folder each")
    options.add_argument("--format", default="onnx")
    options.add_argument("--quantize")
    options.add_argument("--examples", type=int, default=200)
    options.add_argument("--table-only", action="store_true", help="read what is there")
    given = options.parse_args()
    if not given.table_only:
        from zoo import saved

        for item in sorted(cards.published().glob("*/recipe.json")):
            model = saved.load(item.parent)
            path = given.folder / model.path.name
            model.export(path, given.format, quantize=given.quantize, examples=given.examples, overwrite=path.exists())
            print(path, flush=True)
    print(parity.table(sorted(file.parent for file in given.folder.glob("*/parity.json"))))


if __name__ == "__main__":
    main()
