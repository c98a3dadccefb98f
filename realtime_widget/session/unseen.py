"""What the model's side was sent, and has not shown in its conversation yet.

A response that the model's side begins by itself answers what it has by then. What was
on its way is not answered by it, and has to be asked for.

Source: Realtime API, ``conversation.item.added``.
"""

from __future__ import annotations


class Unseen:
    """The items that are on their way to the model's side."""

    def __init__(self) -> None:
        self._keys: set[str] = set()
        self._at_start: frozenset[str] = frozenset()
        # Whether the server shows what it is sent, None while that is not known.
        self._shows: bool | None = None

    @property
    def shows(self) -> bool:
        """Return whether the server is known to show what it is sent."""
        return self._shows is True

    def sent(self, key: str) -> None:
        """Note an item that was sent: its own id, or the call it answers."""
        if self._shows is not False:
            self._keys.add(key)

    def seen(self, key: str) -> None:
        """Note an item that the model's side has."""
        if key in self._keys:
            self._keys.discard(key)
            self._shows = True

    def response_created(self) -> None:
        """Note that a response begins."""
        self._at_start = frozenset(self._keys)

    def response_done(self) -> bool:
        """Learn from a response's end: a server that has shown nothing by then never does.

        Returns:
            Whether that was news.
        """
        if self._shows is not None or not self._keys & self._at_start:
            return False
        self._shows = False
        return True

    def now(self) -> frozenset[str]:
        """Return what is on its way."""
        return frozenset() if self._shows is False else frozenset(self._keys)

    def clear(self) -> None:
        """Forget all: another session of the model is told of everything."""
        self._keys.clear()
        self._at_start = frozenset()
