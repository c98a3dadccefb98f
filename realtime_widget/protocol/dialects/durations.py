"""Lengths of time as the preview's description types them: texts."""

from __future__ import annotations

import re
from typing import Any, Final

_ISO: Final = re.compile(r"PT(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?")
_MS: Final = re.compile(r"(\d+)(?:\s*ms)?")


def duration_ms(value: Any) -> Any:
    """Return a length in ms; what is no length stays as it is, to be refused.

    Args:
        value: Milliseconds as a number or a text (``500``, ``"500"``, ``"500ms"``), or
            an ISO 8601 duration (``"PT0.5S"``).
    """
    if not isinstance(value, str):
        return value
    if plain := _MS.fullmatch(value):
        return int(plain[1])
    iso = _ISO.fullmatch(value)
    if iso is None or not (iso[1] or iso[2]):
        return value
    return int(iso[1] or 0) * 60_000 + round(float(iso[2] or 0) * 1_000)
