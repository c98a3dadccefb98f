"""A page goes without a word, and comes back: what the session does in between."""

from __future__ import annotations

import asyncio
import json

import pytest

from realtime_widget.session import waiting
from realtime_widget.session.config import HistoryItem, Limits, TurnDetection
from realtime_widget.session.ports import ItemFact, NoPage, ToolFact
from realtime_widget.session.presence import GO_ON_S
from realtime_widget.session.tool_values import Outcome
from realtime_widget.session.tools import MAX_WAITING_CHARS
from tests.fakes.browser import RecordingBrowser
from tests.fakes.clock import settle, virtual_time
from tests.session.bridging import session
from tests.session.driving import MS, Talk, tool

TEXT = "one two three four five six seven eight nine ten"


def left(talk):
    """Let the page of a talk go, and return what that did."""
    talk.clear()
    talk.take(talk.core.page_left(talk.now))
    return talk


def back(talk):
    """Let the page come back; return what it is told first."""
    talk.clear()
    talk.take(talk.core.page_returned(talk.now))
    (started,) = talk.messages("session.started")
    assert talk.messages()[0] is started
    return started


def answering(ms=4000, heard_ms=1000, **fields):
    """Return a talk in which an answer is heard, and its page has reported so."""
    talk = Talk(**fields)
    talk.response()
    talk.words(TEXT)
    talk.audio(ms)
    talk.play()
    talk.after(heard_ms / 1000)
    talk.page("playback", item_id="item_1", played_ms=heard_ms, done=False)
    return talk


def recorded(talk):
    """Return the words, status and measure of the only line that is recorded."""
    (fact,) = [fact for fact in talk.facts if isinstance(fact, ItemFact)]
    return fact.text, fact.status, fact.heard_ms


def truncated(talk):
    """Return where the only answer that was cut is cut for the model."""
    (cut,) = talk.sent("conversation.item.truncate")
    return cut["item_id"], cut["audio_end_ms"]


def test_an_answer_stops_where_it_was_heard_and_is_recorded_so():
    talk = left(answering())
    assert [event["type"] for event in talk.upstream] == ["response.cancel"]
    assert not talk.play()
    talk.after(10)
    back(talk)
    talk.after(0.31)
    assert truncated(talk) == ("item_1", 1000)
    assert recorded(talk) == ("one two", "interrupted", 1000)


def test_a_page_that_played_on_meanwhile_says_how_far():
    talk = left(answering())
    talk.after(10)
    back(talk)
    talk.page("playback", item_id="item_1", played_ms=2000, done=False)
    talk.after(0.31)
    assert truncated(talk) == ("item_1", 2000)
    assert recorded(talk) == ("one two three four five", "interrupted", 2000)


def test_a_page_that_is_back_soon_plays_what_it_has_to_its_end():
    talk = left(answering())
    talk.done(status="cancelled")
    back(talk)
    talk.page("playback", item_id="item_1", played_ms=1200, done=False)
    talk.after(1)
    assert not talk.sent("conversation.item.truncate")
    assert not talk.sent("response.create")
    talk.page("playback", item_id="item_1", played_ms=2500, done=True)
    assert truncated(talk) == ("item_1", 2500)
    talk.after(GO_ON_S)
    assert talk.upstream[-1]["type"] == "response.create"


def test_an_answer_that_was_played_to_its_end_meanwhile_is_whole():
    talk = answering(ms=2000, heard_ms=1000)
    talk.audio_done()
    talk.play()
    left(talk)
    talk.all_words(TEXT)
    talk.done(status="cancelled")
    back(talk)
    talk.page("playback", item_id="item_1", played_ms=2000, done=True)
    talk.after(2)
    assert recorded(talk) == (TEXT, "completed", None)
    assert not talk.upstream


def test_what_was_heard_is_recorded_when_nobody_comes_back():
    talk = left(answering())
    talk.take(talk.core.stop("user", "", talk.now + 30))
    assert recorded(talk) == ("one two", "interrupted", 1000)


def test_what_the_model_still_sends_is_dropped():
    talk = left(answering())
    talk.audio(400)
    talk.words(" eleven")
    talk.done(status="cancelled")
    assert not talk.play()
    assert not talk.messages("transcript")[1:]


def test_the_model_is_asked_to_go_on_once_somebody_hears_it():
    talk = left(answering())
    talk.done(status="cancelled")
    talk.after(10)
    assert not talk.upstream[1:]
    back(talk)
    assert not talk.sent("response.create")
    talk.after(GO_ON_S)
    assert len(talk.sent("response.create")) == 1
    talk.after(GO_ON_S)
    assert len(talk.sent("response.create")) == 1


def test_one_answer_is_for_what_is_owed_and_what_comes_with_the_page():
    talk = left(answering())
    talk.done(status="cancelled")
    talk.after(5)
    back(talk)
    talk.page("message", text="And the price?")
    talk.after(1)
    assert [event["type"] for event in talk.upstream] == [
        "conversation.item.create",
        "conversation.item.truncate",
        "response.create",
    ]


