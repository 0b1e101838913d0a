"""Properties that hold for any input, tried by hypothesis: data come back, or there is one sentence.

Whatever comes from a file or a folder gives an answer or a `UserError`. Any other exception is a fault.
"""

import csv
import dataclasses
import functools
import gzip
import io
import itertools
import json
import math
import shutil
import tempfile
import unicodedata
import warnings
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from tasks.caption import annotations
from tasks.tag import conll
from tasks.translate import parallel
from zoo import builders, cards
from zoo import task as tasks
from zoo.data import files, own, tables
from zoo.data.datasets import DatasetCard
from zoo.data.raw import RawDataset
from zoo.data.text import Tokenizer
from zoo.errors import UserError
from zoo.ids import SPECIAL
from zoo.layers import Recurrent
from zoo.storage import archive, model_card, schema, stored

settings.register_profile(
    "zoo",
    max_examples=30,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture, HealthCheck.filter_too_much],
)
settings.load_profile("zoo")

FEW = settings(max_examples=10)
"""For what takes a tenth of a second and more."""

COLUMNS = (tables.Column("text", ("text",), may_be_empty=True), tables.Column("label", ("label",), may_be_empty=True))


@contextmanager
def folder_of(**contents: bytes | str) -> Iterator[Path]:
    """A folder with files, whose names have `_` for the dot. Of its own, as hypothesis calls a test many times."""
    with tempfile.TemporaryDirectory() as name, redirect_stderr(io.StringIO()):
        for file, content in contents.items():
            data = content.encode("utf-8") if isinstance(content, str) else content
            (Path(name) / file.replace("_", ".")).write_bytes(data)
        yield Path(name)


