"""How long a session lives: at most so long in all, and so long in silence.

The visitor is warned before either end. An answer that the model's side gives to a
silence (``idle_timeout_ms``) does not count as life: only the visitor can prolong it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from realtime_widget.session.config import Limits
from realtime_widget.session.effects import Effects, Stop

# The warning comes so long before the end; sessions too short for it get none.
WARNING_S = 20.0

End = Literal["time_limit", "idle"]


class Lifetime:
    """The two limits of one session.

    Args:
        effects: Where messages are collected.
        limits: How long a session and a silence may be.

    Attributes:
        started_s: When the session has started, None before.
    """

    def __init__(self, effects: Effects, limits: Limits) -> None:
        self._effects = effects
        self._limits = limits
        self._active_s = 0.0
        self._prompted = False
        # Which end the visitor was warned of -> when it was to come.
        self._warned: dict[End, float] = {}
        self.started_s: float | None = None

    def start(self, now_s: float) -> None:
        """Begin to count."""
        self.started_s = self._active_s = now_s

    def duration_s(self, now_s: float) -> float:
        """Return how long the session has lived."""
        return now_s - self.started_s if self.started_s is not None else 0.0

    def lives(self, now_s: float) -> None:
        """Note that somebody says or does something."""
        if not self._prompted:
            self._active_s = now_s

    def visitor_lives(self, now_s: float) -> None:
        """Note that the visitor says, types or presses something."""
        self._prompted = False
        self._active_s = now_s

    def prompted(self, heard_s: float) -> None:
        """Note that the model's side speaks because nobody else does.

        Args:
            heard_s: When the last answer had been heard.
        """
        self._active_s = max(self._active_s, heard_s)
        self._prompted = True

    def deadlines(self, heard_s: float) -> Iterator[float]:
        """Yield when ``check`` has something to do."""
        for end, at_s in self._ends(heard_s):
            yield at_s
            if self._to_warn(end, at_s):
                yield at_s - WARNING_S

    def check(self, heard_s: float, now_s: float) -> bool:
        """Warn of an end that comes soon; end what has lived long enough.

        Args:
            heard_s: When the last answer was or will have been heard.
            now_s: The time.

        Returns:
            Whether the session ends.
        """
        for end, at_s in self._ends(heard_s):
            if now_s >= at_s:
                self._effects.add(Stop(end))
                return True
            if now_s >= at_s - WARNING_S and self._to_warn(end, at_s):
                self._warned[end] = at_s
                self._effects.page("warning", code=end, left_s=round(at_s - now_s))
        return False

    def warn_again(self, heard_s: float, now_s: float) -> None:
        """Warn whoever is there now: he has heard none of the earlier warnings."""
        self._warned.clear()
        self.check(heard_s, now_s)

    def _ends(self, heard_s: float) -> Iterator[tuple[End, float]]:
        if self.started_s is None:
            return
        last_s = self._active_s if self._prompted else max(self._active_s, heard_s)
        yield "time_limit", self.started_s + self._limits.max_session_s
        yield "idle", last_s + self._limits.idle_s

    def _to_warn(self, end: End, at_s: float) -> bool:
        limits = self._limits
        lasts_s = limits.max_session_s if end == "time_limit" else limits.idle_s
        return lasts_s >= 2 * WARNING_S and self._warned.get(end) != at_s
