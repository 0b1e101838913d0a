"""The files that `fuzz.py` damages, and what reads them."""

import csv
import gzip
import io
import json
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

PUBLISHED = Path(__file__).resolve().parent.parent / "saved_models"

Reader = Callable[[Path], Any]


def samples() -> dict[str, list[bytes]]:
    """Target -> good inputs."""
    import numpy as np
    import pyarrow
    from PIL import Image
    from pyarrow import parquet

    rows = [("text", "label"), ("a fine film", "pos"), ('so "bad", they\nsay', "neg"), ("größer", "pos")]
    stream = io.StringIO()
    csv.writer(stream).writerows(rows)
    table = stream.getvalue().encode()
    lines = "\n".join(json.dumps({"text": text, "label": label}) for text, label in rows[1:]).encode()
    packed = io.BytesIO()
    parquet.write_table(pyarrow.table({"text": ["a", "b"], "label": [1, 0]}), packed)
    conllu = b"# text = Dogs run\n1\tDogs\tdog\tNOUN\tNNS\t_\t2\tnsubj\t_\t_\n2-3\tx\t_\t_\t_\t_\t_\t_\t_\t_\n\n"
    karpathy = {"images": [{"filename": "a.jpg", "split": "val", "sentences": [{"raw": "a dog"}]}]}
    coco = {"images": [{"id": 1, "file_name": "a.jpg"}], "annotations": [{"image_id": 1, "caption": "a dog"}]}
    pictures = []
    for kind in ("PNG", "GIF", "JPEG", "BMP", "TIFF", "WEBP", "PPM"):
        file = io.BytesIO()
        Image.fromarray(np.arange(8 * 8 * 3, dtype="uint8").reshape(8, 8, 3)).save(file, kind)
        pictures.append(file.getvalue())
    of_models = {name: [file.read_bytes() for file in sorted(PUBLISHED.glob(f"*/{name}"))] for name in
                 ("recipe.json", "metrics.json", "files.json")}  # fmt: skip
    assets = sorted(PUBLISHED.glob("*/assets/*.json"))
    tokenizers = [file.read_bytes() for file in assets if "tokenizer" in file.name]
    return {
        "csv": [table, table.replace(b",", b";"), table.replace(b",", b"\t")],
        "jsonl": [lines],
        "parquet": [packed.getvalue()],
        "gzip": [gzip.compress(table)],
        "columns": [b"EU NNP B-ORG\nrejects VBZ O\n\nGerman JJ B-MISC\n", conllu],
        "words": [b'{"tokens": ["EU", "rejects"], "tags": ["B-ORG", "O"]}\n' * 2],
        "series": [b'{"id": 1, "label": "up", "series": [0.1, 0.4]}\n{"label": "down", "series": [[1], [2]]}\n'],
        "steps": [b"label,t0,t1\nup,0.1,0.4\ndown,1e3,-2\n"],
        "pairs": [b"Go.\tVa !\tCC-BY\nHi.\tSalut !\tCC-BY\n", b"source\ttarget\na\tb\n"],
        "parallel": [b"a house\na dog\n" + b"\0\0\0" + b"ein Haus\nein Hund\n"],
        "captions": [b"image,caption\na.jpg,a dog\n", b"image,caption,split\na.jpg,a dog,dev\n"],
        "token": [b"a.jpg#0\ta dog\na.jpg#1\tthe dog\n"],
        "json": [json.dumps(karpathy).encode(), json.dumps(coco).encode()],
        "clips": [b"clip,start,end,label\na.gif,0,0.5,left\n"],
        "text": [table, "a\u2028b\r\nc".encode()],
        "recipe": of_models["recipe.json"],
        "metrics": of_models["metrics.json"],
        "files": of_models["files.json"],
        "asset": [file.read_bytes() for file in assets if "tokenizer" not in file.name],
        "tokenizer": [text for text in tokenizers if len(text) < 500_000] or tokenizers[:1],
        "keras": [(PUBLISHED / "classify-perceptron-digits" / "model.keras").read_bytes()],
        "picture": pictures,
        "clip": pictures[1:2],
    }  # fmt: skip


