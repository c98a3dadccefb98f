"""The published descriptions of the beta, as judges of every event of that dialect."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

from jsonschema import Draft202012Validator

FOLDER = Path(__file__).parent.parent / "data" / "protocol"
PREFIX = "Realtime.Realtime"


@cache
def preview():
    """Return the schemas of the preview of October 2024, as JSON Schema has them."""
    text = (FOLDER / "beta-2024-10-azure.openapi.json").read_text()
    return _without_nullable(json.loads(text)["components"]["schemas"])


@cache
def later():
    """Return the schemas of the later beta."""
    return json.loads((FOLDER / "beta-events.schema.json").read_text())


def _without_nullable(schema):
    """Say in JSON Schema's words what OpenAPI 3.0 calls nullable."""
    if isinstance(schema, list):
        return [_without_nullable(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    kept = {
        key: _without_nullable(value)
        for key, value in schema.items()
        if key not in ("nullable", "discriminator")
    }
    if schema.get("nullable") is True:
        return {"anyOf": [kept, {"type": "null"}]}
    return kept


def event_names(side):
    """Return the names of the preview's events of ``client`` or ``server``."""
    kind = "RequestCommandType" if side == "client" else "ResponseCommandType"
    return preview()[f"{PREFIX}{kind}"]["anyOf"][1]["enum"]


@cache
def _schema_name(side, event_type):
    root = "RequestCommand" if side == "client" else "ResponseCommand"
    for name, schema in preview().items():
        parents = [one.get("$ref", "") for one in schema.get("allOf", ())]
        types = schema.get("properties", {}).get("type", {}).get("enum", ())
        if f"#/components/schemas/{PREFIX}{root}" in parents and event_type in types:
            return name.removeprefix(PREFIX)
    return None


@cache
def _preview_validator(name):
    return Draft202012Validator(
        {
            "components": {"schemas": preview()},
            "$ref": f"#/components/schemas/{PREFIX}{name}",
        }
    )


def check_object(name, value):
    """Fail unless a value is what the preview's schema of a name describes."""
    errors = list(_preview_validator(name).iter_errors(value))
    assert not errors, f"{name}: {errors[0].json_path} {errors[0].message}"


# The ms of turn detection are typed as texts and are numbers; without detection it is
# null and typed as an object. Real servers sent these numbers and this null.
_TEXTS = ("prefix_padding_ms", "silence_duration_ms")


def as_described(value):
    if isinstance(value, dict):
        described = {key: as_described(inner) for key, inner in value.items()}
        for key in _TEXTS:
            if isinstance(value.get(key), int):
                described[key] = str(value[key])
        if "turn_detection" in value and value["turn_detection"] is None:
            described["turn_detection"] = {"type": "none"}
        return described
    if isinstance(value, list):
        return [as_described(inner) for inner in value]
    return value


def _for_later(event):
    """Return an event without what the later types leave out: a function's choice."""
    session = event.get("session", {})
    if isinstance(session.get("tool_choice"), dict):
        return {**event, "session": {**session, "tool_choice": "auto"}}
    return event


def check(side, event):
    """Fail unless an event is one of the preview and of the later beta."""
    name = _schema_name(side, event["type"])
    assert name is not None, f"the preview has no {side} event {event['type']}"
    check_object(name, as_described(event))
    if side == "server":
        schema = {"$defs": later()["$defs"], **later()[side][event["type"]]}
        errors = list(Draft202012Validator(schema).iter_errors(_for_later(event)))
        assert not errors, f"{event['type']}: {errors[0].json_path} {errors[0].message}"
