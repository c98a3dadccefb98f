"""Guardrails that a site writes: functions by name, and lists of words.

A site writes them in ``realtime_tools.py`` of any installed app::

    from realtime_widget.handlers import ToolContext, guardrail

    @guardrail
    def no_discounts(context: ToolContext, text: str) -> bool:
        \"\"\"Trip when the agent promises a discount.\"\"\"
        return "discount" in text.lower()
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from asgiref.sync import iscoroutinefunction
from django.utils import translation

from realtime_widget.handlers.context import ToolContext
from realtime_widget.handlers.execution import in_thread
from realtime_widget.handlers.names import register
from realtime_widget.metrics import instruments
from realtime_widget.threads import OwnThreadContext
from realtime_widget.upstream.moderation import Moderation

F = TypeVar("F", bound=Callable[..., Any])

# Name -> function of the context and the text, of every imported module.
registered_guardrails: dict[str, Callable[..., Any]] = {}


def guardrail(function: F) -> F:
    """Let rows choose this function as a guardrail.

    Args:
        function: ``def`` or ``async def`` of the context and a text; true trips it.

    Raises:
        ValueError: If another function has this name.
    """
    register(registered_guardrails, function, "guardrails")
    return function


def denied_words(lines: Iterable[str]) -> Callable[[str], bool]:
    """Return a check that trips on any of some words or phrases.

    They are found as whole words, in any case and with any white space between them.

    Args:
        lines: A word or phrase each; empty lines mean nothing.
    """
    phrases = [r"\s+".join(map(re.escape, line.split())) for line in lines]
    phrases = [phrase for phrase in phrases if phrase]
    if not phrases:
        return lambda _text: False
    found = re.compile(rf"(?<!\w)(?:{'|'.join(phrases)})(?!\w)", re.IGNORECASE)
    return lambda text: found.search(text) is not None


@dataclass(frozen=True, slots=True)
class Guard:
    """One guardrail of a session.

    Attributes:
        name: Of its row.
        words: Trips on forbidden words; quick.
        function: Of the context and a text; ``def`` or ``async def``, None for none.
        moderation: A service that is asked, None for none.
    """

    name: str
    words: Callable[[str], bool] = field(repr=False)
    function: Callable[..., Any] | None = field(default=None, repr=False)
    moderation: Moderation | None = None


class SessionGuardrails:
    """Runs the guardrails of one session.

    Args:
        guards: By the names of their rows.
        context: What every function is told.
    """

    def __init__(self, guards: Mapping[str, Guard], context: ToolContext) -> None:
        self._guards = guards
        self._context = context

    async def check(self, name: str, text: str) -> bool:
        """Return whether the text trips this guardrail.

        Raises:
            ToolError: If the site is too busy for it.
            UpstreamError: If the moderation service cannot be asked.
            Exception: Whatever the function raises.
        """
        guard = self._guards[name]
        try:
            return (
                guard.words(text)
                or await self._decided(guard.function, text)
                or (guard.moderation is not None and await guard.moderation.trips(text))
            )
        except Exception:
            if numbers := instruments():
                numbers.guardrail_failures.labels(name).inc()
            raise

    async def _decided(self, function: Callable[..., Any] | None, text: str) -> bool:
        """Return what the site's own function says."""
        context = self._context
        if function is None:
            return False
        with translation.override(context.language or None):
            if not iscoroutinefunction(function):
                return bool(await in_thread(lambda: function(context, text)))
            async with OwnThreadContext():
                return bool(await function(context, text))