def test_an_answer_that_was_sent_to_its_end_is_not_asked_for_again():
    talk = answering(ms=1000, heard_ms=600)
    talk.audio_done()
    talk.done()
    talk.play()
    left(talk)
    back(talk)
    talk.after(2)
    assert not talk.sent("response.create")


def test_a_question_that_was_being_answered_is_answered_on_return():
    talk = Talk()
    talk.page("message", text="Are you open?")
    left(talk)
    talk.response()
    assert len(talk.sent("response.cancel")) == 1
    talk.audio(400)
    talk.done(status="cancelled")
    assert not talk.play()
    back(talk)
    talk.after(1)
    assert len(talk.sent("response.create")) == 1


def test_a_greeting_that_nobody_heard_keeps_its_words():
    talk = Talk(started=False, greeting="Welcome!")
    talk.start()
    left(talk)
    back(talk)
    talk.response()
    talk.done(status="cancelled")
    talk.after(5)
    (greeting,) = talk.sent("response.create")
    assert "Welcome!" in json.dumps(greeting)


def test_speech_whose_answer_nobody_would_hear_is_answered_on_return():
    talk = Talk()
    talk.speech()
    left(talk)
    talk.silence()
    talk.response()
    talk.done(status="cancelled")
    assert len(talk.sent("response.cancel")) == 1
    back(talk)
    talk.after(1)
    assert len(talk.sent("response.create")) == 1


def test_a_prompt_for_a_silence_is_for_nobody():
    talk = left(Talk())
    talk.response()
    talk.done(status="cancelled")
    assert len(talk.sent("response.cancel")) == 1
    back(talk)
    talk.after(1)
    assert not talk.sent("response.create")


def test_what_is_answered_in_writing_is_there_on_return():
    talk = Talk(text_only=True)
    talk.page("message", text="Are you open?")
    talk.response()
    talk.text("We")
    left(talk)
    assert not talk.upstream
    talk.text(" are")
    back(talk)
    (line,) = talk.messages("transcript")
    assert (line["text"], line["final"]) == ("We are", False)
    left(talk)
    talk.all_text("We are open.")
    talk.done()
    assert [said["text"] for said in back(talk)["history"]] == [
        "Are you open?",
        "We are open.",
    ]
    assert not talk.messages("transcript")


def test_the_page_is_told_how_things_are():
    earlier = (
        HistoryItem("user", "Hello", "session-0", "item_1"),
        HistoryItem("assistant", "Hi!", "session-0", "item_2"),
    )
    talk = Talk(history=earlier, resumed=True, resume="token")
    talk.page("message", text="My name is Ann", respond=False)
    left(talk)
    started = back(talk)
    assert started["session_id"] == "session-1"
    assert (started["resumed"], started["resume"]) == (True, "token")
    assert started["history"] == [
        {"role": "user", "text": "Hello"},
        {
            "role": "assistant",
            "text": "Hi!",
            "of": {"session_id": "session-0", "item_id": "item_2"},
        },
        {"role": "user", "text": "My name is Ann", "item_id": "typed_3"},
    ]
    assert talk.states == ["listening"]


def test_of_a_long_talk_the_page_is_told_the_newest():
    talk = Talk(text_only=True)
    for number in range(70):
        talk.page("message", text=f"{number} " + "x" * 1_000, respond=False)
    left(talk)
    texts = [said["text"].split()[0] for said in back(talk)["history"]]
    assert texts == [str(number) for number in range(70 - 23, 70)]


def test_an_answer_that_was_cut_is_told_as_cut():
    talk = left(answering())
    talk.after(5)
    assert back(talk)["history"] == []
    talk.after(1)
    assert talk.messages("transcript")[-1]["text"] == "one two"
    left(talk)
    (said,) = back(talk)["history"]
    assert said == {
        "role": "assistant",
        "text": "one two",
        "item_id": "item_1",
        "interrupted": True,
    }


def test_a_tool_that_finishes_meanwhile_is_kept_and_answered_on_return():
    talk = Talk(tools=[tool(filler="One moment", timeout_s=60)])
    talk.response()
    talk.call()
    talk.done()
    left(talk)
    talk.after(5)  # its filler phrase is for nobody
    talk.finish_tool("call_1", Outcome("completed", {"open": True}))
    assert [event["type"] for event in talk.upstream] == ["conversation.item.create"]
    assert [type(fact) for fact in talk.facts] == [ToolFact]
    back(talk)
    talk.after(1)
    (create,) = talk.sent("response.create")
    assert "response" not in create


def test_a_tool_that_still_runs_is_shown_again():
    talk = Talk(tools=[tool()])
    talk.response()
    talk.call()
    talk.done()
    left(talk)
    back(talk)
    assert [one["call_id"] for one in talk.messages("tool.started")] == ["call_1"]
    assert not talk.started_tools


def test_a_question_to_the_visitor_is_asked_again():
    talk = Talk(tools=[tool("book", needs_approval=True, approval_text="Book it?")])
    talk.response()
    talk.call(name="book")
    talk.done()
    left(talk)
    back(talk)
    (asked,) = talk.messages("tool.approval_required")
    assert (asked["call_id"], asked["summary"]) == ("call_1", "Book it?")
    talk.page("tool.approval", call_id="call_1", approve=True)
    assert talk.started_tools == ["call_1"]


