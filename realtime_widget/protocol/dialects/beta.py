"""The beta dialect: names and shapes of the API's preview, as tables to and from GA.

The preview of October 2024 and the later beta differ in a few fields; both spellings
are read, and where they do not exclude each other both are written.

Source: Azure's realtime-openapi3 description (2024-10 preview), the types of the beta in
the official client, and the API's notes on moving from beta to GA.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from realtime_widget.protocol.dialects.durations import duration_ms

Json = dict[str, Any]
Path = tuple[str, ...]

# --- values -------------------------------------------------------------------

_FORMATS: Final[Mapping[str, Mapping[str, Any]]] = {
    "pcm16": {"type": "audio/pcm", "rate": 24_000},
    "g711_ulaw": {"type": "audio/pcmu"},
    "g711_alaw": {"type": "audio/pcma"},
}
_FORMAT_NAMES: Final = {str(wire["type"]): name for name, wire in _FORMATS.items()}
_DURATIONS: Final = ("prefix_padding_ms", "silence_duration_ms")
# What a beta server would refuse inside ``turn_detection``.
_GA_DETECTION: Final = frozenset({"idle_timeout_ms"})
# Content of the agent's messages; the visitor's parts are spelled alike.
_PARTS: Final = {"text": "output_text", "audio": "output_audio"}
_PARTS_TO_BETA: Final = {ga: beta for beta, ga in _PARTS.items()}


def _same(value: Any) -> Any:
    return value


def _modalities_to_ga(value: Any) -> Any:
    """Audio always brings its transcript; what is no combination stays as it is."""
    if isinstance(value, list) and sorted(map(str, value)) == ["audio", "text"]:
        return ["audio"]
    return value


def _modalities_to_beta(value: Any) -> Any:
    return ["text", "audio"] if value == ["audio"] else value


def _format_to_ga(value: Any) -> Any:
    known = _FORMATS.get(value) if isinstance(value, str) else None
    if known is not None:
        return dict(known)
    return {"type": value} if isinstance(value, str) else value


def _format_to_beta(value: Any) -> Any:
    kind = value.get("type") if isinstance(value, dict) else None
    return _FORMAT_NAMES.get(kind, kind) if isinstance(kind, str) else value


def _transcription_to_ga(value: Any) -> Any:
    return {"model": "whisper-1", **value} if isinstance(value, dict) else value


def _detection_to_ga(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    if value.get("type") == "none":
        return None
    lengths = {key: duration_ms(value[key]) for key in _DURATIONS if key in value}
    return {**value, **lengths}


def _detection_to_beta(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    return {key: kept for key, kept in value.items() if key not in _GA_DETECTION}


def _choice_to_ga(value: Any) -> Any:
    if isinstance(value, dict) and isinstance(value.get("function"), dict):
        rest = {key: kept for key, kept in value.items() if key != "function"}
        return {**rest, **value["function"]}
    return value


def _choice_to_beta(value: Any) -> Any:
    if isinstance(value, dict) and "name" in value:
        return {**value, "function": {"name": value["name"]}}
    return value


def _tokens_to_ga(value: Any) -> Any:
    return "inf" if value is None else value


# --- fields -------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a session or response.

    Attributes:
        beta: Its name in the beta.
        ga: Where it is in GA.
        to_ga: Its value in GA.
        to_beta: Its value in the beta.
    """

    beta: str
    ga: Path
    to_ga: Callable[[Any], Any] = _same
    to_beta: Callable[[Any], Any] = _same


_MODALITIES: Final = Field(
    "modalities", ("output_modalities",), _modalities_to_ga, _modalities_to_beta
)
_VOICE: Final = Field("voice", ("audio", "output", "voice"))
_OUTPUT_FORMAT: Final = Field(
    "output_audio_format", ("audio", "output", "format"), _format_to_ga, _format_to_beta
)
_CHOICE: Final = Field("tool_choice", ("tool_choice",), _choice_to_ga, _choice_to_beta)
SESSION: Final = (
    _MODALITIES,
    _VOICE,
    Field("speed", ("audio", "output", "speed")),
    Field(
        "input_audio_format",
        ("audio", "input", "format"),
        _format_to_ga,
        _format_to_beta,
    ),
    _OUTPUT_FORMAT,
    Field(
        "input_audio_transcription",
        ("audio", "input", "transcription"),
        _transcription_to_ga,
    ),
    Field("input_audio_noise_reduction", ("audio", "input", "noise_reduction")),
    Field(
        "turn_detection",
        ("audio", "input", "turn_detection"),
        _detection_to_ga,
        _detection_to_beta,
    ),
    Field("max_response_output_tokens", ("max_output_tokens",), _tokens_to_ga),
    _CHOICE,
)
RESPONSE: Final = (_MODALITIES, _VOICE, _OUTPUT_FORMAT, _CHOICE)
# Fields of a GA session and response that a beta server does not know.
ONLY_GA: Final = frozenset(
    {"type", "truncation", "reasoning", "parallel_tool_calls", "tracing", "prompt"}
)


