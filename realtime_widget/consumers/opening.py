"""Letting a socket in: everything that asks the database, for a thread."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.contrib.sites.shortcuts import get_current_site
from django.core.exceptions import DisallowedHost, ObjectDoesNotExist
from django.http import HttpRequest
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
from realtime_widget.beginning import Prepared, prepare_session
from realtime_widget.conf import get_conf
from realtime_widget.configs import find_widget
from realtime_widget.exceptions import AdmissionRefused
from realtime_widget.models import Widget
from realtime_widget.models.opinions import words_hash
from realtime_widget.protocol.browser import PROTOCOL, TOKEN_PREFIX, CloseCode
from realtime_widget.quotas import (
    client_address,
    session_limits,
    socket_opens,
)

SESSION_HASH_SALT = "realtime_widget.session_key"
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


def prepare(admitted: Admitted, start: Mapping[str, Any]) -> Prepared:
    """Read the rows once; the session never sees one.

    Args:
        admitted: From ``admit``.
        start: The page's ``session.start``; a field of the wrong type is as good as
            none.
    """
    language = start.get("language")
    variables = start.get("variables")
    prepared = prepare_session(
        admitted.widget,
        user=admitted.user,
        site=admitted.site,
        language=language[:LANGUAGE_CHARS] if isinstance(language, str) else "",
        variables=variables if isinstance(variables, Mapping) else {},
        text_only=start.get("text_only") is True,
        who=_who(admitted),
    )
    prepared.conversation.origin = str(admitted.visit.origin)
    prepared.conversation.session_key_hash = _fingerprint(admitted.session_key)
    sound = not prepared.config.text_only
    return replace(prepared, recorded=admitted.recorded and sound)


def _who(admitted: Admitted) -> str:
    """Return what tells visitors apart: the browser's session, else the address."""
    if admitted.session_key:
        return f"session {admitted.session_key}"
    return f"address {admitted.visit.address}"


def _fingerprint(session_key: str) -> str:
    if not session_key:
        return ""
    mac = salted_hmac(SESSION_HASH_SALT, session_key, algorithm="sha256")
    return mac.hexdigest()
