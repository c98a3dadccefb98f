"""Spans for OpenTelemetry, where the site has its API and has configured it.

A span holds ids, names of rows, and codes: nothing that anybody said.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from opentelemetry.trace import Span, Tracer

TRACER_NAME: Final = "realtime_widget"
# Ids of sessions whose end was never told (the record was refused) are few.
OPEN_SPANS: Final = 10_000


@cache
def _tracer() -> Tracer | None:
    """Return the site's tracer, None without the API.

    The API's own tracer does nothing until the site configures an SDK.
    """
    try:
        from opentelemetry import trace
    except ImportError:
        return None
    return trace.get_tracer(TRACER_NAME)


def have_tracer() -> bool:
    """Return whether the API is installed."""
    return _tracer() is not None


@contextmanager
def span(name: str, attributes: Mapping[str, str]) -> Iterator[None]:
    """Span what happens inside; an exception marks it as failed, by class alone."""
    tracer = _tracer()
    if tracer is None:
        yield
        return
    from opentelemetry.trace import StatusCode

    with tracer.start_as_current_span(
        name,
        attributes=dict(attributes),
        # The library would put the exception's text into the span.
        record_exception=False,
        set_status_on_exception=False,
    ) as current:
        try:
            yield
        except BaseException as exc:
            current.set_attribute("error.type", type(exc).__name__)
            current.set_status(StatusCode.ERROR)
            raise


class SessionSpans:
    """One span a session, those of its tool calls below it."""

    def __init__(self) -> None:
        self._open: dict[str, Span] = {}

    def started(self, session_id: str, at: datetime, widget: str) -> None:
        """Open a session's span."""
        tracer = _tracer()
        if tracer is None or len(self._open) >= OPEN_SPANS:
            return
        from opentelemetry.context import Context

        self._open[session_id] = tracer.start_span(
            "realtime session",
            context=Context(),
            start_time=_ns(at),
            attributes={"realtime.session_id": session_id, "realtime.widget": widget},
        )

    def tool(
        self, session_id: str, name: str, status: str, until: datetime, took_ms: int
    ) -> None:
        """Add a tool call that was answered."""
        tracer, session = _tracer(), self._open.get(session_id)
        if tracer is None or session is None:
            return
        from opentelemetry.trace import StatusCode, set_span_in_context

        call = tracer.start_span(
            f"realtime tool {name}",
            context=set_span_in_context(session),
            start_time=_ns(until) - took_ms * 1_000_000,
            attributes={"realtime.tool": name, "realtime.status": status},
        )
        if status != "completed":
            call.set_status(StatusCode.ERROR)
        call.end(_ns(until))

    def ended(
        self, session_id: str, at: datetime, reason: str, error_code: str
    ) -> None:
        """End a session's span."""
        session = self._open.pop(session_id, None)
        if session is None:
            return
        from opentelemetry.trace import StatusCode

        session.set_attribute("realtime.reason", reason)
        if error_code:
            session.set_attribute("error.type", error_code)
            session.set_status(StatusCode.ERROR)
        session.end(_ns(at))


def _ns(at: datetime) -> int:
    return int(at.timestamp() * 1_000_000) * 1_000
