"""Saved models that somebody changed: each is refused in one sentence, and nothing outside the folder is read.

The hashes in `files.json` are made to fit, as whoever changes a file can do that too.
"""

import hashlib
import io
import json
import os
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from zoo import cards, saved, testing
from zoo.data import tables
from zoo.errors import UserError
from zoo.storage import archive, model_card, stored

PUBLISHED = cards.published()


@pytest.fixture
def changed(tmp_path: Path) -> Callable[..., Path]:
    """`changed(model, change)` copies a published model, lets `change(folder)` change it, and mends the hashes."""

    def make(model: str, change: Callable[[Path], Any]) -> Path:
        folder = tmp_path / model
        shutil.copytree(PUBLISHED / model, folder)
        before = (folder / cards.FILES).read_bytes()
        change(folder)
        if (folder / cards.FILES).is_file() and (folder / cards.FILES).read_bytes() == before:
            manifest = json.loads((folder / cards.FILES).read_text())
            for name in manifest["files"]:
                file = folder / name
                if file.is_file():
                    content = file.read_bytes()
                    manifest["files"][name] = {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
            (folder / cards.FILES).write_text(json.dumps(manifest))
        return folder

    return make


def write(name: str, value: Any) -> Callable[[Path], Any]:
    text = value if isinstance(value, str) else json.dumps(value)
    return lambda folder: (folder / name).write_text(text)


def update(name: str, path: str, value: Any) -> Callable[[Path], Any]:
    """Sets an entry of a JSON file, `"a/b"`; None deletes it."""

    def change(folder: Path) -> None:
        stored = json.loads((folder / name).read_text())
        *outer, last = path.split("/")
        inner = stored
        for key in outer:
            inner = inner[key]
        if value is None:
            del inner[last]
        else:
            inner[last] = value
        (folder / name).write_text(json.dumps(stored))

    return change


def one_more_word(folder: Path) -> None:
    stored = json.loads((folder / "assets/tokenizer.json").read_text())
    stored["model"]["vocab"]["zzz"] = len(stored["model"]["vocab"])
    (folder / "assets/tokenizer.json").write_text(json.dumps(stored))


def listing(name: str) -> Callable[[Path], Any]:
    """Adds a file to `files.json`."""

    def change(folder: Path) -> None:
        stored = json.loads((folder / cards.FILES).read_text())
        stored["files"][name] = {"bytes": 1, "sha256": "0" * 64}
        (folder / cards.FILES).write_text(json.dumps(stored))

    return change


DIGITS, REVIEWS, CLIPS = "classify-perceptron-digits", "sentiment-gru-reviews", "tag-gru-clips"
SCENES, DOCS = "caption-gru-scenes", "charlm-gru-python_docs"


@pytest.mark.parametrize(
    ("model", "change", "message"),
    [
        (DIGITS, write("assets/labels.json", []), "labels.json is not as zoo writes it"),
        (DIGITS, write("assets/labels.json", list("01234567890")), "has 11 labels; the net has 10 classes"),
        (DIGITS, write("assets/labels.json", list("0123456788")), "has a label twice"),
        (DIGITS, write("assets/labels.json", [["a"]] * 10), "labels.json is not as zoo writes it"),
        (DIGITS, write("assets/labels.json", None), "labels.json is not as zoo writes it"),
        (DIGITS, write("assets/labels.json", 7), "labels.json is not as zoo writes it"),
        (
            DIGITS,
            write("assets/labels.json", '["\\ud800", "1", "2", "3", "4", "5", "6", "7", "8", "9"]'),
            "labels.json",
        ),
        (DIGITS, write("assets/labels.json", "[" * 100_000), "labels.json"),
        (DIGITS, write("assets/labels.json", "NaN"), "labels.json is damaged"),
        (DIGITS, write("assets/shape.json", [10**30, 8, 1]), "shape.json"),
        (DIGITS, write("assets/shape.json", [10**6 * 5, 8, 1]), "shape.json is not as zoo writes it"),
        (DIGITS, write("assets/shape.json", [8, 4, 2]), "the net takes [8, 8, 1]"),
        (DIGITS, write("assets/shape.json", [None, 1]), "the net takes [8, 8, 1]"),
        (DIGITS, write("assets/shape.json", []), "shape.json is not as zoo writes it"),
        (DIGITS, write("assets/shape.json", None), "shape.json is not as zoo writes it"),
        (DIGITS, write("files.json", "[" * 100_000), "files.json is nested too deep"),
        (DIGITS, update("files.json", "files/model.keras/sha256", None), "missing required field `sha256`"),
        (DIGITS, listing("../../../etc/passwd"), "not a path inside"),
        (DIGITS, listing("/etc/passwd"), "not a path inside"),
        (DIGITS, listing("x" * 200), "is incomplete"),
        (DIGITS, listing("x" * 290), "cannot be read"),
        (DIGITS, listing("a" * 5000), "files.json is not as zoo writes it"),
        (DIGITS, update("metrics.json", "training/epochs", "x"), "metrics.json is not as zoo writes it"),
        (DIGITS, update("metrics.json", "training", None), "lacks 'training'"),
        (DIGITS, update("metrics.json", "versions", None), "metrics.json is not as zoo writes it"),
        (DIGITS, update("recipe.json", "train/dataset", 7), "names no cell or no dataset"),
        (DIGITS, update("recipe.json", "train", None), "missing required field `train`"),
        (CLIPS, update("assets/input.json", "kind", "smells"), "input.json is not as zoo writes it"),
        (CLIPS, update("assets/input.json", "shape", [3]), "the shape of a step of frames has 3 sizes"),
        (CLIPS, update("assets/input.json", "shape", [24, 12, 1]), "the net takes [24, 24, 1]"),
        (CLIPS, update("assets/input.json", "kind", "tokens"), "the shape of a step of tokens has 0 sizes"),
        (CLIPS, update("assets/input.json", "shape", [10**9, 24, 1]), "input.json is not as zoo writes it"),
        (SCENES, update("assets/search.json", "beam_size", 10**6), "search.json is not as zoo writes it"),
        (SCENES, update("assets/search.json", "beam_size", None), "missing required field `beam_size`"),
        (SCENES, update("assets/search.json", "length_penalty", -1), "search.json is not as zoo writes it"),
        (REVIEWS, update("assets/tokenizer.json", "model/vocab/<pad>", 4_000_000_000), "tokenizer"),
        (REVIEWS, one_more_word, "entries; the net has vectors for"),
        (
            REVIEWS,
            update(
                "assets/tokenizer.json",
                "normalizer",
                {"type": "Replace", "pattern": {"Regex": "(a+)+$"}, "content": ""},
            ),
            "has a normalizer that zoo does not write",
        ),
        (
            REVIEWS,
            update(
                "assets/tokenizer.json",
                "normalizer",
                {"type": "Replace", "pattern": {"String": "a"}, "content": "a" * 10_000},
            ),
            "has a normalizer that zoo does not write",
        ),
        (REVIEWS, update("assets/tokenizer.json", "pre_tokenizer/pattern/Regex", "(a+)+$"), "has a pre_tokenizer that"),
        (REVIEWS, update("assets/tokenizer.json", "normalizer", ["NFC"]), "has a normalizer that zoo does not write"),
        (REVIEWS, update("assets/tokenizer.json", "normalizer", {"normalizers": 7}), "has a normalizer that zoo does"),
        (
            REVIEWS,
            update(
                "assets/tokenizer.json", "normalizer", {"type": "Replace", "pattern": {"String": 7}, "content": None}
            ),
            "has a normalizer that zoo does not write",
        ),
        (REVIEWS, update("assets/tokenizer.json", "model/unk_token", None), "is not a tokenizer that zoo writes"),
        (REVIEWS, update("assets/tokenizer.json", "model/unk_token", "the"), "is not a tokenizer that zoo writes"),
        (REVIEWS, update("assets/tokenizer.json", "model/type", "WordPiece"), "is not a tokenizer that zoo writes"),
        (REVIEWS, update("assets/tokenizer.json", "added_tokens", []), "its first ids are not"),
        (REVIEWS, write("assets/tokenizer.json", "[" * 100_000), "nested too deep"),
    ],
)
def test_changed_json_is_refused(changed: Callable, model: str, change: Callable, message: str) -> None:
    folder = changed(model, change)
    with pytest.raises(UserError) as error:
        saved.load(folder)
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def rezip(entry: str, content: bytes) -> Callable[[Path], Any]:
    """Replaces an entry of `model.keras`."""

    def change(folder: Path) -> None:
        file = folder / "model.keras"
        with zipfile.ZipFile(file) as old:
            entries = {name: old.read(name) for name in old.namelist()}
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as new:
            for name, data in {**entries, entry: content}.items():
                new.writestr(name, data)

    return change


def weights(edit: Callable[[h5py.File], Any]) -> Callable[[Path], Any]:
    """Edits the weights of `model.keras`."""

    def change(folder: Path) -> None:
        with zipfile.ZipFile(folder / "model.keras") as old:
            store = io.BytesIO(old.read(archive.WEIGHTS))
        with h5py.File(store, "r+") as file:
            edit(file)
        rezip(archive.WEIGHTS, store.getvalue())(folder)

    return change


def first_array(file: h5py.File) -> h5py.Dataset:
    found: list[h5py.Dataset] = []
    file.visititems(lambda _, item: found.append(item) if isinstance(item, h5py.Dataset) else None)
    return found[0]


def spoil(value: float) -> Callable[[h5py.File], Any]:
    def edit(file: h5py.File) -> None:
        first_array(file)[...] = value

    return edit


def external(file: h5py.File) -> None:
    file["layers/elsewhere"] = h5py.ExternalLink("/etc/passwd", "/")


def soft(file: h5py.File) -> None:
    file["layers/elsewhere"] = h5py.SoftLink("/layers")


def huge(file: h5py.File) -> None:
    file.create_dataset("layers/huge", (1 << 40,), "float32", chunks=(1 << 20,))


BIG = json.dumps({"class_name": "Dense", "config": {"units": 1 << 30}}).encode()
PRODUCT = json.dumps({"class_name": "Embedding", "config": {"input_dim": 9_000_000, "output_dim": 5_000}}).encode()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (rezip(archive.CONFIG, b"[" * 100_000), "nested too deep"),
        (rezip(archive.CONFIG, BIG), "names a size of 1,073,741,824"),
        (rezip(archive.CONFIG, PRODUCT), "names a size of 9,000,000"),
        (rezip(archive.CONFIG, b" " * (archive.MOST_CONFIG + 1)), "claims"),
        (rezip(archive.WEIGHTS, b"no weights"), "is damaged"),
        (weights(spoil(np.nan)), "is not a number in places"),
        (weights(spoil(np.inf)), "is not a number in places"),
        (weights(external), "is a link to another place"),
        (weights(soft), "is a link to another place"),
        (weights(huge), "its weights claim more than"),
        (lambda folder: (folder / "model.keras").write_bytes(b"PK"), "is damaged"),
        (
            lambda folder: (folder / "model.keras").write_bytes((folder / "model.keras").read_bytes()[:-100]),
            "is damaged",
        ),
    ],
)
def test_a_changed_model_file_is_refused(changed: Callable, change: Callable, message: str) -> None:
    with pytest.raises(UserError) as error:
        saved.load(changed(DIGITS, change))
    assert message in str(error.value)


