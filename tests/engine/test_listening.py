from __future__ import annotations

import pytest

from realtime_widget.engine.conversation.input_audio import MAX_HELD_MS
from realtime_widget.engine.conversation.work import Drop, Reply, Transcribe
from tests.engine.machine import Machine, base64
from tests.fakes.engine import MS_BYTES, loud, quiet

TURN = (
    "input_audio_buffer.speech_started",
    "input_audio_buffer.speech_stopped",
    "input_audio_buffer.committed",
    "conversation.item.added",
    "conversation.item.done",
    "response.created",
)


def test_spoken_turn_comes_in_the_recorded_order_with_one_item_id():
    machine = Machine()
    machine.forget()
    machine.append(quiet(960) + loud(960) + quiet(960))

    assert tuple(machine.names) == TURN
    ids = {event["item_id"] for event in machine.events[:3]}
    assert ids == {machine.events[3]["item"]["id"]}
    item = machine.events[4]["item"]
    assert item["status"] == "completed"
    assert item["content"] == [{"type": "input_audio", "transcript": None}]


def test_times_count_audio_and_include_padding_and_silence():
    machine = Machine()
    machine.append(quiet(960) + loud(960) + quiet(960))

    started = machine.last("input_audio_buffer.speech_started")
    stopped = machine.last("input_audio_buffer.speech_stopped")
    assert started["audio_start_ms"] == 960 - 300
    assert stopped["audio_end_ms"] == 1920 + 500
    machine.append(loud(960))
    again = machine.last("input_audio_buffer.speech_started")
    assert again["audio_start_ms"] == 2880 - 300


def test_turn_holds_the_padding_the_speech_and_the_silence():
    machine = Machine()
    machine.append(quiet(9600) + loud(960) + quiet(320))
    machine.take_work(Transcribe)  # begun in the pause, not reused below
    machine.append(loud(96) + quiet(960))
    item = next(iter(machine.talk.items))

    assert item.audio == quiet(300) + loud(960) + quiet(320) + loud(96) + quiet(500)


def test_click_is_no_speech():
    machine = Machine()
    machine.forget()
    machine.append(quiet(320) + loud(32) + quiet(960))

    assert machine.events == []


def test_words_are_found_out_in_the_pause_and_used_at_its_end():
    machine = Machine()
    machine.append(quiet(320) + loud(640) + quiet(224))
    guess = machine.hear("What time is it?")
    machine.append(quiet(400))

    assert len(guess.pcm) < (320 + 640 + 224) * MS_BYTES
    assert machine.asked_for(Transcribe) == []
    request = machine.take_work(Reply).request
    assert request.items[-1]["content"][0]["transcript"] == "What time is it?"


def test_words_that_come_after_the_end_are_used_too():
    machine = Machine()
    machine.append(quiet(320) + loud(640) + quiet(600))
    assert machine.last("response.created")
    assert not machine.asked_for(Reply)

    machine.hear("What time is it?")

    request = machine.take_work(Reply).request
    assert request.items[-1]["content"][0]["transcript"] == "What time is it?"


def test_words_of_a_pause_are_forgotten_when_speech_goes_on():
    machine = Machine()
    machine.append(quiet(320) + loud(640) + quiet(224))
    guess = machine.take_work(Transcribe)
    machine.append(loud(640))
    assert machine.take_work(Drop).key == guess.work_id
    machine.append(quiet(600))  # no second guess while the first still runs

    machine.talk.recognised(guess.work_id, "What", machine.now_s)
    whole = machine.hear("What time is it?")

    assert len(whole.pcm) > len(guess.pcm) + 640 * MS_BYTES
    request = machine.take_work(Reply).request
    assert request.items[-1]["content"][0]["transcript"] == "What time is it?"


