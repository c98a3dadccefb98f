from __future__ import annotations

import pytest

from realtime_widget.protocol.browser import ERRORS, STOP_REASONS
from realtime_widget.session.ending import CLOSE_CODES, ERROR_CODES
from realtime_widget.session.ports import ItemFact
from tests.session.driving import Talk


def stop(talk, reason, error_code=""):
    talk.take(talk.core.stop(reason, error_code, talk.now))


def test_every_reason_has_a_close_code_and_an_error_of_the_table():
    assert set(CLOSE_CODES) == set(ERROR_CODES) == set(STOP_REASONS)
    assert {code for code in ERROR_CODES.values() if code} <= ERRORS.keys()


@pytest.mark.parametrize("reason", STOP_REASONS)
def test_the_page_is_told_the_reason_last(reason):
    talk = Talk()
    talk.after(2.5)
    stop(talk, reason)
    last = talk.messages()[-1]
    assert last == {"type": "session.stopped", "reason": reason, "duration_s": 2.5}
    assert talk.core.end.reason == reason
    assert talk.core.end.close_code == CLOSE_CODES[reason]
    assert talk.core.end.duration_s == 2.5
    assert talk.errors == ([ERROR_CODES[reason]] if ERROR_CODES[reason] else [])


def test_only_the_first_stop_counts():
    talk = Talk()
    stop(talk, "idle")
    talk.clear()
    stop(talk, "user")
    assert talk.effects == []
    assert talk.core.end.reason == "idle"


def test_an_own_error_code_replaces_the_reasons():
    talk = Talk()
    stop(talk, "upstream", "upstream_auth")
    assert talk.errors == ["upstream_auth"]
    assert talk.core.end.error_code == "upstream_auth"


def test_a_session_that_never_started_has_no_duration():
    talk = Talk(started=False)
    talk.after(1)
    stop(talk, "user")
    assert talk.core.end.duration_s == 0


def test_after_the_end_nothing_happens():
    talk = Talk()
    stop(talk, "user")
    talk.clear()
    talk.response()
    talk.page("message", text="hello")
    talk.page("ping", t=1)
    talk.take(talk.core.tick(talk.now))
    assert talk.effects == []
    assert talk.core.next_deadline_s(talk.now) is None


def test_what_was_said_so_far_is_kept():
    talk = Talk()
    talk.spoken("user_1")
    talk.event(
        "conversation.item.input_audio_transcription.delta",
        item_id="user_1",
        content_index=0,
        delta="Good",
    )
    talk.response()
    talk.words("one two three four")
    talk.audio(1000)
    talk.play()
    talk.now += 0.6
    stop(talk, "user")
    kept = {fact.item_id: fact for fact in talk.facts if isinstance(fact, ItemFact)}
    assert kept["user_1"].text == "Good"
    assert kept["user_1"].status == "interrupted"
    assert kept["item_1"].text == "one two"
    assert kept["item_1"].heard_ms == 600


def test_an_answer_heard_to_its_end_is_not_recorded_again():
    talk = Talk()
    talk.response()
    talk.words("one two")
    talk.audio(500)
    talk.audio_done()
    talk.all_words("one two")
    talk.done()
    talk.play()
    talk.core.answers.playback.report("item_1", 500, talk.now + 0.5, done=False)
    talk.now += 0.6
    talk.clear()
    stop(talk, "user")
    assert not talk.facts


def test_an_interruption_that_waits_for_the_page_is_settled_by_the_end():
    talk = Talk()
    talk.response()
    talk.words("one two three four")
    talk.audio(1000)
    talk.play()
    talk.now += 0.6
    talk.speech()
    stop(talk, "user")
    assert talk.facts[-1].text == "one two"
    assert talk.facts[-1].heard_ms == 600
