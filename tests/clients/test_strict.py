"""The judge itself: it refuses what the client alone would let through."""

from __future__ import annotations

import json

import pytest

from tests.clients import strict

CLEARED = {"type": "input_audio_buffer.cleared", "event_id": "event_1"}


def test_event_of_the_protocol_passes():
    strict.check(json.dumps(CLEARED))


@pytest.mark.parametrize(
    "event",
    [
        {**CLEARED, "type": "input_audio_buffer.emptied"},
        {**CLEARED, "event_id": 1},
        {"type": "input_audio_buffer.cleared"},
    ],
)
def test_event_of_another_type_or_shape_fails(event):
    with pytest.raises((AssertionError, ValueError)):
        strict.check_event(event)