def test_short_silence_is_guessed_at_sooner():
    machine = Machine()
    machine.listen(type="server_vad", silence_duration_ms=200)
    machine.append(quiet(320) + loud(640) + quiet(96))
    guess = machine.hear("What time is it?")
    machine.append(quiet(128))

    assert machine.last("input_audio_buffer.committed")
    assert len(guess.pcm) == (300 + 640 + 96) * MS_BYTES
    assert machine.asked_for(Transcribe) == []
    request = machine.take_work(Reply).request
    assert request.items[-1]["content"][0]["transcript"] == "What time is it?"


def test_no_silence_at_all_ends_a_turn_without_a_guess():
    machine = Machine()
    machine.listen(type="server_vad", silence_duration_ms=50)
    machine.append(quiet(320) + loud(640) + quiet(64))

    (work,) = machine.asked_for(Transcribe)
    assert machine.last("input_audio_buffer.committed")
    assert len(work.pcm) == (300 + 640 + 50) * MS_BYTES


def test_pause_is_guessed_at_once_an_older_guess_has_ended():
    machine = Machine()
    machine.append(quiet(320) + loud(640) + quiet(224))
    first = machine.take_work(Transcribe)
    machine.append(loud(640) + quiet(224))
    assert machine.asked_for(Transcribe) == []

    machine.talk.recognised(first.work_id, "What", machine.now_s)
    machine.append(quiet(32))
    second = machine.hear("What time is it?")
    machine.append(quiet(400))

    assert len(second.pcm) > len(first.pcm) + 640 * MS_BYTES
    assert machine.asked_for(Transcribe) == []
    request = machine.take_work(Reply).request
    assert request.items[-1]["content"][0]["transcript"] == "What time is it?"


@pytest.mark.parametrize(
    ("eagerness", "silence_ms"), [("low", 800), ("auto", 500), ("high", 300)]
)
def test_semantic_detection_waits_longer_or_shorter(eagerness, silence_ms):
    machine = Machine()
    machine.listen(type="semantic_vad", eagerness=eagerness)
    machine.append(quiet(320) + loud(640) + quiet(1000))

    stopped = machine.last("input_audio_buffer.speech_stopped")
    assert stopped["audio_end_ms"] == 960 + silence_ms


def test_turn_without_create_response_is_only_committed():
    machine = Machine()
    machine.listen(type="server_vad", create_response=False)
    machine.append(quiet(320) + loud(640) + quiet(1000))

    assert machine.names[-1] == "conversation.item.done"


def test_client_is_told_the_words_when_it_asked_for_them():
    machine = Machine()
    wish = {"model": "gpt-transcribe", "language": "en", "keywords": ["Brompton"]}
    machine.update(audio={"input": {"transcription": wish}})
    machine.append(quiet(320) + loud(640) + quiet(600))
    work = machine.hear("My Brompton")

    assert (work.language, work.prompt) == ("en", "Brompton")
    event = machine.last("conversation.item.input_audio_transcription.completed")
    item = machine.last("conversation.item.done")["item"]
    assert (event["item_id"], event["content_index"]) == (item["id"], 0)
    assert event["transcript"] == "My Brompton"
    assert event["usage"]["type"] == "tokens"
    assert event["usage"]["input_token_details"] == {
        "text_tokens": 0,
        "audio_tokens": 15,
    }


def test_client_that_did_not_ask_is_not_told_the_words():
    machine = Machine()
    machine.append(quiet(320) + loud(640) + quiet(600))
    machine.hear("My Brompton")

    assert not any("transcription" in name for name in machine.names)


def test_recognition_that_fails_is_told_and_fails_the_answer():
    machine = Machine()
    machine.update(audio={"input": {"transcription": {"model": "whisper-1"}}})
    machine.append(quiet(320) + loud(640) + quiet(600))
    machine.hear(None)

    failed = machine.last("conversation.item.input_audio_transcription.failed")
    assert "param" not in failed["error"]
    response = machine.last("response.done")["response"]
    assert response["status"] == "failed"
    assert response["status_details"]["error"]["code"] == "server_error"