def readers() -> dict[str, Reader]:
    """Target -> what reads a file with such content."""
    from tasks.caption import annotations
    from tasks.classify import inputs, series
    from tasks.tag import clips_folder, conll, word_tables
    from tasks.translate import parallel
    from zoo import cards
    from zoo.data import files, frames, tables
    from zoo.data.text import Tokenizer
    from zoo.errors import UserError
    from zoo.storage import archive, model_card, schema

    columns = (tables.Column("text", ("text",)), tables.Column("label", ("label",)))

    def named(name: str, read: Reader) -> Reader:
        return lambda file: read(file.rename(file.with_name(name)))

    def table(file: Path) -> None:
        for row in tables.rows(file, columns):
            "".join(row.fields.values()).encode("utf-8")

    def words(file: Path) -> None:
        found = list(conll.sentences(file))
        conll.check_sense(file, found, conll.layout(file))

    def two_sides(file: Path) -> None:
        left, _, right = file.read_bytes().partition(b"\0\0\0")
        file.with_name("train.en").write_bytes(left)
        file.with_name("train.de").write_bytes(right)
        file.unlink()
        pairs(file.parent)

    def pairs(path: Path) -> None:
        for part in parallel.find(path).values():
            list(part.filled())

    def captions(file: Path) -> None:
        found = annotations.read(file.parent)
        " ".join([*found.captions, *(text for some in found.captions.values() for text in some)]).encode("utf-8")

    def text(file: Path) -> None:
        for _ in files.lines(file):
            pass
        for _ in files.blocks(file, 100):
            pass

    def of_model(name: str) -> Reader:
        def read(file: Path) -> None:
            for other in ("recipe.json", "metrics.json", "files.json"):
                shutil.copy(PUBLISHED / "classify-perceptron-digits" / other, file.parent)
            file.rename(file.with_name(name))
            summary = cards.summarize(file.parent)
            "".join([cards.line(summary), cards.table([summary]), model_card.render(summary)]).encode("utf-8")

        return read

    def asset(file: Path) -> None:
        for kind in schema.ASSETS.values():
            with suppress(UserError):
                json.dumps(schema.read(file.parent, file.name, kind), allow_nan=False)

    def tokenizer(file: Path) -> None:
        with suppress(ValueError):  # `zoo.saved` makes a sentence of it
            loaded = Tokenizer.load(file)
            loaded.decode(loaded.encode(["a fine film " + "a" * 1000, "größer 3.14", ""]))

    def clip_table(file: Path) -> None:
        list(clips_folder.read(file.parent, clips_folder.ClipFormat()))

    return {
        "csv": named("t.csv", table),
        "jsonl": named("t.jsonl", table),
        "parquet": named("t.parquet", table),
        "gzip": named("t.csv.gz", table),
        "columns": named("t.conll", words),
        "words": named("w.jsonl", lambda file: word_tables.read(file)[0]),
        "series": named("s.jsonl", lambda file: series.read(file)),
        "steps": named("s.csv", lambda file: series.read(file)),
        "pairs": named("pairs.tsv", pairs),
        "parallel": two_sides,
        "captions": named("captions.csv", captions),
        "token": named("x.token.txt", captions),
        "json": named("dataset.json", captions),
        "clips": named("labels.csv", clip_table),
        "text": text,
        "recipe": of_model("recipe.json"),
        "metrics": of_model("metrics.json"),
        "files": of_model("files.json"),
        "asset": named("asset.json", asset),
        "tokenizer": named("tokenizer.json", tokenizer),
        "keras": named("model.keras", archive.check),
        "picture": named("picture.png", lambda file: inputs.read_picture(file, (8, 8, 3))),
        "clip": named("clip.gif", lambda file: frames.read(file, 8, 8)),
    }
