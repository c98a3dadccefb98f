"""The types of the official package, as a judge that is stricter than its client."""

from __future__ import annotations

import json
from functools import cache
from typing import get_args

from openai.types.realtime import RealtimeServerEvent


def check(raw):
    """Fail unless the package knows the event's type and each value has its type.

    Args:
        raw: The event as it came, in JSON.
    """
    check_event(json.loads(raw))


def check_event(event):
    """As ``check``, for an event that was read already."""
    kind = event["type"]
    assert kind in _models(), f"the official client knows no {kind}"
    _models()[kind].model_validate_json(json.dumps(event), strict=True)


@cache
def _models():
    union = get_args(RealtimeServerEvent)[0]
    return {_kind(model): model for model in get_args(union)}


def _kind(model):
    (name,) = get_args(model.model_fields["type"].annotation)
    return name
