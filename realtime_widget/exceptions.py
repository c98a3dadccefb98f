"""Every error class of the package.

    RealtimeWidgetError
    ├─ ProtocolError            a peer sent something wrong (.code)
    │  └─ EventRefused           the engine answers it with an error event (.param)
    ├─ UpstreamError            the model's side failed (.code .retryable)
    │  ├─ UpstreamRefused       it answered and said no
    │  ├─ UpstreamTimeout       it did not answer in time
    │  ├─ UpstreamUnreachable   no connection could be made
    │  └─ UpstreamClosed        it ended the connection (.close_code)
    ├─ ToolError                a tool call cannot be answered (.code)
    │  ├─ UnknownTool
    │  ├─ BadToolArguments
    │  └─ ToolTimeout
    ├─ AdmissionRefused         a visitor may not open this session (.close_code)
    │  └─ QuotaUsedUp           what is allowed in a day or month is used (.words)
    ├─ EngineUnavailable        a part of the embedded engine is missing (.part)
    └─ SessionClosed            the session has ended

Messages are for operators' logs. What a visitor reads comes from the table of
messages, chosen by ``code``; ``str(exc)`` never reaches a browser.
"""

from __future__ import annotations


class RealtimeWidgetError(Exception):
    """Base of every error this package raises on purpose."""


class ProtocolError(RealtimeWidgetError):
    """A peer sent something the protocol does not allow.

    Args:
        message: What was wrong, without the content itself.
        code: Error code of the browser protocol or of the Realtime API.
    """

    def __init__(self, message: str, *, code: str = "bad_message") -> None:
        super().__init__(message)
        self.code = code


class EventRefused(ProtocolError):
    """The engine refuses a client's event; the session goes on.

    Unlike other messages, this one is sent to the client, in an ``error`` event.

    Args:
        message: The Realtime API's own words for it.
        code: The Realtime API's code, "" where it has none.
        param: Path of the field to blame, "" for none.
    """

    def __init__(self, message: str, *, code: str, param: str = "") -> None:
        super().__init__(message, code=code)
        self.param = param


class UpstreamError(RealtimeWidgetError):
    """The connection to the model failed.

    Args:
        message: For the operator's log; never holds a key or a response body.
        code: Code from the browser protocol's error table.
        retryable: Whether a new attempt may succeed without a change.
    """

    def __init__(
        self, message: str, *, code: str = "upstream_error", retryable: bool = True
    ) -> None:
        super().__init__(message)
        self.code = code
        self.retryable = retryable


class UpstreamRefused(UpstreamError):
    """The model's server answered and refused the session."""

    def __init__(
        self, message: str, *, code: str = "upstream_refused", retryable: bool = False
    ) -> None:
        super().__init__(message, code=code, retryable=retryable)


class UpstreamTimeout(UpstreamError):
    """The model's server did not answer in time."""

    def __init__(self, message: str, *, code: str = "upstream_unreachable") -> None:
        super().__init__(message, code=code)


class UpstreamUnreachable(UpstreamError):
    """No connection to the model's server could be made."""

    def __init__(self, message: str, *, code: str = "upstream_unreachable") -> None:
        super().__init__(message, code=code)


class UpstreamClosed(UpstreamError):
    """The model's server ended the connection.

    Args:
        message: For the operator's log.
        close_code: WebSocket close code, 1006 when there was none.
        retryable: Whether the same would not happen again over a new connection.
    """

    def __init__(
        self, message: str, *, close_code: int = 1006, retryable: bool = True
    ) -> None:
        super().__init__(message, code="upstream_lost", retryable=retryable)
        self.close_code = close_code


class ToolError(RealtimeWidgetError):
    """A tool call cannot be answered with a result.

    ``str()`` of it is given to the model, so it says what the model can do.
    """

    code = "failed"


class UnknownTool(ToolError):
    """The model called a tool that the agent does not have."""

    code = "unknown_tool"


class BadToolArguments(ToolError):
    """The model's arguments do not fit the tool's schema."""

    code = "bad_arguments"


class ToolTimeout(ToolError):
    """The handler did not finish in time."""

    code = "timeout"


class AdmissionRefused(RealtimeWidgetError):
    """A visitor may not open this session.

    Args:
        message: For the operator's log.
        close_code: Close code of the browser protocol (4401, 4403, 4404, 4429 ...).
    """

    def __init__(self, message: str, *, close_code: int) -> None:
        super().__init__(message)
        self.close_code = close_code


class QuotaUsedUp(AdmissionRefused):
    """What is allowed in a day or a month is used.

    Args:
        message: For the operator's log.
        close_code: Close code of the browser protocol.
        words: For the visitor, in the visitor's language: when to come back.
    """

    def __init__(self, message: str, *, close_code: int, words: str) -> None:
        super().__init__(message, close_code=close_code)
        self.words = words


class EngineUnavailable(RealtimeWidgetError):
    """A part of the embedded engine is not installed or not usable.

    Args:
        message: What is missing and how to get it.
        part: ``vad``, ``stt``, ``tts`` or ``dialogue``.
    """

    def __init__(self, message: str, *, part: str) -> None:
        super().__init__(message)
        self.part = part


class SessionClosed(RealtimeWidgetError):
    """The session has ended; nothing more can be sent through it."""
