"""Reading fields of what a peer sent, without trusting it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

from realtime_widget.exceptions import ProtocolError

CODE: Final = "invalid_field"
# Records have columns of this length for ids and names.
MAX_ID_CHARS: Final = 100
USAGE_DEPTH: Final = 4
USAGE_FIELDS: Final = 32


def text(source: Mapping[str, Any], name: str) -> str:
    """Return an id: a non-empty, printable string of bounded length.

    Raises:
        ProtocolError: If it is missing or something else.
    """
    value = source.get(name)
    if (
        not isinstance(value, str)
        or not 0 < len(value) <= MAX_ID_CHARS
        or not value.isprintable()
    ):
        raise ProtocolError(f"{name} is not an id", code=CODE)
    return value


def label(source: Mapping[str, Any], name: str) -> str:
    """Return a name that somebody made up, made safe to store: cut and printable.

    Raises:
        ProtocolError: If it is missing or of another type.
    """
    value = words(source, name)[:MAX_ID_CHARS]
    return value if value.isprintable() else ascii(value)[1:-1][:MAX_ID_CHARS]


def usage(source: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Return what a provider counted: its numbers and short words, nothing else."""
    return _counted(optional_mapping(source, name), USAGE_DEPTH)


def _counted(value: Mapping[str, Any], depth: int) -> dict[str, Any]:
    kept: dict[str, Any] = {}
    for key, part in list(value.items())[:USAGE_FIELDS]:
        if len(key) > MAX_ID_CHARS or not key.isprintable():
            continue
        if isinstance(part, Mapping) and depth > 1:
            kept[key] = _counted(part, depth - 1)
        elif (
            isinstance(part, int)
            or (isinstance(part, float) and math.isfinite(part))
            or isinstance(part, str)
            and len(part) <= MAX_ID_CHARS
            and part.isprintable()
        ):
            kept[key] = part
    return kept


def words(source: Mapping[str, Any], name: str) -> str:
    """Return a string that can be stored: no NUL and no lone surrogates.

    Raises:
        ProtocolError: If it is missing or of another type.
    """
    value = source.get(name)
    if not isinstance(value, str):
        raise ProtocolError(f"{name} is not a text", code=CODE)
    if value.isascii():
        return value.replace("\x00", "")
    return value.encode(errors="replace").decode().replace("\x00", "")


def optional_text(source: Mapping[str, Any], name: str) -> str:
    """Return a string, "" when it is missing, null or of another type."""
    value = source.get(name)
    return value if isinstance(value, str) else ""


def mapping(source: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """Return an object.

    Raises:
        ProtocolError: If it is missing or of another type.
    """
    value = source.get(name)
    if not isinstance(value, Mapping):
        raise ProtocolError(f"{name} is not an object", code=CODE)
    return value


def optional_mapping(source: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """Return an object, an empty one when it is missing or of another type."""
    value = source.get(name)
    return value if isinstance(value, Mapping) else {}


def milliseconds(source: Mapping[str, Any], name: str) -> float:
    """Return a time that is not negative.

    Raises:
        ProtocolError: If it is missing, negative, not finite or of another type.
    """
    value = source.get(name)
    if (
        isinstance(value, bool)
        or not isinstance(value, int | float)
        or not math.isfinite(value)
        or value < 0
    ):
        raise ProtocolError(f"{name} is not a time", code=CODE)
    return float(value)


def flag(source: Mapping[str, Any], name: str, *, default: bool) -> bool:
    """Return a boolean, ``default`` when it is missing.

    Raises:
        ProtocolError: If it is of another type.
    """
    value = source.get(name, default)
    if not isinstance(value, bool):
        raise ProtocolError(f"{name} is not true or false", code=CODE)
    return value
