from __future__ import annotations

import pytest

from realtime_widget.session.ports import ItemFact, UsageFact
from realtime_widget.session.transcript import (
    MAX_CHARS,
    MAX_ITEMS,
    MAX_LINE_CHARS,
    heard_part,
)
from tests.session.driving import Talk


def test_language_of_what_was_said_is_kept():
    talk = Talk()
    talk.event(
        "conversation.item.input_audio_transcription.completed",
        item_id="user_1",
        content_index=0,
        transcript="Guten Tag",
        languages=[{"code": "de"}],
        usage={"type": "duration", "seconds": 1},
    )
    item, *_ = [fact for fact in talk.facts if isinstance(fact, ItemFact)]
    assert (item.text, item.language) == ("Guten Tag", "de")


@pytest.mark.parametrize("words", ["", " ", "\n\t "])
def test_line_without_words_is_not_recorded(words):
    talk = Talk()
    talk.transcribed(words)
    assert not [fact for fact in talk.facts if isinstance(fact, ItemFact)]


def lines(talk):
    """Return (item, previous, delta or text, final) of each transcript message."""
    return [
        (
            m["item_id"],
            m["previous_item_id"],
            m.get("delta", m.get("text")),
            m["final"],
        )
        for m in talk.messages("transcript")
    ]


def test_the_visitors_line_is_placed_before_its_words_come():
    talk = Talk()
    talk.event("input_audio_buffer.committed", item_id="user_1", previous_item_id=None)
    talk.spoken("user_1")
    talk.response()
    talk.added(
        "item_1", {"type": "message", "role": "assistant", "content": []}, "user_1"
    )
    talk.words("Hel")
    talk.words("lo.")
    talk.event(
        "conversation.item.input_audio_transcription.delta",
        item_id="user_1",
        content_index=0,
        delta="Good ",
    )
    talk.transcribed("Good day")
    talk.all_words("Hello.")
    assert lines(talk) == [
        ("user_1", None, "", False),
        ("item_1", "user_1", "Hel", False),
        ("item_1", "user_1", "lo.", False),
        ("user_1", None, "Good ", False),
        ("user_1", None, "Good day", True),
        ("item_1", "user_1", "Hello.", True),
    ]
    items = [fact for fact in talk.facts if isinstance(fact, ItemFact)]
    assert items == [
        ItemFact("user_1", "user", "Good day"),
        ItemFact(
            "item_1", "assistant", "Hello.", previous_item_id="user_1", agent="Ann"
        ),
    ]


def test_tool_calls_between_two_lines_are_not_seen():
    talk = Talk()
    talk.spoken("user_1")
    talk.added(
        "call", {"type": "function_call", "name": "x", "arguments": ""}, "user_1"
    )
    talk.added(
        "output", {"type": "function_call_output", "call_id": "c", "output": ""}, "call"
    )
    talk.added(
        "item_1", {"type": "message", "role": "assistant", "content": []}, "output"
    )
    talk.response()
    talk.words("Yes")
    assert lines(talk)[-1] == ("item_1", "user_1", "Yes", False)


def test_without_transcription_the_visitors_speech_has_no_line():
    talk = Talk(transcription_model="")
    talk.spoken("user_1")
    assert not lines(talk)


def test_a_transcription_that_failed_closes_its_line():
    talk = Talk()
    talk.spoken("user_1")
    talk.event(
        "conversation.item.input_audio_transcription.failed",
        item_id="user_1",
        content_index=0,
        error={"code": "x"},
    )
    assert lines(talk)[-1] == ("user_1", None, "", True)
    assert not talk.facts


def test_silence_taken_for_speech_is_not_recorded():
    talk = Talk()
    talk.spoken("user_1")
    talk.transcribed("")
    assert [type(fact) for fact in talk.facts] == [UsageFact]


def test_words_after_the_final_ones_are_ignored():
    talk = Talk()
    talk.transcribed("Good day")
    talk.event(
        "conversation.item.input_audio_transcription.delta",
        item_id="user_1",
        content_index=0,
        delta="?",
    )
    talk.event("conversation.item.input_audio_transcription.delta", item_id="user_1")
    assert len(lines(talk)) == 1


def test_a_typed_message_is_echoed_and_recorded_at_once():
    talk = Talk()
    talk.spoken("user_1")
    talk.page("message", text="typed", respond=False)
    assert lines(talk)[-1] == ("typed_1", "user_1", "typed", True)
    assert talk.facts == [
        ItemFact("typed_1", "user", "typed", source="text", previous_item_id="user_1")
    ]


@pytest.mark.parametrize("server_id", ["typed_1", "item_of_the_server"])
def test_the_servers_echo_of_a_typed_message_is_no_second_line(server_id):
    talk = Talk()
    talk.page("message", text="typed", respond=False)
    item = {
        "type": "message",
        "role": "user",
        "content": [{"type": "input_text", "text": "typed"}],
    }
    talk.added(server_id, item)
    talk.event("conversation.item.done", item={"id": server_id, **item})
    talk.added(
        "item_1", {"type": "message", "role": "assistant", "content": []}, server_id
    )
    talk.response()
    talk.words("Yes")
    assert [line[0] for line in lines(talk)] == ["typed_1", "item_1"]
    assert lines(talk)[-1][1] == "typed_1"


