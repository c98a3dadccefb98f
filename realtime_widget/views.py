"""Opening a session, and health: the app's two HTTP addresses."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from channels.layers import get_channel_layer
from django.contrib.auth.models import AnonymousUser
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from realtime_widget import quotas
from realtime_widget.admission import (
    Binding,
    Origin,
    Pass,
    issue_token,
    origin_allowed,
    parse_origin,
    session_fingerprint,
)
from realtime_widget.conf import get_conf
from realtime_widget.connectors import connect_widget
from realtime_widget.draining import drain
from realtime_widget.exceptions import (
    AdmissionRefused,
    ProtocolError,
    QuotaUsedUp,
    UpstreamError,
)
from realtime_widget.models import Widget
from realtime_widget.models.opinions import words_hash
from realtime_widget.page_requests import (
    Refusal,
    own_origin,
    preflight,
    refusal,
    wanted_widget,
)
from realtime_widget.protocol.bounded_json import parse_object
from realtime_widget.protocol.browser import PROTOCOL, CloseCode
from realtime_widget.quotas import (
    Subject,
    client_address,
    counters,
    opens,
    places,
    session_limits,
)
from realtime_widget.recorder import (
    Ended,
    Visitor,
    current_writer,
    look_for_lost,
    record_consent,
    record_feedback,
)
from realtime_widget.rendering import ANONYMOUS, current_site
from realtime_widget.resume_tokens import sessions_of
from realtime_widget.threads import ThreadPool

logger = logging.getLogger(__name__)

BODY_BYTES = 4_096
HEALTH_TIMEOUT_S = 3.0
# Its own thread: a rush of pages keeps those for rows busy, and that is no illness.
health_pool = ThreadPool(1, "realtime-health")


@dataclass(frozen=True, slots=True)
class Asked:
    """What a page asks, once it may.

    Attributes:
        request: The HTTP request.
        widget: Whose page it is.
        origin: The page's.
        granted: For which site, and whether the page belongs to it.
        body: The JSON object it sent.
        language: The page's, "" when it does not say.
    """

    request: HttpRequest
    widget: Widget
    origin: Origin
    granted: Pass
    body: dict[str, Any]
    language: str


# CSRF: the Origin header is required and compared whole, which a form of another
# site cannot forge; a cookie would keep pages from being cached.
@csrf_exempt
@never_cache
@require_http_methods(["POST", "OPTIONS"])
def open_session(request: HttpRequest, slug: str) -> HttpResponse:
    """Give the page a token for one session, or tell it why not.

    Answers ``{"token", "url", "protocol", "expires_in_s"}``, or
    ``{"error": {"code", "message", "retryable"}}``. A widget with words to agree to
    wants their fingerprint as ``?consent=``.
    """
    return _answer_page(request, slug, _open, refused="Session not opened")


@csrf_exempt
@never_cache
@require_http_methods(["POST", "OPTIONS"])
def give_feedback(request: HttpRequest, slug: str) -> HttpResponse:
    """Write down a visitor's opinion of a conversation or of one answer.

    Takes ``{"session_id", "item_id", "rating": "up" | "down", "comment"}`` and answers
    ``{"saved": true}``, or an error as ``open_session`` does.
    """
    return _answer_page(request, slug, _feedback, refused="Opinion not taken")


def _answer_page(
    request: HttpRequest,
    slug: str,
    act: Callable[[Asked], dict[str, Any]],
    *,
    refused: str,
) -> HttpResponse:
    """Answer a page whose origin may use the widget, in its language."""
    origin = parse_origin(request.headers.get("origin", ""))
    language = ""
    cors: dict[str, str] = {"Vary": "Origin"}
    try:
        if drain.draining:
            raise Refusal("draining")
        _limit_rate(request)
        site = current_site(request)
        widget = wanted_widget(slug, site)
        own = own_origin(request)
        if origin is None or not origin_allowed(origin, own, widget.allowed_origins):
            raise Refusal("origin")
        if origin != own:
            cors["Access-Control-Allow-Origin"] = str(origin)
        if request.method == "OPTIONS":
            return HttpResponse(
                status=204, headers={**cors, **preflight("POST", "content-type")}
            )
        body = _body(request)
        language = body["language"] if isinstance(body.get("language"), str) else ""
        # A page in a frame is ours, but what is pressed there may not be the visitor's wish.
        acts = origin == own and ANONYMOUS not in request.GET
        granted = Pass(getattr(site, "pk", None), own=acts)
        answer = act(Asked(request, widget, origin, granted, body, language))
    except (Refusal, DatabaseError) as exc:
        code = exc.code if isinstance(exc, Refusal) else "internal"
        logger.warning(
            "%s: %s. widget=%.60r origin=%.100r",
            refused,
            code,
            slug,
            str(origin),
        )
        words = exc.words if isinstance(exc, Refusal) else ""
        return refusal(code, language, cors, words)
    return JsonResponse(answer, headers=cors)


def _open(asked: Asked) -> dict[str, Any]:
    wanted = asked.widget.consent_text.strip()
    if wanted and asked.request.GET.get("consent") != words_hash(wanted):
        raise Refusal("consent")
    _check_quotas(asked)
    agreed = words_hash(wanted) if wanted else ""
    granted = replace(asked.granted, consent=agreed)
    answer = _grant(replace(asked, granted=granted))
    if wanted:
        record_consent(asked.widget, _visitor(asked))
    return answer


def _feedback(asked: Asked) -> dict[str, Any]:
    if not asked.widget.feedback:
        raise Refusal("forbidden")
    if not record_feedback(asked.widget, asked.body):
        raise Refusal("invalid_field")
    return {"saved": True}


def _visitor(asked: Asked) -> Visitor:
    """Return who asks; a page of another site acts for nobody."""
    own = asked.granted.own
    user = getattr(asked.request, "user", None) if own else None
    session = getattr(asked.request, "session", None) if own else None
    session_key = getattr(session, "session_key", None) or ""
    return Visitor(
        user=str(getattr(user, "pk", None) or ""),
        session_key_hash=session_fingerprint(session_key),
        language=asked.language,
        origin=str(asked.origin),
    )


def _check_quotas(asked: Asked) -> None:
    """Say early what opening the socket would say.

    Raises:
        Refusal: If a quota is used up.
    """
    visitor = getattr(asked.request, "user", None) if asked.granted.own else None
    subject = Subject(
        user=visitor or AnonymousUser(),
        address=_address(asked.request),
        widget_id=asked.widget.pk,
        site_id=asked.granted.site_id,
        provider_id=asked.widget.provider_id,
        language=asked.language,
        # Whether it is resumed is known to the socket alone.
        resumed=True,
    )
    try:
        quotas.check(subject)
    except QuotaUsedUp as exc:
        raise Refusal("limit", exc.words) from None


def _grant(asked: Asked) -> dict[str, Any]:
    """Return the token and where to use it.

    A page that comes back takes the place that its conversation has, so none has to
    be free; the socket sees to that.

    Raises:
        Refusal: If there is no place now, or the provider's key is not set.
    """
    conf, request, granted = get_conf(), asked.request, asked.granted
    visitor = getattr(request, "user", None)
    user = str(getattr(visitor, "pk", None) or "") if granted.own else ""
    session = getattr(request, "session", None)
    session_key = getattr(session, "session_key", None) or ""
    binding = Binding(asked.widget.slug, str(asked.origin), user, session_key)
    bound = binding if granted.own else binding.anonymous()
    limits = session_limits(
        conf, widget=asked.widget.slug, user=user, address=_address(request)
    )
    try:
        if not sessions_of(asked.body.get("resume"), bound, granted.site_id):
            counters.check(limits)
            places.check(limits)
        connect_widget(asked.widget)
    except AdmissionRefused as exc:
        full = exc.close_code == CloseCode.LIMIT
        raise Refusal("limit" if full else "internal") from None
    except UpstreamError as exc:
        raise Refusal(exc.code) from None
    return {
        "token": issue_token(binding, granted),
        "url": _socket_url(request, asked.widget.slug),
        "protocol": PROTOCOL,
        "expires_in_s": int(conf.TOKEN_TTL_S),
    }


def _limit_rate(request: HttpRequest) -> None:
    per_minute = get_conf().OPENS_PER_MINUTE_PER_IP
    if not opens.take(_address(request), per_minute, time.monotonic()):
        raise Refusal("limit")


def _address(request: HttpRequest) -> str:
    forwarded = request.headers.get("x-forwarded-for", "")
    peer = request.META.get("REMOTE_ADDR") or ""
    hops = [forwarded] if forwarded else []
    return client_address(peer, hops, get_conf().TRUSTED_PROXIES)


def _body(request: HttpRequest) -> dict[str, Any]:
    """Return the bounded JSON body."""
    length = request.headers.get("content-length", "")
    if not length.isdigit() or int(length) > BODY_BYTES:
        raise Refusal("bad_message")
    if request.content_type != "application/json":
        raise Refusal("bad_message")
    try:
        return dict(parse_object(request.body))
    except ProtocolError:
        raise Refusal("bad_message") from None


def _socket_url(request: HttpRequest, slug: str) -> str:
    """Return the socket's address beside this one, wherever the app is mounted."""
    own_path = reverse("realtime_widget:session", kwargs={"slug": slug})
    mount = own_path.removesuffix(f"widgets/{slug}/session")
    scheme = "wss" if request.is_secure() else "ws"
    return f"{scheme}://{request.get_host()}{mount}ws/{slug}/"


