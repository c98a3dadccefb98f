"""How many tool calls a session may make: of one tool, in all, and in a minute."""

from __future__ import annotations

from collections import Counter, deque
from typing import Final

from realtime_widget.session.config import Limits
from realtime_widget.session.tool_values import TOO_OFTEN, USED_UP

MINUTE_S: Final = 60.0


class Budget:
    """Counts the calls of one session.

    Args:
        limits: The bounds.
    """

    def __init__(self, limits: Limits) -> None:
        self._per_session = limits.tool_calls_per_session
        self._per_minute = limits.tool_calls_per_minute
        self._taken: Counter[str] = Counter()
        self._recent: deque[float] = deque()

    def refusal(self, name: str, max_calls: int | None, now_s: float) -> str:
        """Count a call.

        Args:
            name: What is called.
            max_calls: How often it may be, None for the session's bound alone.
            now_s: The time.

        Returns:
            Words for the model when it is one too many, else "".
        """
        while self._recent and now_s - self._recent[0] >= MINUTE_S:
            self._recent.popleft()
        if self._taken.total() >= self._per_session or (
            max_calls is not None and self._taken[name] >= max_calls
        ):
            return USED_UP
        if len(self._recent) >= self._per_minute:
            return TOO_OFTEN
        self._taken[name] += 1
        self._recent.append(now_s)
        return ""
