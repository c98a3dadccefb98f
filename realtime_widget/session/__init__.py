"""One conversation's brain: a sans-I/O state machine and the bridge around it."""

from __future__ import annotations
