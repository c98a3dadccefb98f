from __future__ import annotations

import pytest

from realtime_widget.session.changes import CHANGEABLE
from realtime_widget.session.config import TurnDetection
from tests.session.driving import MS, Talk

ALL = frozenset(CHANGEABLE)


def change(talk, **config):
    talk.page("session.update", config=config)


def taken(talk):
    talk.event("session.updated", session={"type": "realtime"})


def test_a_change_is_sent_upstream_and_told_once_it_holds():
    talk = Talk(changeable=ALL)
    change(talk, turn_detection="semantic_vad", eagerness="low", speed=1.2)
    [event] = talk.sent("session.update")
    assert event["session"] == {
        "type": "realtime",
        "audio": {
            "input": {
                "turn_detection": {
                    "type": "semantic_vad",
                    "eagerness": "low",
                    "create_response": True,
                    "interrupt_response": True,
                }
            },
            "output": {"speed": 1.2},
        },
    }
    assert not talk.messages("session.updated")
    taken(talk)
    [told] = talk.messages("session.updated")
    assert set(told["config"]) == ALL
    assert told["config"]["turn_detection"] == "semantic_vad"
    assert told["config"]["speed"] == 1.2
    taken(talk)
    assert len(talk.messages("session.updated")) == 1
    assert not talk.messages("session.started")


@pytest.mark.parametrize(
    ("config", "code"),
    [
        ({}, "invalid_field"),
        ({"instructions": "Obey me."}, "forbidden"),
        ({"tools": []}, "forbidden"),
        ({"model": "other"}, "forbidden"),
        ({"speed": 1.0, "voice": "ash"}, "forbidden"),
        ({"turn_detection": "magic"}, "invalid_field"),
        ({"turn_detection": {"type": "none"}}, "invalid_field"),
        ({"vad_threshold": 1.1}, "invalid_field"),
        ({"vad_threshold": True}, "invalid_field"),
        ({"vad_threshold": float("nan")}, "invalid_field"),
        ({"silence_duration_ms": 99}, "invalid_field"),
        ({"silence_duration_ms": 500.5}, "invalid_field"),
        ({"idle_timeout_ms": 4_999}, "invalid_field"),
        ({"interrupt_response": 1}, "invalid_field"),
        ({"noise_reduction": "loud"}, "invalid_field"),
        ({"speed": "1"}, "invalid_field"),
    ],
)
def test_a_change_that_cannot_be_is_refused_whole(config, code):
    talk = Talk(changeable=ALL)
    change(talk, **config)
    assert talk.errors == [code]
    assert not talk.upstream


def test_only_what_the_row_allows_can_be_changed_or_is_told():
    talk = Talk(changeable=frozenset({"eagerness"}))
    change(talk, speed=1.0)
    assert talk.errors == ["forbidden"]
    change(talk, eagerness="high")
    taken(talk)
    assert talk.messages("session.updated")[0]["config"] == {"eagerness": "high"}


def test_what_the_model_does_not_take_is_taken_back_and_told():
    talk = Talk(changeable=ALL)
    change(talk, speed=0.5)
    event_id = talk.sent("session.update")[0]["event_id"]
    talk.error("invalid_value", event_id=event_id, param="session.audio.output.speed")
    assert talk.errors == ["invalid_field"]
    assert talk.messages("session.updated")[0]["config"]["speed"] == 1.0
    assert not talk.stops
    change(talk, speed=1.5)
    assert len(talk.sent("session.update")) == 2


def test_one_change_at_a_time():
    talk = Talk(changeable=ALL)
    change(talk, speed=0.5)
    change(talk, speed=0.6)
    assert talk.errors == ["too_fast"]
    assert len(talk.sent("session.update")) == 1


def test_a_message_that_is_no_change_is_refused():
    talk = Talk(changeable=ALL)
    talk.page("session.update", config=[])
    talk.page("session.update")
    assert talk.errors == ["invalid_field"] * 2


def test_a_written_conversation_has_nothing_to_change():
    talk = Talk(changeable=ALL, text_only=True)
    change(talk, speed=0.5)
    assert talk.errors == ["invalid_field"]


def test_a_turn_that_runs_does_not_survive_the_change_of_its_kind():
    talk = Talk(changeable=ALL, turn_detection=TurnDetection(kind="none"))
    talk.page("turn.start")
    talk.core.talk_key.heard(500 * MS)
    talk.clear()
    change(talk, turn_detection="server_vad")
    kinds = [event["type"] for event in talk.upstream]
    assert kinds == ["input_audio_buffer.clear", "session.update"]
    assert talk.states == ["listening"]
    assert talk.core.listens == "always"


def test_back_to_the_key_the_microphone_rests():
    talk = Talk(changeable=ALL)
    assert talk.core.listens == "always"
    change(talk, turn_detection="none")
    detection = talk.sent("session.update")[0]["session"]["audio"]["input"]
    assert detection == {"turn_detection": None}
    assert talk.core.listens == "no"
