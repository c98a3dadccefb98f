"""The engine in this process, behind the interface of a connection."""

from __future__ import annotations

from realtime_widget.engine.conversation.core import SessionOptions
from realtime_widget.engine.driver import EngineSession
from realtime_widget.engine.models import Model
from realtime_widget.engine.ports import Parts


class LoopbackConnection:
    """A session with the engine, without a socket; made on a running event loop.

    Args:
        model: What hears, thinks and speaks; loaded once a process, shared.
        options: What the session is given at its start.
    """

    def __init__(
        self, model: Model | Parts, options: SessionOptions | None = None
    ) -> None:
        self._session = (
            EngineSession(model, options)
            if isinstance(model, Parts)
            else model.open(options or SessionOptions(model.name))
        )

    async def send(self, event: bytes) -> None:
        """Send one client event; never waits.

        Raises:
            UpstreamClosed: If the session has ended.
        """
        self._session.receive(event)

    async def receive(self) -> bytes:
        """Return the next server event; cancelling this loses none.

        Raises:
            UpstreamClosed: When the session has ended.
        """
        return await self._session.next_event()

    async def close(self) -> None:
        """End the session; idempotent, never raises."""
        await self._session.close()
