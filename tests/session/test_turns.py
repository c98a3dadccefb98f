from __future__ import annotations

from realtime_widget.session.config import TurnDetection
from realtime_widget.session.core import RESPONSE_SILENT_S
from realtime_widget.session.turns import OWN_RESPONSE_S, REQUEST_S
from tests.session.driving import Talk


def creates(talk):
    return talk.sent("response.create")


def test_a_typed_message_is_added_and_answered():
    talk = Talk()
    talk.page("message", text="  Where is my order?  ")
    item, create = talk.upstream
    assert item["item"]["content"] == [
        {"type": "input_text", "text": "Where is my order?"}
    ]
    assert item["item"]["role"] == "user"
    assert create["type"] == "response.create"
    assert "response" not in create
    assert talk.states == ["thinking"]


def test_a_message_without_respond_is_only_added():
    talk = Talk()
    talk.page("message", text="by the way", respond=False)
    assert [e["type"] for e in talk.upstream] == ["conversation.item.create"]


def test_one_response_runs_at_a_time_and_wishes_become_one():
    talk = Talk()
    talk.page("message", text="one")
    talk.page("message", text="two")
    talk.response("resp_1")
    talk.page("message", text="three")
    assert len(creates(talk)) == 1
    talk.done("resp_1")
    assert len(creates(talk)) == 2
    talk.response("resp_2")
    talk.done("resp_2")
    assert len(creates(talk)) == 2
    assert talk.states[-1] == "listening"


def test_the_servers_own_response_covers_what_was_asked_before_it():
    talk = Talk()
    talk.speech()
    talk.page("message", text="and this")
    assert not creates(talk)
    talk.silence()
    talk.response("resp_1")
    talk.done("resp_1")
    assert not creates(talk)


def test_speech_that_the_server_does_not_answer_holds_a_request_only_for_a_while():
    talk = Talk()
    talk.speech()
    talk.page("message", text="hello")
    talk.silence()
    talk.after(OWN_RESPONSE_S - 0.1)
    assert not creates(talk)
    talk.after(0.2)
    assert len(creates(talk)) == 1


def test_states_follow_a_spoken_turn():
    talk = Talk()
    talk.speech(at_ms=480)
    talk.silence(at_ms=1490)
    talk.response()
    talk.audio(200)
    talk.play()
    talk.audio_done()
    talk.done()
    talk.play()
    talk.after(0.5)
    assert talk.states == ["hearing", "thinking", "speaking", "listening"]
    assert talk.messages("speech.started")[0]["at_ms"] == 480
    assert talk.messages("speech.stopped")[0]["at_ms"] == 1490


def test_a_cough_that_gets_no_answer_ends_in_listening():
    talk = Talk()
    talk.speech()
    talk.silence()
    talk.after(OWN_RESPONSE_S + 0.1)
    assert talk.states == ["hearing", "thinking", "listening"]


def test_a_request_refused_because_one_runs_is_sent_again_after_it():
    talk = Talk()
    talk.page("message", text="hello")
    event_id = creates(talk)[0]["event_id"]
    talk.response("resp_own")
    talk.error("conversation_already_has_active_response", event_id=event_id)
    assert not talk.errors
    assert len(creates(talk)) == 1
    talk.done("resp_own")
    assert len(creates(talk)) == 2


def test_a_refusal_before_we_know_of_the_running_response_waits_for_it():
    talk = Talk()
    talk.page("message", text="hello")
    talk.error(
        "conversation_already_has_active_response",
        event_id=creates(talk)[0]["event_id"],
    )
    assert len(creates(talk)) == 1
    talk.after(OWN_RESPONSE_S + 0.1)
    assert len(creates(talk)) == 2


def test_a_request_that_fails_is_told_and_frees_the_next():
    talk = Talk()
    talk.page("message", text="hello")
    talk.error("invalid_value", event_id=creates(talk)[0]["event_id"])
    assert talk.errors == ["response_failed"]
    assert talk.states[-1] == "listening"
    talk.page("message", text="again")
    assert len(creates(talk)) == 2


def test_an_error_that_names_nothing_belongs_to_the_open_request():
    talk = Talk()
    talk.page("message", text="hello")
    talk.error("invalid_value")
    assert talk.errors == ["response_failed"]
    assert talk.states[-1] == "listening"
    talk.error("invalid_value")
    assert talk.errors == ["response_failed"]


def test_a_response_of_which_nothing_comes_is_given_up():
    talk = Talk()
    talk.response()
    talk.words("Well, ")
    talk.after(RESPONSE_SILENT_S - 0.1)
    assert not talk.errors
    talk.after(0.2)
    assert talk.errors == ["response_failed"]
    assert talk.sent("response.cancel")
    assert talk.facts[-1].text == "Well, "
    assert talk.facts[-1].status == "failed"
    assert talk.states[-1] == "listening"
    talk.page("message", text="hello?")
    assert len(creates(talk)) == 1


def test_a_slow_response_that_goes_on_is_kept():
    talk = Talk()
    talk.response()
    for _ in range(5):
        talk.after(RESPONSE_SILENT_S - 1)
        talk.audio(100)
        talk.play()
    assert not talk.errors


