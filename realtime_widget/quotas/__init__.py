"""How much one visitor, page and process may take."""

from __future__ import annotations

from realtime_widget.quotas.addresses import client_address
from realtime_widget.quotas.ledger import Reservation, Subject, check, reserve, settle
from realtime_widget.quotas.meter import QuotaMeter
from realtime_widget.quotas.metering import metered
from realtime_widget.quotas.places import (
    Lease,
    SessionCounters,
    SharedPlaces,
    cache_is_shared,
    counters,
    places,
    session_limits,
)
from realtime_widget.quotas.rates import (
    AddressRate,
    SocketMeter,
    TokenBucket,
    opens,
    socket_opens,
)

__all__ = [
    "AddressRate",
    "Lease",
    "QuotaMeter",
    "Reservation",
    "SessionCounters",
    "SharedPlaces",
    "SocketMeter",
    "Subject",
    "TokenBucket",
    "cache_is_shared",
    "check",
    "client_address",
    "counters",
    "metered",
    "opens",
    "places",
    "reserve",
    "session_limits",
    "settle",
    "socket_opens",
]
