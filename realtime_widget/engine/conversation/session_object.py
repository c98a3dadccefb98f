"""The session object: a client's wishes merged into the effective session.

Source: Realtime API, session object (GA) and ``session.update``.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from typing import Any, Final

from realtime_widget.engine.conversation import errors, field_rules
from realtime_widget.engine.conversation.turns import Detection
from realtime_widget.protocol.audio import FORMATS_BY_WIRE_TYPE, PCM16, AudioFormat

DEFAULT_MODEL: Final = "embedded"
DEFAULT_VOICE: Final = "marin"
DEFAULT_SPEED: Final = 1.0
DEFAULT_TURN_DETECTION: Final[Mapping[str, Any]] = {
    "type": "server_vad",
    "threshold": 0.5,
    "prefix_padding_ms": 300,
    "silence_duration_ms": 500,
    "idle_timeout_ms": None,
    "create_response": True,
    "interrupt_response": True,
}
# Objects that a new value replaces as a whole.
_REPLACED: Final = frozenset({"format", "turn_detection", "voice"})
# Null means nothing for these.
_SIDES: Final = frozenset({"input", "output"})
_READ_ONLY: Final = frozenset({"id", "object", "expires_at", "model"})
_DEFAULTS_OF_NULL: Final[Mapping[str, Any]] = {
    "instructions": "",
    "tools": [],
    "tool_choice": "auto",
    "max_output_tokens": "inf",
}


class SessionObject:
    """One session's effective configuration, and its public form.

    Args:
        session_id: Its id.
        model: What the client asked for; "" lets the first update name one.
        expires_at_unix_s: When the session ends.
        speaks: Whether answers can be spoken; else they are written.
    """

    def __init__(
        self, session_id: str, *, model: str, expires_at_unix_s: int, speaks: bool
    ) -> None:
        self._speaks = speaks
        self._model_chosen = bool(model)
        self.public: dict[str, Any] = {
            "type": "realtime",
            "object": "realtime.session",
            "id": session_id,
            "model": model or DEFAULT_MODEL,
            "output_modalities": ["audio"] if speaks else ["text"],
            "instructions": "",
            "tools": [],
            "tool_choice": "auto",
            "max_output_tokens": "inf",
            "tracing": None,
            "truncation": "auto",
            "expires_at": expires_at_unix_s,
            "audio": {
                "input": {
                    "format": dict(PCM16.wire),
                    "transcription": None,
                    "noise_reduction": None,
                    "turn_detection": dict(DEFAULT_TURN_DETECTION),
                },
                "output": {
                    "format": dict(PCM16.wire),
                    "voice": DEFAULT_VOICE,
                    "speed": DEFAULT_SPEED,
                },
            },
            "include": None,
        }

    def update(self, wished: Any, *, voice_locked: bool) -> None:
        """Merge a ``session.update``; an update that is refused changes nothing.

        Args:
            wished: Its ``session``.
            voice_locked: Whether the voice has been heard and cannot change.

        Raises:
            EventRefused: If a field is wrong.
        """
        if wished is None:
            raise errors.missing("session")
        field_rules.mapping(wished, "session")
        if "type" not in wished:
            raise errors.missing("session.type")
        if wished["type"] != "realtime":
            raise errors.invalid("session.type", wished["type"], ("realtime",))
        field_rules.SESSION(wished, "session")
        merged = _merged(
            self.public, {k: v for k, v in wished.items() if k not in _READ_ONLY}
        )
        _fill(merged)
        if voice_locked and _voice(merged) != _voice(self.public):
            raise errors.voice_locked()
        self._name_model(merged, wished.get("model"))
        if not self._speaks:
            merged["output_modalities"] = ["text"]
        self.public = merged

    def _name_model(self, merged: dict[str, Any], model: Any) -> None:
        if isinstance(model, str) and model and not self._model_chosen:
            merged["model"] = model
            self._model_chosen = True

    @property
    def input_format(self) -> AudioFormat:
        """The format of appended audio."""
        return FORMATS_BY_WIRE_TYPE[self._input["format"]["type"]]

    @property
    def detection(self) -> Detection | None:
        """How turns are found, None for push-to-talk."""
        return read_detection(self._input["turn_detection"])

    @property
    def transcription(self) -> Mapping[str, Any] | None:
        """How the client wants to read what it said, None for not at all."""
        wished: Mapping[str, Any] | None = self._input["transcription"]
        return wished

    @property
    def speed(self) -> float:
        """How fast answers are spoken."""
        return float(self.public["audio"]["output"]["speed"])

    @property
    def language(self) -> str:
        """The language of the conversation, "" when nobody said."""
        return str((self.transcription or {}).get("language") or "")

    @property
    def _input(self) -> dict[str, Any]:
        input_: dict[str, Any] = self.public["audio"]["input"]
        return input_

    def speech_prompt(self) -> str:
        """Return the words that the client expects to be said."""
        wished = self.transcription or {}
        words = [wished.get("prompt") or "", ", ".join(wished.get("keywords") or ())]
        return " ".join(word for word in words if word)


def read_detection(wire: Mapping[str, Any] | None) -> Detection | None:
    """Return what a ``turn_detection`` object means.

    Semantic detection waits for the end of a thought by waiting longer or shorter.
    """
    if wire is None:
        return None
    chosen = {key: value for key, value in wire.items() if value is not None}
    values = {**DEFAULT_TURN_DETECTION, **chosen}
    if values["type"] == "semantic_vad":
        eagerness = chosen.get("eagerness", "auto")
        values["silence_duration_ms"] = field_rules.SILENCE_OF_EAGERNESS_MS[eagerness]
        values["idle_timeout_ms"] = None
    names = Detection.__dataclass_fields__
    return Detection(**{name: values[name] for name in names})


def merge_response(
    session: Mapping[str, Any], wished: Mapping[str, Any]
) -> dict[str, Any]:
    """Return a response's configuration: the session's with its own on top."""
    own = {key: value for key, value in wished.items() if value is not None}
    merged = _merged(session, own)
    _fill(merged)
    return merged


def _merged(base: Mapping[str, Any], wished: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``base`` with ``wished`` on top; objects under ``audio`` key by key."""
    result = dict(base)
    for key, value in wished.items():
        result[key] = _audio_merged(base["audio"], value) if key == "audio" else value
    return deepcopy(result)


