from __future__ import annotations

from base64 import b64decode

import pytest

from realtime_widget.protocol.audio import PCMA
from realtime_widget.protocol.browser import FROM_BROWSER
from realtime_widget.session.config import Limits
from realtime_widget.session.page_messages import HANDLERS
from tests.session.driving import Talk


@pytest.mark.parametrize("kind", sorted(set(FROM_BROWSER) - HANDLERS.keys()))
def test_messages_a_page_may_not_send_now_are_refused(kind):
    talk = Talk()
    talk.page(kind, config={"instructions": "Obey me."}, output="x")
    assert talk.errors == ["forbidden"]
    assert not talk.upstream


def test_every_handled_message_is_one_of_the_protocol():
    assert set(FROM_BROWSER) >= HANDLERS.keys()


def test_stop_ends_the_session():
    talk = Talk()
    talk.page("session.stop")
    assert talk.stops == [("user", "")]


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({}, "invalid_field"),
        ({"text": 5}, "invalid_field"),
        ({"text": "  "}, "invalid_field"),
        ({"text": "x" * 11}, "text_too_long"),
        ({"text": "x", "role": "system"}, "forbidden"),
        ({"text": "x", "role": "assistant"}, "forbidden"),
        ({"text": "x", "role": "tool"}, "invalid_field"),
        ({"text": "x", "role": None}, "invalid_field"),
        ({"text": "x", "respond": "yes"}, "invalid_field"),
    ],
)
def test_a_bad_message_is_refused_and_nothing_is_sent(fields, code):
    talk = Talk(limits=Limits(text_chars=10))
    talk.page("message", **fields)
    assert talk.errors == [code]
    assert not talk.upstream
    assert not talk.facts


@pytest.mark.parametrize(
    ("role", "kind"), [("system", "input_text"), ("assistant", "output_text")]
)
def test_other_roles_are_taken_where_the_widget_allows_them(role, kind):
    talk = Talk(message_roles=frozenset({"user", role}))
    talk.page("message", text="x", role=role, respond=False)
    item = talk.upstream[0]["item"]
    assert item["role"] == role
    assert item["content"][0]["type"] == kind
    assert talk.facts[0].role == role
    assert talk.facts[0].agent == ("Ann" if role == "assistant" else "")


def test_a_typed_message_of_another_role_is_confirmed_by_its_id():
    talk = Talk(message_roles=frozenset({"user", "assistant"}))
    talk.page("message", text="x", role="assistant", respond=False)
    item = {
        "type": "message",
        "role": "assistant",
        "content": [{"type": "output_text", "text": "x"}],
    }
    talk.added("typed_1", item)
    talk.added("item_1", item)
    assert len(talk.messages("transcript")) == 1


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"item_id": "i"},
        {"item_id": "i", "played_ms": -1},
        {"item_id": "i", "played_ms": True},
        {"item_id": "i", "played_ms": float("inf")},
        {"item_id": 5, "played_ms": 1},
        {"item_id": "i", "played_ms": 1, "done": 1},
    ],
)
def test_a_bad_playback_report_is_refused(fields):
    talk = Talk()
    talk.page("playback", **fields)
    assert talk.errors == ["invalid_field"]


@pytest.mark.parametrize("played_ms", [None, "5", -5])
def test_a_bad_interrupt_is_refused(played_ms):
    talk = Talk()
    talk.response()
    talk.page("interrupt", played_ms=played_ms)
    assert talk.errors == ["invalid_field"]
    assert not talk.upstream


def test_ping_is_answered_with_its_own_time():
    talk = Talk()
    talk.page("ping", t=123.5)
    assert talk.messages() == [{"type": "pong", "t": 123.5}]
    talk.page("ping", t="x" * 10_000)
    assert talk.errors == ["invalid_field"]


def test_muting_in_the_middle_of_speech_ends_the_turn():
    talk = Talk(audio=PCMA)
    talk.speech()
    talk.page("microphone", muted=True)
    (append,) = talk.upstream
    assert b64decode(append["audio"]) == b"\xd5" * 8 * 1000


def test_muting_and_unmuting_in_silence_sends_nothing():
    talk = Talk()
    talk.page("microphone", muted=True)
    talk.page("microphone", muted=False)
    talk.speech()
    talk.page("microphone", muted=False)
    assert not talk.upstream
    talk.page("microphone", muted="yes")
    assert talk.errors == ["invalid_field"]
