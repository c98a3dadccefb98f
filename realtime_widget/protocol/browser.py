"""The browser protocol ``realtime-widget.v1``: names, close codes, error table.

``static/realtime_widget/protocol.js`` is its counterpart in the page; a test
compares the two. Text frames are JSON objects with ``type``; binary frames are
audio in the session's format without a header.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Final, Literal

PROTOCOL: Final = "realtime-widget.v1"
TOKEN_PREFIX: Final = "token."  # noqa: S105 - a subprotocol's prefix, not a secret

# The page's own close code: nobody answers it, and it will be back.
GIVEN_UP: Final = 4000

State = Literal["connecting", "listening", "hearing", "thinking", "speaking"]
StopReason = Literal[
    "user", "idle", "time_limit", "quota", "upstream", "error", "replaced", "draining"
]
STATES: Final = ("connecting", "listening", "hearing", "thinking", "speaking")
STOP_REASONS: Final = (
    "user",
    "idle",
    "time_limit",
    "quota",
    "upstream",
    "error",
    "replaced",
    "draining",
)

FROM_BROWSER: Final = (
    "session.start",
    "session.update",
    "session.stop",
    "message",
    "turn.start",
    "turn.commit",
    "turn.cancel",
    "microphone",
    "interrupt",
    "playback",
    "tool.result",
    "tool.approval",
    "feedback",
    "ping",
)
FROM_SERVER: Final = (
    "session.started",
    "session.updated",
    "session.stopped",
    "state",
    "speech.started",
    "speech.stopped",
    "transcript",
    "audio.start",
    "audio.end",
    "audio.interrupted",
    "tool.started",
    "tool.finished",
    "tool.call",
    "tool.approval_required",
    "handoff",
    "guardrail",
    "usage",
    "warning",
    "error",
    "pong",
)


class CloseCode(IntEnum):
    """WebSocket close codes a page may meet."""

    NORMAL = 1000
    BAD_MESSAGE = 4400
    TOKEN = 4401
    FORBIDDEN = 4403
    NO_WIDGET = 4404
    IDLE = 4408
    REPLACED = 4409
    TIME_LIMIT = 4410
    LIMIT = 4429
    ERROR = 4500
    UPSTREAM = 4502
    DRAINING = 4503


@dataclass(frozen=True, slots=True)
class ErrorKind:
    """What the page may do after an error.

    Attributes:
        retryable: The visitor may try again.
        fatal: The session is over.
    """

    retryable: bool
    fatal: bool


# The words for each code are in ``realtime_widget.messages`` (translated).
ERRORS: Final[dict[str, ErrorKind]] = {
    "unknown_type": ErrorKind(retryable=False, fatal=False),
    "forbidden": ErrorKind(retryable=False, fatal=False),
    "invalid_field": ErrorKind(retryable=False, fatal=False),
    "text_too_long": ErrorKind(retryable=False, fatal=False),
    "bad_picture": ErrorKind(retryable=False, fatal=False),
    "too_fast": ErrorKind(retryable=True, fatal=False),
    "turn_too_short": ErrorKind(retryable=True, fatal=False),
    "response_failed": ErrorKind(retryable=True, fatal=False),
    "voice_unavailable": ErrorKind(retryable=False, fatal=False),
    "bad_message": ErrorKind(retryable=True, fatal=True),
    "token": ErrorKind(retryable=True, fatal=True),
    "origin": ErrorKind(retryable=False, fatal=True),
    "no_widget": ErrorKind(retryable=False, fatal=True),
    "consent": ErrorKind(retryable=True, fatal=True),
    "limit": ErrorKind(retryable=True, fatal=True),
    "idle": ErrorKind(retryable=True, fatal=True),
    "replaced": ErrorKind(retryable=True, fatal=True),
    "time_limit": ErrorKind(retryable=True, fatal=True),
    "draining": ErrorKind(retryable=True, fatal=True),
    "internal": ErrorKind(retryable=True, fatal=True),
    "not_configured": ErrorKind(retryable=True, fatal=True),
    "upstream_auth": ErrorKind(retryable=True, fatal=True),
    "upstream_quota": ErrorKind(retryable=True, fatal=True),
    "upstream_refused": ErrorKind(retryable=True, fatal=True),
    "upstream_unreachable": ErrorKind(retryable=True, fatal=True),
    "upstream_lost": ErrorKind(retryable=True, fatal=True),
    "upstream_error": ErrorKind(retryable=True, fatal=True),
}
