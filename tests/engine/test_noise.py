from __future__ import annotations

from realtime_widget.engine.conversation.work import Reply
from tests.engine.machine import Machine
from tests.fakes.engine import loud, quiet


def test_noise_taken_for_speech_is_answered_by_nothing():
    machine = Machine()
    machine.append(quiet(320) + loud(640) + quiet(224))
    machine.hear("")
    machine.append(quiet(400))

    assert machine.last("input_audio_buffer.committed")
    assert machine.asked_for(Reply) == []
    response = machine.last("response.done")["response"]
    assert response["status"] == "completed"
    assert response["output"] == []


def test_next_words_are_answered_as_if_there_had_been_no_noise():
    machine = Machine()
    machine.append(quiet(320) + loud(640) + quiet(224))
    machine.hear("")
    machine.append(quiet(400) + loud(640) + quiet(256))
    machine.hear("What time is it?")
    machine.append(quiet(400))

    request = machine.take_work(Reply).request
    assert request.items[-1]["content"][0]["transcript"] == "What time is it?"


def test_client_that_asks_for_something_after_a_noise_gets_it():
    machine = Machine()
    machine.listen(type="server_vad", create_response=False)
    machine.append(quiet(320) + loud(640) + quiet(224))
    machine.hear("")
    machine.append(quiet(400))
    machine.send("response.create", response={"instructions": "Ask them to repeat."})

    assert machine.take_work(Reply).request.instructions == "Ask them to repeat."
