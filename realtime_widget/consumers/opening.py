"""Letting a socket in: everything that asks the database, for a thread."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.contrib.sites.shortcuts import get_current_site
from django.core.exceptions import DisallowedHost, ObjectDoesNotExist
from django.http import HttpRequest
from django.utils import timezone
from django.utils.crypto import salted_hmac

from realtime_widget.admission import (
    Binding,
    Origin,
    Pass,
    origin_allowed,
    parse_origin,
    single_origin,
    spend_token,
)
from realtime_widget.conf import get_conf
from realtime_widget.configs import find_widget, session_config, session_staff
from realtime_widget.connectors import Caller, Connect, connect_widget
from realtime_widget.exceptions import AdmissionRefused, UpstreamError
from realtime_widget.handlers import Guard, Handler, ToolContext
from realtime_widget.messages import best_language
from realtime_widget.models import Conversation, Widget
from realtime_widget.models.opinions import words_hash
from realtime_widget.protocol.browser import PROTOCOL, TOKEN_PREFIX, CloseCode
from realtime_widget.quotas import (
    client_address,
    session_limits,
    socket_opens,
)
from realtime_widget.session.config import SessionConfig
from realtime_widget.session.ports import UpstreamPort

SESSION_HASH_SALT = "realtime_widget.session_key"
VISITOR_HASH_SALT = "realtime_widget.visitor"
LANGUAGE_CHARS = 35


class SocketRequest(HttpRequest):
    """A socket's scope as the request that sites, hosts and proxies are asked by.

    Args:
        scope: ASGI scope of a websocket.
    """

    def __init__(self, scope: Mapping[str, Any]) -> None:
        super().__init__()
        self._secure = scope.get("scheme") == "wss"
        server = scope.get("server") or ("", None)
        self.META = {"SERVER_NAME": server[0], "SERVER_PORT": str(server[1] or 80)}
        for name, value in scope["headers"]:
            key = "HTTP_" + name.decode("latin1").upper().replace("-", "_")
            joined = self.META.get(key)
            text = value.decode("latin1")
            self.META[key] = f"{joined},{text}" if joined else text

    def _get_scheme(self) -> str:
        return "https" if self._secure else "http"


@dataclass(frozen=True, slots=True)
class Visit:
    """Who knocks, as far as the handshake tells.

    Attributes:
        slug: Of the widget asked for.
        origin: Of the page.
        own: The origin of the site itself, None for a host that is not served.
        address: What limits count by.
        user: The signed-in user or ``AnonymousUser``.
        session_key: Of the Django session, "" for none.
        token: As offered, "" for none.
        request: For the site.
    """

    slug: str
    origin: Origin
    own: Origin | None
    address: str
    user: Any
    session_key: str
    token: str
    request: SocketRequest


def read_visit(scope: Mapping[str, Any]) -> Visit:
    """Return what the handshake says; asks nothing and nobody.

    Raises:
        AdmissionRefused: Without a usable Origin, or for another protocol.
    """
    origin = single_origin(scope["headers"])
    if origin is None:
        raise AdmissionRefused("no usable Origin", close_code=CloseCode.FORBIDDEN)
    offered = scope.get("subprotocols") or []
    if PROTOCOL not in offered:
        raise AdmissionRefused("other protocol", close_code=CloseCode.BAD_MESSAGE)
    tokens = [name for name in offered if name.startswith(TOKEN_PREFIX)]
    request = SocketRequest(scope)
    forwarded = request.META.get("HTTP_X_FORWARDED_FOR")
    client = scope.get("client") or [""]
    session = scope.get("session")
    return Visit(
        slug=scope["url_route"]["kwargs"]["slug"],
        origin=origin,
        own=_own_origin(request, scope, origin),
        address=client_address(
            client[0] or "",
            [forwarded] if forwarded else [],
            get_conf().TRUSTED_PROXIES,
        ),
        user=scope.get("user") or AnonymousUser(),
        session_key=getattr(session, "session_key", None) or "",
        token=tokens[0].removeprefix(TOKEN_PREFIX) if len(tokens) == 1 else "",
        request=request,
    )


def _own_origin(
    request: SocketRequest, scope: Mapping[str, Any], origin: Origin
) -> Origin | None:
    try:
        host = request.get_host()
    except DisallowedHost:
        return None
    # Daphne does not say whether a socket is encrypted. The token is bound to the
    # whole origin anyway, so the page's own word for the scheme does no harm.
    unknown = "scheme" not in scope and not settings.SECURE_PROXY_SSL_HEADER
    scheme = origin.scheme if unknown else request.scheme
    return parse_origin(f"{scheme}://{host}")


@dataclass(frozen=True, slots=True)
class Admitted:
    """A visit that may start a session.

    Attributes:
        user: Whom tools act for; nobody for a page of another site.
        limits: What it counts under, and the most of each.
        recorded: Whether the sound is kept: the widget wants it and the visitor agreed.
    """

    visit: Visit
    widget: Widget
    site: Any
    user: Any
    session_key: str
    limits: Mapping[str, int]
    recorded: bool = False


def count_open(visit: Visit) -> None:
    """Count that somebody knocks; asks nobody.

    Raises:
        AdmissionRefused: If the address did so too often.
    """
    most = get_conf().OPENS_PER_MINUTE_PER_IP
    if not socket_opens.take(visit.address, most, time.monotonic()):
        raise AdmissionRefused("too many opens", close_code=CloseCode.LIMIT)


def admit(visit: Visit) -> Admitted:
    """Let a visit in, spending its token.

    Asks the database before the token is spent and never behind that, so that it may
    be called again when the database failed.

    Raises:
        AdmissionRefused: With the close code the page is to see.
    """
    site = _site(visit.request)
    widget = find_widget(visit.slug, site)
    if widget is None:
        raise AdmissionRefused("no such widget", close_code=CloseCode.NO_WIDGET)
    if not origin_allowed(visit.origin, visit.own, widget.allowed_origins):
        raise AdmissionRefused("foreign origin", close_code=CloseCode.FORBIDDEN)
    granted = _spend(visit, site)
    user = visit.user if granted.own else AnonymousUser()
    return Admitted(
        visit=visit,
        widget=widget,
        site=site,
        user=user,
        session_key=visit.session_key if granted.own else "",
        limits=session_limits(
            get_conf(), widget=visit.slug, user=_user_id(user), address=visit.address
        ),
        recorded=_may_record(widget, granted),
    )


def _may_record(widget: Widget, granted: Pass) -> bool:
    """Return whether the visitor agreed to the words that stand there now."""
    words = widget.consent_text.strip()
    agreed = bool(words) and granted.consent == words_hash(words)
    return widget.record_audio and agreed


def _spend(visit: Visit, site: Any) -> Pass:
    binding = Binding(
        visit.slug, str(visit.origin), _user_id(visit.user), visit.session_key
    )
    granted = spend_token(visit.token, binding)
    if granted.site_id != getattr(site, "pk", None):
        raise AdmissionRefused("token refused", close_code=CloseCode.TOKEN)
    return granted


def _site(request: HttpRequest) -> Any:
    try:
        return get_current_site(request)
    except (ObjectDoesNotExist, DisallowedHost):
        return None


def _user_id(user: Any) -> str:
    return str(user.pk or "")


@dataclass(frozen=True, slots=True)
class Prepared:
    """Everything one session starts from."""

    config: SessionConfig
    connect: Connect
    handlers: Mapping[str, Handler]
    guards: Mapping[str, Guard]
    context: ToolContext
    conversation: Conversation
    recorded: bool = False


def prepare(admitted: Admitted, start: Mapping[str, Any]) -> Prepared:
    """Read the rows once; the session never sees one.

    Args:
        admitted: From ``admit``.
        start: The page's ``session.start``; a field of the wrong type is as good as
            none.
    """
    widget, site, user = admitted.widget, admitted.site, admitted.user
    language = start.get("language")
    language = language[:LANGUAGE_CHARS] if isinstance(language, str) else ""
    variables = start.get("variables")
    variables = variables if isinstance(variables, Mapping) else {}
    session_id = uuid4()
    people = session_staff(
        widget, user=user, site=site, language=language, variables=variables
    )
    config = session_config(
        widget,
        user=user,
        site=site,
        language=language,
        text_only=start.get("text_only") is True,
        variables=variables,
        session_id=session_id,
        people=people,
    )
    conversation = Conversation(
        id=session_id,
        widget=widget,
        widget_slug=widget.slug,
        site=site if getattr(site, "pk", None) else None,
        user=user if user.is_authenticated else None,
        session_key_hash=_fingerprint(admitted.session_key),
        language=language,
        origin=str(admitted.visit.origin),
        provider_name=widget.provider.name if widget.provider else "",
        provider_kind=widget.provider.kind if widget.provider else "local",
        model=config.model,
        agent_name=config.agent.name,
        started_at=timezone.now(),
    )
    context = ToolContext(
        user=user,
        site=site,
        widget=widget.slug,
        conversation_id=str(session_id),
        language=best_language(language),
    )
    return Prepared(
        config=config,
        connect=_connect(
            widget, Caller(user_hash=_visitor_hash(admitted)), conversation
        ),
        handlers=people.handlers,
        guards=people.guards,
        context=context,
        conversation=conversation,
        recorded=admitted.recorded and not config.text_only,
    )


def _connect(widget: Widget, caller: Caller, conversation: Conversation) -> Connect:
    """Return the way to the model; a missing key is told when it is tried.

    A provider that stands in for another is named in the record.
    """
    try:
        connect_in_order = connect_widget(widget, caller)
    except UpstreamError as exc:
        refusal = exc

        async def refuse() -> UpstreamPort:
            raise refusal

        return refuse

    async def connect() -> UpstreamPort:
        upstream = await connect_in_order()
        provider = connect_in_order.answered_by
        if provider is not None and provider != widget.provider:
            conversation.provider_name = provider.name
            conversation.provider_kind = provider.kind
            conversation.model = provider.model
        return upstream

    return connect


def _visitor_hash(admitted: Admitted) -> str:
    """Return what stands for a visitor towards a provider, stable and nameless.

    The user, else the browser's session, else the address: whom an abuse report is
    about can be found here and nowhere else.
    """
    who = (
        f"user {admitted.user.pk}"
        if admitted.user.is_authenticated
        else f"session {admitted.session_key}"
        if admitted.session_key
        else f"address {admitted.visit.address}"
    )
    return salted_hmac(VISITOR_HASH_SALT, who, algorithm="sha256").hexdigest()


def _fingerprint(session_key: str) -> str:
    if not session_key:
        return ""
    mac = salted_hmac(SESSION_HASH_SALT, session_key, algorithm="sha256")
    return mac.hexdigest()
