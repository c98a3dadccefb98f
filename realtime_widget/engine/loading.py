"""How far a model is loaded, for those who wait for it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

# Told the share that is done, 0 to 1; called in the thread that loads.
Told = Callable[[float], None]


class Loading:
    """The share of something that is loaded. Safe in any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._listeners: list[Told] = []
        self.share = 0.0

    def tell(self, share: float) -> None:
        """Note how much is done, 0 to 1, and tell whoever listens."""
        with self._lock:
            self.share = share
            listeners = list(self._listeners)
        for listener in listeners:
            listener(share)

    @contextmanager
    def told_to(self, listener: Told) -> Iterator[None]:
        """Tell a listener of every step until the block ends."""
        with self._lock:
            self._listeners.append(listener)
        try:
            yield
        finally:
            with self._lock:
                self._listeners.remove(listener)
