"""The words both ends speak: data and pure functions, no I/O."""

from __future__ import annotations
