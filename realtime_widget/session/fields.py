"""Reading fields of what a peer sent, without trusting it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from realtime_widget.exceptions import ProtocolError

CODE = "invalid_field"


def text(source: Mapping[str, Any], name: str) -> str:
    """Return a non-empty string.

    Raises:
        ProtocolError: If it is missing, empty or of another type.
    """
    value = source.get(name)
    if not isinstance(value, str) or not value:
        raise ProtocolError(f"{name} is not a text", code=CODE)
    return value


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
