"""What the fields of a session and of ``response.create`` may hold, by table.

Only what the engine acts on is checked; unknown fields are a client's own business.
Source: Realtime API, session object (GA).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from realtime_widget.engine.conversation import errors
from realtime_widget.protocol.audio import FORMATS_BY_WIRE_TYPE, PCM16_SAMPLE_RATE_HZ

Rule = Callable[[Any, str], None]

SILENCE_OF_EAGERNESS_MS: Final = {"low": 800, "medium": 500, "auto": 500, "high": 300}
_MAX_TOKENS: Final = 4096
_SPEEDS: Final = (0.25, 1.5)
_IDLE_TIMEOUT_MS: Final = (5_000, 30_000)
_MAX_DETECTION_MS: Final = 10_000
_MAX_METADATA: Final = 16
_MAX_METADATA_KEY_CHARS: Final = 64
_MAX_METADATA_VALUE_CHARS: Final = 512


def mapping(value: Any, path: str) -> Mapping[str, Any]:
    """Return a value that has to be an object."""
    if not isinstance(value, dict):
        raise errors.invalid_because(path, "expected an object")
    return value


def text(value: Any, path: str) -> str:
    """Return a value that has to be text."""
    if not isinstance(value, str):
        raise errors.invalid_because(path, "expected a string")
    return value


def whole_number(value: Any, path: str) -> int:
    """Return a value that has to be an integer."""
    if not isinstance(value, int) or isinstance(value, bool):
        raise errors.invalid_because(path, "expected an integer")
    return value


def boolean(value: Any, path: str) -> None:
    """Check a flag."""
    if not isinstance(value, bool):
        raise errors.invalid_because(path, "expected a boolean")


def number_within(lowest: float, highest: float) -> Rule:
    """Return a rule for numbers of a range."""

    def check(value: Any, path: str) -> None:
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if not number or not lowest <= value <= highest:
            raise errors.invalid_because(
                path, f"expected a number from {lowest:g} to {highest:g}"
            )

    return check


def integer_within(lowest: int, highest: int) -> Rule:
    """Return a rule for integers of a range."""

    def check(value: Any, path: str) -> None:
        if not lowest <= whole_number(value, path) <= highest:
            raise errors.invalid_because(
                path, f"expected an integer from {lowest} to {highest}"
            )

    return check


def one_of(*names: str) -> Rule:
    """Return a rule for words of a list."""

    def check(value: Any, path: str) -> None:
        if not isinstance(value, str) or value not in names:
            raise errors.invalid(path, value, names)

    return check


def may_be_null(rule: Rule) -> Rule:
    """Return a rule that also lets null pass."""
    return lambda value, path: None if value is None else rule(value, path)


def fields(rules: Mapping[str, Rule]) -> Rule:
    """Return a rule for an object, field by field; others may be there."""

    def check(value: Any, path: str) -> None:
        there = mapping(value, path)
        for name, rule in rules.items():
            if name in there:
                rule(there[name], f"{path}.{name}")

    return check


def output_modalities(value: Any, path: str) -> None:
    """Check that one modality is asked for; audio brings its transcript along."""
    if value not in (["audio"], ["text"]):
        raise errors.invalid(path, value, ("audio", "text"))


def audio_format(value: Any, path: str) -> None:
    """Check an audio format; 24 kHz is the only rate of PCM."""
    kind = mapping(value, path).get("type")
    if not isinstance(kind, str) or kind not in FORMATS_BY_WIRE_TYPE:
        raise errors.invalid(f"{path}.type", kind, FORMATS_BY_WIRE_TYPE)
    rate = value.get("rate", PCM16_SAMPLE_RATE_HZ)
    if kind == "audio/pcm" and rate != PCM16_SAMPLE_RATE_HZ:
        raise errors.invalid_because(f"{path}.rate", f"expected {PCM16_SAMPLE_RATE_HZ}")


def turn_detection(value: Any, path: str) -> None:
    """Check how turns are found; null is push-to-talk."""
    if value is None:
        return
    kind = mapping(value, path).get("type")
    if not isinstance(kind, str) or kind not in _DETECTIONS:
        raise errors.invalid(f"{path}.type", kind, _DETECTIONS)
    _DETECTIONS[kind](value, path)


def voice(value: Any, path: str) -> None:
    """Check a voice: a name, or an object with the id of a custom one."""
    if isinstance(value, dict):
        text(value.get("id"), f"{path}.id")
    else:
        text(value, path)


def tools(value: Any, path: str) -> None:
    """Check the tools; those that are no functions are kept and never called."""
    if not isinstance(value, list):
        raise errors.invalid_because(path, "expected an array")
    for at, tool in enumerate(value):
        here = f"{path}[{at}]"
        one_of("function", "mcp")(mapping(tool, here).get("type"), f"{here}.type")
        if tool["type"] == "function":
            if not tool.get("name"):
                raise errors.missing(f"{here}.name")
            text(tool["name"], f"{here}.name")
            if tool.get("parameters") is not None:
                mapping(tool["parameters"], f"{here}.parameters")


def tool_choice(value: Any, path: str) -> None:
    """Check which tool has to be called."""
    if isinstance(value, dict):
        one_of("function", "mcp")(value.get("type"), f"{path}.type")
    else:
        one_of("auto", "none", "required")(value, path)


def max_output_tokens(value: Any, path: str) -> None:
    """Check the bound of an answer."""
    if value != "inf":
        integer_within(1, _MAX_TOKENS)(value, path)


def metadata(value: Any, path: str) -> None:
    """Check a response's metadata: few short texts."""
    if len(mapping(value, path)) > _MAX_METADATA:
        raise errors.invalid_because(path, f"expected at most {_MAX_METADATA} keys")
    for key, words in value.items():
        if len(key) > _MAX_METADATA_KEY_CHARS:
            raise errors.invalid_because(path, "a key is too long")
        if len(text(words, f"{path}.{key}")) > _MAX_METADATA_VALUE_CHARS:
            raise errors.invalid_because(f"{path}.{key}", "the value is too long")


