"""The first door: no socket without exactly one well-formed Origin."""

from __future__ import annotations

import logging
from typing import Any, Final

from realtime_widget.admission import single_origin

# Key of the scope: the server's own ``send``. What Channels wraps around it looks at
# the visitor's session for each message, and a socket never changes that.
SERVER_SEND: Final = "realtime_widget.send"

logger = logging.getLogger(__name__)


class OriginGate:
    """Refuses sockets that no page can have opened, before any other work.

    Whether the origin may use the widget is decided by the consumer, which knows the
    widget; this one asks no database.

    Args:
        application: What the others reach.
    """

    def __init__(self, application: Any) -> None:
        self._application = application

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Pass the socket on, or answer the handshake with 403."""
        if single_origin(scope["headers"]) is not None:
            await self._application({**scope, SERVER_SEND: send}, receive, send)
            return
        logger.warning("Socket refused: no usable Origin. path=%.200r", scope["path"])
        await receive()
        await send({"type": "websocket.close", "code": 4403})
