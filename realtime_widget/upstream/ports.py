"""What every driver's connection can do."""

from __future__ import annotations

from typing import Protocol


class Connection(Protocol):
    """An open connection."""

    async def send(self, event: bytes) -> None:
        """Send one client event; raises ``UpstreamError`` when it is over."""

    async def receive(self) -> bytes:
        """Return the next server event; raises ``UpstreamError`` when it is over."""

    async def close(self) -> None:
        """End the connection; idempotent, never raises."""
