from __future__ import annotations

import pytest

from realtime_widget import __version__
from realtime_widget.protocol.audio import PCMU
from realtime_widget.session.config import Limits
from realtime_widget.session.ports import StartedFact
from tests.session.driving import Talk, tool


def test_session_created_is_answered_with_the_whole_configuration():
    talk = Talk(started=False, tools=[tool()])
    assert talk.states == ["connecting"]
    talk.event("session.created", session={"type": "realtime"})
    (update,) = talk.upstream
    assert update["type"] == "session.update"
    assert update["session"]["type"] == "realtime"
    assert update["session"]["instructions"] == "Be kind."
    assert [t["name"] for t in update["session"]["tools"]] == ["lookup"]
    assert not talk.messages("session.started")


def test_a_second_session_created_changes_nothing():
    talk = Talk(started=False)
    for _ in range(2):
        talk.event("session.created", session={"type": "realtime"})
    assert len(talk.upstream) == 1


def test_session_updated_starts_the_session_once():
    talk = Talk(started=False, audio=PCMU)
    talk.event("session.created", session={"type": "realtime", "id": "sess_9"})
    for _ in range(2):
        talk.event("session.updated", session={"type": "realtime"})
    assert talk.messages("session.started") == [
        {
            "type": "session.started",
            "session_id": "session-1",
            "resume": "",
            "agent": "Ann",
            "audio": {"format": "pcmu", "rate_hz": 8000},
            "turn_detection": "server_vad",
            "max_session_s": 600.0,
            "version": __version__,
        }
    ]
    assert talk.facts == [StartedFact("gpt-realtime-2.1", "sess_9")]
    assert talk.states == ["connecting", "listening"]


def test_session_updated_before_created_does_not_start():
    talk = Talk(started=False)
    talk.event("session.updated", session={"type": "realtime"})
    assert not talk.messages("session.started")


def test_a_server_that_does_not_answer_the_update_is_believed():
    talk = Talk(started=False)
    talk.event("session.created", session={"type": "realtime"})
    talk.after(2.9)
    assert not talk.core.started
    talk.after(0.2)
    assert len(talk.messages("session.started")) == 1


def test_a_server_that_never_creates_a_session_ends_it():
    talk = Talk(started=False)
    talk.after(9.9)
    assert not talk.stops
    talk.after(0.2)
    assert talk.stops == [("upstream", "upstream_unreachable")]


@pytest.mark.parametrize(
    ("param", "gone"),
    [
        ("session.audio.input.noise_reduction", ("audio", "input", "noise_reduction")),
        ("session.max_output_tokens", ("max_output_tokens",)),
    ],
)
def test_a_field_the_server_does_not_know_is_left_out(param, gone):
    talk = Talk(started=False, noise_reduction="near_field", max_output_tokens=100)
    talk.event("session.created", session={"type": "realtime"})
    first = talk.upstream[0]
    talk.error("unknown_parameter", param=param, event_id=first["event_id"])
    second = talk.upstream[1]
    assert second["event_id"] != first["event_id"]
    before, after = first["session"], second["session"]
    for name in gone[:-1]:
        before, after = before[name], after[name]
    assert gone[-1] in before
    assert gone[-1] not in after
    assert not talk.stops
    assert not talk.errors


@pytest.mark.parametrize(
    ("code", "param"),
    [
        ("unknown_parameter", "session.instructions"),
        ("invalid_value", "session.tools[0].name"),
        ("invalid_value", "session.audio.input.nothing.there"),
        ("invalid_value", "session.output_modalities.0"),
        ("cannot_update_voice", "session.audio.output.voice"),
        ("unknown_parameter", "other"),
    ],
)
def test_a_configuration_that_is_not_taken_ends_the_session(code, param):
    talk = Talk(started=False)
    talk.event("session.created", session={"type": "realtime"})
    talk.error(code, param=param, event_id=talk.upstream[0]["event_id"])
    assert talk.stops == [("upstream", "upstream_refused")]


def test_fields_are_not_left_out_for_ever():
    talk = Talk(started=False, session_overrides={f"x{n}": n for n in range(20)})
    talk.event("session.created", session={"type": "realtime"})
    for n in range(9):
        talk.error("unknown_parameter", param=f"session.x{n}")
    assert len(talk.sent("session.update")) == 9
    assert talk.stops == [("upstream", "upstream_refused")]


def test_another_error_before_the_start_does_not_matter():
    talk = Talk(started=False)
    talk.event("session.created", session={"type": "realtime"})
    talk.error("server_error", event_id="other")
    assert not talk.stops
    assert not talk.errors


def test_an_error_and_a_close_before_the_session_mean_refused():
    talk = Talk(started=False)
    assert talk.core.code_of_loss("upstream_lost") == "upstream_lost"
    talk.error("something_new")
    assert talk.core.code_of_loss("upstream_lost") == "upstream_refused"
    assert talk.core.code_of_loss("upstream_auth") == "upstream_auth"


def test_the_greeting_is_said_once_at_the_start():
    talk = Talk(started=False, greeting="Hello there!")
    talk.event("session.created", session={"type": "realtime"})
    talk.event("session.updated", session={"type": "realtime"})
    (create,) = talk.sent("response.create")
    assert create["response"]["instructions"].endswith("\nHello there!")
    assert create["response"]["tool_choice"] == "none"
    assert talk.states[-1] == "thinking"


def test_messages_typed_before_the_start_are_kept_up_to_a_bound():
    talk = Talk(started=False)
    for n in range(12):
        talk.page("message", text=f"hello {n}")
    assert not talk.upstream
    talk.event("session.created", session={"type": "realtime"})
    talk.event("session.updated", session={"type": "realtime"})
    assert len(talk.sent("conversation.item.create")) == 10
    assert len(talk.sent("response.create")) == 1


def test_the_session_ends_at_its_limit():
    talk = Talk(limits=Limits(max_session_s=60.0, idle_s=1000.0))
    talk.after(59.9)
    assert not talk.stops
    talk.after(0.2)
    assert talk.stops == [("time_limit", "")]


def test_silence_of_both_sides_ends_the_session():
    talk = Talk(limits=Limits(idle_s=30.0))
    talk.after(20)
    talk.page("message", text="hello", respond=False)
    talk.after(29.9)
    assert not talk.stops
    talk.after(0.2)
    assert talk.stops == [("idle", "")]


def test_an_answer_that_is_being_heard_is_no_silence():
    talk = Talk(limits=Limits(idle_s=5.0))
    talk.response()
    talk.audio(2000)
    talk.play()
    talk.audio_done()
    talk.done()
    talk.play()
    talk.after(6.9)
    assert not talk.stops
    talk.after(0.2)
    assert talk.stops == [("idle", "")]


def test_a_visitor_who_speaks_long_is_not_idle():
    talk = Talk(limits=Limits(idle_s=5.0))
    talk.speech()
    talk.after(60)
    assert not talk.stops