def test_a_wrong_checksum_inside_the_archive_is_noticed(changed: Callable) -> None:
    def change(folder: Path) -> None:
        content = bytearray((folder / "model.keras").read_bytes())
        content[len(content) // 2] ^= 0xFF
        (folder / "model.keras").write_bytes(bytes(content))

    with pytest.raises(UserError):
        saved.load(changed(DIGITS, change))


def test_a_vocabulary_of_characters_has_characters_only(changed: Callable) -> None:
    def change(folder: Path) -> None:
        stored = json.loads((folder / "assets/tokenizer.json").read_text())
        stored["model"]["vocab"]["zz"] = stored["model"]["vocab"].pop("q")
        (folder / "assets/tokenizer.json").write_text(json.dumps(stored))

    model = saved.load(changed(DOCS, change))
    with pytest.raises(UserError, match="The vocabulary is not one of characters: it has 'zz'"):
        model.predict("the")


@pytest.mark.parametrize("name", ["assets/labels.json", "recipe.json", "files.json"])
def test_only_regular_files_inside_the_folder_are_opened(changed: Callable, tmp_path: Path, name: str) -> None:
    secret = tmp_path / "secret.json"
    shutil.copy(PUBLISHED / DIGITS / name, secret)

    def link(folder: Path) -> None:
        (folder / name).unlink()
        (folder / name).symlink_to(secret)

    with pytest.raises(UserError, match="is a link out of the folder"):
        saved.load(changed(DIGITS, link))
    shutil.rmtree(tmp_path / DIGITS)

    def pipe(folder: Path) -> None:
        (folder / name).unlink()
        os.mkfifo(folder / name)

    with pytest.raises(UserError, match="is no regular file"):
        saved.load(changed(DIGITS, pipe))


def test_a_damaged_folder_among_others_is_named_and_passed_over(changed: Callable, tmp_path: Path) -> None:
    changed(DIGITS, write("metrics.json", "[]"))
    changed(REVIEWS, lambda folder: None)
    names = {item.name for item in cards.models(tmp_path) if item.path.parent == tmp_path}
    assert names == {REVIEWS}
    assert [item.path.name for item in cards.damaged(tmp_path)] == [DIGITS]


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("recipe.json", "command"),
        ("metrics.json", "training/best_epoch"),
        ("metrics.json", "training/epochs"),
        ("metrics.json", "training/examples_per_second"),
        ("metrics.json", "machine/cores"),
        ("metrics.json", "machine/processor"),
        ("metrics.json", "versions/keras"),
    ],
)
def test_a_card_is_written_without_what_it_need_not_have(changed: Callable, name: str, path: str) -> None:
    summary = cards.summarize(changed(DIGITS, update(name, path, None)))
    assert DIGITS in model_card.render(summary)
    assert DIGITS in cards.table([summary])


def test_an_older_keras_is_refused_rather_than_loading_half_of_the_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("keras.version", lambda: "3.14.1")
    with pytest.raises(UserError, match=r"Keras 3.14.1 is installed; saved models need 3.15 or later"):
        saved.load(PUBLISHED / DIGITS)


def test_the_checks_for_others_hold_for_ours_and_can_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    testing.check_refuses_damage(PUBLISHED / DIGITS)
    monkeypatch.setattr(archive, "check", lambda file: None)
    monkeypatch.setattr(stored, "verify", lambda path: [])
    with pytest.raises(AssertionError, match="was loaded although"):
        testing.check_refuses_damage(PUBLISHED / DIGITS, pick=lambda file: file.name == "labels.json")


def test_a_reader_is_checked_with_damaged_files() -> None:
    def table(file: Path) -> list:
        return list(tables.rows(file, [tables.Column("text", ("text",))]))

    testing.check_reader(table, b"text,label\na fine film,pos\n", "table.csv")
    with pytest.raises(ValueError, match=r"Expecting|Extra|Invalid|Unterminated|codec"):
        testing.check_reader(lambda file: json.loads(file.read_text()), b'{"a": 1}', "a.json")
