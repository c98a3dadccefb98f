"""The socket of a page: admission, the receive loop, and one session's end."""

from __future__ import annotations

from realtime_widget.consumers.control import session_group
from realtime_widget.consumers.database_gate import DatabaseGate
from realtime_widget.consumers.gate import OriginGate
from realtime_widget.consumers.realtime import RealtimeConsumer

__all__ = ["DatabaseGate", "OriginGate", "RealtimeConsumer", "session_group"]