def test_push_to_talk_commits_and_waits_to_be_asked():
    machine = Machine()
    machine.update(audio={"input": {"turn_detection": None}})
    machine.forget()
    machine.append(loud(640) + quiet(600))
    assert machine.events == []

    machine.send("input_audio_buffer.commit")

    assert tuple(machine.names) == TURN[2:5]
    assert machine.take_work(Transcribe).pcm == loud(640) + quiet(600)


def test_commit_of_too_little_is_refused_in_the_recorded_words():
    machine = Machine()
    machine.update(audio={"input": {"turn_detection": None}})
    machine.append(loud(60))
    machine.send("input_audio_buffer.commit", event_id="early")

    assert machine.error() == {
        "type": "invalid_request_error",
        "code": "input_audio_buffer_commit_empty",
        "message": "Error committing input audio buffer: buffer too small. Expected at "
        "least 100ms of audio, but buffer only has 60.00ms of audio.",
        "param": None,
        "event_id": "early",
    }


def test_clear_empties_the_buffer_and_ends_the_turn():
    machine = Machine()
    machine.append(quiet(320) + loud(640))
    machine.send("input_audio_buffer.clear")
    assert machine.names[-1] == "input_audio_buffer.cleared"
    machine.append(quiet(1000))
    assert machine.names[-1] == "input_audio_buffer.cleared"

    machine.update(audio={"input": {"turn_detection": None}})
    machine.send("input_audio_buffer.clear")
    machine.send("input_audio_buffer.commit")
    assert "only has 0.00ms" in machine.error()["message"]


def test_commit_in_the_middle_of_a_turn_takes_its_item():
    machine = Machine()
    machine.append(quiet(320) + loud(640))
    machine.send("input_audio_buffer.commit")

    started = machine.last("input_audio_buffer.speech_started")
    committed = machine.last("input_audio_buffer.committed")
    assert committed["item_id"] == started["item_id"]
    machine.append(quiet(1000))
    assert "input_audio_buffer.speech_stopped" not in machine.names


@pytest.mark.parametrize("law", ["pcmu", "pcma"])
def test_g711_counts_in_its_own_time(law):
    pytest.importorskip("numpy")
    machine = Machine()
    form = {"type": f"audio/{law}"}
    machine.update(audio={"input": {"format": form, "turn_detection": None}})
    audio = base64(b"\xd5\x55" * 400)
    machine.send("input_audio_buffer.append", audio=audio)
    machine.send("input_audio_buffer.commit")

    seconds = len(machine.take_work(Transcribe).pcm) / 48_000
    assert seconds == pytest.approx(0.1, abs=0.005)


def test_odd_bytes_are_put_together():
    machine = Machine()
    machine.update(audio={"input": {"turn_detection": None}})
    pcm = loud(200)
    for at in range(0, len(pcm), 101):
        machine.talk.append(pcm[at : at + 101], machine.now_s)
    machine.send("input_audio_buffer.commit")

    assert machine.take_work(Transcribe).pcm == pcm


def test_endless_audio_is_held_within_bounds():
    machine = Machine()
    machine.append(quiet(60_000), frame_ms=1000)
    assert machine.talk.listening._audio.held_ms < 2000

    machine.append(loud(MAX_HELD_MS + 60_000), frame_ms=1000)
    assert machine.talk.listening._audio.held_ms <= MAX_HELD_MS + 1000


def test_silence_after_an_answer_asks_for_another():
    machine = Machine()
    machine.listen(type="server_vad", idle_timeout_ms=5000)
    machine.type_text("Hello")
    machine.send("response.create")
    machine.reply("Hello.")
    machine.speak(2000)
    machine.forget()

    assert machine.wait(6.9) == []
    machine.wait(0.2)

    assert tuple(machine.names) == (
        "input_audio_buffer.timeout_triggered",
        *TURN[2:],
    )
    machine.reply("Are you still there?")
