"""What TensorFlow writes while it is imported is kept back, and shown only if something fails.

Its notes on oneDNN and CUDA go to the file descriptor of standard error, past Python and whatever its log level.
"""

import contextlib
import os
import sys
from collections.abc import Iterator
from types import ModuleType


@contextlib.contextmanager
def captured() -> Iterator[None]:
    """Keeps back what is written to file descriptor 2; an exception gets it as a note, which tracebacks show."""
    if sys.stderr is not None:
        with contextlib.suppress(OSError, ValueError):
            sys.stderr.flush()
    try:
        kept = os.dup(2)
    except OSError:  # closed: there is nothing to keep back
        yield
        return
    import tempfile  # here and below: `zoo --help` comes by, and needs neither

    with tempfile.TemporaryFile() as file:
        os.dup2(file.fileno(), 2)
        try:
            yield
        except BaseException as error:
            note(error, _content(file.fileno()))
            raise
        finally:
            os.dup2(kept, 2)
            os.close(kept)


def _content(descriptor: int) -> str:
    os.lseek(descriptor, 0, os.SEEK_SET)
    return os.read(descriptor, 20_000).decode("utf-8", "replace")


def note(error: BaseException, text: str) -> None:
    """Adds to an exception what was written before it."""
    if text.strip():
        error.add_note(f"Written before that:\n{text.strip()}")


@contextlib.contextmanager
def quiet_log(name: str) -> Iterator[None]:
    """Only errors of a logger of Python."""
    import logging

    logger = logging.getLogger(name)
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(before)


def before_tensorflow() -> None:
    """Sets what TensorFlow reads once, when it is imported; what the user has set stays.

    Errors (level 2) are left out too: what fails raises an exception besides, and oneDNN logs as errors that it takes
    another implementation on some processors.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


def after_tensorflow(tf: ModuleType) -> None:
    """Has TensorFlow say now, while nobody listens, what it would say at its first operation."""
    tf.get_logger().setLevel("ERROR")  # a search is traced for several shapes, which it warns of
    tf.config.list_physical_devices("GPU")  # looks for CUDA, and complains where there is none
