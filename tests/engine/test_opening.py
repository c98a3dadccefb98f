"""What a handshake asks for."""

from __future__ import annotations

import pytest
from websockets.datastructures import Headers

from realtime_widget.engine.opening import Opening, offered_subprotocols, read_opening

BETA = Headers({"openai-beta": "assistants=v2, realtime=v1"})


@pytest.mark.parametrize(
    ("target", "opening"),
    [
        ("/v1/realtime", Opening()),
        ("/v1/realtime?model=echo", Opening("echo")),
        ("/openai/realtime?api-version=x&deployment=d", Opening("d")),
        ("/v1/realtime?model=", Opening()),
        ("/v1/realtime?model=a&model=b", Opening("a")),
        (
            "/v1/realtime?intent=transcription",
            Opening(session_type="transcription"),
        ),
        ("/v1/realtime?intent=conversation", Opening()),
    ],
)
def test_query_names_model_and_type(target, opening):
    assert read_opening(target, Headers()) == opening


def test_beta_is_asked_for_by_header_or_subprotocol():
    assert read_opening("/", BETA).dialect == "beta"
    assert read_opening("/", {}, ["openai-beta.realtime-v1"]).dialect == "beta"
    assert read_opening("/", {"OpenAI-Beta": "realtime=v2"}, ["realtime"]) == Opening()


def test_secret_gives_type_and_model_and_the_query_overrides_the_model():
    preset = {"type": "transcription", "model": "local"}

    plain = read_opening("/v1/realtime", {}, preset=preset)
    named = read_opening("/v1/realtime?model=echo", {}, preset=preset)

    assert plain == Opening("local", "ga", "transcription", preset)
    assert named.model == "echo"
    spoken = {"type": "realtime"}
    opening = read_opening("/v1/realtime?intent=transcription", {}, preset=spoken)
    assert opening == Opening(preset=spoken)


def test_offered_subprotocols_are_read_as_a_list():
    headers = Headers(
        {"sec-websocket-protocol": "realtime , openai-insecure-api-key.k,"}
    )

    assert offered_subprotocols(headers) == ["realtime", "openai-insecure-api-key.k"]
    assert offered_subprotocols({}) == []
