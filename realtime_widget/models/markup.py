"""HTML and SVG that an editor may type, by an allow-list.

Two steps, because neither alone is enough: what is not allowed is named and
refused in the form, and what reaches a page has been through nh3 whatever way it
got into the row.
"""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any, Final

import nh3
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

MAX_MARKUP_CHARS: Final = 20_000

# Words in one string: as lists they would take three pages.
_SHAPE: Final = frozenset(
    "fill fill-opacity fill-rule stroke stroke-width stroke-opacity stroke-linecap stroke-linejoin"  # noqa: SIM905
    " stroke-miterlimit stroke-dasharray stroke-dashoffset clip-rule opacity transform color"
    " vector-effect class role aria-hidden aria-label focusable".split()
)
SVG_ATTRIBUTES: Final[dict[str, set[str]]] = {
    "svg": {
        *_SHAPE,
        "xmlns",
        "viewBox",
        "width",
        "height",
        "preserveAspectRatio",
        "version",
    },
    "g": {*_SHAPE},
    "path": {*_SHAPE, "d", "pathLength"},
    "rect": {*_SHAPE, "x", "y", "width", "height", "rx", "ry"},
    "circle": {*_SHAPE, "cx", "cy", "r"},
    "ellipse": {*_SHAPE, "cx", "cy", "rx", "ry"},
    "line": {*_SHAPE, "x1", "y1", "x2", "y2"},
    "polyline": {*_SHAPE, "points"},
    "polygon": {*_SHAPE, "points"},
    "text": {*_SHAPE, "x", "y", "dx", "dy", "text-anchor", "font-size", "font-weight"},
    "tspan": {*_SHAPE, "x", "y", "dx", "dy"},
    "title": set(),
    "desc": set(),
}
_HTML_ATTRIBUTES: Final = frozenset(
    "class role title dir lang aria-hidden aria-label".split()  # noqa: SIM905
)
HTML_ATTRIBUTES: Final[dict[str, set[str]]] = {
    tag: set(_HTML_ATTRIBUTES)
    for tag in "div span p b strong i em small br hr ul ol li section progress".split()  # noqa: SIM905
} | SVG_ATTRIBUTES
# Left out without a word: harmless, and drawing programs write them into every file.
QUIETLY_DROPPED: Final = frozenset(
    {"id", "xml:space", "data-name", "enable-background"}
)


def clean_svg(markup: str) -> str:
    """Return the drawing with nothing in it that could run or load something."""
    return _clean(markup, SVG_ATTRIBUTES)


def clean_html(markup: str) -> str:
    """Return the markup with nothing in it that could run or load something."""
    return _clean(markup, HTML_ATTRIBUTES)


def _clean(markup: str, allowed: dict[str, set[str]]) -> str:
    return nh3.clean(
        markup,
        tags=set(allowed),
        attributes=allowed,
        clean_content_tags={
            "script",
            "style",
            "iframe",
            "foreignObject",
            "template",
            "math",
        }
        - set(allowed),
        attribute_filter=_filter_attribute,
        link_rel=None,
        url_schemes=set(),
        strip_comments=True,
    ).strip()


def _filter_attribute(_tag: str, name: str, value: str) -> str | None:
    return None if is_unsafe_value(name, value) else value


def is_unsafe_value(name: str, value: str) -> bool:
    """Return whether an attribute's value could load or run something."""
    squeezed = "".join(value.split()).lower()
    if name == "xmlns":
        return squeezed != "http://www.w3.org/2000/svg"
    return any(
        sign in squeezed for sign in ("url(", "//", "javascript:", "data:", "\\")
    )


def validate_svg(markup: str) -> None:
    """Refuse a text that is not one harmless SVG drawing, saying why."""
    finder = _find_refused(markup, SVG_ATTRIBUTES)
    if finder.tags[:1] != ["svg"] or finder.has_outer_text or not clean_svg(markup):
        raise ValidationError(
            _("Enter one drawing that begins with <svg and ends with </svg>."),
            code="svg",
        )


def validate_html(markup: str) -> None:
    """Refuse markup outside the allow-list, saying what it is."""
    _find_refused(markup, HTML_ATTRIBUTES)


def _find_refused(markup: str, allowed: dict[str, set[str]]) -> _Finder:
    if len(markup) > MAX_MARKUP_CHARS:
        raise ValidationError(
            _("This is longer than 20,000 characters."), code="markup_long"
        )
    finder = _Finder(allowed)
    finder.feed(markup)
    finder.close()
    if finder.refused:
        raise ValidationError(
            _("Not allowed here, please take it out: %(parts)s."),
            code="markup",
            params={"parts": ", ".join(dict.fromkeys(finder.refused[:8]))},
        )
    return finder


class _Finder(HTMLParser):
    """Names what the allow-list does not hold; nh3 only drops it silently."""

    def __init__(self, allowed: dict[str, set[str]]) -> None:
        super().__init__(convert_charrefs=True)
        self._allowed = {
            tag.lower(): {name.lower() for name in names}
            for tag, names in allowed.items()
        }
        self.tags: list[str] = []
        self.refused: list[str] = []
        self.has_outer_text = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag not in self._allowed:
            self.refused.append(f"<{tag}>")
            return
        for name, value in attrs:
            if name in QUIETLY_DROPPED or name.startswith("xmlns:"):
                continue
            if name not in self._allowed[tag] or is_unsafe_value(name, value or ""):
                self.refused.append(f"{name}=“…”")

    def handle_data(self, data: str) -> None:
        if not self.tags and data.strip():
            self.has_outer_text = True

    def unknown_decl(self, data: str) -> None:
        self.refused.append("<![…")

    def handle_pi(self, data: str) -> Any:
        self.refused.append("<?…")
