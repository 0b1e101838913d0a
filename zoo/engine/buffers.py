"""Memory that is used again by the next call.

Fresh memory costs: the system hands it out as zeros when it is first written, about 0.1 ms per megabyte, and takes it
back when it is freed. A training step keeps tens of megabytes for its gradient and frees them at its end, in every
step. Here a buffer, as soon as nothing refers to it any more, serves the next request for about as many bytes.
"""

import sys
import threading

import numpy as np

LEAST = 2**18
"""Bytes from which a buffer is used again; the allocator of the C library keeps smaller ones itself."""
IDLE_BYTES = 2**29
"""Total bytes of unused buffers above which the oldest are freed."""


class BufferPool:
    """Keeps buffers and finds the unused ones by their reference counts: a view of a buffer refers to it."""

    def __init__(self) -> None:
        self._buffers: list[np.ndarray] = []
        self._lock = threading.Lock()
        self._unused = self._references(np.empty(1, np.uint8))  # count of a buffer that only this class refers to

    def take(self, size: int) -> np.ndarray:
        """A buffer of at least `size` bytes that nothing else uses, as a flat array of bytes."""
        if size < LEAST:
            return np.empty(size, np.uint8)
        size = rounded(size)
        with self._lock:
            for i in range(len(self._buffers)):
                if self._buffers[i].size == size and self._idle(i):
                    buffer = self._buffers.pop(i)
                    self._buffers.append(buffer)  # the list is in the order of use
                    return buffer
            self._give_back(size)
            self._buffers.append(buffer := np.empty(size, np.uint8))
            return buffer

    def _references(self, buffer: np.ndarray) -> int:
        """References to a buffer that only a list refers to."""
        self._buffers.append(buffer)
        del buffer
        count = sys.getrefcount(self._buffers[-1])
        self._buffers.pop()
        return count

    def _idle(self, i: int) -> bool:
        return sys.getrefcount(self._buffers[i]) <= self._unused

    def _give_back(self, size: int) -> None:
        """Frees unused buffers until there is memory for one more."""
        idle = [i for i in range(len(self._buffers)) if self._idle(i)]
        total = size + sum(self._buffers[i].size for i in idle)
        for dropped, i in enumerate(idle):
            if total <= IDLE_BYTES:
                return
            total -= self._buffers.pop(i - dropped).size


def rounded(size: int) -> int:
    """Up to the next of eight sizes per power of two: lengths of batches differ a little, buffers need not."""
    step = 1 << max(0, size.bit_length() - 4)
    return -(-size // step) * step
