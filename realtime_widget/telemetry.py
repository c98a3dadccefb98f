"""From what happens to numbers and spans: receivers of our own signals.

Signals come after the rows are written, in a task of their own, so a call never
waits for any of this.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from typing import Any, Final
from weakref import WeakKeyDictionary

from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.views.decorators.cache import never_cache

from realtime_widget import signals
from realtime_widget.conf import get_conf
from realtime_widget.metrics import LoopWatch, exposition, has_library, instruments
from realtime_widget.models import Conversation, ToolCall, Usage
from realtime_widget.quotas import counters
from realtime_widget.session.ports import BrowserPort
from realtime_widget.spans import SessionSpans, have_tracer

STATE: Final = '{"type": "state"'
TOKEN_KINDS: Final = ("text_in", "audio_in", "cached_in", "text_out", "audio_out")

_spans = SessionSpans()
_watches: WeakKeyDictionary[asyncio.AbstractEventLoop, LoopWatch] = WeakKeyDictionary()


def listen() -> None:
    """Begin to receive; called once, when the app is ready.

    A site with neither library pays nothing.
    """
    if not has_library() and not have_tracer():
        return
    for signal, receiver in (
        (signals.session_started, _started),
        (signals.session_stopped, _stopped),
        (signals.tool_called, _tool_called),
        (signals.usage_recorded, _usage),
    ):
        signal.connect(receiver, dispatch_uid="realtime_widget.telemetry")


async def _started(conversation: Conversation, **_: Any) -> None:
    _spans.started(
        str(conversation.pk), conversation.started_at, conversation.widget_slug
    )
    if numbers := instruments():
        numbers.started.labels(conversation.widget_slug).inc()


async def _stopped(
    conversation: Conversation, reason: str, duration: float, error_code: str, **_: Any
) -> None:
    ended_at = conversation.ended_at or timezone.now()
    _spans.ended(str(conversation.pk), ended_at, reason, error_code)
    if numbers := instruments():
        widget = conversation.widget_slug
        numbers.ended.labels(widget, reason, error_code).inc()
        numbers.session_s.labels(widget).observe(duration)


async def _tool_called(conversation: Conversation, call: ToolCall, **_: Any) -> None:
    # A model may invent names of tools; each would be a series of its own.
    name = call.name if call.status != "unknown_tool" else "(unknown)"
    _spans.tool(
        str(conversation.pk), name, call.status, timezone.now(), call.duration_ms
    )
    if numbers := instruments():
        numbers.tool_s.labels(name, call.status).observe(call.duration_ms / 1_000)


async def _usage(usage: Usage, **_: Any) -> None:
    if numbers := instruments():
        for kind in TOKEN_KINDS:
            numbers.tokens.labels(usage.model, kind).inc(getattr(usage, kind))


class TimedPage:
    """A page's end that measures how long answers take; a ``BrowserPort``.

    Audio goes straight through: its method is the page's own.

    Args:
        page: The page.
        observe: Told the seconds from the end of a turn to the first audio.
        clock: Monotonic seconds.
    """

    def __init__(
        self,
        page: BrowserPort,
        observe: Callable[[float], object],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._page = page
        self._observe = observe
        self._clock = clock
        self._thinking_since_s: float | None = None
        self.send_audio = page.send_audio

    async def send_text(self, text: str) -> None:
        """Send one JSON message, looking at those that tell the state.

        Raises:
            SessionClosed: If the page is gone.
        """
        if text.startswith(STATE):
            self._look(json.loads(text)["state"])
        await self._page.send_text(text)

    def _look(self, state: str) -> None:
        now_s = self._clock()
        since_s = self._thinking_since_s
        if state == "thinking":
            self._thinking_since_s = now_s if since_s is None else since_s
            return
        if state == "speaking" and since_s is not None:
            self._observe(now_s - since_s)
        self._thinking_since_s = None


def timed(page: BrowserPort, widget: str) -> BrowserPort:
    """Return the page's end, measured where the site wants numbers."""
    numbers = instruments()
    if numbers is None:
        return page
    loop = asyncio.get_running_loop()
    _watches.setdefault(loop, LoopWatch(loop, counters.running)).wake()
    return TimedPage(page, numbers.answer_s.labels(widget).observe)


@never_cache
def metrics(request: HttpRequest) -> HttpResponse:
    """Answer Prometheus, which shows the site's ``METRICS_TOKEN``; 404 for others.

    Whoever does not know the token does not learn that there is something.
    """
    token = get_conf().METRICS_TOKEN
    given = request.headers.get("authorization", "").removeprefix("Bearer ")
    if not token or not has_library() or not constant_time_compare(given, token):
        raise Http404
    body, content_type = exposition()
    return HttpResponse(body, content_type=content_type)
