"""The published schema of the Realtime API, as a judge of every event in a test."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

from jsonschema import Draft202012Validator

from tests.fakes import official

PATH = Path(__file__).parent.parent / "data" / "protocol" / "ga-events.schema.json"


@cache
def _schema():
    return json.loads(PATH.read_text())


@cache
def _validator(side, kind):
    schema = _schema()
    return Draft202012Validator({"$defs": schema["$defs"], **schema[side][kind]})


def check(side, event):
    """Fail unless ``event`` is a valid event of ``client`` or ``server``.

    A server's event is also held against the official client's own types.
    """
    if side == "server":
        official.check(event)
    assert event.get("type") in _schema()[side], f"no {side} event {event.get('type')}"
    errors = list(_validator(side, event["type"]).iter_errors(event))
    assert not errors, f"{event['type']}: {errors[0].json_path} {errors[0].message}"


def server_event_names():
    """Return the names of all server events."""
    return list(_schema()["server"])


def client_event_names():
    """Return the names of all client events."""
    return list(_schema()["client"])
