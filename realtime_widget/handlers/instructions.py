"""Instructions that a function of the site writes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from realtime_widget.handlers.names import register

Writes = Callable[["Visit"], str]


@dataclass(frozen=True, slots=True)
class Visit:
    """Whom instructions are for.

    Attributes:
        user: The signed-in user, or ``AnonymousUser``.
        site: The ``Site``, None without the sites framework.
        widget: Slug of the widget.
        language: One of the site's languages.
        page: What the page says about itself, of the names the widget lists. Anybody
            can make it up: choose words by it, but do not write it into them.
    """

    user: Any
    site: Any
    widget: str
    language: str
    page: Mapping[str, Any]


# Name -> function, of every imported ``realtime_tools`` module.
registered_instructions: dict[str, Writes] = {}


def instructions_function(function: Writes) -> Writes:
    """Let agents take their instructions from this ``def`` of a ``Visit``.

    It is called once a session, in a thread.

    Raises:
        ValueError: If another function has this name.
    """
    register(registered_instructions, function, "functions for instructions")
    return function
