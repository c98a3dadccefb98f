"""The limits of one session, as buckets that fill up again.

Source: Realtime API, ``rate_limits.updated``: ``reset_seconds`` is the time until a
limit is whole again.
"""

from __future__ import annotations

from typing import Any, Final, Literal

Name = Literal["requests", "tokens"]

_WINDOW_S: Final = 60


class RateLimits:
    """Counts answers and their tokens.

    Args:
        requests_per_min: Answers a minute.
        tokens_per_min: Tokens of answers and their contexts a minute.
        now_s: The time on a clock that only goes forward.
    """

    def __init__(
        self, *, requests_per_min: int, tokens_per_min: int, now_s: float
    ) -> None:
        self._limits: dict[Name, int] = {
            "requests": requests_per_min,
            "tokens": tokens_per_min,
        }
        self._left: dict[Name, float] = dict(self._limits)
        self._filled_s = now_s

    def take(self, name: Name, amount: int, now_s: float) -> None:
        """Use some of a limit; what is begun may use more than is left."""
        self._fill(now_s)
        self._left[name] -= amount

    def spent(self, now_s: float) -> Name | None:
        """Return a limit of which nothing is left, None when an answer may begin."""
        self._fill(now_s)
        return next((name for name, left in self._left.items() if left < 1), None)

    def public(self, now_s: float) -> list[dict[str, Any]]:
        """Return the ``rate_limits`` of the event."""
        self._fill(now_s)
        return [
            {
                "name": name,
                "limit": limit,
                "remaining": max(0, int(self._left[name])),
                "reset_seconds": round((1 - self._left[name] / limit) * _WINDOW_S, 3),
            }
            for name, limit in self._limits.items()
        ]

    def _fill(self, now_s: float) -> None:
        share = max(0.0, now_s - self._filled_s) / _WINDOW_S
        self._filled_s = now_s
        for name, limit in self._limits.items():
            self._left[name] = min(limit, self._left[name] + share * limit)
