"""JSON from a stranger, read within bounds."""

from __future__ import annotations

import json
import math
from typing import Any, Final

from realtime_widget.exceptions import ProtocolError

MAX_DEPTH: Final = 16


def parse_object(text: str | bytes, *, max_depth: int = MAX_DEPTH) -> dict[str, Any]:
    """Return the JSON object that ``text`` holds.

    The caller has checked its size. What a database cannot store (NUL, lone
    surrogates), what is no JSON (NaN, Infinity) and what is too deep is refused.

    Raises:
        ProtocolError: With code ``bad_message``; its words hold no content.
    """
    try:
        value = _DECODER.decode(text if isinstance(text, str) else text.decode())
        _check(value, max_depth)
    except (ValueError, RecursionError) as exc:
        raise ProtocolError("not acceptable as JSON") from exc
    if not isinstance(value, dict):
        raise ProtocolError("not a JSON object")
    return value


def _refuse_constant(_name: str) -> Any:
    raise ValueError("NaN and Infinity are not JSON")


# ``json.loads`` with an option makes a decoder for every call.
_DECODER: Final = json.JSONDecoder(parse_constant=_refuse_constant)


def _check(value: Any, depth_left: int) -> None:
    """Raise ``ValueError`` for what must not go further."""
    if isinstance(value, str):
        if "\0" in value:
            raise ValueError("NUL")
        value.encode()  # a lone surrogate raises UnicodeEncodeError, a ValueError
    elif isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError("a number out of range")
    elif isinstance(value, dict | list):
        if depth_left == 0:
            raise ValueError("too deep")
        if isinstance(value, dict):
            for key, part in value.items():
                _check(key, depth_left)
                _check(part, depth_left - 1)
        else:
            for part in value:
                _check(part, depth_left - 1)
