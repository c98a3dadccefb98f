from __future__ import annotations

from decimal import Decimal

import pytest

from realtime_widget.protocol.upstream_errors import BENIGN, FATAL
from realtime_widget.protocol.usage import Rates, Tariff
from realtime_widget.session.ports import UsageFact
from realtime_widget.session.upstream_events import HANDLERS, IGNORED
from tests.fakes.schema import server_event_names
from tests.session.driving import Talk

TEXT_USAGE = {
    "total_tokens": 250,
    "input_tokens": 250,
    "output_tokens": 0,
    "input_token_details": {"text_tokens": 250},
}
USAGE = {"total_tokens": 10, "input_tokens": 4, "output_tokens": 6}


@pytest.mark.parametrize("code", sorted(BENIGN))
def test_a_race_is_never_shown(code):
    talk = Talk()
    talk.error(code)
    assert not talk.errors
    assert not talk.stops


@pytest.mark.parametrize("code", sorted(FATAL))
def test_a_fatal_error_ends_the_session_with_its_own_code(code):
    talk = Talk()
    talk.error(code)
    ours = FATAL[code]
    if ours == "time_limit":
        assert talk.stops == [("time_limit", "")]
    else:
        assert talk.stops == [("upstream", ours)]


def test_a_fatal_error_before_the_start_ends_the_session_too():
    talk = Talk(started=False)
    talk.error("invalid_api_key")
    assert talk.stops == [("upstream", "upstream_auth")]


@pytest.mark.parametrize(
    ("code", "shown"),
    [
        ("rate_limit_exceeded", ["response_failed"]),
        ("server_error", ["response_failed"]),
        ("voice_unavailable", ["voice_unavailable"]),
        ("invalid_value", []),
        (None, []),
    ],
)
def test_of_the_other_errors_only_some_are_shown(code, shown):
    talk = Talk(error_messages={"response_failed": "Das hat nicht geklappt."})
    talk.error(code)
    assert talk.errors == talk.recorded_errors == shown
    assert not talk.stops
    assert "secret" not in str(talk.messages())
    for message in talk.messages("error"):
        assert message["fatal"] is False
        if message["code"] == "response_failed":
            assert message["message"] == "Das hat nicht geklappt."
            assert message["retryable"] is True


def test_a_failed_response_is_told_and_the_session_goes_on():
    talk = Talk()
    talk.response()
    talk.done(
        status="failed",
        status_details={"type": "failed", "error": {"code": "rate_limit_exceeded"}},
    )
    assert talk.errors == ["response_failed"]
    assert talk.states[-1] == "listening"


def test_a_response_that_failed_for_good_ends_the_session():
    talk = Talk()
    talk.response()
    talk.done(
        status="failed",
        status_details={"type": "failed", "error": {"code": "insufficient_quota"}},
    )
    assert talk.stops == [("upstream", "upstream_quota")]


def test_every_event_of_the_protocol_has_a_meaning_or_none():
    # The audio delta is recognised before the table is asked.
    known = HANDLERS.keys() | IGNORED | {"response.output_audio.delta"}
    assert known >= set(server_event_names())
    assert not HANDLERS.keys() & IGNORED


def test_unknown_events_are_counted_and_noted_once():
    talk = Talk()
    for _ in range(3):
        talk.raw({"type": "localai.classifier.result", "x": 1})
    assert talk.core.counters["unknown_event"] == 3
    assert talk.notes == ["unknown_event"]
    assert not talk.messages()


@pytest.mark.parametrize("kind", [*sorted(HANDLERS), None, 5])
def test_a_malformed_event_is_dropped_and_counted(kind):
    talk = Talk()
    lenient = {
        "session.created",
        "session.updated",
        "input_audio_buffer.timeout_triggered",
    }
    bad_values = (None, 5, [], "", {"id": 7}, float("nan"), -1, True)
    for bad in bad_values:
        names = ("item", "response", "item_id", "delta", "audio_start_ms", "error")
        talk.raw({"type": kind, **dict.fromkeys(names, bad)})
    assert not talk.stops
    if kind not in lenient:
        assert talk.core.counters["malformed_event"] > 0
        assert talk.notes.count("malformed_event") == 1


def test_what_is_no_event_at_all_is_counted():
    talk = Talk()
    talk.take(talk.core.malformed_event(talk.now))
    assert talk.notes == ["malformed_event"]


def test_usage_of_answers_and_transcriptions_is_recorded_once():
    talk = Talk()
    talk.transcribed("Hello", usage={"type": "duration", "seconds": 2})
    talk.response()
    talk.done(usage=USAGE)
    talk.done(usage=USAGE)
    talk.done("resp_0", status="cancelled", usage=USAGE)
    assert [fact for fact in talk.facts if isinstance(fact, UsageFact)] == [
        UsageFact(
            "transcription", "gpt-transcribe", usage={"type": "duration", "seconds": 2}
        ),
        UsageFact("response", "gpt-realtime-2.1", "resp_1", USAGE),
        UsageFact("response", "gpt-realtime-2.1", "resp_0", USAGE),
    ]


def test_page_is_told_what_is_used_only_where_its_widget_shows_it():
    told = Talk(show_usage=True, tariff=Tariff(Rates(text_in=Decimal(4))))
    told.response()
    told.done(usage=TEXT_USAGE)
    told.response("resp_2")
    told.done("resp_2", usage=USAGE)
    first, second = told.messages("usage")
    assert (first["tokens"], first["cost_usd"]) == (250, "0.0010000000")
    assert (second["session_tokens"], second["cost_usd"]) == (260, None)
    # One part has no known cost, so the sum has none.
    assert second["session_cost_usd"] is None
    untold = Talk()
    untold.response()
    untold.done(usage=TEXT_USAGE)
    assert untold.messages("usage") == []
