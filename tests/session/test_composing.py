from __future__ import annotations

import pytest

from realtime_widget.protocol.audio import PCMU
from realtime_widget.session import composing
from realtime_widget.session.config import AgentSpec, SessionConfig, TurnDetection
from tests.fakes.schema import check
from tests.session.driving import config, tool


def session(**fields):
    """Return the session object, which must fit the published schema."""
    value = composing.session_object(config(**fields))
    check("client", composing.session_update(value, event_id="e"))
    return value


def test_an_audio_session_is_composed_in_the_nested_form():
    assert session(tools=[tool()], language="de-AT", noise_reduction="far_field") == {
        "type": "realtime",
        "instructions": "Be kind.",
        "output_modalities": ["audio"],
        "tools": [
            {
                "type": "function",
                "name": "lookup",
                "description": "Look it up.",
                "parameters": {"type": "object", "properties": {}},
            }
        ],
        "tool_choice": "auto",
        "audio": {
            "input": {
                "format": {"type": "audio/pcm", "rate": 24000},
                "transcription": {"model": "gpt-transcribe", "language": "de"},
                "noise_reduction": {"type": "far_field"},
                "turn_detection": {
                    "type": "server_vad",
                    "threshold": 0.5,
                    "prefix_padding_ms": 300,
                    "silence_duration_ms": 500,
                    "create_response": True,
                    "interrupt_response": True,
                },
            },
            "output": {
                "format": {"type": "audio/pcm", "rate": 24000},
                "voice": "marin",
            },
        },
    }


def test_a_text_session_has_no_audio():
    value = session(text_only=True)
    assert value["output_modalities"] == ["text"]
    assert "audio" not in value


def test_what_was_not_chosen_is_left_to_the_server():
    value = composing.session_object(
        SessionConfig("s", AgentSpec("Ann"), transcription_model="")
    )
    assert value["audio"]["input"]["transcription"] is None
    assert "noise_reduction" not in value["audio"]["input"]
    assert "voice" not in value["audio"]["output"]
    assert "speed" not in value["audio"]["output"]
    assert "max_output_tokens" not in value
    assert "model" not in value


def test_chosen_numbers_and_formats_are_sent():
    value = session(audio=PCMU, speed=1.25, max_output_tokens=500)
    assert value["audio"]["input"]["format"] == {"type": "audio/pcmu"}
    assert value["audio"]["output"]["format"] == {"type": "audio/pcmu"}
    assert value["audio"]["output"]["speed"] == 1.25
    assert value["max_output_tokens"] == 500


@pytest.mark.parametrize(
    ("detection", "expected"),
    [
        (TurnDetection("none"), None),
        (
            TurnDetection("semantic_vad", eagerness="low", interrupt_response=False),
            {
                "type": "semantic_vad",
                "eagerness": "low",
                "create_response": True,
                "interrupt_response": False,
            },
        ),
        (
            TurnDetection(idle_timeout_ms=6000),
            {
                "type": "server_vad",
                "threshold": 0.5,
                "prefix_padding_ms": 300,
                "silence_duration_ms": 500,
                "create_response": True,
                "interrupt_response": True,
                "idle_timeout_ms": 6000,
            },
        ),
    ],
)
def test_turn_detection_has_the_shape_of_its_kind(detection, expected):
    value = session(turn_detection=detection)
    assert value["audio"]["input"]["turn_detection"] == expected


def test_overrides_are_merged_in_last():
    value = session(
        session_overrides={
            "audio": {"input": {"turn_detection": None}},
            "reasoning": {"effort": "low"},
            "tools": [],
        }
    )
    assert value["audio"]["input"]["turn_detection"] is None
    assert value["audio"]["output"]["voice"] == "marin"
    assert value["reasoning"] == {"effort": "low"}
