"""What is kept back while TensorFlow is imported, and what a failure shows of it."""

import os
import subprocess
import sys
import traceback

import pytest

from zoo import silence


def test_what_is_written_is_kept_back(capfd: pytest.CaptureFixture[str]) -> None:
    with silence.captured():
        os.write(2, b"a note on CUDA\n")
    assert capfd.readouterr().err == ""
    os.write(2, b"after it\n")
    assert capfd.readouterr().err == "after it\n"


def test_a_failure_shows_what_was_kept_back(capfd: pytest.CaptureFixture[str]) -> None:
    def fail() -> None:
        with silence.captured():
            os.write(2, b"no such library\n")
            raise ImportError("libcudart")

    with pytest.raises(ImportError) as caught:
        fail()
    assert "no such library" in "".join(traceback.format_exception(caught.value))


def test_python_says_nothing_of_tensorflow() -> None:
    code = "from zoo import saved; import tensorflow as tf; tf.zeros(3) + 1; print('done')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("done\n", "")
