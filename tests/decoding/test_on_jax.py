"""Decoding, and the derivatives that `zoo lens` needs, on JAX: one process, as Keras has one backend in each."""

import os
import subprocess
import sys
from pathlib import Path

import keras
import pytest

TESTS = Path(__file__).parents[1]
FILES = ("decoding/test_decoding.py", "decoding/test_beam.py", "lens/test_gradients.py")

CHOSEN = "(spells and beam) or compiled or (coverage and None) or (differences and simple_rnn) or jacobians_of"
"""Enough to run nearly every line; the others would take two minutes of compilation, and passed as well."""


@pytest.mark.skipif(keras.backend.backend() == "jax", reason="this is the run on JAX")
def test_decoding_and_derivatives_on_jax():
    pytest.importorskip("jax")
    files = [TESTS / file for file in FILES]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-n0", "-q", "-p", "no:cacheprovider", "-k", CHOSEN, *files],
        cwd=TESTS.parent, env={**os.environ, "KERAS_BACKEND": "jax"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:]
    assert "7 passed" in done.stdout, done.stdout[-300:]  # none of the chosen ones has got another name
