"""A wall clock that jumps in one process of several, as a machine's does by hand or NTP.

What Python code reads as the time of day is moved; the monotonic clock stays, as in a
real jump.
"""

from __future__ import annotations

import signal
import threading
import time
from datetime import timedelta

from django.utils import timezone

JUMP_S = 7_201.0
FORWARD, BACK = signal.SIGUSR1, signal.SIGUSR2

_ahead_s = 0.0
_time, _now = time.time, timezone.now


def listen():
    """Let the signals move this process's clock."""
    if threading.current_thread() is not threading.main_thread():
        return
    for number, jump_s in ((FORWARD, JUMP_S), (BACK, -JUMP_S)):
        signal.signal(number, lambda *_, jump_s=jump_s: _jump(jump_s))
    time.time = lambda: _time() + _ahead_s
    timezone.now = lambda: _now() + timedelta(seconds=_ahead_s)


def _jump(jump_s):
    global _ahead_s
    _ahead_s += jump_s
