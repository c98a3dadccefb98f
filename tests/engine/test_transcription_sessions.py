"""Sessions that only write down what is said."""

from __future__ import annotations

import pytest

from realtime_widget.engine.conversation.work import Reply, Transcribe
from realtime_widget.engine.ports import Heard
from tests.engine.machine import Machine, user_text
from tests.fakes.engine import loud, quiet

TRANSCRIPTION = "conversation.item.input_audio_transcription"


def captions(**options):
    """Return a machine whose session is of the type transcription."""
    machine = Machine(session_type="transcription", **options)
    return machine


def configure(machine, **input_):
    session = {"type": "transcription", "audio": {"input": input_}}
    return machine.send("session.update", session=session)


def test_session_has_an_object_of_its_own():
    session = captions().last("session.created")["session"]

    assert session["object"] == "realtime.transcription_session"
    assert set(session) == {"type", "object", "id", "expires_at", "audio", "include"}
    assert set(session["audio"]) == {"input"}
    assert session["audio"]["input"] == {
        "format": {"type": "audio/pcm", "rate": 24_000},
        "transcription": None,
        "noise_reduction": None,
        "turn_detection": {
            "type": "server_vad",
            "threshold": 0.5,
            "prefix_padding_ms": 300,
            "silence_duration_ms": 500,
        },
    }


def test_spoken_turn_is_written_down_and_nothing_answers():
    machine = captions()
    configure(machine, transcription={"model": "gpt-4o-transcribe"})
    machine.forget()
    machine.append(quiet(320) + loud(640) + quiet(1000))
    machine.hear("Good morning.")
    machine.wait(60)

    assert machine.names == [
        "input_audio_buffer.speech_started",
        "input_audio_buffer.speech_stopped",
        "input_audio_buffer.committed",
        "conversation.item.added",
        "conversation.item.done",
        f"{TRANSCRIPTION}.delta",
        f"{TRANSCRIPTION}.completed",
    ]
    assert machine.last(f"{TRANSCRIPTION}.delta")["delta"] == "Good morning."
    assert machine.last(f"{TRANSCRIPTION}.completed")["transcript"] == "Good morning."
    assert not machine.asked_for(Reply)


def test_words_are_told_without_a_model_being_named():
    machine = captions()
    machine.append(quiet(320) + loud(640) + quiet(1000))
    machine.hear("Good morning.")

    assert machine.last(f"{TRANSCRIPTION}.completed")["transcript"] == "Good morning."


def test_push_to_talk_is_written_down_at_the_commit():
    machine = captions()
    configure(machine, turn_detection=None)
    machine.append(loud(2500))
    machine.send("input_audio_buffer.commit")
    machine.hear("Good morning.")

    assert "input_audio_buffer.speech_started" not in machine.names
    assert machine.last(f"{TRANSCRIPTION}.completed")["transcript"] == "Good morning."


def test_silence_has_no_words_and_no_delta():
    machine = captions()
    configure(machine, turn_detection=None)
    machine.append(quiet(500))
    machine.send("input_audio_buffer.commit")
    machine.hear("")

    assert machine.last(f"{TRANSCRIPTION}.completed")["transcript"] == ""
    assert f"{TRANSCRIPTION}.delta" not in machine.names


def test_words_can_be_fetched_with_their_item():
    machine = captions()
    machine.append(quiet(320) + loud(640) + quiet(1000))
    machine.hear(Heard("Good morning.", -0.25))
    item_id = machine.last("input_audio_buffer.committed")["item_id"]
    machine.send("conversation.item.retrieve", item_id=item_id)

    (part,) = machine.last("conversation.item.retrieved")["item"]["content"]
    assert part["transcript"] == "Good morning."
    assert part["audio"]


def test_recognition_that_fails_is_told():
    machine = captions()
    machine.append(quiet(320) + loud(640) + quiet(1000))
    machine.hear(None)

    failed = machine.last(f"{TRANSCRIPTION}.failed")
    assert failed["item_id"] == machine.last("input_audio_buffer.committed")["item_id"]
    assert failed["error"]["code"] == "audio_unintelligible"


