"""CSS that an editor may type: a JSON object of property and value.

The page sets each property through the CSS object model, so a value cannot leave
its declaration; what is refused here are properties and functions that load
something, run something or lay the widget over the rest of the page.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

MAX_VALUE_CHARS: Final = 300
MAX_PROPERTIES: Final = 60
MOUSE_STATES: Final = ("default", "hover", "click")
BUTTON_PARTS: Final = ("container", "svg", "text")

_FAMILIES: Final = (
    r"(min-|max-)?(width|height|inline-size|block-size)",
    r"(margin|padding)(-(top|right|bottom|left|inline|block)(-(start|end))?)?",
    r"inset(-(inline|block)(-(start|end))?)?|top|right|bottom|left",
    r"border(-(top|right|bottom|left|inline|block)(-(start|end))?)?(-(width|style|color))?",
    r"border-(collapse|spacing|(top|bottom)-(left|right)-radius|(start|end)-(start|end)-radius|radius)",
    r"outline(-(width|style|color|offset))?",
    r"color|opacity|visibility|accent-color|caret-color|color-scheme",
    r"background(-(color|image|position|size|repeat|clip|origin))?",
    r"fill(-(opacity|rule))?|stroke(-(width|opacity|linecap|linejoin|dasharray|dashoffset))?",
    r"font(-(family|size|weight|style|stretch|variant|variant-numeric|feature-settings))?",
    r"line-height|letter-spacing|word-spacing|white-space|overflow-wrap|word-break|hyphens",
    r"text-(align|decoration(-(color|line|style|thickness))?|transform|indent|overflow|shadow)",
    r"text-(wrap|underline-offset)|vertical-align|direction|unicode-bidi|writing-mode",
    r"display|box-sizing|box-shadow|overflow(-[xy])?|float|clear|z-index|cursor|user-select",
    r"flex(-(grow|shrink|basis|direction|wrap|flow))?|order|gap|row-gap|column-gap",
    r"(justify|align|place)-(content|items|self)",
    r"grid(-(area|row|column|template|template-(areas|rows|columns)|auto-(flow|rows|columns)))?",
    r"grid-(row|column)-(start|end)|aspect-ratio|object-(fit|position)",
    r"filter|backdrop-filter|mix-blend-mode|clip-path",
    r"transform(-origin)?|translate|rotate|scale|transition(-(property|duration|delay|timing-function))?",
    r"position|list-style-type|pointer-events|will-change",
)
PROPERTY: Final = re.compile("|".join(f"(?:{family})" for family in _FAMILIES))
FUNCTIONS: Final = frozenset(
    (  # noqa: SIM905
        "rgb rgba hsl hsla hwb lab lch oklab oklch color color-mix light-dark"
        " calc min max clamp var env minmax repeat fit-content"
        " linear-gradient radial-gradient conic-gradient repeating-linear-gradient"
        " repeating-radial-gradient repeating-conic-gradient"
        " translate translatex translatey translate3d scale scalex scaley rotate skew skewx skewy"
        " matrix perspective"
        " blur brightness contrast drop-shadow grayscale hue-rotate invert opacity saturate sepia"
        " cubic-bezier steps circle ellipse inset polygon"
    ).split()
)
VALUE: Final = re.compile(r"[\w\s#%.,()+*/'\"!-]+", re.ASCII)
FUNCTION_CALL: Final = re.compile(r"([a-z][\w-]*|)\s*\(", re.ASCII | re.IGNORECASE)
POSITIONS: Final = ("static", "relative", "absolute")


def kebab_case(name: str) -> str:
    """Return ``background-color`` for ``backgroundColor``; both spellings are taken."""
    return re.sub(r"[A-Z]", lambda match: "-" + match[0].lower(), name)


def camel_case(name: str) -> str:
    """Return ``backgroundColor`` for ``background-color``."""
    return re.sub(r"-([a-z])", lambda match: match[1].upper(), name)


def validate_styles(value: Any) -> None:
    """Refuse anything but an object of allowed CSS properties and plain values."""
    if not isinstance(value, Mapping):
        raise ValidationError(
            _('Enter CSS as a JSON object, for example {"padding": "5px"}.'),
            code="styles",
        )
    if len(value) > MAX_PROPERTIES:
        raise ValidationError(_("These are too many properties."), code="styles_many")
    for name, text in value.items():
        reason = why_not_style(str(name), text)
        if reason:
            raise ValidationError(reason, code="style", params={"name": str(name)[:60]})


def why_not_style(name: str, value: Any) -> Any:
    """Return why a declaration is refused, "" when it is fine."""
    if not PROPERTY.fullmatch(kebab_case(name)):
        return _("“%(name)s” is not a CSS property that may be set here.")
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return _("“%(name)s” needs a text or a number as its value.")
    text = str(value).strip()
    if not text or len(text) > MAX_VALUE_CHARS:
        return _("“%(name)s” has an empty or a very long value.")
    # "//" would be an address, "/*" a comment that could hide a function's name.
    if not VALUE.fullmatch(text) or "//" in text or "/*" in text:
        return _("The value of “%(name)s” holds characters that are not allowed.")
    if not {call.lower() for call in FUNCTION_CALL.findall(text)} - {""} <= FUNCTIONS:
        return _(
            "The value of “%(name)s” uses a function that is not allowed, such as url()."
        )
    if name == "position" and text.lower() not in POSITIONS:
        return _("“%(name)s” may be static, relative or absolute only.")
    return ""


def validate_stateful_styles(value: Any) -> None:
    """Refuse anything but styles for the mouse states default, hover and click."""
    if not isinstance(value, Mapping) or not set(value) <= set(MOUSE_STATES):
        raise ValidationError(
            _(
                "Enter an object with “default”, “hover” and “click”, each an object of CSS."
            ),
            code="stateful_styles",
        )
    for styles in value.values():
        validate_styles(styles)


def validate_button_styles(value: Any) -> None:
    """Refuse anything but mouse states of the parts container, svg and text."""
    if not isinstance(value, Mapping) or not set(value) <= set(BUTTON_PARTS):
        raise ValidationError(
            _(
                "Enter an object with “container”, “svg” and “text”, each with the mouse states"
                " “default”, “hover” and “click”."
            ),
            code="button_styles",
        )
    for states in value.values():
        validate_stateful_styles(states)


def safe_styles(value: Any) -> dict[str, str]:
    """Return the allowed declarations, property names in camel case.

    Rows made by code may never have been validated; the page gets only this.
    """
    if not isinstance(value, Mapping):
        return {}
    return {
        camel_case(kebab_case(str(name))): str(text).strip()
        for name, text in value.items()
        if not why_not_style(str(name), text)
    }


def safe_stateful_styles(value: Any) -> dict[str, dict[str, str]]:
    """Return the allowed declarations of each mouse state."""
    if not isinstance(value, Mapping):
        return {}
    return {
        state: safe_styles(value[state]) for state in MOUSE_STATES if state in value
    }
