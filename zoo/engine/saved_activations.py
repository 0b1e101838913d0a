"""Keeps what a forward pass computed for its gradient, under a number that goes through JAX in its place.

A callback copies every array on its way out and in again: for the gates of an LSTM over 200 steps 26 MB each way. What
is missing when it is asked for, since it was taken already or put away too long ago, the gradient computes once more.
"""

import itertools
import threading
from typing import Any

BYTES = 2**30
"""Above this size the oldest are dropped; a training takes each before the next step."""


class SavedActivations:
    """A dictionary of limited size, for any thread."""

    def __init__(self, limit: int = BYTES) -> None:
        self._limit, self._lock = limit, threading.Lock()
        self._items: dict[int, Any] = {}
        self._numbers = itertools.count(1)

    def put(self, saved: Any) -> int:
        """Keeps something that has `arrays`, and gives its number."""
        with self._lock:
            number = next(self._numbers) % 2**31  # as int32
            self._items[number] = saved
            while len(self._items) > 1 and sum(map(_size, self._items.values())) > self._limit:
                del self._items[next(iter(self._items))]
            return number

    def take(self, number: int) -> Any | None:
        """What has a number, once; None if it is not here."""
        with self._lock:
            return self._items.pop(number, None)


def _size(saved: Any) -> int:
    return sum(array.nbytes for array in saved.arrays())
