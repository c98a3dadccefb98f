"""A circuit breaker: while a server fails again and again, nobody waits for it.

A state machine of plain numbers; whoever owns it says what time it is.

    closed --- ``failures`` within ``window_s`` ---> open --- ``open_s`` ---> half open
       ^                                              ^                          |
       '---- the probe succeeds ----------------------+---- the probe fails -----'
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class BreakerRules:
    """When a breaker opens, and for how long.

    Attributes:
        failures: So many within ``window_s`` open it; 0 for never.
        window_s: How long a failure counts.
        open_s: How long nobody tries; then one does.
        probe_s: A probe that says nothing for so long is given up.
    """

    failures: int = 5
    window_s: float = 30.0
    open_s: float = 30.0
    probe_s: float = 30.0


class Breaker:
    """The state of one server. Times are seconds of any clock that never goes back.

    Args:
        rules: When it opens.
    """

    def __init__(self, rules: BreakerRules) -> None:
        self._rules = rules
        self._failed_s: deque[float] = deque(maxlen=max(1, rules.failures))
        self._open_until_s: float | None = None
        self._probe_until_s: float | None = None

    def state(self, now_s: float) -> Literal["closed", "open", "half_open"]:
        """Return the state."""
        if self._open_until_s is None:
            return "closed"
        return "open" if now_s < self._open_until_s else "half_open"

    def admit(self, now_s: float) -> bool:
        """Return whether to try now; half open, one caller may: the probe.

        Who was admitted says how it went, by one of the three methods below.
        """
        state = self.state(now_s)
        if state != "half_open":
            return state == "closed"
        if self._probe_until_s is not None and now_s < self._probe_until_s:
            return False
        self._probe_until_s = now_s + self._rules.probe_s
        return True

    def succeeded(self) -> None:
        """The server answered: close."""
        self._failed_s.clear()
        self._open_until_s = self._probe_until_s = None

    def failed(self, now_s: float) -> None:
        """The server did not answer, or not as a server that works."""
        if self._rules.failures < 1:
            return
        probing = self.state(now_s) == "half_open"
        self._probe_until_s = None
        self._failed_s.append(now_s)
        full = len(self._failed_s) == self._rules.failures
        recent = now_s - self._failed_s[0] <= self._rules.window_s
        if probing or (full and recent):
            self._open_until_s = now_s + self._rules.open_s

    def left(self) -> None:
        """The caller went away before anything was known: another may probe."""
        self._probe_until_s = None
