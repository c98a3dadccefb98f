"""From rows to what a session needs, and to what a page may know.

``find_widget`` is the one query both start with.
"""

from __future__ import annotations

from realtime_widget.configs.agents import Staff
from realtime_widget.configs.lookup import find_widget
from realtime_widget.configs.page import public_config, with_absolute_addresses
from realtime_widget.configs.session import session_config, session_staff
from realtime_widget.configs.targets import Way, ways
from realtime_widget.configs.tariffs import Tariffs
from realtime_widget.configs.tools import resolved_handlers

__all__ = [
    "Staff",
    "Tariffs",
    "Way",
    "find_widget",
    "public_config",
    "resolved_handlers",
    "session_config",
    "session_staff",
    "ways",
    "with_absolute_addresses",
]
