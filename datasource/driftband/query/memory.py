"""What is worth keeping, as far as there is room."""

import threading
from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Memory(Generic[K, V]):
    """Values in ``capacity`` bytes, of which what has not been used for longest goes first. Safe for many threads."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._kept: OrderedDict[K, tuple[V, int]] = OrderedDict()
        self._size = 0
        self._lock = threading.Lock()

    @property
    def size(self) -> int:
        """Bytes held."""
        return self._size

    def __contains__(self, key: K) -> bool:
        """Whether there is something; looking does not use it."""
        return key in self._kept

    def get(self, key: K) -> V | None:
        """Return what was kept last, None where nothing is."""
        with self._lock:
            if key not in self._kept:
                return None
            self._kept.move_to_end(key)
            return self._kept[key][0]

    def keep(self, key: K, value: V, size: int) -> None:
        """Keep a value of ``size`` bytes in place of the one before."""
        with self._lock:
            _, old = self._kept.pop(key, (None, 0))
            self._size += size - old
            self._kept[key] = value, size
            while self._size > self._capacity:
                _, (_, dropped) = self._kept.popitem(last=False)
                self._size -= dropped