def test_a_request_that_is_never_answered_is_given_up():
    talk = Talk()
    talk.page("message", text="hello")
    talk.page("message", text="hello?")
    talk.after(REQUEST_S + 0.1)
    assert len(creates(talk)) == 2


def test_a_response_done_for_another_response_changes_nothing():
    talk = Talk()
    talk.response("resp_1")
    talk.done("resp_0")
    assert talk.core.turns.active_id == "resp_1"
    talk.done("resp_1")
    talk.clear()
    talk.done("resp_1")
    talk.response("resp_1")
    assert talk.core.turns.active_id == ""
    assert talk.states == []


def test_interrupt_cancels_the_running_response():
    talk = Talk()
    talk.response()
    talk.page("interrupt", played_ms=0)
    assert talk.upstream == [{"type": "response.cancel", "response_id": "resp_1"}]
    talk.audio(200)
    talk.words("too late")
    assert not talk.play()
    assert not talk.messages("transcript")


def test_interrupt_cancels_a_response_that_is_only_asked_for():
    talk = Talk()
    talk.page("message", text="hello")
    talk.page("interrupt", played_ms=0)
    assert not talk.sent("response.cancel")
    talk.response()
    assert len(talk.sent("response.cancel")) == 1


def test_interrupt_with_nothing_running_sends_nothing():
    talk = Talk()
    talk.page("interrupt", played_ms=0)
    assert talk.upstream == []
    talk.response()
    assert talk.upstream == []


def test_a_new_message_after_an_interrupt_is_answered():
    talk = Talk()
    talk.speech()
    talk.silence()
    talk.page("interrupt", played_ms=0)
    talk.page("message", text="rather this")
    talk.response()
    assert not talk.sent("response.cancel")
    assert talk.core.turns.active_id == "resp_1"


def test_an_interrupt_is_forgotten_when_no_response_comes():
    talk = Talk()
    talk.speech()
    talk.silence()
    talk.page("interrupt", played_ms=0)
    talk.after(OWN_RESPONSE_S + 0.1)
    talk.response()
    assert talk.upstream == []


def echoed(talk, item_id, text):
    content = [{"type": "input_text", "text": text}]
    talk.added(item_id, {"type": "message", "role": "user", "content": content})


def test_the_servers_own_response_does_not_cover_what_it_has_overtaken():
    talk = Talk()
    talk.speech()
    talk.page("message", text="one")
    echoed(talk, "typed_1", "one")
    talk.page("message", text="and this")
    talk.silence()
    talk.response("resp_1")
    echoed(talk, "typed_2", "and this")
    talk.done("resp_1")
    assert len(creates(talk)) == 1


def test_a_server_that_shows_no_items_is_not_asked_twice():
    talk = Talk()
    for number in (1, 2):
        talk.speech()
        talk.page("message", text="and this")
        talk.silence()
        talk.response(f"resp_{number}")
        talk.done(f"resp_{number}")
    assert not creates(talk)


def test_speech_that_the_server_could_not_answer_is_answered():
    talk = Talk()
    talk.page("message", text="hello")
    talk.response("resp_1")
    talk.speech()
    talk.silence()
    talk.error("conversation_already_has_active_response")
    talk.clear()
    talk.done("resp_1", "cancelled")
    assert len(creates(talk)) == 1
    assert not talk.errors


def test_an_answer_does_not_begin_over_the_visitors_words():
    talk = Talk()
    talk.page("message", text="hello")
    talk.speech()
    talk.response("resp_1")
    assert [event["response_id"] for event in talk.sent("response.cancel")] == [
        "resp_1"
    ]
    talk.audio(200)
    assert not talk.play()


def test_a_widget_that_lets_answers_finish_lets_them_begin_too():
    talk = Talk(turn_detection=TurnDetection(interrupt_response=False))
    talk.page("message", text="hello")
    talk.speech()
    talk.response("resp_1")
    assert not talk.sent("response.cancel")


def test_what_was_interrupted_does_not_come_back():
    talk = Talk()
    talk.page("message", text="hello")
    (request,) = creates(talk)
    talk.page("interrupt", played_ms=0)
    talk.response("resp_own")
    talk.error("conversation_already_has_active_response", event_id=request["event_id"])
    talk.clear()
    talk.done("resp_own", "cancelled")
    assert not creates(talk)


def test_the_answer_to_an_interrupted_request_is_cut_off_however_late_it_comes():
    talk = Talk()
    talk.page("message", text="hello")
    talk.page("interrupt", played_ms=0)
    talk.after(10)
    talk.response("resp_1")
    assert talk.sent("response.cancel")


def test_a_request_that_nobody_answers_is_given_up_aloud():
    talk = Talk()
    talk.page("message", text="hello")
    talk.after(21)
    assert talk.errors == ["response_failed"]
    assert talk.states[-1] == "listening"


def test_an_error_of_something_else_leaves_the_request_alone():
    talk = Talk()
    talk.page("message", text="hello")
    talk.error("response_cancel_not_active")
    talk.page("message", text="and this")
    assert len(creates(talk)) == 1