def test_a_tool_of_the_page_is_asked_for_again():
    talk = Talk(tools=[tool("show_map", runs_on="browser")])
    talk.response()
    talk.call(name="show_map", arguments='{"city": "Rome"}')
    talk.done()
    left(talk)
    talk.finish_tool("call_1", Outcome("permitted", None))
    back(talk)
    (asked,) = talk.messages("tool.call")
    assert (asked["call_id"], asked["arguments"]) == ("call_1", '{"city": "Rome"}')
    talk.page("tool.result", call_id="call_1", output=1)
    assert len(talk.sent("conversation.item.create")) == 1


def test_a_key_that_was_held_is_let_go():
    detection = TurnDetection(kind="none")
    talk = Talk(turn_detection=detection)
    talk.page("turn.start")
    talk.core.talk_key.heard(500 * MS)
    left(talk)
    assert talk.core.listens == "no"
    assert [event["type"] for event in talk.upstream] == ["input_audio_buffer.clear"]
    back(talk)
    talk.after(1)
    assert not talk.sent("response.create")


@pytest.mark.parametrize(
    ("limits", "reason"),
    [(Limits(idle_s=20), "idle"), (Limits(max_session_s=20), "time_limit")],
)
def test_its_time_runs_on(limits, reason):
    talk = Talk(limits=limits)
    left(talk)
    talk.after(21)
    assert talk.stops == [(reason, "")]


def test_who_comes_back_is_warned_again():
    talk = left(Talk(limits=Limits(idle_s=60)))
    talk.after(45)
    assert len(talk.messages("warning")) == 1
    back(talk)
    assert talk.messages("warning") == [
        {"type": "warning", "code": "idle", "left_s": 15}
    ]


def test_nothing_is_heard_while_nobody_is_there():
    talk = left(Talk())
    assert talk.core.listens == "no"
    back(talk)
    assert talk.core.listens == "always"


def test_calls_that_wait_are_bounded_by_their_size():
    talk = Talk(tools=[tool("book", needs_approval=True)])
    talk.response()
    long = json.dumps({"text": "x" * 60_000})
    for number in range(5):
        talk.call(f"call_{number}", "book", long)
    assert 4 * len(long) <= MAX_WAITING_CHARS < 5 * len(long)
    assert len(talk.messages("tool.approval_required")) == 4
    assert talk.messages("tool.finished")[0]["call_id"] == "call_4"


# --- the bridge ----------------------------------------------------------------


@virtual_time
async def test_another_page_is_taken_over_the_same_connection():
    async with session(outlives_page=True) as talk:
        older, newer = talk.browser, RecordingBrowser()
        talk.bridge.leave_page(NoPage())
        await talk.bridge.receive_audio(b"\0" * 960)
        assert talk.upstream.audio == []
        talk.bridge.take_page(newer)
        talk.browser = newer
        await settle()
        assert newer.log == ["session.started", "state"]
        assert older.log.count("session.started") == 1
        await talk.bridge.receive_audio(b"\0" * 960)
        assert len(talk.upstream.audio) == 1
    assert talk.upstream.closed == 1


@virtual_time
async def test_a_page_that_takes_nothing_holds_up_nobody_after_it():
    async with session(outlives_page=True) as talk:
        newer = RecordingBrowser()
        talk.browser.stall()
        talk.hear()
        await settle()
        talk.bridge.leave_page(NoPage())
        talk.bridge.take_page(newer)
        talk.browser = newer
        await settle()
        assert newer.log[0] == "session.started"
        await asyncio.sleep(60)
        assert talk.bridge.alive


@virtual_time
async def test_a_page_that_cannot_be_sent_to_is_no_end_of_a_session_that_outlives_it():
    async with session(outlives_page=True) as talk:
        talk.browser.gone = True
        talk.hear()
        await settle()
        assert talk.bridge.alive
        newer = RecordingBrowser()
        talk.bridge.leave_page(NoPage())
        talk.bridge.take_page(newer)
        talk.browser = newer
        await newer.wait_for("session.started")


@virtual_time
async def test_a_model_that_takes_nothing_any_more_ends_the_session():
    async with session() as talk:
        talk.upstream.sends_blocked = True
        words = "x" * 3_900
        for _ in range(waiting.MAX_BYTES // len(words) + 1):
            await talk.page("message", text=words, respond=False)
            await settle()
        end = await talk.task
    assert (end.reason, end.error_code) == ("upstream", "upstream_lost")


def test_audio_that_does_not_fit_is_dropped():
    queue = waiting.WaitingEvents(max_bytes=10)
    for _ in range(3):
        queue.put_audio(b"1234")
    assert len(queue) == 2
    assert not queue.overfull
    queue.put({"type": "x"})
    assert queue.overfull
    assert queue.take() == b"1234"
    queue.clear()
    assert len(queue) == 0
    assert not queue.overfull
