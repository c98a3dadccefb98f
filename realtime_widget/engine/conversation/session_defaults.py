"""What a session is before its client has said a word.

Source: Realtime API, ``session.created`` (GA) of both types of session.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal

from realtime_widget.protocol.audio import PCM16

SessionType = Literal["realtime", "transcription"]

DEFAULT_MODEL: Final = "embedded"
DEFAULT_VOICE: Final = "marin"
DEFAULT_SPEED: Final = 1.0
_HEARING: Final[Mapping[str, Any]] = {
    "type": "server_vad",
    "threshold": 0.5,
    "prefix_padding_ms": 300,
    "silence_duration_ms": 500,
}
# What a turn does to answers; a transcription session has none.
_ANSWERING: Final[Mapping[str, Any]] = {
    "create_response": True,
    "interrupt_response": True,
}
SERVER_VAD: Final[Mapping[str, Any]] = {
    **_HEARING,
    "idle_timeout_ms": None,
    **_ANSWERING,
}
# Type of session -> type of detection -> what a short form of it leaves out.
DETECTIONS: Final[Mapping[str, Mapping[str, Mapping[str, Any]]]] = {
    "realtime": {
        "server_vad": SERVER_VAD,
        "semantic_vad": {"type": "semantic_vad", "eagerness": "auto", **_ANSWERING},
    },
    "transcription": {
        "server_vad": _HEARING,
        "semantic_vad": {"type": "semantic_vad", "eagerness": "auto"},
    },
}


def realtime_session(
    session_id: str, *, model: str, expires_at_unix_s: int, speaks: bool
) -> dict[str, Any]:
    """Return the session object of a new conversation.

    Args:
        session_id: Its id.
        model: Name of its model.
        expires_at_unix_s: When it ends.
        speaks: Whether answers can be spoken; else they are written.
    """
    return {
        "type": "realtime",
        "object": "realtime.session",
        "id": session_id,
        "model": model,
        "output_modalities": ["audio"] if speaks else ["text"],
        "instructions": "",
        "tools": [],
        "tool_choice": "auto",
        "max_output_tokens": "inf",
        "tracing": None,
        "truncation": "auto",
        "prompt": None,
        "expires_at": expires_at_unix_s,
        "audio": {
            "input": _input("realtime"),
            "output": {
                "format": dict(PCM16.wire),
                "voice": DEFAULT_VOICE,
                "speed": DEFAULT_SPEED,
            },
        },
        "include": None,
    }


def transcription_session(session_id: str, *, expires_at_unix_s: int) -> dict[str, Any]:
    """Return the session object of new captions; arguments as above."""
    return {
        "type": "transcription",
        "object": "realtime.transcription_session",
        "id": session_id,
        "expires_at": expires_at_unix_s,
        "audio": {"input": _input("transcription")},
        "include": None,
    }


def _input(session_type: SessionType) -> dict[str, Any]:
    return {
        "format": dict(PCM16.wire),
        "transcription": None,
        "noise_reduction": None,
        "turn_detection": dict(DETECTIONS[session_type]["server_vad"]),
    }