def strings(value: Any, path: str) -> None:
    """Check a list of texts."""
    if not isinstance(value, Sequence) or isinstance(value, str):
        raise errors.invalid_because(path, "expected an array")
    for at, words in enumerate(value):
        text(words, f"{path}[{at}]")


def _text(value: Any, path: str) -> None:
    text(value, path)


_TURN_FLAGS: Final = {
    "create_response": may_be_null(boolean),
    "interrupt_response": may_be_null(boolean),
}
_DETECTIONS: Final[dict[str, Rule]] = {
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
        "model": may_be_null(_text),
        "language": may_be_null(_text),
        "prompt": may_be_null(_text),
        "keywords": may_be_null(strings),
    }
)
_OUTPUT: Final[dict[str, Rule]] = {
    "format": may_be_null(audio_format),
    "voice": may_be_null(voice),
}
_SPOKEN: Final[dict[str, Rule]] = {
    "instructions": may_be_null(_text),
    "output_modalities": may_be_null(output_modalities),
    "tools": may_be_null(tools),
    "tool_choice": may_be_null(tool_choice),
    "max_output_tokens": may_be_null(max_output_tokens),
}

_INPUT: Final[dict[str, Rule]] = {
    "format": may_be_null(audio_format),
    "transcription": may_be_null(_TRANSCRIPTION),
    "turn_detection": turn_detection,
}
_SPEED: Final = may_be_null(number_within(*_SPEEDS))


def _audio(**sides: Mapping[str, Rule]) -> Rule:
    return may_be_null(
        fields({side: may_be_null(fields(rules)) for side, rules in sides.items()})
    )


SESSION: Final = fields(
    {**_SPOKEN, "audio": _audio(input=_INPUT, output={**_OUTPUT, "speed": _SPEED})}
)
RESPONSE: Final = fields(
    {
        **_SPOKEN,
        "conversation": may_be_null(one_of("auto", "none")),
        "metadata": may_be_null(metadata),
        "audio": _audio(output=_OUTPUT),
    }
)
