"""The session object: a client's wishes merged into the effective session.

Source: Realtime API, session object (GA) and ``session.update``.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from typing import Any, Final

from realtime_widget.engine.conversation import errors, field_rules, mcp, session_rules
from realtime_widget.engine.conversation.session_defaults import (
    DEFAULT_MODEL,
    DEFAULT_SPEED,
    DEFAULT_VOICE,
    DETECTIONS,
    SERVER_VAD,
    SessionType,
    realtime_session,
    transcription_session,
)
from realtime_widget.engine.conversation.turns import Detection
from realtime_widget.protocol.audio import FORMATS_BY_WIRE_TYPE, PCM16, AudioFormat

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
# Recognisers that follow speech word by word and find no turns.
_LIVE_MODELS: Final = ("gpt-live-transcribe", "gpt-realtime-whisper")


class SessionObject:
    """One session's effective configuration, and its public form.

    Args:
        session_id: Its id.
        session_type: Whether it answers or only writes down.
        model: What the client asked for; "" lets the first update name one.
        expires_at_unix_s: When the session ends.
        speaks: Whether answers can be spoken; else they are written.
    """

    def __init__(
        self,
        session_id: str,
        *,
        session_type: SessionType,
        model: str,
        expires_at_unix_s: int,
        speaks: bool,
    ) -> None:
        self.session_type = session_type
        self._speaks = speaks
        self._model_chosen = bool(model)
        self.public: dict[str, Any] = (
            transcription_session(session_id, expires_at_unix_s=expires_at_unix_s)
            if session_type == "transcription"
            else realtime_session(
                session_id,
                model=model or DEFAULT_MODEL,
                expires_at_unix_s=expires_at_unix_s,
                speaks=speaks,
            )
        )

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
        self._check_type(wished)
        session_rules.SESSIONS[self.session_type](wished, "session")
        merged = _merged(
            self.public, {k: v for k, v in wished.items() if k not in _READ_ONLY}
        )
        if self.session_type == "transcription":
            _fill_input(merged, "transcription")
            _check_live_model(merged["audio"]["input"])
        else:
            _fill(merged)
            if voice_locked and _voice(merged) != _voice(self.public):
                raise errors.voice_locked()
            self._complete_answers(merged, wished.get("model"))
        self.public = merged

    def _check_type(self, wished: Mapping[str, Any]) -> None:
        if "type" not in wished:
            raise errors.missing("session.type")
        asked = wished["type"]
        field_rules.one_of(*session_rules.SESSIONS)(asked, "session.type")
        if asked != self.session_type:
            raise errors.other_session_type(asked, self.session_type)

    def _complete_answers(self, merged: dict[str, Any], model: Any) -> None:
        if isinstance(model, str) and model and not self._model_chosen:
            merged["model"] = model
            self._model_chosen = True
        if not self._speaks:
            merged["output_modalities"] = ["text"]

    @property
    def answers(self) -> bool:
        """Whether the session answers what it hears."""
        return self.session_type == "realtime"

    @property
    def input_format(self) -> AudioFormat:
        """The format of appended audio."""
        return FORMATS_BY_WIRE_TYPE[self._input["format"]["type"]]

    @property
    def detection(self) -> Detection | None:
        """How turns are found, None for push-to-talk."""
        return read_detection(self._input["turn_detection"], answers=self.answers)

    @property
    def transcribes(self) -> bool:
        """Whether the client is told what it said."""
        return not self.answers or self._input["transcription"] is not None

    @property
    def transcription(self) -> Mapping[str, Any]:
        """How the client wants to read what it said."""
        wished: Mapping[str, Any] | None = self._input["transcription"]
        return wished or {}

    @property
    def wants_logprobs(self) -> bool:
        """Whether the client asked how sure the recogniser is."""
        return session_rules.LOGPROBS in (self.public["include"] or ())

    @property
    def language(self) -> str:
        """The language of the conversation, "" when nobody said or there are several."""
        wished = self.transcription
        languages: list[str] = wished.get("languages") or []
        only = languages[0] if len(languages) == 1 else ""
        return str(wished.get("language") or only)

    @property
    def _input(self) -> dict[str, Any]:
        input_: dict[str, Any] = self.public["audio"]["input"]
        return input_

    def speech_prompt(self) -> str:
        """Return the words that the client expects to be said."""
        wished = self.transcription
        words = [wished.get("prompt") or "", ", ".join(wished.get("keywords") or ())]
        return " ".join(word for word in words if word)


def read_detection(
    wire: Mapping[str, Any] | None, *, answers: bool
) -> Detection | None:
    """Return what a ``turn_detection`` object means.

    Semantic detection waits for the end of a thought by waiting longer or shorter.

    Args:
        wire: The object, None for push-to-talk.
        answers: Whether there are answers that a turn may ask for or stop.
    """
    if wire is None:
        return None
    chosen = {key: value for key, value in wire.items() if value is not None}
    values = {**SERVER_VAD, **chosen}
    if values["type"] == "semantic_vad":
        eagerness = chosen.get("eagerness", "auto")
        values["silence_duration_ms"] = session_rules.SILENCE_OF_EAGERNESS_MS[eagerness]
    if values["type"] == "semantic_vad" or not answers:
        values["idle_timeout_ms"] = None
    if not answers:
        values["create_response"] = values["interrupt_response"] = False
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
    merged["tools"] = mcp.without_secrets(merged["tools"])
    merged["output_modalities"] = merged["output_modalities"] or ["audio"]
    output = merged["audio"]["output"]
    output["format"] = _full_format(output["format"])
    output["voice"] = output["voice"] or DEFAULT_VOICE
    output["speed"] = output["speed"] or DEFAULT_SPEED
    _fill_input(merged, "realtime")


def _fill_input(merged: dict[str, Any], session_type: SessionType) -> None:
    input_ = merged["audio"]["input"]
    input_["format"] = _full_format(input_["format"])
    detection = input_["turn_detection"]
    if detection is not None:
        chosen = {key: value for key, value in detection.items() if value is not None}
        defaults = DETECTIONS[session_type][detection["type"]]
        input_["turn_detection"] = {**defaults, **chosen}


def _full_format(wished: Mapping[str, Any] | None) -> dict[str, Any]:
    kind = (wished or PCM16.wire)["type"]
    return dict(FORMATS_BY_WIRE_TYPE[kind].wire)


def _check_live_model(input_: Mapping[str, Any]) -> None:
    model = (input_["transcription"] or {}).get("model")
    if model in _LIVE_MODELS and input_["turn_detection"] is not None:
        raise errors.no_turn_detection()


def _voice(session: Mapping[str, Any]) -> Any:
    return session["audio"]["output"]["voice"]
