from __future__ import annotations

import asyncio

import pytest

from realtime_widget.protocol.audio import PCMU
from realtime_widget.session.config import TurnDetection
from tests.fakes.clock import virtual_time
from tests.session.bridging import session
from tests.session.driving import MS, Talk

BY_KEY = TurnDetection(kind="none")


def held(**fields):
    """Return a talk whose visitor holds the key."""
    talk = Talk(turn_detection=BY_KEY, **fields)
    talk.page("turn.start")
    return talk


def kinds(talk):
    return [event["type"] for event in talk.upstream]


def test_a_turn_is_committed_and_answered_when_the_key_is_let_go():
    talk = held()
    assert talk.states == ["hearing"]
    assert talk.core.listens == "held"
    talk.core.talk_key.heard(100 * MS)
    talk.page("turn.commit")
    assert kinds(talk) == ["input_audio_buffer.commit", "response.create"]
    assert talk.states[-1] == "thinking"
    assert talk.core.listens == "no"


@pytest.mark.parametrize(
    ("fields", "bytes_of_99_ms"), [({}, 99 * MS), ({"audio": PCMU}, 99 * 8)]
)
def test_less_than_100_ms_is_dropped_with_a_kind_word(fields, bytes_of_99_ms):
    talk = held(**fields)
    talk.core.talk_key.heard(bytes_of_99_ms)
    talk.page("turn.commit")
    assert kinds(talk) == ["input_audio_buffer.clear"]
    assert talk.errors == ["turn_too_short"]
    assert talk.states[-1] == "listening"


def test_a_cancelled_turn_is_forgotten():
    talk = held()
    talk.core.talk_key.heard(2_000 * MS)
    talk.page("turn.cancel")
    assert kinds(talk) == ["input_audio_buffer.clear"]
    assert not talk.errors
    assert talk.core.listens == "no"


def test_what_was_heard_before_does_not_count_for_the_next_turn():
    talk = held()
    talk.core.talk_key.heard(80 * MS)
    talk.page("turn.cancel")
    talk.page("turn.start")
    talk.core.talk_key.heard(80 * MS)
    talk.page("turn.commit")
    assert talk.errors == ["turn_too_short"]


@pytest.mark.parametrize("kind", ["turn.commit", "turn.cancel"])
def test_a_key_that_is_up_ends_nothing(kind):
    talk = Talk(turn_detection=BY_KEY)
    talk.page(kind)
    assert not talk.upstream
    assert not talk.errors


@pytest.mark.parametrize("kind", ["turn.start", "turn.commit", "turn.cancel"])
@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"turn_detection": BY_KEY, "text_only": True},
        {"turn_detection": BY_KEY, "started": False},
    ],
)
def test_keys_are_forbidden_where_turns_do_not_end_by_them(kind, fields):
    talk = Talk(**fields)
    talk.clear()
    talk.page(kind)
    assert talk.errors == ["forbidden"]
    assert not talk.upstream


def answering():
    talk = Talk(turn_detection=BY_KEY)
    talk.response()
    talk.words("one two three four")
    talk.audio(2_000)
    talk.play()
    talk.after(1.0)
    talk.clear()
    return talk


def test_the_key_silences_the_agent_and_the_model_learns_what_was_heard():
    talk = answering()
    talk.page("turn.start", item_id="item_1", played_ms=640.7)
    assert talk.sent("response.cancel") == [
        {"type": "response.cancel", "response_id": "resp_1"}
    ]
    [truncation] = talk.sent("conversation.item.truncate")
    assert truncation["audio_end_ms"] == 640
    assert talk.messages("audio.interrupted")
    assert not talk.play()


def test_without_a_figure_the_page_is_asked_what_was_heard():
    talk = answering()
    talk.page("turn.start")
    assert talk.sent("response.cancel")
    assert not talk.sent("conversation.item.truncate")
    talk.page("playback", item_id="item_1", played_ms=500, done=True)
    assert talk.sent("conversation.item.truncate")[0]["audio_end_ms"] == 500


def test_the_answer_to_a_turn_waits_for_the_end_of_the_cancelled_one():
    talk = answering()
    talk.page("turn.start")
    talk.core.talk_key.heard(500 * MS)
    talk.page("turn.commit")
    assert not talk.sent("response.create")
    talk.done(status="cancelled")
    assert len(talk.sent("response.create")) == 1


def test_a_response_that_was_asked_for_before_the_key_does_not_talk_over_the_visitor():
    talk = Talk(turn_detection=BY_KEY)
    talk.page("message", text="Hello")
    talk.page("turn.start")
    talk.response("resp_1")
    assert talk.sent("response.cancel")
    talk.audio(200)
    assert not talk.play()


def test_holding_the_key_is_no_silence():
    talk = held()
    talk.after(300)
    assert not talk.stops


def test_muting_while_the_key_is_held_sends_no_pause():
    talk = held()
    talk.page("microphone", muted=True)
    assert not talk.upstream


# --- with the asyncio around it ----------------------------------------------


@virtual_time
async def test_audio_reaches_the_model_only_while_the_key_is_held():
    async with session(turn_detection=BY_KEY) as talk:
        await talk.bridge.receive_audio(b"\1" * 40 * MS)
        assert not talk.upstream.audio
        await talk.page("turn.start")
        for _ in range(5):
            await talk.bridge.receive_audio(b"\2" * 40 * MS)
        await talk.page("turn.commit")
        await talk.bridge.receive_audio(b"\3" * 40 * MS)
        await talk.upstream.expect("input_audio_buffer.commit")
        await talk.upstream.expect("response.create")
        assert len(talk.upstream.audio) == 5


@virtual_time
async def test_the_next_turns_audio_does_not_overtake_the_end_of_the_one_before():
    async with session(turn_detection=BY_KEY) as talk:
        await talk.page("turn.start")
        await talk.bridge.receive_audio(b"\1" * 200 * MS)
        # Nobody else runs between these: the writer has sent nothing yet.
        await talk.page("turn.commit")
        await talk.page("turn.start")
        await talk.bridge.receive_audio(b"\2" * 200 * MS)
        assert len(talk.upstream.audio) == 1
        await talk.upstream.expect("input_audio_buffer.commit")
        await talk.page("turn.commit")
        await talk.upstream.expect("response.create")
        await talk.upstream.expect("input_audio_buffer.commit")
        assert len(talk.upstream.audio) == 2


@virtual_time
async def test_half_duplex_hears_nothing_while_the_agent_speaks():
    async with session(half_duplex=True) as talk:
        await talk.bridge.receive_audio(b"\1" * 40 * MS)
        talk.respond()
        talk.speak(400)
        await talk.browser.wait_for("state", state="speaking")
        await talk.bridge.receive_audio(b"\1" * 40 * MS)
        assert len(talk.upstream.audio) == 1
        talk.end_response()
        await asyncio.sleep(0.3)
        await talk.bridge.receive_audio(b"\1" * 40 * MS)
        assert len(talk.upstream.audio) == 1
        await talk.page("playback", item_id="item_1", played_ms=400, done=True)
        await talk.bridge.receive_audio(b"\1" * 40 * MS)
        assert len(talk.upstream.audio) == 2