def test_a_written_answer_is_shown_as_it_comes():
    talk = Talk(text_only=True)
    talk.response()
    talk.text("Hel")
    assert talk.states == ["thinking", "speaking"]
    talk.text("lo")
    talk.all_text("Hello")
    talk.done()
    assert lines(talk) == [
        ("item_1", None, "Hel", False),
        ("item_1", None, "lo", False),
        ("item_1", None, "Hello", True),
    ]
    assert talk.facts[0].source == "text"
    assert talk.states[-1] == "listening"


def test_an_interrupted_written_answer_keeps_what_was_shown():
    talk = Talk(text_only=True)
    talk.response()
    talk.text("Hello the")
    talk.page("interrupt", played_ms=0)
    talk.text("re")
    talk.all_text("Hello there")
    talk.done(status="cancelled")
    assert lines(talk)[-1] == ("item_1", None, "Hello the", True)
    assert talk.facts[-1].status == "interrupted"


@pytest.mark.parametrize(
    ("status", "kept"),
    [("incomplete", "interrupted"), ("failed", "failed"), ("completed", "completed")],
)
def test_a_response_that_ends_early_closes_its_lines(status, kept):
    talk = Talk()
    talk.response()
    talk.words("Hello the")
    talk.done(status=status)
    assert lines(talk)[-1] == ("item_1", None, "Hello the", True)
    assert talk.facts[-1].status == kept


def test_words_that_cannot_be_stored_are_cleaned():
    talk = Talk()
    talk.transcribed("a\x00b\ud800c")
    assert talk.facts[0].text == "ab?c"


def test_old_lines_are_forgotten():
    talk = Talk()
    for n in range(MAX_ITEMS + 50):
        talk.transcribed("x", item_id=f"user_{n}")
    assert not talk.core.transcript.places("user_0")
    assert talk.core.transcript.places(f"user_{MAX_ITEMS}")


def test_items_in_a_circle_do_not_hang():
    talk = Talk()
    talk.added("a", {"type": "message", "role": "assistant", "content": []}, "b")
    talk.added("b", {"type": "message", "role": "assistant", "content": []}, "a")
    talk.added("b", {"type": "message", "role": "assistant", "content": []}, "b")
    talk.response()
    talk.words("x", item_id="a")
    assert lines(talk)[-1] == ("a", None, "x", False)


@pytest.mark.parametrize(
    ("text", "heard_ms", "received_ms", "part"),
    [
        ("one two three", 0, 1000, ""),
        ("one two three", 500, 0, ""),
        ("one two three", 1000, 1000, "one two three"),
        ("one two three", 2000, 1000, "one two three"),
        ("one two three", 500, 1000, "one"),
        ("one two three", 560, 1000, "one two"),
        ("one\ntwo three", 400, 1000, "one"),
        ("一二三四五六", 500, 1000, "一二三"),
        ("Donaudampfschiff faehrt", 300, 1000, ""),
    ],
)
def test_the_heard_part_ends_at_a_words_end(text, heard_ms, received_ms, part):
    assert heard_part(text, heard_ms, received_ms) == part


def test_the_servers_order_corrects_our_guess():
    talk = Talk()
    talk.page("message", text="typed", respond=False)
    talk.spoken("user_1", previous_item_id=None)
    talk.added("user_1", {"type": "message", "role": "user", "content": []}, "user_0")
    talk.transcribed("spoken")
    assert lines(talk)[-1] == ("user_1", None, "spoken", True)


def test_an_answer_takes_no_words_after_its_end():
    talk = Talk()
    talk.response()
    talk.words("Hello")
    talk.all_words("Hello.")
    talk.words(" you")
    talk.all_words("Hello you.")
    assert lines(talk)[-1] == ("item_1", None, "Hello.", True)


def test_audio_without_words_makes_no_line():
    talk = Talk()
    talk.response()
    talk.audio(500)
    talk.audio_done()
    talk.play()
    talk.after(0.45)
    talk.speech()
    talk.page("playback", item_id="item_1", played_ms=500, done=True)
    assert not lines(talk)


def test_a_transcription_without_usage_costs_nothing():
    talk = Talk()
    talk.raw(
        {
            "type": "conversation.item.input_audio_transcription.completed",
            "item_id": "user_1",
            "transcript": "Hello",
        }
    )
    assert [type(fact) for fact in talk.facts] == [ItemFact]


def test_a_line_without_end_is_kept_only_so_far():
    talk = Talk()
    talk.response()
    for _ in range(5):
        talk.words("x" * (MAX_LINE_CHARS // 4))
    shown = "".join(delta for _, _, delta, final in lines(talk) if not final)
    assert len(shown) == MAX_LINE_CHARS
    talk.all_words("y" * (2 * MAX_LINE_CHARS))
    (said,) = [fact for fact in talk.facts if isinstance(fact, ItemFact)]
    assert said.text == "y" * MAX_LINE_CHARS


def test_the_words_of_the_oldest_lines_are_forgotten_once_they_are_recorded():
    talk = Talk()
    for number in range(4):
        talk.spoken(f"user_{number}")
        talk.transcribed("x" * MAX_LINE_CHARS, f"user_{number}")
    said = [fact for fact in talk.facts if isinstance(fact, ItemFact)]
    assert [len(fact.text) for fact in said] == [MAX_LINE_CHARS] * 4
    kept = sum(len(line.text) for line in talk.core.transcript._lines.values())
    assert kept <= MAX_CHARS