@never_cache
async def health(_request: HttpRequest) -> JsonResponse:
    """Tell whether this process can take sessions; no secrets, no upstream call.

    Status 503 when the database does not answer and while the process stops. Without
    its channel layer a process still takes sessions, so a balancer must not take it
    away: that is ``degraded`` with status 200. A site that has no layer has
    ``channel_layer`` null. Who is asked so regularly also ends what dead processes
    left open.
    """
    database, layer = await asyncio.gather(_database_answers(), _layer_answers())
    if drain.draining:
        status = "draining"
    elif not database:
        status = "failing"
    else:
        status = "degraded" if layer is False else "ok"
    answer = {
        "status": status,
        "database": database,
        "channel_layer": layer,
    }
    takes_sessions = status in ("ok", "degraded")
    return JsonResponse(answer, status=200 if takes_sessions else 503)


async def _database_answers() -> bool:
    try:
        async with asyncio.timeout(HEALTH_TIMEOUT_S):
            lost = await health_pool.run(_ask_database)
    except (DatabaseError, TimeoutError):
        return False
    current_writer().tell_lost(lost)
    return True


def _ask_database() -> list[Ended]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return look_for_lost()


async def _layer_answers() -> bool | None:
    """Send a message through the layer to ourselves."""
    layer = get_channel_layer()
    if layer is None:
        return None
    try:
        async with asyncio.timeout(HEALTH_TIMEOUT_S):
            channel = await layer.new_channel()
            await layer.send(channel, {"type": "realtime.health"})
            await layer.receive(channel)
    except Exception:
        # Each layer raises errors of its own library.
        logger.warning("The channel layer does not answer")
        return False
    return True
