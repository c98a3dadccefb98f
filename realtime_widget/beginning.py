"""What every session begins from, whoever holds it: a page or server code.

The rows of a widget are read once, in a thread; the session never sees one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID, uuid4

from django.utils import timezone
from django.utils.crypto import salted_hmac

from realtime_widget.configs import Tariffs, session_config, session_staff
from realtime_widget.connectors import Caller, Connect, connect_widget
from realtime_widget.exceptions import UpstreamError
from realtime_widget.handlers import Guard, Handler, ToolContext
from realtime_widget.messages import best_language
from realtime_widget.models import Conversation, Provider, Widget
from realtime_widget.session.config import SessionConfig
from realtime_widget.session.ports import UpstreamPort

VISITOR_HASH_SALT: Final = "realtime_widget.visitor"


@dataclass(frozen=True, slots=True)
class Prepared:
    """Everything one session starts from.

    Attributes:
        config: For the session.
        connect: The way to the model.
        handlers: Tool -> function.
        guards: Guardrail -> what it does.
        context: For functions of the site.
        conversation: The record, not saved yet; names the provider that answers.
        recorded: Whether the sound is kept.
    """

    config: SessionConfig
    connect: Connect
    handlers: Mapping[str, Handler]
    guards: Mapping[str, Guard]
    context: ToolContext
    conversation: Conversation
    recorded: bool = False


def prepare_session(
    widget: Widget,
    *,
    user: Any,
    site: Any,
    language: str,
    variables: Mapping[str, Any],
    text_only: bool = False,
    who: str = "",
) -> Prepared:
    """Read the rows of a session; call it from a thread.

    Args:
        widget: From ``find_widget``.
        user: The signed-in user or ``AnonymousUser``.
        site: The ``Site``, None for none.
        language: Of the visitor, "" when unknown.
        variables: What the page says about itself.
        text_only: Without audio.
        who: Tells visitors without a user apart, "" when nothing does.
    """
    session_id = uuid4()
    people = session_staff(
        widget, user=user, site=site, language=language, variables=variables
    )
    config = session_config(
        widget,
        user=user,
        site=site,
        language=language,
        text_only=text_only,
        variables=variables,
        session_id=session_id,
        people=people,
    )
    conversation = _record(widget, config, user=user, site=site)
    answered = Answering(widget, config, conversation)
    answered.by(widget.provider)
    return Prepared(
        config=config,
        connect=_connect(widget, Caller(user_hash=_visitor_hash(user, who)), answered),
        handlers=people.handlers,
        guards=people.guards,
        context=ToolContext(
            user=user,
            site=site,
            widget=widget.slug,
            conversation_id=str(session_id),
            language=best_language(language),
        ),
        conversation=conversation,
    )


def _record(
    widget: Widget, config: SessionConfig, *, user: Any, site: Any
) -> Conversation:
    return Conversation(
        id=UUID(config.session_id),
        widget=widget,
        widget_slug=widget.slug,
        site=site if getattr(site, "pk", None) else None,
        user=user if user.is_authenticated else None,
        language=config.language,
        agent_name=config.agent.name,
        started_at=timezone.now(),
    )


class Answering:
    """Notes which provider a session has: one may stand in for another at any time.

    Args:
        widget: Knows the one that is asked.
        config: Of the session; its tariff is kept up to date.
        conversation: The record, which names the provider.
    """

    def __init__(
        self, widget: Widget, config: SessionConfig, conversation: Conversation
    ) -> None:
        self._asked = widget.provider
        self._tariffs = Tariffs(widget)
        self._config = config
        self._conversation = conversation

    def by(self, provider: Provider | None) -> None:
        """Take its name for the record, and what it costs; None for the engine."""
        conversation, tariff = self._conversation, self._config.tariff
        asked = provider == self._asked
        conversation.provider_name = provider.name if provider else ""
        conversation.provider_kind = provider.kind if provider else Provider.Kind.LOCAL
        conversation.model = (
            self._config.model if asked or provider is None else provider.model
        )
        now = self._tariffs.of(provider)
        tariff.response, tariff.transcription = now.response, now.transcription


def _connect(widget: Widget, caller: Caller, answering: Answering) -> Connect:
    """Return the way to the model; a missing key is told when it is tried."""
    try:
        connect_in_order = connect_widget(widget, caller)
    except UpstreamError as exc:
        refusal = exc

        async def refuse() -> UpstreamPort:
            raise refusal

        return refuse

    async def connect() -> UpstreamPort:
        upstream = await connect_in_order()
        answering.by(connect_in_order.answered_by)
        return upstream

    return connect


def _visitor_hash(user: Any, who: str) -> str:
    """Return what stands for a visitor towards a provider, stable and nameless.

    Whom an abuse report is about can be found here and nowhere else.
    """
    name = f"user {user.pk}" if user.is_authenticated else who
    if not name:
        return ""
    return salted_hmac(VISITOR_HASH_SALT, name, algorithm="sha256").hexdigest()
