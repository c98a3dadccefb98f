"""How a session ends: what the page is told of each reason, and a planned goodbye."""

from __future__ import annotations

from typing import Final

from realtime_widget.protocol.browser import CloseCode, State, StopReason

CLOSE_CODES: Final[dict[StopReason, CloseCode]] = {
    "user": CloseCode.NORMAL,
    "idle": CloseCode.IDLE,
    "time_limit": CloseCode.TIME_LIMIT,
    "quota": CloseCode.LIMIT,
    "upstream": CloseCode.UPSTREAM,
    "error": CloseCode.ERROR,
    "replaced": CloseCode.REPLACED,
    "draining": CloseCode.DRAINING,
}

# The error a page is shown when whoever stops the session names none.
ERROR_CODES: Final[dict[StopReason, str]] = {
    "user": "",
    "idle": "idle",
    "time_limit": "time_limit",
    "quota": "limit",
    "upstream": "upstream_lost",
    "error": "internal",
    "replaced": "replaced",
    "draining": "draining",
}


class Goodbye:
    """An end that is planned: it comes in the next silence, or when its time is up.

    Attributes:
        until_s: It comes so soon even in the middle of an answer; None for no plan.
        reason: Why.
    """

    def __init__(self) -> None:
        self.until_s: float | None = None
        self.reason: StopReason = "draining"
        self._words = ""

    def plan(self, until_s: float, reason: StopReason, words: str) -> None:
        """Plan the end; planned again, the earlier time holds.

        Args:
            until_s: When it comes at the latest.
            reason: Why.
            words: For the visitor, "" for those of the reason.
        """
        self.until_s = min(until_s, self.until_s or until_s)
        self.reason, self._words = reason, words

    def words_for(self, reason: StopReason) -> str:
        """Return what the visitor is told, "" for the words of the reason."""
        return self._words if reason == self.reason else ""

    def due(self, state: State, now_s: float) -> bool:
        """Return whether it comes now: nobody is in the middle of a turn."""
        if self.until_s is None:
            return False
        return state in ("connecting", "listening") or now_s >= self.until_s
