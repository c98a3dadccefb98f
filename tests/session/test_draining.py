"""A server that stops lets every session finish its sentence."""

from __future__ import annotations

import pytest

from realtime_widget.exceptions import ToolError
from realtime_widget.session.tool_values import outcome_of
from tests.session.driving import Talk, tool

DRAINED = [("draining", "")]


def drain(talk, within_s=10.0):
    talk.take(talk.core.drain(within_s, talk.now))


@pytest.mark.parametrize("started", [True, False])
def test_silent_session_ends_at_once(started):
    talk = Talk(started=started)
    drain(talk)
    assert talk.stops == DRAINED


def test_running_answer_is_given_and_heard_to_its_end():
    talk = Talk()
    talk.response()
    talk.audio(1_000)
    talk.play()
    drain(talk)
    talk.audio(500)
    talk.audio_done()
    talk.done()
    talk.play()
    assert talk.stops == []
    talk.after(1.4)
    assert talk.stops == []
    talk.after(1.5)
    assert talk.stops == DRAINED


def test_question_that_is_being_asked_is_answered():
    talk = Talk()
    talk.speech()
    drain(talk)
    talk.silence()
    talk.response()
    talk.text("Yes.")
    assert talk.stops == []
    talk.all_text("Yes.")
    talk.done()
    assert talk.stops == DRAINED


def test_tool_and_the_answer_after_it_are_waited_for():
    talk = Talk(tools=[tool()])
    talk.response()
    talk.call("call_1")
    talk.done()
    drain(talk)
    talk.finish_tool("call_1", outcome_of(ToolError("It is closed.")))
    talk.response("resp_2")
    assert talk.stops == []
    talk.done("resp_2")
    assert talk.stops == DRAINED


def test_answer_without_an_end_is_cut_off_in_time():
    talk = Talk()
    talk.response()
    talk.text("And then ")
    drain(talk, within_s=4.0)
    talk.after(3.9)
    assert talk.stops == []
    talk.after(0.1)
    assert talk.stops == DRAINED


def test_asking_again_gives_no_more_time():
    talk = Talk()
    talk.response()
    drain(talk, within_s=4.0)
    talk.after(2)
    drain(talk, within_s=4.0)
    talk.after(2)
    assert talk.stops == DRAINED


def test_asking_again_may_end_it_now():
    talk = Talk()
    talk.response()
    drain(talk, within_s=4.0)
    drain(talk, within_s=0.0)
    assert talk.stops == DRAINED
