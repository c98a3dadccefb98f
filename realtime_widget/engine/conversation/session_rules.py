"""What the fields of a session and of ``response.create`` may hold, by table.

What the engine acts on is checked, and fields of the beta and of the other type of
session are refused as the Realtime API does. Other unknown fields are a client's own
business: they are kept and shown.

Source: Realtime API, session object (GA); the words of refusals as recorded.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from realtime_widget.engine.conversation import errors
from realtime_widget.engine.conversation.field_rules import (
    Rule,
    an_object,
    array,
    boolean,
    fields,
    integer_within,
    list_of,
    mapping,
    may_be_null,
    number_within,
    one_of,
    text,
    text_within,
    unknown,
    words,
)
from realtime_widget.protocol.audio import FORMATS_BY_WIRE_TYPE, PCM16_SAMPLE_RATE_HZ

SILENCE_OF_EAGERNESS_MS: Final = {"low": 800, "medium": 500, "auto": 500, "high": 300}
LOGPROBS: Final = "item.input_audio_transcription.logprobs"
_MAX_TOKENS: Final = 4096
_SPEEDS: Final = (0.25, 1.5)
_IDLE_TIMEOUT_MS: Final = (5_000, 30_000)
_MAX_DETECTION_MS: Final = 10_000
_MAX_METADATA: Final = 16
_MAX_METADATA_KEY_CHARS: Final = 64
_METADATA_VALUE: Final = text_within(512)
# What the beta called by another name or had in another place, and GA refuses.
_OF_THE_BETA: Final[Mapping[str, Rule]] = dict.fromkeys(
    (
        "modalities",
        "voice",
        "speed",
        "temperature",
        "input_audio_format",
        "output_audio_format",
        "input_audio_transcription",
        "input_audio_noise_reduction",
        "turn_detection",
        "max_response_output_tokens",
    ),
    unknown,
)


def output_modalities(value: Any, path: str) -> None:
    """Check that one modality is asked for; audio brings its transcript along."""
    if value not in (["audio"], ["text"]):
        raise errors.invalid_modalities(path, array(value, path))


def audio_format(value: Any, path: str) -> None:
    """Check an audio format; 24 kHz is the only rate of PCM."""
    kind = mapping(value, path).get("type")
    if kind is None:
        raise errors.missing(f"{path}.type")
    one_of(*FORMATS_BY_WIRE_TYPE)(kind, f"{path}.type")
    rate = value.get("rate", PCM16_SAMPLE_RATE_HZ)
    if kind == "audio/pcm" and rate != PCM16_SAMPLE_RATE_HZ:
        raise errors.invalid_because(f"{path}.rate", f"expected {PCM16_SAMPLE_RATE_HZ}")


def turn_detection(value: Any, path: str) -> None:
    """Check how turns are found; null is push-to-talk."""
    if value is None:
        return
    kind = mapping(value, path).get("type")
    if kind is None:
        raise errors.missing(f"{path}.type")
    one_of(*_DETECTIONS)(kind, f"{path}.type")
    _DETECTIONS[kind](value, path)


def voice(value: Any, path: str) -> None:
    """Check a voice: a name, or an object with the id of a custom one."""
    if isinstance(value, dict):
        text(value.get("id"), f"{path}.id")
    else:
        text(value, path)


def _tool(value: Any, path: str) -> None:
    """Check a tool; one that is no function is kept and never called."""
    kind = mapping(value, path).get("type")
    if kind is None:
        raise errors.missing(f"{path}.type")
    one_of("function", "mcp")(kind, f"{path}.type")
    name = "name" if kind == "function" else "server_label"
    if not value.get(name):
        raise errors.missing(f"{path}.{name}")
    text(value[name], f"{path}.{name}")
    if kind == "function":
        _FUNCTION(value, path)


def tool_choice(value: Any, path: str) -> None:
    """Check which tool has to be called."""
    if not isinstance(value, dict):
        one_of("none", "auto", "required")(value, path)
        return
    one_of("function", "mcp")(value.get("type"), f"{path}.type")
    name = "name" if value["type"] == "function" else "server_label"
    if not value.get(name):
        raise errors.missing(f"{path}.{name}")
    text(value[name], f"{path}.{name}")


def max_output_tokens(value: Any, path: str) -> None:
    """Check the bound of an answer."""
    if value != "inf":
        integer_within(1, _MAX_TOKENS)(value, path)


def metadata(value: Any, path: str) -> None:
    """Check a response's metadata: few short texts."""
    if len(mapping(value, path)) > _MAX_METADATA:
        raise errors.invalid_because(path, f"expected at most {_MAX_METADATA} keys")
    for key, note in value.items():
        if len(key) > _MAX_METADATA_KEY_CHARS:
            raise errors.invalid_because(path, "a key is too long")
        _METADATA_VALUE(note, f"{path}.{key}")


