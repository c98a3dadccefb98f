"""How each reason to stop is told to the page."""

from __future__ import annotations

from typing import Final

from realtime_widget.protocol.browser import CloseCode, StopReason

CLOSE_CODES: Final[dict[StopReason, CloseCode]] = {
    "user": CloseCode.NORMAL,
    "idle": CloseCode.IDLE,
    "time_limit": CloseCode.TIME_LIMIT,
    "quota": CloseCode.LIMIT,
    "upstream": CloseCode.UPSTREAM,
    "error": CloseCode.ERROR,
    "replaced": CloseCode.REPLACED,
    "draining": CloseCode.DRAINING,
}

# The error a page is shown when whoever stops the session names none.
ERROR_CODES: Final[dict[StopReason, str]] = {
    "user": "",
    "idle": "idle",
    "time_limit": "time_limit",
    "quota": "limit",
    "upstream": "upstream_lost",
    "error": "internal",
    "replaced": "replaced",
    "draining": "draining",
}