def _audio_merged(base: Mapping[str, Any], wished: Any) -> dict[str, Any]:
    result = dict(base)
    for key, value in (wished or {}).items():
        here = result.get(key)
        if key in _SIDES:
            result[key] = _audio_merged(base[key], value)
        elif (
            isinstance(here, dict) and isinstance(value, dict) and key not in _REPLACED
        ):
            result[key] = {**here, **value}
        else:
            result[key] = value
    return result


def _fill(merged: dict[str, Any]) -> None:
    """Put defaults where null means them, and what a short form leaves out."""
    for key, value in _DEFAULTS_OF_NULL.items():
        if merged.get(key) is None:
            merged[key] = deepcopy(value)
    merged["output_modalities"] = merged["output_modalities"] or ["audio"]
    input_, output = merged["audio"]["input"], merged["audio"]["output"]
    for side in (input_, output):
        kind = (side["format"] or PCM16.wire)["type"]
        side["format"] = dict(FORMATS_BY_WIRE_TYPE[kind].wire)
    output["voice"] = output["voice"] or DEFAULT_VOICE
    output["speed"] = output["speed"] or DEFAULT_SPEED
    detection = input_["turn_detection"]
    if detection is not None and detection["type"] == "server_vad":
        chosen = {key: value for key, value in detection.items() if value is not None}
        input_["turn_detection"] = {**DEFAULT_TURN_DETECTION, **chosen}


def _voice(session: Mapping[str, Any]) -> Any:
    return session["audio"]["output"]["voice"]