def _truncation(value: Any, path: str) -> None:
    """Check what becomes of a long conversation; the engine always forgets its start."""
    if not isinstance(value, dict):
        one_of("auto", "disabled")(value, path)
        return
    one_of("retention_ratio")(value.get("type"), f"{path}.type")
    number_within(0, 1)(value.get("retention_ratio"), f"{path}.retention_ratio")


def _transcription(value: Any, path: str) -> None:
    _TRANSCRIPTION(value, path)
    if value.get("language") and value.get("languages"):
        raise errors.invalid_because(
            f"{path}.languages", "'language' and 'languages' exclude each other"
        )


_FUNCTION: Final = fields(
    {"description": may_be_null(words), "parameters": may_be_null(an_object)}
)
_TURN_FLAGS: Final[Mapping[str, Rule]] = {
    "create_response": may_be_null(boolean),
    "interrupt_response": may_be_null(boolean),
}
_DETECTIONS: Final[Mapping[str, Rule]] = {
    "server_vad": fields(
        {
            **_TURN_FLAGS,
            "threshold": may_be_null(number_within(0, 1)),
            "prefix_padding_ms": may_be_null(integer_within(0, _MAX_DETECTION_MS)),
            "silence_duration_ms": may_be_null(integer_within(0, _MAX_DETECTION_MS)),
            "idle_timeout_ms": may_be_null(integer_within(*_IDLE_TIMEOUT_MS)),
        }
    ),
    "semantic_vad": fields(
        {**_TURN_FLAGS, "eagerness": may_be_null(one_of(*SILENCE_OF_EAGERNESS_MS))}
    ),
}
_TRANSCRIPTION: Final = fields(
    {
        "model": may_be_null(words),
        "language": may_be_null(words),
        "languages": may_be_null(list_of(words)),
        "prompt": may_be_null(words),
        "keywords": may_be_null(list_of(words)),
        "delay": may_be_null(one_of("minimal", "low", "medium", "high", "xhigh")),
    }
)
_NOISE_REDUCTION: Final = fields(
    {
        "type": may_be_null(one_of("near_field", "far_field")),
        "strength": may_be_null(number_within(0, 1)),
    }
)
_INCLUDE: Final = list_of(one_of(LOGPROBS))
_OUTPUT: Final[Mapping[str, Rule]] = {
    "format": may_be_null(audio_format),
    "voice": may_be_null(voice),
}
_ANSWERS: Final[Mapping[str, Rule]] = {
    "instructions": may_be_null(words),
    "output_modalities": may_be_null(output_modalities),
    "tools": may_be_null(list_of(_tool)),
    "tool_choice": may_be_null(tool_choice),
    "parallel_tool_calls": may_be_null(boolean),
    "max_output_tokens": may_be_null(max_output_tokens),
    "reasoning": may_be_null(
        fields(
            {"effort": may_be_null(one_of("minimal", "low", "medium", "high", "xhigh"))}
        )
    ),
    "prompt": may_be_null(an_object),
}
_INPUT: Final[Mapping[str, Rule]] = {
    "format": may_be_null(audio_format),
    "transcription": may_be_null(_transcription),
    "noise_reduction": may_be_null(_NOISE_REDUCTION),
    "turn_detection": turn_detection,
}


def _audio(**sides: Rule) -> Rule:
    return may_be_null(fields(sides))


_REALTIME: Final = fields(
    {
        **_OF_THE_BETA,
        **_ANSWERS,
        "audio": _audio(
            input=may_be_null(fields(_INPUT)),
            output=may_be_null(
                fields({**_OUTPUT, "speed": may_be_null(number_within(*_SPEEDS))})
            ),
        ),
        "include": may_be_null(_INCLUDE),
        "truncation": may_be_null(_truncation),
    }
)
_TRANSCRIBING: Final = fields(
    {
        **_OF_THE_BETA,
        **dict.fromkeys((*_ANSWERS, "truncation", "tracing"), unknown),
        "audio": _audio(input=may_be_null(fields(_INPUT)), output=unknown),
        "include": may_be_null(_INCLUDE),
    }
)
SESSIONS: Final[Mapping[str, Rule]] = {
    "realtime": _REALTIME,
    "transcription": _TRANSCRIBING,
}
RESPONSE: Final = fields(
    {
        **_OF_THE_BETA,
        **_ANSWERS,
        "conversation": may_be_null(one_of("auto", "none")),
        "metadata": may_be_null(metadata),
        "audio": _audio(output=may_be_null(fields(_OUTPUT))),
    }
)
