"""The second door: no socket without a database that answers."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, Final

from django.db import DatabaseError

from realtime_widget.conf import get_conf
from realtime_widget.consumers.sockets import BrowserSocket
from realtime_widget.messages import error_messages
from realtime_widget.patience import Patience
from realtime_widget.protocol.browser import PROTOCOL, CloseCode

logger = logging.getLogger(__name__)

# Key of the scope: called by the consumer, once it is there to answer for itself.
REACHED: Final = "realtime_widget.reached"


class DatabaseGate:
    """Tells the page when its session and user cannot be read.

    The middleware behind this asks the database before any consumer is there; its
    failure would be a handshake with status 500, of which a page learns nothing.

    Args:
        application: The middleware and the consumer.
    """

    def __init__(self, application: Any) -> None:
        self._application = application
        self._patience = Patience()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Pass the socket on; close it with 4500 if nobody gets to it."""

        async def serve(reached: Callable[[], None]) -> None:
            await self._application({**scope, REACHED: reached}, receive, send)

        try:
            await self._patience.ask(serve)
        except DatabaseError as exc:
            name = type(exc).__name__
            logger.warning("Socket refused: %s. path=%.200r", name, scope["path"])
            socket = BrowserSocket(send, outbound_bytes=get_conf().OUTBOUND_BYTES)
            await receive()
            offered = PROTOCOL in (scope.get("subprotocols") or [])
            await socket.accept(PROTOCOL if offered else None)
            await socket.send_error("internal", error_messages())
            await socket.close(CloseCode.ERROR)
