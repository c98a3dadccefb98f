"""The HTML of the tag, once for every template language.

``templatetags/realtime_widget.py`` and ``jinja.py`` only find the request and the
nonce in their kind of context and call ``render_widget``.
"""

from __future__ import annotations

import itertools
import json
import logging
from typing import Any, Final

from django.conf import settings
from django.contrib.sites.shortcuts import get_current_site
from django.core.exceptions import ObjectDoesNotExist
from django.http import HttpRequest
from django.template import TemplateSyntaxError
from django.templatetags.static import static
from django.utils.html import format_html, json_script
from django.utils.safestring import SafeString, mark_safe

from realtime_widget import __version__
from realtime_widget.configs import find_widget, public_config
from realtime_widget.configs.lookup import widgets_on
from realtime_widget.models import Widget

logger = logging.getLogger(__name__)

MODULE: Final = "realtime_widget/realtime-widget.js"
# Keeps the widget's place until the module has built it.
STYLES: Final = "realtime_widget/realtime-widget.css"
HIDDEN: Final = mark_safe("<!-- realtime-widget: not available here -->")
REQUEST_ATTRIBUTE: Final = "_realtime_widget_tags"
# In the query of a session's address: the page asks for nobody.
ANONYMOUS: Final = "anonymous"
# Without a request nothing tells one page from the next: then ids never repeat.
_numbers = itertools.count(1)


def render_widget(
    slug: str,
    *,
    request: HttpRequest | None = None,
    nonce: object = None,
    script: bool | None = None,
) -> SafeString:
    """Return the HTML of a widget.

    Args:
        slug: The widget's slug.
        request: The page's request: decides the site, counts the tags of a page.
        nonce: The page's CSP nonce; None for none.
        script: Whether to bring the style sheet and the module script along; None for
            the first tag of a page only. Set it where a piece of the page is cached by
            itself.

    Returns:
        The element, its configuration, its style sheet and its script; a comment when
        the widget cannot be shown and ``DEBUG`` is off.

    Raises:
        TemplateSyntaxError: In ``DEBUG``, when the widget cannot be shown.
    """
    site = current_site(request)
    widget = find_widget(slug, site)
    if widget is None:
        return _missing(slug, site)
    return widget_html(widget, request=request, nonce=nonce, script=script)


def widget_html(
    widget: Widget,
    *,
    request: HttpRequest | None = None,
    nonce: object = None,
    script: bool | None = None,
) -> SafeString:
    """Return the HTML of a widget that is at hand; see ``render_widget``."""
    return _html(public_config(widget), request=request, nonce=nonce, script=script)


def _html(
    config: dict[str, Any],
    *,
    request: HttpRequest | None,
    nonce: object,
    script: bool | None,
) -> SafeString:
    number = _next_number(request)
    config_id = f"realtime-widget-{config['slug']}-{number}"
    element = format_html(
        '<realtime-widget slug="{}" config="{}" form="{}" lang="{}" dir="{}">'
        "<p>{}</p></realtime-widget>",
        config["slug"],
        config_id,
        config["form"],
        config["language"],
        config["dir"],
        config["texts"]["no_javascript"],
    )
    data = json_script(config, config_id)
    with_script = script if script is not None else request is None or number == 1
    if not with_script:
        return format_html("{}\n{}", element, data)
    # Before the element: what follows a style sheet is painted after it has come.
    styles, module = _style_link(nonce), _module_script(nonce)
    return format_html("{}\n{}\n{}\n{}", styles, element, data, module)


def frame_html(widget: Widget, *, request: HttpRequest) -> SafeString:
    """Return a whole document that holds nothing but a widget, for an iframe.

    Whatever the row says, it fills the frame. Its sessions act for nobody: the page
    around decides what is pressed, so it must not press as the visitor.
    """
    widget.form = Widget.Form.PAGE
    config = public_config(widget)
    config["sessionUrl"] += f"?{ANONYMOUS}=1"
    return format_html(
        '<!doctype html>\n<html lang="{}" dir="{}">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="robots" content="noindex">\n<title>{}</title>\n</head>\n'
        "<body>\n{}\n</body>\n</html>\n",
        config["language"],
        config["dir"],
        config["title"],
        _html(config, request=request, nonce=None, script=True),
    )


def embed_module(slug: str = "") -> str:
    """Return the module script that defines the element on a page of another site.

    A path in it is one of the site it was loaded from, whatever page loads it.

    Args:
        slug: Of a widget that the script adds to the page's end; "" for none.
    """
    lines = [
        f"/* django-realtime-widget {__version__} */",
        f"import {json.dumps(static(MODULE))};",
    ]
    if slug:
        source = json.dumps(f"widgets/{slug}/config")
        lines += [
            'const widget = document.createElement("realtime-widget");',
            f'widget.setAttribute("src", new URL({source}, import.meta.url).href);',
            "document.body.append(widget);",
        ]
    return "\n".join([*lines, ""])


def page_nonce(in_context: object, request: HttpRequest | None) -> object:
    """Return the page's CSP nonce from wherever the site keeps it, else None.

    Args:
        in_context: ``csp_nonce`` of the template's context.
        request: The page's request.

    Django 6 puts ``csp_nonce`` into the context by a context processor and keeps it on
    the request; django-csp keeps ``csp_nonce`` on the request. Both are lazy and
    false until they are written out for the first time.
    """
    candidates = (
        in_context,
        getattr(request, "csp_nonce", None),
        getattr(request, "_csp_nonce", None),
    )
    return next((nonce for nonce in candidates if nonce is not None), None)


def current_site(request: HttpRequest | None) -> Any:
    """Return the site a page belongs to, None when it is not known."""
    try:
        return get_current_site(request)
    except (ObjectDoesNotExist, AttributeError):
        return None


def _next_number(request: HttpRequest | None) -> int:
    if request is None:
        return next(_numbers)
    number: int = getattr(request, REQUEST_ATTRIBUTE, 0) + 1
    setattr(request, REQUEST_ATTRIBUTE, number)
    return number


def _style_link(nonce: object) -> SafeString:
    return format_html(
        '<link rel="stylesheet" href="{}"{}>', static(STYLES), _nonce_attribute(nonce)
    )


def _module_script(nonce: object) -> SafeString:
    return format_html(
        '<script type="module" src="{}"{}></script>',
        static(MODULE),
        _nonce_attribute(nonce),
    )


def _nonce_attribute(nonce: object) -> SafeString:
    value = "" if nonce is None else str(nonce)
    return format_html(' nonce="{}"', value) if value else mark_safe("")


def _missing(slug: str, site: Any) -> SafeString:
    if settings.DEBUG:
        raise TemplateSyntaxError(_why_missing(slug, site))
    logger.warning("No widget to show on this site. slug=%.60r", str(slug))
    return HIDDEN


def _why_missing(slug: str, site: Any) -> str:
    known = ", ".join(widgets_on(site).values_list("slug", flat=True)) or "none yet"
    widget = Widget.objects.filter(slug=slug).first()
    if widget is None:
        why = "There is no widget of this slug"
    elif not widget.enabled:
        why = "The widget is switched off"
    else:
        why = f"The widget is not shown on the site {site}"
    return f"realtime_widget {slug!r}: {why}. Widgets on this site: {known}."
