"""Opening a session, and health: the app's two HTTP addresses."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import Any

from channels.layers import get_channel_layer
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from realtime_widget.admission import (
    Binding,
    Origin,
    Pass,
    issue_token,
    origin_allowed,
    parse_origin,
)
from realtime_widget.conf import get_conf
from realtime_widget.connectors import make_connect
from realtime_widget.exceptions import AdmissionRefused, ProtocolError, UpstreamError
from realtime_widget.models import Widget
from realtime_widget.page_requests import (
    Refusal,
    own_origin,
    preflight,
    refusal,
    wanted_widget,
)
from realtime_widget.protocol.bounded_json import parse_object
from realtime_widget.protocol.browser import PROTOCOL
from realtime_widget.quotas import client_address, counters, opens, session_limits
from realtime_widget.rendering import current_site
from realtime_widget.threads import row_pool

logger = logging.getLogger(__name__)

BODY_BYTES = 4_096
HEALTH_TIMEOUT_S = 3.0


# CSRF: the Origin header is required and compared whole, which a form of another
# site cannot forge; a cookie would keep pages from being cached.
@csrf_exempt
@never_cache
@require_http_methods(["POST", "OPTIONS"])
def open_session(request: HttpRequest, slug: str) -> HttpResponse:
    """Give the page a token for one session, or tell it why not.

    Answers ``{"token", "url", "protocol", "expires_in_s"}``, or
    ``{"error": {"code", "message", "retryable"}}``.
    """
    origin = parse_origin(request.headers.get("origin", ""))
    language = ""
    cors: dict[str, str] = {"Vary": "Origin"}
    try:
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
        language = _language(request)
        granted = Pass(getattr(site, "pk", None), own=origin == own)
        answer = _grant(request, widget, origin, granted)
    except (Refusal, DatabaseError) as exc:
        code = exc.code if isinstance(exc, Refusal) else "internal"
        logger.warning(
            "Session not opened: %s. widget=%.60r origin=%.100r",
            code,
            slug,
            str(origin),
        )
        return refusal(code, language, cors)
    return JsonResponse(answer, headers=cors)


def _grant(
    request: HttpRequest, widget: Widget, origin: Origin, granted: Pass
) -> dict[str, Any]:
    """Return the token and where to use it.

    Raises:
        Refusal: If there is no place now, or the provider's key is not set.
    """
    conf = get_conf()
    visitor = getattr(request, "user", None)
    user = str(getattr(visitor, "pk", None) or "") if granted.own else ""
    limits = session_limits(
        conf, widget=widget.slug, user=user, address=_address(request)
    )
    try:
        counters.acquire(limits).release()
        make_connect(widget.provider)
    except AdmissionRefused:
        raise Refusal("limit") from None
    except UpstreamError as exc:
        raise Refusal(exc.code) from None
    session = getattr(request, "session", None)
    session_key = getattr(session, "session_key", None) or ""
    binding = Binding(widget.slug, str(origin), user, session_key)
    return {
        "token": issue_token(binding, granted),
        "url": _socket_url(request, widget.slug),
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


def _language(request: HttpRequest) -> str:
    """Return the language the page asks for, from the bounded JSON body."""
    length = request.headers.get("content-length", "")
    if not length.isdigit() or int(length) > BODY_BYTES:
        raise Refusal("bad_message")
    if request.content_type != "application/json":
        raise Refusal("bad_message")
    try:
        body = parse_object(request.body)
    except ProtocolError:
        raise Refusal("bad_message") from None
    language = body.get("language", "")
    return language if isinstance(language, str) else ""


def _socket_url(request: HttpRequest, slug: str) -> str:
    """Return the socket's address beside this one, wherever the app is mounted."""
    own_path = reverse("realtime_widget:session", kwargs={"slug": slug})
    mount = own_path.removesuffix(f"widgets/{slug}/session")
    scheme = "wss" if request.is_secure() else "ws"
    return f"{scheme}://{request.get_host()}{mount}ws/{slug}/"


@never_cache
async def health(_request: HttpRequest) -> JsonResponse:
    """Tell whether this process can take sessions; no secrets, no upstream call.

    Status 503 when the database or the channel layer does not answer. A site
    without a channel layer has ``channel_layer`` null and is healthy.
    """
    database, layer = await asyncio.gather(_database_answers(), _layer_answers())
    healthy = database and layer is not False
    answer = {
        "status": "ok" if healthy else "failing",
        "database": database,
        "channel_layer": layer,
    }
    return JsonResponse(answer, status=200 if healthy else 503)


async def _database_answers() -> bool:
    try:
        async with asyncio.timeout(HEALTH_TIMEOUT_S):
            await row_pool.run(_select_one)
    except (DatabaseError, TimeoutError):
        return False
    return True


def _select_one() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


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