def one_sentence(action: Callable[[], Any]) -> Any:
    """What an action returns; or its `UserError`, which can be printed in one line."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return action()
    except UserError as error:
        found = error
    assert str(found).encode("utf-8")
    assert not any(unicodedata.category(character) == "Cc" for character in str(found)), repr(str(found))
    return found


texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=30)
lines_of_text = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\n\r"), max_size=30)
pieces = st.sampled_from(
    [b"text", b"label", b",", b";", b"\t", b"\n", b"\r", b'"', b"\0", b"\xff", b"\xef\xbb\xbf", b"{", b"}", b":",
     b"[", b"]", b"1", b"-", b"_", b"#", b" ", b"\xe2\x80\xa8", b"-DOCSTART-", b"null", b"image", b"caption",
     b"a.jpg", b"\xc3\xa9", b"\\ud800", b"NaN", b"1e999", b"PAR1"]
)  # fmt: skip
contents = st.one_of(st.binary(max_size=200), st.lists(pieces, max_size=60).map(b"".join))
"""Bytes of files: any, and those that look a little like a format."""


# Tables


@given(
    st.lists(st.tuples(texts, texts), min_size=1, max_size=5), st.sampled_from(",;\t"), st.sampled_from(["\n", "\r\n"])
)
@example([('a "quoted" one', "\u2028"), ("\x85", "\r")], ",", "\r\n")
def test_any_text_in_any_cell_of_a_delimited_table_comes_back(rows, delimiter, end):
    # With tabs and line ends, a text may look like rows between two quotation marks, and is refused.
    assume(delimiter != "\t" or not any("\t" in text and "\n" in text for row in rows for text in row))
    stream = io.StringIO()
    csv.writer(stream, delimiter=delimiter, lineterminator=end).writerows([("text", "label"), *rows])
    with folder_of(table_csv=stream.getvalue()) as folder:
        found = [tuple(row.fields.values()) for row in tables.rows(folder / "table.csv", COLUMNS)]
    assert found == rows


@given(st.lists(st.tuples(st.text(max_size=30), texts), min_size=1, max_size=5), st.booleans())
@example([("\ud83d", "")], True)
def test_any_text_in_any_cell_of_json_lines_comes_back_or_is_refused(rows, escaped):
    written = [json.dumps({"text": text, "label": label}, ensure_ascii=True) for text, label in rows]
    if not escaped:
        written = [json.dumps(json.loads(line), ensure_ascii=False) for line in written]
    broken = any(0xD800 <= ord(character) <= 0xDFFF for text, _ in rows for character in text)
    assume(escaped or not broken)
    with folder_of(table_jsonl="\n".join(written)) as folder:
        found = one_sentence(
            lambda: [tuple(row.fields.values()) for row in tables.rows(folder / "table.jsonl", COLUMNS)]
        )
    if broken:
        assert isinstance(found, UserError), "half a character is no text"
    else:
        assert found == rows


@FEW
@given(st.lists(st.tuples(texts, st.one_of(st.integers(-(2**63), 2**63 - 1))), min_size=1, max_size=5))
def test_any_text_in_a_parquet_table_comes_back(rows):
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    stream = io.BytesIO()
    text, label = zip(*rows, strict=True)
    parquet.write_table(pyarrow.table({"text": list(text), "label": list(label)}), stream)
    with folder_of(table_parquet=stream.getvalue()) as folder:
        found = [tuple(row.fields.values()) for row in tables.rows(folder / "table.parquet", COLUMNS)]
    assert found == [(text, str(label)) for text, label in rows]


@pytest.mark.parametrize(
    "name", ["table_csv", "table_tsv", "table_txt", "table_jsonl", "table_parquet", "table_csv_gz"]
)
@given(contents, st.booleans())
@example(b'"' + b"a" * 200_000, True)
@example(b"text,label\n" + b'"', True)
@example(b'{"text": "\\ud800", "label": 1}', True)
def test_any_bytes_as_a_table_give_rows_or_one_sentence(name, content, packed):
    if name.endswith("gz") and packed:
        content = gzip.compress(content)
    with folder_of(**{name: content}) as folder:
        path = folder / name.replace("_", ".")
        found = one_sentence(lambda: list(tables.rows(path, COLUMNS)))
        assert found, "no rows is an error"
        for row in found if isinstance(found, list) else ():
            "".join(row.fields.values()).encode("utf-8")
        if "jsonl" not in name and "parquet" not in name:
            one_sentence(lambda: tables.header(path))


@given(contents)
def test_any_bytes_give_text_or_one_sentence_and_lines_and_blocks_agree(content):
    with folder_of(text_txt=content) as folder:
        whole = one_sentence(lambda: "".join(files.blocks(folder / "text.txt", 7)))
        lines = one_sentence(lambda: list(files.lines(folder / "text.txt")))
    if isinstance(whole, str) and isinstance(lines, list):
        assert "".join(lines) == whole
        assert whole.encode() == content.removeprefix(b"\xef\xbb\xbf")
    assert isinstance(lines, list) <= isinstance(whole, str), "what lines read, blocks read"


# Words with labels, parallel text, captions

words = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zs", "Zl", "Zp"]), min_size=1, max_size=8).filter(
    str.strip
)
labels = st.sampled_from(["O", "B-PER", "I-PER", "NOUN", "$", "#"])
sentences = st.lists(st.lists(st.tuples(words, labels), min_size=1, max_size=5), min_size=1, max_size=4)


@given(sentences, st.sampled_from([" ", "\t", "  "]), st.sampled_from(["\n", "\r\n"]), st.booleans())
@example([[("#", "O"), ("=", "O")]], " ", "\n", False)
def test_any_words_in_columns_come_back(written, gap, end, start):
    assume(all(word != "-DOCSTART-" and not word.startswith("-DOCSTART-") for some in written for word, _ in some))
    head = f"-DOCSTART-{gap}O{end}{end}" if start else ""
    body = f"{end}".join("".join(f"{word}{gap}{label}{end}" for word, label in some) for some in written)
    assume(not body.startswith("\ufeff"))
    with folder_of(words_conll=head + body) as folder:
        found = list(conll.sentences(folder / "words.conll"))
    assert found == [([word for word, _ in some], [label for _, label in some]) for some in written]


@given(
    contents,
    st.sampled_from([None, "1", "2", "9", "upos", "xpos", "²", "٣", "9" * 5000, ""]),
    st.sampled_from([None, 1, 2, 7]),
)
@example(b"1\tDogs\tdog\tNOUN\tNNS\t_\t2\tnsubj\t_\t_\n", "xpos", None)
@example("a\u2028b O\n".encode(), None, None)
def test_any_bytes_in_columns_give_sentences_or_one_sentence(content, tags, word_column):
    with folder_of(words_conll=content) as folder:
        path = folder / "words.conll"

        def read():
            found = list(conll.sentences(path, tags, word_column))
            conll.check_sense(path, found, conll.layout(path, tags, word_column))
            return found

        found = one_sentence(read)
    for some, tagged in found if isinstance(found, list) else ():
        assert len(some) == len(tagged) > 0
        assert all(word.strip() for word in some)


@given(
    st.lists(st.tuples(lines_of_text, lines_of_text), min_size=1, max_size=6),
    st.sampled_from(["\n", "\r\n"]),
    st.booleans(),
)
def test_any_parallel_lines_come_back(pairs, end, packed):
    assume(not any(text.startswith("\ufeff") for text in pairs[0]))
    sides = [end.join(side) + end for side in zip(*pairs, strict=True)]
    assume(all(sides))
    data = [side.encode() for side in sides]
    names = ("train_en_gz", "train_de_gz") if packed else ("train_en", "train_de")
    with folder_of(**dict(zip(names, map(gzip.compress, data) if packed else data, strict=True))) as folder:
        part = parallel.find(folder)["train"]
        assert part.languages == ("de", "en")
        assert list(part.rows()) == [(target, source) for source, target in pairs]


@given(contents, contents)
@example(b'"' + b"a" * 200_000, b"\n")
@example(b'"Go.\tVa !\nHi.\tSalut !\n' + b"a\tb\n" * 50_000, b"")
def test_any_bytes_as_parallel_text_give_pairs_or_one_sentence(one, other):
    for contents in ({"train_en": one, "train_de": other}, {"pairs_tsv": one}, {"fra_txt": one}, {"pairs_csv": one},
                     {"corpus_en-de_en": one, "corpus_en-de_de": other}, {"pairs_jsonl": one}):  # fmt: skip
        with folder_of(**contents) as folder:
            path = folder if len(contents) == 2 else next(folder.iterdir())
            one_sentence(lambda path=path: [list(part.filled()) for part in parallel.find(path).values()])


@given(contents)
@example(b'{"images": ["sentences filename"]}')
@example(b'{"images": [{"filename": "a.jpg", "sentences": [{"raw": 7}], "split": "train"}]}')
@example(b'{"images": [{"filename": "a.jpg", "sentences": [{"raw": "x"}], "split": ["train"]}]}')
@example(b'{"images": [{"filename": "\\ud800", "sentences": [{"raw": "x"}], "split": "train"}]}')
@example(b'{"images": [{"filename": "", "sentences": [{"raw": "x"}], "split": "train"}]}')
@example(
    b'{"images": [{"id": 1, "file_name": "%s"}], "annotations": [{"image_id": 1, "caption": "x"}]}' % (b"a" * 5000)
)
@example(b'{"images": [{"id": [], "file_name": "a"}], "annotations": [{"image_id": 1, "caption": "x"}]}')
@example(b"image,caption\n%s,x\n" % (b"a" * 5000))
@example(b"image,caption\na\tb,x\n")
def test_any_bytes_as_captions_give_captions_or_one_sentence(content):
    for name in ("captions_csv", "captions_txt", "flickr_token_txt", "dataset_json", "captions_json"):
        with folder_of(**{name: content}) as folder:
            found = one_sentence(lambda folder=folder: annotations.read(folder))
            for image, some in () if isinstance(found, UserError) else found.captions.items():
                assert own.inside(folder, image, "") == image
                assert image not in ("", ".")
                assert all(text.strip() for text in some)
                " ".join([image, *some]).encode("utf-8")


# Saved models

PUBLISHED = cards.published()

MODELS = ("classify-perceptron-digits", "tag-gru-clips", "caption-gru-scenes", "sentiment-gru-reviews")

HUGE = "a number of 5,000 digits"

values = st.one_of(
    st.none(), st.booleans(), st.integers(-3, 3), st.integers(), st.floats(), st.text(max_size=8),
    st.just(10**30), st.just(HUGE), st.just("x" * 200_000), st.just("../../etc/passwd"), st.just([]), st.just({}),
    st.lists(st.integers(), max_size=3),
    st.dictionaries(st.text(max_size=3), st.integers(), max_size=2),
)  # fmt: skip


def places(value: Any, path: tuple = ()) -> list[tuple]:
    """The paths to all entries of a JSON value; of a long list or dictionary the first and the last."""
    found = [path]
    items = list(value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ())
    for key, item in items if len(items) <= 30 else [*items[:10], *items[-3:]]:
        found += places(item, (*path, key))
    return found


@functools.cache
def parsed(model: str, name: str) -> tuple[str, list[tuple]]:
    """Text and places of a JSON file of a published model."""
    text = (PUBLISHED / model / name).read_text(encoding="utf-8")
    return text, places(json.loads(text))


@functools.cache
def json_files(model: str) -> tuple[str, ...]:
    found = (PUBLISHED / model).rglob("*.json")
    return tuple(sorted(file.relative_to(PUBLISHED / model).as_posix() for file in found if file.name != "golden.json"))


@st.composite
def changes(draw: Any) -> tuple[str, str, bytes]:
    """A published model, the name of one of its JSON files, and what that becomes."""
    model = draw(st.sampled_from(MODELS))
    name = draw(st.sampled_from(json_files(model)))
    text, everywhere = parsed(model, name)
    if draw(st.integers(0, 4)) == 0:  # bytes rather than values
        content = bytearray(text.encode())
        at = draw(st.integers(0, len(content)))
        content[at : at + draw(st.integers(0, 20))] = draw(contents)
        return model, name, bytes(content)
    value = json.loads(text)
    for _ in range(draw(st.integers(1, 2))):
        value = changed(value, draw(st.sampled_from(everywhere)), draw(values), draw(st.booleans()))
    return model, name, dump(value)


def changed(value: Any, path: tuple, new: Any, delete: bool) -> Any:
    """A JSON value with one entry replaced or deleted."""
    if not path:
        return new
    inner = value
    try:
        for key in path[:-1]:
            inner = inner[key]
        if delete:
            del inner[path[-1]]
        else:
            inner[path[-1]] = new
    except (KeyError, IndexError, TypeError):
        pass  # an earlier change took it away
    return value


def dump(value: Any) -> bytes:
    """JSON as others write it: with NaN, and with whole numbers of more digits than Python converts."""
    return json.dumps(value).replace(f'"{HUGE}"', "9" * 5000).encode()


def read_json(folder: Path) -> None:
    """All that is read of a saved model before its net: as `zoo list`, `zoo card` and `saved.load` do."""
    summary = cards.summarize(folder)
    assert isinstance(summary.rank, tuple)
    sorted([summary.rank, summary.rank])
    for text in (cards.line(summary), cards.table([summary]), model_card.render(summary)):
        text.encode("utf-8")
    for name in stored.verify(folder):
        if name.startswith("assets/"):
            stored.read_asset(folder, name)


@settings(max_examples=150)
@given(changes())
def test_any_change_of_a_saved_models_json_is_read_or_refused(change):
    model, name, content = change
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / model
        shutil.copytree(PUBLISHED / model, folder, ignore=shutil.ignore_patterns("*.png", "golden.json", "*.csv"))
        manifest = json.loads((folder / cards.FILES).read_text(encoding="utf-8"))
        manifest["files"] = {file: facts for file, facts in manifest["files"].items() if (folder / file).is_file()}
        if name != cards.FILES:
            (folder / name).write_bytes(content)
            manifest["files"][name] = {"bytes": len(content), "sha256": files.digest(folder / name)}
        (folder / cards.FILES).write_text(json.dumps(manifest), encoding="utf-8")
        if name == cards.FILES:
            (folder / name).write_bytes(content)
        one_sentence(lambda: read_json(folder))


@settings(max_examples=100)
@given(st.integers(0, 2**32), st.sampled_from(["config", "weights", "zip"]), st.data())
def test_any_change_of_a_model_file_is_read_or_refused(place, part, data):
    whole = (PUBLISHED / "classify-perceptron-digits" / "model.keras").read_bytes()
    new = data.draw(contents)
    with zipfile.ZipFile(io.BytesIO(whole)) as stored:
        entries = {name: stored.read(name) for name in stored.namelist()}
    target = {"config": archive.CONFIG, "weights": archive.WEIGHTS}.get(part)
    content = bytearray(whole if target is None else entries[target])
    at = place % len(content)
    content[at : at + data.draw(st.integers(0, 8))] = new
    if target is not None:
        stream = io.BytesIO()
        with zipfile.ZipFile(stream, "w") as written:
            for name, old in entries.items():
                written.writestr(name, bytes(content) if name == target else old)
        content = bytearray(stream.getvalue())
    with folder_of(model_keras=bytes(content)) as folder:
        one_sentence(lambda: archive.check(folder / "model.keras"))


@given(st.one_of(contents, st.recursive(values, lambda inner: st.lists(inner, max_size=3)).map(dump)))
@pytest.mark.parametrize("name", sorted(schema.ASSETS))
def test_any_bytes_as_an_asset_are_of_its_type_or_refused(name, content):
    with folder_of(asset_json=content) as folder:
        found = one_sentence(lambda: schema.read(folder, "asset.json", schema.ASSETS[name]))
    if not isinstance(found, UserError):
        json.dumps(found, allow_nan=False)


# Settings

FIELDS = [
    (task, field)
    for task, installed in sorted(tasks.installed().items())
    for field in dataclasses.fields(installed.recipe.train)
]


@settings(max_examples=200)
@given(st.sampled_from(FIELDS), values)
def test_any_value_of_a_setting_is_one_of_its_range_or_refused(choice, value):
    """As `recipe.json` of a saved model may hold them."""
    task, field = choice
    recipe = one_sentence(lambda: tasks.find(task).recipe.configure({field.name: value}))
    if isinstance(recipe, UserError):
        return
    found, facts = getattr(recipe, field.name), field.metadata
    if isinstance(found, float):
        assert math.isfinite(found)
    if isinstance(found, (int, float)) and not isinstance(found, bool):
        assert found >= (-math.inf if facts["minimum"] is None else facts["minimum"])
        assert found <= (math.inf if facts["maximum"] is None else facts["maximum"])
    if facts["choices"] and found is not None:
        assert found in facts["choices"]


# Ids and masks

rng = np.random.default_rng(0)


@functools.cache
def layer(cell: str, bidirectional: bool) -> Recurrent:
    keras.utils.set_random_seed(1)
    return Recurrent(cell, 4, num_layers=2, bidirectional=bidirectional, return_state=True)


@pytest.mark.parametrize(("cell", "bidirectional"), [("gru", True), ("min_gru", False)])
@FEW
@given(
    st.lists(st.lists(st.booleans(), min_size=6, max_size=6), min_size=3, max_size=3), st.floats(-1e3, 1e3, width=32)
)
def test_results_do_not_depend_on_where_padding_stands(cell, bidirectional, mask, padding):
    """Against the same steps with padding at the end, of another content."""
    run, mask = layer(cell, bidirectional), np.array(mask)
    steps = rng.normal(size=(3, 6, 3)).astype("float32")
    packed, right = np.zeros_like(steps), np.zeros_like(mask)
    for row in range(3):
        count = mask[row].sum()
        packed[row, :count], right[row, :count] = steps[row, mask[row]], True
    steps[~mask] = padding
    out, states = run(steps, mask=mask)
    expected, ends = run(packed, mask=right)
    out, expected = keras.ops.convert_to_numpy(out), keras.ops.convert_to_numpy(expected)
    np.testing.assert_allclose(out[mask], expected[right], atol=1e-5)
    for one, other in zip(keras.tree.flatten(states), keras.tree.flatten(ends), strict=True):
        np.testing.assert_allclose(keras.ops.convert_to_numpy(one), keras.ops.convert_to_numpy(other), atol=1e-5)


@functools.cache
def translator() -> keras.Model:
    """Weights so large that no two answers are close."""
    model = builders.translator(12, 12, "gru", units=6, embedding_dim=5)
    model((np.ones((1, 3), "int32"), np.ones((1, 2), "int32")))
    random = np.random.default_rng(3)
    model.set_weights([random.normal(0, 0.8, weight.shape) for weight in model.weights])
    return model


@functools.cache
def answers_alone() -> tuple[list[list[int]], list[Any]]:
    random = np.random.default_rng(4)
    rows = [[*random.integers(4, 12, size=length).tolist(), 3] for length in (1, 2, 3, 4, 5, 5)]
    batch = [np.array([row + [0] * (6 - len(row))] * 4, "int32") for row in rows]
    return rows, [
        keras.ops.convert_to_numpy(translator().generate(one, max_new_tokens=6, beam_size=2))[0] for one in batch
    ]


@FEW
@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 6)), min_size=4, max_size=4))
def test_an_answer_depends_neither_on_its_batch_nor_on_where_its_padding_stands(chosen):
    rows, alone = answers_alone()
    batch = np.zeros((4, 6), "int32")
    for place, (number, shift) in enumerate(chosen):
        row = rows[number]
        begin = min(shift, 6 - len(row))
        batch[place, begin : begin + len(row)] = row
    found = keras.ops.convert_to_numpy(translator().generate(batch, max_new_tokens=6, beam_size=2))
    for answer, (number, _) in zip(found, chosen, strict=True):
        np.testing.assert_array_equal(answer, alone[number])


# Splits and tokenizers


def data_of(some: list[str]) -> RawDataset:
    made = tf.data.Dataset.from_tensor_slices((some, np.arange(len(some))))
    return RawDataset(lambda name: made, ("train",), DatasetCard("any"), count=lambda name: len(some))


def sides(some: list[str]) -> dict[str, list[str]]:
    held = data_of(some).hold_out()
    return {
        split: [text.decode("utf-8") for text, _ in held.split(split).as_numpy_iterator()]
        for split in ("train", "validation", "test")
    }


@FEW
@given(st.lists(texts, min_size=1, max_size=12), st.randoms(use_true_random=False))
def test_splits_are_disjoint_complete_and_independent_of_order(some, random):
    found = one_sentence(lambda: sides(some))
    shuffled = random.sample(some, len(some))
    again = one_sentence(lambda: sides(shuffled))
    if isinstance(found, UserError):
        assert isinstance(again, UserError)
        assert len({b" ".join(text.encode().split()) for text in some}) < 3
        return
    assert sorted(text for part in found.values() for text in part) == sorted(some)
    groups = [{b" ".join(text.encode().split()) for text in part} for part in found.values()]
    for one, other in itertools.combinations(groups, 2):
        assert not one & other
    assert {split: sorted(part) for split, part in again.items()} == {
        split: sorted(part) for split, part in found.items()
    }


@given(st.lists(texts, min_size=1, max_size=4))
def test_characters_of_any_text_come_back(some):
    tokenizer = Tokenizer.train(some, "char", 10_000)
    assert tokenizer.decode(tokenizer.encode(some)) == [unicodedata.normalize("NFC", text) for text in some]


@pytest.mark.parametrize("kind", ["char", "word", "bpe"])
@given(st.text(max_size=40))
@example("</s><pad><unk>")
def test_any_text_has_ids_of_the_vocabulary_and_its_tokens_lie_in_the_text(kind, text):
    tokenizer = trained(kind)
    text = tokenizer.normalize(text)
    (ids,) = tokenizer.encode([text])
    assert all(len(SPECIAL) <= i < tokenizer.size or i == SPECIAL.index("<unk>") for i in ids)
    spans = tokenizer.encode_with_offsets(text)
    assert [token for token, _, _ in spans] == ids
    assert all(0 <= begin <= end <= len(text) for _, begin, end in spans)
    assert isinstance(tokenizer.decode([ids])[0], str)


@functools.cache
def trained(kind: str) -> Tokenizer:
    some = ["The quick brown fox jumps over 13 lazy dogs, isn't it?", "Füchse und Hunde: 3.14!", "a b c </s>"]
    return Tokenizer.train(some, kind, 80)
