"""The dialect in which a client of the engine speaks, around one and the same session.

A session hears and tells GA. A face turns what a client sends into that, and what the
session tells into what the client reads.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from realtime_widget.engine.beta_face import BETA_DEFAULTS, BetaFace
from realtime_widget.engine.driver import EngineSession
from realtime_widget.engine.opening import Dialect, Opening


class Face(Protocol):
    """One connection's dialect; it may remember what went by."""

    def heard(self, event: bytes) -> Iterable[bytes]:
        """Return the session's events for one of the client's."""

    def told(self, event: bytes) -> Iterable[bytes]:
        """Return the client's events for one of the session's."""


class GaFace:
    """The API's own dialect: nothing changes."""

    def heard(self, event: bytes) -> Iterable[bytes]:
        """Return the event. HOT."""
        return (event,)

    def told(self, event: bytes) -> Iterable[bytes]:
        """Return the event. HOT."""
        return (event,)


def preset_of(opening: Opening) -> Mapping[str, Any] | None:
    """Return what a session begins with, None for the API's own defaults."""
    if opening.preset is None and opening.dialect == "beta":
        return BETA_DEFAULTS if opening.session_type == "realtime" else None
    return opening.preset


def make_face(dialect: Dialect, session: EngineSession) -> Face:
    """Return the face of a session for what its client speaks."""
    return BetaFace(session) if dialect == "beta" else GaFace()