def fields_to_ga(values: Mapping[str, Any], fields: Iterable[Field]) -> Json:
    """Return a session or response as GA spells it; fields of no table stay."""
    ga = dict(values)
    for field in fields:
        if field.beta in values:
            del ga[field.beta]
    for field in fields:
        if field.beta in values:
            _put(ga, field.ga, field.to_ga(values[field.beta]))
    return ga


def fields_to_beta(values: Mapping[str, Any], fields: Iterable[Field]) -> Json:
    """Return a session or response as the beta spells it; fields of no table stay."""
    beta = dict(values)
    beta.pop("audio", None)
    for field in fields:
        found, value = _get(values, field.ga)
        if found:
            if len(field.ga) == 1:
                beta.pop(field.ga[0], None)
            beta[field.beta] = field.to_beta(value)
    return beta


def _put(values: Json, path: Path, value: Any) -> None:
    for key in path[:-1]:
        inner = values.get(key)
        # A copy, because the caller's own objects are in there.
        values[key] = dict(inner) if isinstance(inner, dict) else {}
        values = values[key]
    values[path[-1]] = value


def _get(values: Any, path: Path) -> tuple[bool, Any]:
    for key in path:
        if not isinstance(values, Mapping) or key not in values:
            return False, None
        values = values[key]
    return True, values


# --- parameters of errors -------------------------------------------------------

_PLACES: Final = sorted(
    (
        (f"{root}.{field.beta}", ".".join((root, *field.ga)))
        for root, fields in (("session", SESSION), ("response", RESPONSE))
        for field in fields
    ),
    key=lambda place: -len(place[1]),
)


def param_to_beta(param: str) -> str:
    """Return where the beta has the field that a GA error blames."""
    return _moved(param, ((ga, beta) for beta, ga in _PLACES))


def param_to_ga(param: str) -> str:
    """Return where GA has the field that a beta error blames."""
    return _moved(param, _PLACES)


def _moved(param: str, places: Iterable[tuple[str, str]]) -> str:
    for old, new in places:
        if param == old or param.startswith((f"{old}.", f"{old}[")):
            return new + param[len(old) :]
    return param


# --- items --------------------------------------------------------------------


def item_to_ga(item: Any) -> Any:
    """Return a conversation item as GA spells it.

    A message of nothing but an id points at an item that is there already.
    """
    if not isinstance(item, dict):
        return item
    if item.get("type") == "message" and "role" not in item and "id" in item:
        return {"type": "item_reference", "id": item["id"]}
    if item.get("role") != "assistant":
        return item
    return _with_parts(item, {**_PARTS, "input_text": "output_text"})


def item_to_beta(item: Any) -> Any:
    """Return a conversation item as the beta spells it: what is not known is left out."""
    if not isinstance(item, dict):
        return item
    return _with_parts(item, _PARTS_TO_BETA, known_only=True)


def _with_parts(
    item: Json, names: Mapping[str, str], *, known_only: bool = False
) -> Json:
    content = item.get("content")
    if not isinstance(content, list):
        return item

    def renamed(part: Any) -> Any:
        kind = part.get("type") if isinstance(part, dict) else None
        if not isinstance(kind, str):
            return part
        kept = {k: v for k, v in part.items() if v is not None or not known_only}
        if known_only and names.get(kind) == "audio":
            kept.setdefault("transcript", None)  # an answer that was cut has none
        return {**kept, "type": names.get(kind, kind)}

    return {**item, "content": [renamed(part) for part in content]}


# --- responses ------------------------------------------------------------------


_NO_USAGE: Final[Mapping[str, Any]] = {
    "total_tokens": 0,
    "input_tokens": 0,
    "output_tokens": 0,
    "input_token_details": {"cached_tokens": 0, "text_tokens": 0, "audio_tokens": 0},
    "output_token_details": {"text_tokens": 0, "audio_tokens": 0},
}


def response_to_beta(response: Any) -> Any:
    """Return a response object as the beta spells it."""
    if not isinstance(response, dict):
        return response
    beta = fields_to_beta(response, RESPONSE)
    beta["output"] = [item_to_beta(item) for item in response.get("output") or []]
    if beta.get("usage") is None:
        beta["usage"] = _NO_USAGE  # the preview types it as always there
    return beta


def response_to_ga(response: Any) -> Any:
    """Return a response object as GA spells it."""
    if not isinstance(response, dict):
        return response
    ga = fields_to_ga(response, RESPONSE)
    ga["output"] = [item_to_ga(item) for item in response.get("output") or []]
    return ga
