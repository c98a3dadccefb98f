"""What deep-chat's JSON says of the buttons, made fit for the rows."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from realtime_widget.models import Button
from realtime_widget.models.markup import clean_svg, validate_svg
from realtime_widget.models.styles import (
    BUTTON_PARTS,
    MOUSE_STATES,
    safe_stateful_styles,
)

# What drawing programs write before and into their files, and no page needs.
PREAMBLE: Final = re.compile(r"<\?xml.*?\?>|<!DOCTYPE[^>]*>|<!--.*?-->", re.DOTALL)
Note = tuple[str, Literal["taken", "changed", "left_out"], str]


@dataclass(slots=True)
class Look:
    """One button in one state, sanitised; ``notes`` say what was not."""

    kind: str
    state: str
    path: str
    svg: str = ""
    hide_icon: bool = False
    text: Any = ""
    styles: dict[str, Any] = field(default_factory=dict)
    notes: list[Note] = field(default_factory=list)


def plain_markup(markup: Any) -> str:
    """Return markup without an XML declaration, a document type and comments."""
    return PREAMBLE.sub("", markup).strip() if isinstance(markup, str) else ""


def button_looks(buttons: Mapping[str, Any]) -> Iterator[Look]:
    """Yield the looks of ``buttons.microphone`` and ``buttons.toggle``."""
    for kind in Button.Kind.values:
        states = buttons.get(kind)
        for state in Button.State.values:
            given = states.get(state) if isinstance(states, Mapping) else None
            if isinstance(given, Mapping):
                yield _look(kind, state, given)


def _look(kind: str, state: str, given: Mapping[str, Any]) -> Look:
    look = Look(kind, state, f"buttons.{kind}.{state}")
    svg, text = (_mapping(given.get(part)) for part in ("svg", "text"))
    look.text = text.get("content") or ""
    if "content" in svg:
        _icon(look, svg["content"])
    given_styles = {
        "container": given.get("container"),
        "svg": svg.get("styles"),
        "text": text.get("styles"),
    }
    for part in BUTTON_PARTS:
        if given_styles[part]:
            _styles(look, part, given_styles[part])
    return look


def _mapping(given: Any) -> Mapping[str, Any]:
    return given if isinstance(given, Mapping) else {}


def _icon(look: Look, content: Any) -> None:
    path = f"{look.path}.svg.content"
    if content == "":
        # An empty icon means the text alone; without a text the usual icon stays.
        look.hide_icon = True
        look.notes.append((path, "taken", ""))
        return
    drawing = plain_markup(content)
    try:
        validate_svg(drawing)
    except ValidationError as error:
        cleaned = clean_svg(drawing)
        look.svg = cleaned if cleaned.startswith("<svg") else ""
        outcome: Literal["changed", "left_out"] = "changed" if look.svg else "left_out"
        look.notes.append((path, outcome, " ".join(error.messages)))
        return
    look.svg = drawing
    look.notes.append((path, "taken", ""))


def _styles(look: Look, part: str, given: Any) -> None:
    path = f"{look.path}.{part if part == 'container' else part + '.styles'}"
    allowed = safe_stateful_styles(given)
    refused = [
        f"{state}.{name}"
        for state, styles in _mapping(given).items()
        for name in _mapping(styles)
        if state not in MOUSE_STATES or len(allowed.get(state, {})) < len(styles)
        if not safe_stateful_styles({state: {name: styles[name]}}).get(state)
    ]
    look.styles[part] = allowed
    if refused or not isinstance(given, Mapping):
        why = _("Not allowed here: %s.") % ", ".join(refused[:8])
        look.notes.append(
            (path, "changed" if any(allowed.values()) else "left_out", why)
        )
    else:
        look.notes.append((path, "taken", ""))
