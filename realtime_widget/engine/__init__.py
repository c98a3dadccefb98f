"""A realtime server of our own that needs no key and no network."""

from __future__ import annotations
