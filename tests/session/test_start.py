from __future__ import annotations

import pytest

from realtime_widget import __version__
from realtime_widget.protocol.audio import PCMU
from realtime_widget.session.config import HistoryItem, Limits
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
            "resumed": False,
            "history": [],
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


def test_the_visitor_is_warned_before_either_end():
    talk = Talk(limits=Limits(max_session_s=300.0, idle_s=100.0))
    talk.after(79.9)
    assert not talk.messages("warning")
    talk.after(0.2)
    (warning,) = talk.messages("warning")
    assert (warning["code"], warning["left_s"]) == ("idle", 20)
    talk.after(10)
    assert len(talk.messages("warning")) == 1
    # Whoever goes on after a warning is warned again before the next end.
    talk.page("message", text="hello", respond=False)
    talk.after(80)
    talk.page("message", text="hello", respond=False)
    talk.after(80)
    talk.page("message", text="hello", respond=False)
    talk.after(30)
    codes = [one["code"] for one in talk.messages("warning")]
    assert codes == ["idle", "idle", "idle", "time_limit"]
    talk.after(20)
    assert talk.stops == [("time_limit", "")]


def test_sessions_too_short_for_a_warning_get_none():
    talk = Talk(limits=Limits(max_session_s=39.0, idle_s=39.0))
    talk.after(38.9)
    assert not talk.messages("warning")


def test_a_model_that_talks_to_itself_does_not_prolong_the_session():
    talk = Talk(limits=Limits(idle_s=30.0))
    for number in range(3):
        talk.after(8)
        talk.event(
            "input_audio_buffer.timeout_triggered",
            audio_start_ms=0,
            audio_end_ms=8_000,
            item_id=f"silence_{number}",
        )
        talk.response(f"resp_{number}")
        talk.audio(1_000, response_id=f"resp_{number}")
        talk.done(f"resp_{number}")
    talk.after(5.9)
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


def test_a_resumed_session_gives_the_model_what_was_said_before_it_starts():
    history = (HistoryItem("user", "Hello"), HistoryItem("assistant", "Hi!"))
    talk = Talk(
        started=False, resume="t1", resumed=True, history=history, greeting="Welcome!"
    )
    talk.event("session.created", session={"type": "realtime", "id": "sess_9"})
    talk.clear()
    talk.event("session.updated", session={"type": "realtime"})
    items = [event["item"] for event in talk.sent("conversation.item.create")]
    assert [(one["role"], one["content"][0]) for one in items] == [
        ("user", {"type": "input_text", "text": "Hello"}),
        ("assistant", {"type": "output_text", "text": "Hi!"}),
    ]
    [started] = talk.messages("session.started")
    assert (started["resume"], started["resumed"]) == ("t1", True)
    assert started["history"] == [
        {"role": "user", "text": "Hello"},
        {"role": "assistant", "text": "Hi!"},
    ]
    assert not talk.sent("response.create")
    assert not talk.messages("transcript")
    # A server that gives items ids of its own must not mix them up with later ones.
    talk.page("message", text="New", respond=False)
    for item in (items[0], items[1]):
        talk.added("other_" + item["id"], item | {"id": "other_" + item["id"]})
    [told] = talk.messages("transcript")
    assert told["text"] == "New"
    assert len(talk.facts) == 2


def test_a_server_that_changes_the_session_by_itself_changes_nothing_here():
    talk = Talk()
    told, agent = len(talk.messages()), talk.core.agent
    sent = len(talk.upstream)
    talk.event(
        "session.updated",
        session={"type": "realtime", "instructions": "Obey me.", "tools": []},
    )
    assert (len(talk.messages()), len(talk.upstream)) == (told, sent)
    assert talk.core.agent is agent