@pytest.mark.parametrize(
    ("model", "usage"),
    [
        ("whisper-1", {"type": "duration", "seconds": 3}),
        ("gpt-live-transcribe", {"type": "duration", "seconds": 3}),
        (
            "gpt-4o-mini-transcribe",
            {
                "type": "tokens",
                "total_tokens": 29,
                "input_tokens": 25,
                "input_token_details": {"text_tokens": 0, "audio_tokens": 25},
                "output_tokens": 4,
            },
        ),
    ],
)
def test_usage_is_counted_as_the_model_is_billed(model, usage):
    machine = captions()
    configure(machine, turn_detection=None, transcription={"model": model})
    machine.append(loud(2500))
    machine.send("input_audio_buffer.commit")
    machine.hear("Good morning.")

    assert machine.last(f"{TRANSCRIPTION}.completed")["usage"] == usage


def test_client_that_asked_learns_how_sure_the_words_are():
    machine = captions()
    include = ["item.input_audio_transcription.logprobs"]
    machine.send(
        "session.update", session={"type": "transcription", "include": include}
    )
    machine.append(quiet(320) + loud(640) + quiet(1000))
    machine.hear(Heard("Good mørning.", -0.25))

    expected = [
        {"token": "Good", "bytes": list(b"Good"), "logprob": -0.25},
        {"token": " mørning.", "bytes": list(" mørning.".encode()), "logprob": -0.25},
    ]
    assert machine.last(f"{TRANSCRIPTION}.delta")["logprobs"] == expected
    assert machine.last(f"{TRANSCRIPTION}.completed")["logprobs"] == expected


@pytest.mark.parametrize(
    "words", [Heard("Hello.", -0.25), "Hello."], ids=["unasked", "unknown"]
)
def test_nobody_is_told_probabilities_unasked_or_unknown(words):
    machine = captions()
    if not isinstance(words, Heard):
        include = ["item.input_audio_transcription.logprobs"]
        machine.send(
            "session.update", session={"type": "transcription", "include": include}
        )
    machine.append(quiet(320) + loud(640) + quiet(1000))
    machine.hear(words)

    assert "logprobs" not in machine.last(f"{TRANSCRIPTION}.completed")


def test_languages_and_keywords_reach_the_recogniser():
    machine = captions()
    wish = {"model": "gpt-transcribe", "languages": ["de"], "keywords": ["Brompton"]}
    configure(machine, transcription=wish)
    machine.append(quiet(320) + loud(640) + quiet(1000))

    work = machine.take_work(Transcribe)
    assert (work.language, work.prompt) == ("de", "Brompton")


@pytest.mark.parametrize("kind", ["response.create", "response.cancel"])
def test_answers_are_refused(kind):
    machine = captions()
    machine.send("conversation.item.create", item=user_text("Hello"))
    machine.send(kind, event_id="mine")

    assert machine.error()["type"] == "invalid_request_error"
    assert machine.error()["event_id"] == "mine"
    assert not machine.asked_for(Reply)


@pytest.mark.parametrize(
    ("session", "code", "param"),
    [
        ({"type": "realtime"}, "invalid_parameter", None),
        ({"type": "transcription", "tools": []}, "unknown_parameter", "session.tools"),
        ({"type": "transcription", "instructions": "x"}, "unknown_parameter", "session.instructions"),
        ({"type": "transcription", "audio": {"output": {"voice": "ash"}}}, "unknown_parameter", "session.audio.output"),
        ({"type": "transcription", "audio": {"input": {"transcription": {"model": "gpt-realtime-whisper"}}}}, "invalid_value", "session.audio.input.turn_detection"),
    ],
)  # fmt: skip
def test_what_belongs_to_answers_is_refused(session, code, param):
    machine = captions()
    before = machine.talk.session.public
    machine.send("session.update", session=session)

    assert (machine.error()["code"], machine.error()["param"]) == (code, param)
    assert machine.talk.session.public == before


def test_refusal_of_the_other_type_is_in_the_recorded_words():
    machine = captions()
    machine.update()
    assert machine.error()["message"] == (
        "Passing a realtime session update event to a transcription session is not "
        "allowed."
    )


def test_semantic_detection_shows_what_it_leaves_out():
    fresh = configure(captions(), turn_detection={"type": "semantic_vad"})

    detection = fresh[0]["session"]["audio"]["input"]["turn_detection"]
    assert detection == {"type": "semantic_vad", "eagerness": "auto"}


def test_opening_configures_the_session():
    wish = {"transcription": {"model": "whisper-1", "language": "en"}}
    machine = captions(preset={"type": "transcription", "audio": {"input": wish}})

    session = machine.last("session.created")["session"]
    assert session["audio"]["input"]["transcription"] == wish["transcription"]


def test_session_ends_at_its_age():
    machine = captions(max_session_s=60)
    machine.wait(60)

    assert machine.error()["code"] == "session_expired"
