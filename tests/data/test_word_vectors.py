"""Files of word vectors."""

from pathlib import Path

import numpy as np
import pytest

from zoo.data import word_vectors
from zoo.errors import UserError


def written(path: Path, content: str) -> Path:
    path.write_text(content, encoding="utf-8")
    return path


@pytest.mark.parametrize("head", ["", "3 2\n"], ids=["glove", "word2vec"])
def test_both_forms_are_read(tmp_path: Path, head: str) -> None:
    path = written(tmp_path / "own.vec", head + "cat 1 2\nÜber 0.5 -1e-1\n. . 3 4\n")
    found = word_vectors.read(path)
    assert found.words == ["cat", "Über", ". ."]
    np.testing.assert_allclose(found.table, [[1, 2], [0.5, -0.1], [3, 4]])
    assert word_vectors.read(path, 2).words == ["cat", "Über"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "no word vectors"),
        ("cat 1 2\ndog 1\n", "line 2"),
        ("cat 1 2\ndog 1 x\n", "line 2"),
        ("cat 1 nan\n", "line 1"),
        ("cat\n", "line 1"),
    ],
)
def test_lines_that_are_no_vectors_are_named(tmp_path: Path, content: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        word_vectors.read(written(tmp_path / "own.vec", content))
    with pytest.raises(UserError, match="does not exist"):
        word_vectors.read(tmp_path / "none.vec")


def test_words_of_the_file_get_its_vectors_and_the_others_keep_theirs() -> None:
    vectors = word_vectors.WordVectors(["b", "a"], np.array([[1, 2], [3, 4]], "float32"))
    found = word_vectors.rows_for(vectors, ["<pad>", "a", "c", "b"], np.zeros((4, 2), "float32"))
    assert found.tolist() == [[0, 0], [3, 4], [0, 0], [1, 2]]
    with pytest.raises(UserError, match="--embedding-dim 2"):
        word_vectors.rows_for(vectors, ["a"], np.zeros((1, 3), "float32"))
