"""Whole conversations with the demo's agent, as a recogniser writes them."""

from __future__ import annotations

from pathlib import Path

import pytest

from realtime_widget.engine.dialogue import phrases
from tests.demo.tools import demo_tools
from tests.engine.speech import talks
from tests.engine.speech.dialogues import Talk, called
from tests.engine.speech.dialogues import said as said_item

TALKS = Path(__file__).parent / "talks"


def lines(*names):
    return [line for name in names for line in talks.read(TALKS / f"{name}.txt")]


@pytest.mark.parametrize("line", lines("order", "book", "cancel", "hours", "mixed"))
def test_journey_makes_its_calls(line):
    talks.run(line, demo_tools())


@pytest.mark.parametrize("line", lines("negations"))
def test_deed_that_is_not_asked_for_is_not_done(line):
    _talk, answer = talks.run(line, demo_tools())

    assert answer


@pytest.mark.parametrize("line", lines("corrections"))
def test_correction_takes_the_place_of_what_was_said(line):
    talks.run(line, demo_tools())


@pytest.mark.parametrize("line", lines("small_talk"))
def test_small_talk_calls_nothing(line):
    _talk, answer = talks.run(line, demo_tools())

    assert answer


@pytest.mark.parametrize("line", lines("refusals"))
def test_what_cannot_be_done_is_refused_honestly(line):
    _talk, answer = talks.run(line, demo_tools())

    assert answer.startswith(phrases.SMALL)


@pytest.mark.parametrize("line", lines("two_in_one"))
def test_two_requests_are_both_done_and_both_answered(line):
    outputs = {
        "order_status": {"message": "It has been sent."},
        "opening_hours": {"message": "We open at 9."},
        "book_appointment": {"message": "It is booked."},
        "cancel_appointment": {"message": "It is cancelled."},
    }

    talk, answer = talks.run(line, demo_tools(), outputs=outputs)

    said = " ".join(
        part["transcript"]
        for item in talk.items
        if item.get("role") == "assistant"
        for part in item["content"]
    )
    assert answer
    assert all(outputs[name]["message"] in said for name, _arguments in talk.calls)


def booked_talk():
    talk = Talk(
        {
            "book_appointment": {"message": "Booked for Tuesday.", "booked": True},
            "cancel_appointment": {"message": "Cancelled.", "cancelled": True},
        },
        tools=demo_tools(),
    )
    assert talk.say("book a tune up on tuesday at ten") == "Booked for Tuesday."
    return talk


def test_question_whether_a_deed_was_done_is_answered_from_its_outcome():
    talk = booked_talk()

    assert talk.say("have you booked my appointment") == "Booked for Tuesday."
    assert len(talk.calls) == 1


def test_question_whether_a_deed_was_done_that_was_not_is_answered_honestly():
    talk = Talk(tools=demo_tools())

    assert talk.say("have you booked my appointment") == phrases.NOT_DONE_YET


def test_correction_of_a_done_deed_asks_and_then_takes_it_back_first():
    talk = booked_talk()

    question = talk.say("no on friday")
    assert question.startswith(phrases.ALREADY_DONE)
    assert question.endswith("?")
    assert talk.say("yes please") == "Cancelled. Booked for Tuesday."

    assert [name for name, _arguments in talk.calls] == [
        "book_appointment",
        "cancel_appointment",
        "book_appointment",
    ]


def test_deed_that_fails_does_not_go_on_with_what_hangs_on_it():
    talk = booked_talk()
    talk.outputs["cancel_appointment"] = {"error": "There is no such appointment."}
    talk.say("no on friday")

    answer = talk.say("yes please")

    assert "There is no such appointment." in answer
    assert [name for name, _arguments in talk.calls] == [
        "book_appointment",
        "cancel_appointment",
    ]


def test_correction_of_a_deed_that_failed_is_done_at_once():
    output = {"message": "That time is taken.", "booked": False}
    talk = Talk({"book_appointment": output}, tools=demo_tools())
    talk.say("book a tune up on tuesday at ten")

    talk.say("no on friday")

    assert [arguments["day"] for _name, arguments in talk.calls] == [
        "2026-11-24",
        "2026-11-27",
    ]


def test_open_question_comes_back_after_another_was_answered():
    output = {"message": "We open at 9."}
    talk = Talk({"opening_hours": output}, tools=demo_tools())
    talk.say("book a tune up on tuesday")

    assert talk.say("what time do you open") == "We open at 9. At what time?"
    talk.say("at ten")

    assert talk.calls[-1][0] == "book_appointment"


def test_second_deed_waits_for_the_answer_about_the_first():
    talk = Talk(tools=demo_tools())

    first = talk.say("book a tune up and cancel my appointment")

    assert [name for name, _arguments in talk.calls] == ["cancel_appointment"]
    assert first == "Done. Which day would you like?"


def test_only_one_call_at_a_time_still_makes_both():
    talk = Talk(tools=demo_tools())
    talk.items.append(said_item("cancel my appointment and when are you open"))
    decision = talk._decide()
    assert len(decision.calls) == 2

    # The session allowed one; the other follows when its output is there.
    talk.items += called("cancel_appointment", {}, {"message": "Cancelled."})
    [rest] = talk._decide().calls

    assert rest.tool.name == "opening_hours"
