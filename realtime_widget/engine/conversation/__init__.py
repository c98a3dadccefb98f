"""The Realtime API's server side as a state machine without I/O.

``core.Conversation`` takes a client's events, the results of work and the time; it gives
back server events and the work it wants done. Nothing in here waits, reads a clock or
rolls dice.
"""

from __future__ import annotations
