"""A session for server code: scripts, tests, other transports.

    async with await open_session("support", user=ann) as session:
        await session.send_message("Where is my order 1042?")
        async for event in session:
            if event.type == "audio":
                phone.play(event.audio)

The widget's own agents, tools, guardrails, providers and quotas work in it, and it is
recorded, as in a visitor's page. There is no page: its limits on opening (places,
tokens, rates) do not count here, and tools that run in the page are answered by
``add_tool``.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import Any, Final

from django.contrib.auth.models import AnonymousUser

from realtime_widget.beginning import Prepared, prepare_session
from realtime_widget.configs import find_widget
from realtime_widget.connectors import Connect
from realtime_widget.models import Widget
from realtime_widget.patience import asked
from realtime_widget.quotas import QuotaMeter, Subject, metered
from realtime_widget.sessions.events import SessionEvent
from realtime_widget.sessions.session import RealtimeSession

__all__ = ["RealtimeSession", "SessionEvent", "open_session"]

NO_WIDGET: Final = "There is no enabled widget of this slug on this site."


async def open_session(
    slug: str,
    *,
    user: Any = None,
    site: Any = None,
    language: str = "",
    variables: Mapping[str, Any] | None = None,
    text_only: bool = False,
    connect: Connect | None = None,
    record: bool = True,
    counted: bool = True,
    greeting: bool = True,
    raw_events: bool = False,
) -> RealtimeSession:
    """Return a session of a widget that has started.

    Args:
        slug: Of the widget.
        user: Whom tools act for; nobody when None.
        site: The ``Site``; None for a widget that is on every site.
        language: Language of the talk, "" when unknown.
        variables: What a page would say about itself.
        text_only: Without audio.
        connect: Opens another model's end than the widget's.
        record: Whether the conversation is written down.
        counted: Whether it counts under the quotas of its user, widget, site and
            provider.
        greeting: Whether the agent speaks first, where the widget says so.
        raw_events: Whether the model's own events are told, too.

    Raises:
        LookupError: If there is no such widget.
        QuotaUsedUp: If nothing is left of a quota; ``words`` say when to come back.
        SessionClosed: If the model does not take the session.
        DatabaseError: If the database does not answer.
    """

    def read() -> tuple[Prepared, Subject]:
        widget = find_widget(slug, site)
        if widget is None:
            raise LookupError(NO_WIDGET)
        prepared = prepare_session(
            widget,
            user=user or AnonymousUser(),
            site=site,
            language=language,
            variables=variables or {},
            text_only=text_only,
        )
        return prepared, _subject(prepared, widget)

    prepared, subject = await asked(read)
    if not greeting:
        prepared = replace(prepared, config=replace(prepared.config, greeting=""))
    if connect is not None:
        prepared = replace(prepared, connect=connect)
    return await _begun(
        prepared, subject if counted else None, record=record, raw_events=raw_events
    )


async def _begun(
    prepared: Prepared, subject: Subject | None, *, record: bool, raw_events: bool
) -> RealtimeSession:
    """Return a session that has started and counts under what its subject does."""
    async with AsyncExitStack() as behind:
        meter: QuotaMeter | None = None
        if subject is not None:
            tariff = prepared.config.tariff
            meter = await behind.enter_async_context(metered(subject, tariff))
        session = RealtimeSession(
            prepared,
            meter=meter,
            behind=behind.pop_all(),
            record=record,
            raw_events=raw_events,
        )
    await session.start()
    return session


def _subject(prepared: Prepared, widget: Widget) -> Subject:
    """Return under what a session without a page counts: it has no address."""
    return Subject(
        user=prepared.context.user,
        address="",
        widget_id=widget.pk,
        site_id=prepared.conversation.site_id,
        provider_id=widget.provider_id,
        language=prepared.config.language,
    )
