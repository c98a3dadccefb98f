"""What the errors of the model's side mean: few end a session, most are races.

Source: Realtime API, event ``error`` and ``response.done`` with status ``failed``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from realtime_widget.protocol.upstream_errors import (
    BENIGN,
    FATAL,
    FIELD_REJECTED,
    SHOWN,
)
from realtime_widget.session import composing, fields
from realtime_widget.session.answers import TRUNCATE_ID
from realtime_widget.session.effects import Note, Redial, Stop

if TYPE_CHECKING:
    from realtime_widget.session.core import SessionCore

Event = Mapping[str, Any]

# How many fields of the configuration a server may refuse one after the other.
MAX_REFUSED_FIELDS: Final = 8


def on_error(core: SessionCore, event: Event, now_s: float) -> None:
    """Sort an error: races are counted, few end the session, the rest is noted."""
    error = fields.mapping(event, "error")
    code = fields.optional_text(error, "code")
    event_id = fields.optional_text(error, "event_id")
    core.count("upstream_error")
    if code == "session_expired" and core.renewal.lost(core, now_s):
        core.effects.add(Redial())
    elif code in FATAL:
        _stop_fatally(core, code)
    elif not core.started or core.renewal.under_way:
        _refused_update(core, code, event_id, fields.optional_text(error, "param"))
    elif core.changes.refused(core, event_id):
        pass
    elif core.turns.request_failed(event_id, code, now_s):
        if code not in BENIGN:
            core.effects.error("response_failed")
    elif code in SHOWN and code not in BENIGN and not event_id.startswith(TRUNCATE_ID):
        core.effects.error(SHOWN[code])


def _stop_fatally(core: SessionCore, code: str) -> None:
    """End the session for an error that cannot be mended within it."""
    known = FATAL[code]
    if known == "time_limit":
        core.effects.add(Stop("time_limit"))
    else:
        core.effects.add(Stop("upstream", known))


def _refused_update(
    core: SessionCore, code: str, event_id: str, parameter: str
) -> None:
    """Send the configuration again without a field the server does not know.

    A session whose instructions were not taken must not start, so any other refusal
    of the configuration ends it.
    """
    blamed = parameter.startswith("session.")
    if event_id != core.update_id and not blamed:
        return
    smaller = None
    if not parameter or parameter.startswith("session.tools"):
        smaller = composing.without_mcp(core.session)
        core.takes_mcp = core.takes_mcp and smaller is None
    elif code in FIELD_REJECTED and core.refusals < MAX_REFUSED_FIELDS:
        smaller = composing.without_field(core.session, parameter)
    if smaller is None:
        core.effects.add(Stop("upstream", "upstream_refused"))
        return
    core.refusals += 1
    core.session = smaller
    core.counters["session_field_refused"] += 1
    # A path into our own object, so it holds nothing that anybody said.
    core.effects.add(Note(f"session_field_refused: {parameter}"))
    core.send_update()


def response_failed(core: SessionCore, response: Event) -> None:
    """Tell the visitor that an answer failed, or end for good."""
    details = fields.optional_mapping(response, "status_details")
    code = fields.optional_text(fields.optional_mapping(details, "error"), "code")
    if code in FATAL:
        _stop_fatally(core, code)
    else:
        core.effects.error("response_failed")
