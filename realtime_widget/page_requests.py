"""What pages ask by HTTP: which widget, from which origin, and how they are refused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest, JsonResponse

from realtime_widget.admission import Origin, origin_allowed, parse_origin
from realtime_widget.configs import find_widget
from realtime_widget.messages import best_language, error_messages
from realtime_widget.models import Widget
from realtime_widget.protocol.browser import ERRORS

PREFLIGHT_S = 600
STATUS = {
    "bad_message": 400,
    "invalid_field": 400,
    "consent": 403,
    "origin": 403,
    "no_widget": 404,
    "limit": 429,
    "internal": 503,
    "not_configured": 503,
}


class Refusal(Exception):
    """The page does not get what it asks for.

    Attributes:
        code: Of the browser protocol's table.
        words: For the visitor, "" for those of the table.
    """

    def __init__(self, code: str, words: str = "") -> None:
        super().__init__(code)
        self.code = code
        self.words = words


def wanted_widget(slug: str, site: Any) -> Widget:
    """Return the widget a page names.

    Raises:
        Refusal: If there is none, it is switched off, or it is another site's.
    """
    widget = find_widget(slug, site)
    if widget is None:
        raise Refusal("no_widget")
    return widget


def own_origin(request: HttpRequest) -> Origin | None:
    """Return the origin of the site that is asked."""
    return parse_origin(f"{request.scheme}://{request.get_host()}")


def foreign_origin(request: HttpRequest, widget: Widget) -> Origin | None:
    """Return the origin of a page of another site that only reads.

    Browsers name no origin to a page's own site when it reads; whoever leaves it out
    gets an answer that no page of another site can look into. None for both.

    Raises:
        Refusal: If the page may not use the widget.
    """
    named = request.headers.get("origin")
    if named is None:
        return None
    origin, own = parse_origin(named), own_origin(request)
    if origin is None or not origin_allowed(origin, own, widget.allowed_origins):
        raise Refusal("origin")
    return None if origin == own else origin


def preflight(method: str, headers: str = "") -> dict[str, str]:
    """Return the headers that let a page of another site ask.

    Args:
        method: What it may ask by.
        headers: Names of the headers it may send beside the usual ones.
    """
    answer = {
        "Access-Control-Allow-Methods": method,
        "Access-Control-Max-Age": str(PREFLIGHT_S),
    }
    return {**answer, "Access-Control-Allow-Headers": headers} if headers else answer


def refusal(
    code: str, language: str, headers: Mapping[str, str], words: str = ""
) -> JsonResponse:
    """Return the answer that tells a page why not, in its language.

    Args:
        code: Of the browser protocol's table.
        language: What the page asked for, "" for the active one.
        headers: Of the answer.
        words: Instead of the table's, "" for these.
    """
    table = error_messages(best_language(language) if language else "")
    error = {
        "code": code,
        "message": words or table[code],
        "retryable": ERRORS[code].retryable,
    }
    return JsonResponse(
        {"error": error}, status=STATUS.get(code, 503), headers=dict(headers)
    )
