"""A whole style sheet that an editor may type, for the inside of the element.

Rules and ``@keyframes`` only, each declaration by the allow-list of ``styles``; in
the shadow root of the element nothing of it reaches the page around. What is not
allowed is named and refused in the form, and what reaches a page is written anew
from the allowed parts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from realtime_widget.models.styles import kebab_case, why_not_style

MAX_SHEET_CHARS: Final = 20_000

COMMENT: Final = re.compile(r"/\*.*?\*/", re.DOTALL)
PIECE: Final = re.compile(r"[^{};]*[{};]")
# No backslash, no "<": neither an escape nor an end of an element can be spelled.
SELECTOR: Final = re.compile(r"[\w\s.#:>+~*,()\[\]=\"'-]{1,300}", re.ASCII)
KEYFRAMES: Final = re.compile(r"@keyframes\s+([a-zA-Z][\w-]{0,60})", re.ASCII)
STEP: Final = re.compile(
    r"(?:from|to|\d{1,3}(?:\.\d+)?%)(?:\s*,\s*(?:from|to|\d{1,3}(?:\.\d+)?%))*"
)
ANIMATION: Final = re.compile(
    r"animation(-(name|duration|delay|timing-function|iteration-count|direction"
    r"|fill-mode|play-state))?"
)


@dataclass(slots=True)
class _Sheet:
    """What was read: the allowed text, and what was refused."""

    text: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)


def safe_stylesheet(css: object) -> str:
    """Return the allowed rules of a sheet, one a line; "" for what is no text."""
    if not isinstance(css, str) or len(css) > MAX_SHEET_CHARS:
        return ""
    return "\n".join(_read(css).text)


def validate_stylesheet(css: str) -> None:
    """Refuse a sheet with anything outside the allow-list, naming it."""
    if len(css) > MAX_SHEET_CHARS:
        raise ValidationError(
            _("This is longer than 20,000 characters."), code="stylesheet_long"
        )
    refused = _read(css).refused
    if refused:
        raise ValidationError(
            _("Not allowed here, please take it out: %(parts)s."),
            code="stylesheet",
            params={"parts": ", ".join(dict.fromkeys(refused[:8]))},
        )


def refused_parts(css: str) -> list[str]:
    """Return what of a sheet would not reach a page."""
    return list(dict.fromkeys(_read(css[:MAX_SHEET_CHARS]).refused))


def _read(css: str) -> _Sheet:
    sheet = _Sheet()
    pieces = iter(PIECE.findall(COMMENT.sub(" ", css) + ";"))
    for piece in pieces:
        head, end = piece[:-1].strip(), piece[-1]
        if end != "{":
            if head or end == "}":
                sheet.refused.append(f"“{head[:40] or end}”")
            continue
        frames = KEYFRAMES.fullmatch(head)
        if frames:
            _frames(frames[1], pieces, sheet)
        elif not head.startswith("@") and SELECTOR.fullmatch(head):
            _rule(head, pieces, sheet)
        else:
            sheet.refused.append(f"“{head[:40]}”")
            _skip(pieces)
    return sheet


def _frames(name: str, pieces: Iterator[str], sheet: _Sheet) -> None:
    steps = _Sheet(refused=sheet.refused)
    for piece in pieces:
        head, end = piece[:-1].strip(), piece[-1]
        if end == "{" and STEP.fullmatch(head):
            _rule(head, pieces, steps)
        elif end == "{":
            sheet.refused.append(f"“{head[:40]}”")
            _skip(pieces)
        elif head:
            sheet.refused.append(f"“{head[:40]}”")
        if end == "}":
            break
    if steps.text:
        sheet.text.append(f"@keyframes {name} {{ {' '.join(steps.text)} }}")


def _rule(selector: str, pieces: Iterator[str], sheet: _Sheet) -> None:
    declarations = []
    for piece in pieces:
        head, end = piece[:-1].strip(), piece[-1]
        if end == "{":
            sheet.refused.append(f"“{head[:40]}”")
            _skip(pieces)
            continue
        if head:
            name, colon, value = (part.strip() for part in head.partition(":"))
            if colon and not _why_not(name, value):
                declarations.append(f"{kebab_case(name)}: {value}")
            else:
                sheet.refused.append(f"“{head[:40]}”")
        if end == "}":
            break
    if declarations:
        sheet.text.append(
            f"{' '.join(selector.split())} {{ {'; '.join(declarations)} }}"
        )


def _why_not(name: str, value: str) -> object:
    # An animation needs keyframes, which only a sheet can hold.
    as_if = "transition" if ANIMATION.fullmatch(name) else name
    return why_not_style(as_if, value)


def _skip(pieces: Iterator[str]) -> None:
    """Leave out a block and what stands in it."""
    depth = 1
    for piece in pieces:
        depth += {"{": 1, "}": -1}.get(piece[-1], 0)
        if not depth:
            return
