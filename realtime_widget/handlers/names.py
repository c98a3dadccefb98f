"""Functions of a site that rows choose by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def place_of(function: Callable[..., Any]) -> str:
    """Return where a function is written, for people."""
    return f"{function.__module__}.{function.__qualname__}"


def refuse_another(
    kind: str, name: str, present: Callable[..., Any], function: Callable[..., Any]
) -> None:
    """Let the same function come again, as a module does that is imported anew.

    Args:
        kind: What such functions are called, in the plural.
        name: Both have it.
        present: Was there before.
        function: Comes now.

    Raises:
        ValueError: If it is another one.
    """
    before, now = place_of(present), place_of(function)
    if before != now:
        raise ValueError(f"Two {kind} are named {name!r}: {before} and {now}.")


def register(table: dict[str, Any], function: Callable[..., Any], kind: str) -> None:
    """Put a function into a table under its own name.

    Raises:
        ValueError: If another function has this name.
    """
    name = function.__name__
    refuse_another(kind, name, table.get(name, function), function)
    table[name] = function
