"""The judge of events, judged: it lets nothing wrong through."""

from __future__ import annotations

import pytest

from realtime_widget.engine.conversation.work import Outbox
from tests.fakes import official

STARTED = {
    "type": "input_audio_buffer.speech_started",
    "event_id": "e",
    "item_id": "i",
    "audio_start_ms": 5,
}


@pytest.mark.parametrize(
    "event",
    [
        {"event_id": "e"},
        {**STARTED, "type": "input_audio_buffer.speech_begun"},
        {**STARTED, "audio_start_ms": "5"},
        {**STARTED, "item_id": None},
        {name: value for name, value in STARTED.items() if name != "event_id"},
    ],
    ids=["no type", "unknown type", "text for a number", "null", "no event_id"],
)
def test_wrong_events_are_refused(event):
    with pytest.raises((AssertionError, ValueError)):
        official.check(event)


def test_right_events_pass_and_every_type_is_known():
    official.check(STARTED)
    assert len(official._models()) == 46


def test_events_are_watched_wherever_an_engine_runs(watched_engines):
    outbox = Outbox(lambda prefix: f"{prefix}_1")
    outbox.send("input_audio_buffer.cleared")
    outbox.send("conversation.item.danced")

    assert len(outbox.take()[0]) == 2
    assert watched_engines == ["the official client knows no conversation.item.danced"]
    watched_engines.clear()  # or this test fails, as any other would
