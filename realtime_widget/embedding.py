"""The look of a widget for pages of other sites: a script, a configuration, a frame.

All are public and hold nothing of a visitor. A page opens its session as every
other does, see ``views.open_session``.
"""

from __future__ import annotations

import hashlib
import logging
import re
from typing import Any, Final
from urllib.parse import urlsplit

from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.templatetags.static import static
from django.utils import translation
from django.utils.cache import get_conditional_response
from django.views.decorators.clickjacking import xframe_options_exempt
from django.views.decorators.http import require_http_methods, require_safe

from realtime_widget.configs import public_config, with_absolute_addresses
from realtime_widget.messages import best_language
from realtime_widget.models import Widget
from realtime_widget.models.addresses import is_origin
from realtime_widget.page_requests import (
    Refusal,
    foreign_origin,
    preflight,
    refusal,
    wanted_widget,
)
from realtime_widget.rendering import (
    MODULE,
    current_site,
    embed_module,
    frame_html,
)

logger = logging.getLogger(__name__)

# An editor's change is seen after a minute; a new version of the package after an hour.
CONFIG_S = 60
SCRIPT_S = 3_600
SLUG: Final = re.compile(r"[-\w]{1,50}", re.ASCII)


@require_http_methods(["GET", "HEAD", "OPTIONS"])
def widget_config(request: HttpRequest, slug: str) -> HttpResponse:
    """Give a page the public configuration of a widget, or tell it why not.

    A page of an allowed other site may read it, and gets absolute addresses. The
    words are in the language of ``?lang=``, else in the active one.
    """
    language = request.GET.get("lang", "")
    cors = {"Vary": "Origin"}
    try:
        widget = wanted_widget(slug, current_site(request))
        origin = foreign_origin(request, widget)
        if origin is not None:
            cors["Access-Control-Allow-Origin"] = str(origin)
        if request.method == "OPTIONS":
            return HttpResponse(status=204, headers={**cors, **preflight("GET")})
        config = _config(request, widget, language, absolute=origin is not None)
    except (Refusal, DatabaseError) as exc:
        code = exc.code if isinstance(exc, Refusal) else "internal"
        logger.warning(
            "Configuration not given: %s. widget=%.60r origin=%.100r",
            code,
            slug,
            request.headers.get("origin"),
        )
        return refusal(code, language, {**cors, "Cache-Control": "no-store"})
    # The active language may hang on a cookie, which shared caches do not look at.
    scope = "public" if language else "private"
    cors["Cache-Control"] = f"{scope}, max-age={CONFIG_S}"
    cors["Content-Language"] = config["language"]
    return _unless_known(request, JsonResponse(config), cors)


@require_safe
def embed_script(request: HttpRequest) -> HttpResponse:
    """Give the module script that brings the element to a page of any site.

    With ``?widget=<slug>`` it also puts that widget at the end of the page.
    """
    asked = request.GET.get("widget", "")
    if asked and not SLUG.fullmatch(asked):
        return refusal("no_widget", "", {"Cache-Control": "no-store"})
    answer = HttpResponse(
        embed_module(asked), content_type="text/javascript; charset=utf-8"
    )
    headers = {
        "Access-Control-Allow-Origin": "*",
        "Cache-Control": f"public, max-age={SCRIPT_S}",
    }
    return _unless_known(request, answer, headers)


@require_safe
@xframe_options_exempt
def widget_frame(request: HttpRequest, slug: str) -> HttpResponse:
    """Show a widget alone, in an iframe of this site or of a page it allows.

    Its own policy says who may frame it, so the site's may go on refusing frames.
    """
    language = request.GET.get("lang", "")
    try:
        widget = wanted_widget(slug, current_site(request))
    except (Refusal, DatabaseError) as exc:
        code = exc.code if isinstance(exc, Refusal) else "internal"
        logger.warning("Frame not given: %s. widget=%.60r", code, slug)
        return refusal(code, language, {"Cache-Control": "no-store"})
    active = best_language(language) if language else translation.get_language()
    with translation.override(active):
        answer = HttpResponse(frame_html(widget, request=request))
    answer.headers["Content-Security-Policy"] = _frame_policy(widget)
    answer.headers["Cache-Control"] = "private, no-cache"
    return answer


def _frame_policy(widget: Widget) -> str:
    """Return what a frame may load, and which pages may hold it."""
    avatar = widget.avatar.image.url if widget.avatar and widget.avatar.image else ""
    hosts = {
        f"{parts.scheme}://{parts.netloc}"
        for parts in map(urlsplit, (static(MODULE), avatar))
        if parts.scheme and parts.netloc
    }
    around = filter(is_origin, widget.allowed_origins)
    return "; ".join(
        [
            " ".join(["default-src 'self'", *sorted(hosts)]),
            "base-uri 'none'",
            "form-action 'none'",
            "object-src 'none'",
            " ".join(["frame-ancestors 'self'", *around]),
        ]
    )


def _config(
    request: HttpRequest, widget: Widget, language: str, *, absolute: bool
) -> dict[str, Any]:
    config = public_config(widget, language=language)
    if not absolute:
        return config
    return with_absolute_addresses(config, request.build_absolute_uri)


def _unless_known(
    request: HttpRequest, answer: HttpResponse, headers: dict[str, str]
) -> HttpResponse:
    """Return the answer, or 304 where the browser has it already.

    The headers are on both: a browser may judge by either whether a page may read.
    """
    etag = f'"{hashlib.sha256(answer.content).hexdigest()[:32]}"'
    known = get_conditional_response(request, etag=etag, response=answer)
    result = known or answer
    for name, value in {**headers, "ETag": etag}.items():
        result.headers[name] = value
    return result
