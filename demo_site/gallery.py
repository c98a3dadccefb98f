"""The gallery: every look by light and by dark, every form on a page of its own."""

from __future__ import annotations

import copy
from typing import Any, Final

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import translation
from django.utils.safestring import SafeString
from django.views.decorators.clickjacking import xframe_options_exempt
from django.views.decorators.http import require_safe

from realtime_widget.configs import find_widget
from realtime_widget.models import Widget
from realtime_widget.rendering import current_site, page_nonce, widget_html

SHOWN: Final = "support"
# What is shown of each look: its words, and what it changes in the row.
SHOWINGS: Final[tuple[tuple[str, dict[str, Any]], ...]] = (
    ("light", {"theme": "light"}),
    ("dark", {"theme": "dark"}),
    ("with an orb", {"figure": "orb"}),
)
# The demo's own picture and buttons would hide the looks' colours; and of so many
# widgets of one slug none could tell which of them a conversation goes on in.
BARE: Final = {
    "auto_start": False,
    "avatar": None,
    "buttons": None,
    "resume_across_pages": False,
}
# Name -> what it is called, and what it changes in the row.
FORMS: Final[dict[str, tuple[str, dict[str, Any]]]] = {
    "bubble": ("In a corner, closed", {"form": "floating"}),
    "compact": (
        "In a corner, a bar with its title",
        {"form": "floating", "launcher": "compact", "look": "ocean"},
    ),
    "full": (
        "In a corner, open",
        {"form": "floating", "launcher": "full", "dismissible": True, "look": "berry"},
    ),
    "page": ("The whole page", {"form": "page", "look": "paper", "figure": "orb"}),
    "classic": ("Picture above two buttons", {"skin": "classic", "captions": False}),
    "orb": ("An orb for a picture", {"figure": "orb", "look": "ocean"}),
    "text": ("Text only", {"text_only": True, "look": "contrast"}),
    "headless": ("Not seen: the page's own buttons", {"form": "headless"}),
}


@require_safe
def gallery(request: HttpRequest) -> HttpResponse:
    """Show all looks, and a frame for each form."""
    with translation.override("en"):
        looks = [
            {
                "name": look,
                "label": label,
                # Each has a name of its own: a page's regions must differ by name.
                "widgets": [
                    _shown(
                        request, look=look, title=f"{look.title()}, {words}", **changes
                    )
                    for words, changes in SHOWINGS
                ],
            }
            for look, label in Widget.Look.choices
        ]
        forms = [(name, label) for name, (label, _changes) in FORMS.items()]
        context = {"looks": looks, "forms": forms}
        return render(request, "demo_site/gallery.html", context)


@require_safe
@xframe_options_exempt
def gallery_form(request: HttpRequest, name: str) -> HttpResponse:
    """Show one form; the gallery holds it in a frame."""
    if name not in FORMS:
        raise Http404
    label, changes = FORMS[name]
    with translation.override("en"):
        widget = _shown(request, **changes)
        context = {"label": label, "name": name, "widget": widget}
        answer = render(request, "demo_site/gallery_form.html", context)
    framed = {**settings.SECURE_CSP, "frame-ancestors": ["'self'"]}
    answer.headers["Content-Security-Policy"] = "; ".join(
        f"{directive} {' '.join(sources)}" for directive, sources in framed.items()
    )
    return answer


def _shown(request: HttpRequest, **changes: Any) -> SafeString:
    """Return the demo's widget as it would be with other values in its row."""
    widget = find_widget(SHOWN, current_site(request))
    if widget is None:
        raise Http404
    changed = copy.copy(widget)
    for name, value in {**BARE, **changes}.items():
        setattr(changed, name, value)
    return widget_html(changed, request=request, nonce=page_nonce(None, request))
