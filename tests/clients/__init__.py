"""Official clients against the engine in a process of its own: ``make test-clients``."""

from __future__ import annotations
