"""Memory that is used again by the next call.

Fresh memory costs: the system hands it out as zeros when it is first written, about 0.1 ms per megabyte, and takes it
back when it is freed. A training step keeps tens of megabytes for its gradient and frees them at its end, in every
step. Here a room, as soon as nobody refers to it any more, serves the next request for about as many bytes.
"""

import sys
import threading

import numpy as np

LEAST = 2**18
"""Bytes from which a room is used again; the allocator of the C library keeps smaller ones itself."""
IDLE_BYTES = 2**29
"""Rooms that nobody uses are given back, the oldest first, above this size of all of them together."""


class Rooms:
    """Keeps rooms and finds the idle ones by their reference counts: a view of a room refers to it."""

    def __init__(self) -> None:
        self._rooms: list[np.ndarray] = []
        self._lock = threading.Lock()
        self._unused = self._references(np.empty(1, np.uint8))  # what a room has that only this class refers to

    def take(self, size: int) -> np.ndarray:
        """A room of at least `size` bytes that nobody else has, as a flat array of bytes."""
        if size < LEAST:
            return np.empty(size, np.uint8)
        size = rounded(size)
        with self._lock:
            for i in range(len(self._rooms)):
                if self._rooms[i].size == size and self._idle(i):
                    room = self._rooms.pop(i)
                    self._rooms.append(room)  # the list is in the order of use
                    return room
            self._give_back(size)
            self._rooms.append(room := np.empty(size, np.uint8))
            return room

    def _references(self, room: np.ndarray) -> int:
        """References to a room that is in a list alone."""
        self._rooms.append(room)
        del room
        count = sys.getrefcount(self._rooms[-1])
        self._rooms.pop()
        return count

    def _idle(self, i: int) -> bool:
        return sys.getrefcount(self._rooms[i]) <= self._unused

    def _give_back(self, size: int) -> None:
        """Drops idle rooms until there is place for one more."""
        idle = [i for i in range(len(self._rooms)) if self._idle(i)]
        total = size + sum(self._rooms[i].size for i in idle)
        for dropped, i in enumerate(idle):
            if total <= IDLE_BYTES:
                return
            total -= self._rooms.pop(i - dropped).size


def rounded(size: int) -> int:
    """Up to the next of eight sizes per power of two: lengths of batches differ a little, rooms need not."""
    step = 1 << max(0, size.bit_length() - 4)
    return -(-size // step) * step
