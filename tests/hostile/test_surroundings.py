"""Closed and full streams, odd homes, locales and configurations: a sentence or a right answer, no traceback."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from zoo import cards
from zoo.errors import UserError
from zoo.terminal import environment

ZOO = f"{sys.executable} -m zoo"


def shell(command: str, folder: Path, **variables: str) -> subprocess.CompletedProcess[bytes]:
    """A command of the shell, from a folder of its own."""
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join([str(Path(__file__).parents[2]), *sys.path]), **variables}
    return subprocess.run(
        ["bash", "-c", command], cwd=folder, env=environ, capture_output=True, timeout=300, check=False
    )


@pytest.mark.parametrize(
    ("command", "code", "message"),
    [
        ("{zoo} list tasks >/dev/full", 1, "Error: Standard output takes no more: No space left on device."),
        ("{zoo} --help >/dev/full", 1, "Error: Standard output takes no more: No space left on device."),
        ("{zoo} list tasks >&-", 1, "Error: Standard output takes no more: it is closed."),
        ("{zoo} list nothing 2>&-", 2, ""),
        ("{zoo} list nothing 2>/dev/full", 2, ""),
        ("{zoo} list tasks >&- 2>&- <&-", 1, ""),
        ("set -o pipefail; {zoo} list datasets | true", 1, ""),
        (
            "mkdir gone && cd gone && rmdir ../gone && {zoo} list tasks",
            2,
            "Error: The working folder no longer exists.",
        ),
        ("ulimit -n 20; {zoo} list tasks", 2, "Error: Only 20 files may be open at once; 64 are needed"),
        (
            "KERAS_BACKEND=x {zoo} sentiment --model sentiment-gru-reviews x",
            2,
            "Error: KERAS_BACKEND is 'x'; zoo runs on tensorflow and jax.",
        ),
        (
            "ulimit -v 1500000; {zoo} sentiment --model sentiment-gru-reviews x",
            2,
            "Error: Keras cannot be imported within 1.5 GB of memory",
        ),
        (
            "mkdir jax; echo 'raise ModuleNotFoundError(\"no jax\")' >jax/__init__.py; "
            "{zoo} sentiment --model sentiment-gru-reviews --backend jax x",
            2,
            "Error: Keras cannot use the backend 'jax': no jax. Install it (pip install jax), or choose another",
        ),
        ("{zoo} train", 2, "Error: zoo train needs a word more, one of: caption, charlm,"),
        ("{zoo} lens", 2, "Error: zoo lens needs a word more, one of:"),
    ],
)
def test_a_sentence_and_no_traceback(command: str, code: int, message: str, tmp_path: Path) -> None:
    done = shell(command.format(zoo=ZOO), tmp_path)
    lines = done.stderr.decode().splitlines()
    assert done.returncode == code, lines
    assert [line.startswith(message) for line in lines] == [True] * bool(message), lines


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("null", "is no JSON object"),
        ("[1]", "is no JSON object"),
        ("[" * 100_000, "is no JSON object"),
        ('{"floatx": "float31"}', "has floatx 'float31'"),
        ('{"floatx": ["float32"]}', "has floatx"),
        ('{"backend": "torch"}', "has backend 'torch'"),
        ('{"epsilon": "x"}', "has epsilon 'x'"),
        ('{"image_data_format": null}', "has image_data_format"),
        ("no json", None),
        ('{"image_data_format": "channels_first", "epsilon": 1e-6}', None),
    ],
)
def test_what_keras_cannot_read_is_said(
    content: str, message: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("KERAS_BACKEND", raising=False)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    (tmp_path / "keras.json").write_text(content)
    if message is None:
        environment._keras_json()
        return
    with pytest.raises(UserError) as caught:
        environment._keras_json()
    assert message in str(caught.value)
    assert str(caught.value).startswith(str(tmp_path / "keras.json"))


def test_answers_and_trainings_need_neither_home_nor_terminal(tmp_path: Path) -> None:
    """All at once: a home that is none, no locale, odd settings of Keras and Matplotlib, streams that are closed."""
    (tmp_path / "keras").mkdir()
    settings = {"image_data_format": "channels_first", "floatx": "float64", "epsilon": 0.1, "backend": "tensorflow"}
    (tmp_path / "keras" / "keras.json").write_text(json.dumps(settings))
    variables = {
        "HOME": "/dev/null/none", "LC_ALL": "C", "MPLBACKEND": "nonsense", "KERAS_HOME": str(tmp_path / "keras"),
        "PYTHONIOENCODING": "ascii", "TFDS_DATA_DIR": "", "TMPDIR": str(tmp_path), "XDG_CACHE_HOME": "",
    }  # fmt: skip
    plain = shell(f"{ZOO} sentiment --json --model sentiment-gru-reviews $'caf\\xe9 film' naïve", tmp_path)
    odd = shell(
        f"umask 077; {ZOO} sentiment --json --model sentiment-gru-reviews $'caf\\xe9 film' naïve <&- 2>&-", tmp_path,
        **variables,
    )  # fmt: skip
    assert odd.returncode == plain.returncode == 0, (odd.stderr, plain.stderr)
    assert list(map(json.loads, odd.stdout.splitlines())) == list(map(json.loads, plain.stdout.splitlines()))
    trained = shell(f"umask 077; {ZOO} train charlm --preset tiny --name m <&- 2>&- >/dev/full", tmp_path, **variables)
    assert trained.returncode == 1
    model = tmp_path / "saved_models" / "m"
    assert cards.summarize(model).task == "charlm", "the training went on, and is saved"
    assert (model / "curves.png").is_file()
