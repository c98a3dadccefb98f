"""The errors a client is told, in the Realtime API's own words.

Source: error catalogue of the Realtime API; texts marked as recorded there are exact.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from realtime_widget.exceptions import EventRefused
from realtime_widget.protocol.events import CLIENT_EVENTS

INVALID_REQUEST: Final = "invalid_request_error"
SERVER_ERROR: Final = "server_error"
# Longer values are not repeated to the client.
_SHOWN_CHARS: Final = 80
_SHOWN_MEMBERS: Final = 4
# In this order: in Python a boolean is an integer too.
_JSON_TYPES: Final = (
    (bool, "a boolean"),
    (int, "an integer"),
    (float, "a decimal"),
    (str, "a string"),
    (list, "an array"),
    (dict, "an object"),
)


def missing(param: str) -> EventRefused:
    """Return the error for a field that has to be there."""
    return EventRefused(
        f"Missing required parameter: '{param}'.",
        code="missing_required_parameter",
        param=param,
    )


def invalid(param: str, value: Any, supported: Iterable[str]) -> EventRefused:
    """Return the error for a value that is none of a few (recorded, exact)."""
    known = [f"'{name}'" for name in supported]
    expected = (
        f"Value must be {known[0]}."
        if len(known) == 1
        else f"Supported values are: {', '.join(known)}."
    )
    return EventRefused(
        f"Invalid value: {_shown(value)}. {expected}",
        code="invalid_value",
        param=param,
    )


def invalid_modalities(param: str, value: list[Any]) -> EventRefused:
    """Return the error for other than one modality (recorded, exact)."""
    named = ", ".join(_shown(name) for name in value[:_SHOWN_MEMBERS])
    return EventRefused(
        f"Invalid modalities: [{named}]. Supported combinations are: ['text'] and "
        "['audio'].",
        code="invalid_value",
        param=param,
    )


def invalid_because(param: str, reason: str) -> EventRefused:
    """Return the error for a value that breaks a rule."""
    return EventRefused(
        f"Invalid '{param}': {reason}.", code="invalid_value", param=param
    )


def wrong_type(param: str, expected: str, value: Any) -> EventRefused:
    """Return the error for a value of another JSON type (recorded, exact).

    Args:
        param: Its path.
        expected: A type with its article.
        value: What came instead.
    """
    return EventRefused(
        f"Invalid type for '{param}': expected {expected}, but got "
        f"{_json_type(value)} instead.",
        code="invalid_type",
        param=param,
    )


def out_of_range(
    param: str, kind: str, value: float, lowest: float, highest: float
) -> EventRefused:
    """Return the error for a number outside its range; ``kind`` is its JSON type."""
    below = value < lowest
    side, sign, bound = (
        ("below minimum", ">=", lowest) if below else ("above maximum", "<=", highest)
    )
    return EventRefused(
        f"Invalid '{param}': {kind} {side} value. Expected a value {sign} {bound:g}, "
        f"but got {_number(value)} instead.",
        code=f"{kind}_{'below_min' if below else 'above_max'}_value",
        param=param,
    )


def too_long(param: str, length: int, highest: int) -> EventRefused:
    """Return the error for a text beyond its bound; lengths in characters."""
    return EventRefused(
        f"Invalid '{param}': string too long. Expected a string with maximum length "
        f"{highest}, but got a string with length {length} instead.",
        code="string_above_max_length",
        param=param,
    )


def unknown_parameter(param: str) -> EventRefused:
    """Return the error for a field that is not there (recorded, exact)."""
    return EventRefused(
        f"Unknown parameter: '{param}'.", code="unknown_parameter", param=param
    )


def other_session_type(asked: str, own: str) -> EventRefused:
    """Return the error for an update of the other type (recorded, exact)."""
    return EventRefused(
        f"Passing a {asked} session update event to a {own} session is not allowed.",
        code="invalid_parameter",
    )


def model_of_transcription() -> EventRefused:
    """Return the error for a model that captions are opened with (recorded, exact)."""
    return EventRefused(
        "You must not provide a model parameter for transcription sessions.",
        code="invalid_model",
    )


def no_turn_detection() -> EventRefused:
    """Return the error for turns asked of a live recogniser (recorded, exact)."""
    return EventRefused(
        "Turn detection is not supported for this transcription model.",
        code="invalid_value",
        param="session.audio.input.turn_detection",
    )


def no_answers() -> EventRefused:
    """Return the error for an answer asked of a transcription session."""
    return EventRefused(
        "Responses are not available in a transcription session.",
        code="invalid_event",
        param="type",
    )


def unknown_event(name: Any) -> EventRefused:
    """Return the error for an event that clients do not send."""
    refused = invalid("type", name, CLIENT_EVENTS)
    return EventRefused(str(refused), code="invalid_event", param="type")


def not_json() -> EventRefused:
    """Return the error for a message that holds no JSON object."""
    return EventRefused("The event is not a JSON object.", code="invalid_json")


def not_text() -> EventRefused:
    """Return the error for a binary frame."""
    return EventRefused(
        "Events are JSON in text frames; a binary frame was sent.",
        code="invalid_event",
    )


def buffer_too_small(held_ms: float) -> EventRefused:
    """Return the error for a commit of too little audio (recorded, exact)."""
    return EventRefused(
        "Error committing input audio buffer: buffer too small. Expected at least "
        f"100ms of audio, but buffer only has {held_ms:.2f}ms of audio.",
        code="input_audio_buffer_commit_empty",
    )


def no_such_item(verb: str, action: str, item_id: str) -> EventRefused:
    """Return the error for an unknown item (delete and retrieve recorded, exact).

    Args:
        verb: As in the code: delete, retrieve, truncate.
        action: As in the sentence: deleting, retrieving, truncating.
        item_id: What was asked for.
    """
    return EventRefused(
        f"Error {action} item: the item with id {_shown(item_id)} does not exist.",
        code=f"item_{verb}_invalid_item_id",
    )


def item_exists(item_id: str) -> EventRefused:
    """Return the error for a second item of the same id."""
    return EventRefused(
        f"Error adding item: an item with id {_shown(item_id)} already exists.",
        code="invalid_value",
        param="item.id",
    )


def no_previous_item(item_id: str) -> EventRefused:
    """Return the error for a place after an item that is not there."""
    return EventRefused(
        f"Error adding item: the previous item with id {_shown(item_id)} does not exist.",
        code="invalid_value",
        param="previous_item_id",
    )


def not_truncatable() -> EventRefused:
    """Return the error for cutting what is no spoken answer (recorded, exact)."""
    return EventRefused("Only model output audio messages can be truncated", code="")


def audio_shorter(have_ms: int, asked_ms: int) -> EventRefused:
    """Return the error for a cut behind the end (recorded, exact)."""
    return EventRefused(
        f"Audio content of {have_ms}ms is already shorter than {asked_ms}ms",
        code="invalid_value",
    )


def voice_locked() -> EventRefused:
    """Return the error for another voice in mid-conversation (recorded, exact)."""
    return EventRefused(
        "Cannot update a conversation's voice if assistant audio is present.",
        code="cannot_update_voice",
    )


def response_active(response_id: str) -> EventRefused:
    """Return the error for a second answer at a time (recorded, exact)."""
    return EventRefused(
        "Conversation already has an active response in progress: "
        f"{response_id} . Wait until the response is finished before creating a new one.",
        code="conversation_already_has_active_response",
    )


def nothing_to_cancel() -> EventRefused:
    """Return the error for cancelling nothing (recorded, exact)."""
    return EventRefused(
        "Cancellation failed: no active response found",
        code="response_cancel_not_active",
    )


def append_too_long(most_bytes: int) -> EventRefused:
    """Return the error for more audio in one event than an event may hold."""
    return invalid_because("audio", f"expected at most {most_bytes} bytes of audio")


def invalid_beta_modalities(param: str, value: list[Any]) -> EventRefused:
    """Return the error for no combination of the beta, in the words GA has for it."""
    named = ", ".join(_shown(name) for name in value[:_SHOWN_MEMBERS])
    return EventRefused(
        f"Invalid modalities: [{named}]. Supported combinations are: ['text'] and "
        "['audio', 'text'].",
        code="invalid_value",
        param=param,
    )


def too_many_waiting() -> EventRefused:
    """Return the error for answers that wait behind too many others."""
    return EventRefused(
        "Too many responses wait for the active one.",
        code="rate_limit_exceeded",
        param="response.cancel_previous",
    )


def too_fast() -> EventRefused:
    """Return the error for events beyond what one client may send."""
    return EventRefused(
        "Events come faster than one client may send them.",
        code="rate_limit_exceeded",
    )


def not_read() -> EventRefused:
    """Return the error for a client that takes nothing of what it is sent."""
    return EventRefused(
        "Events were not read for too long.", code="rate_limit_exceeded"
    )


def too_many_responses(most: int) -> EventRefused:
    """Return the error for more answers beside the conversation than we make."""
    return EventRefused(
        f"At most {most} responses can be in progress at a time.",
        code="rate_limit_exceeded",
    )


def voice_unavailable() -> EventRefused:
    """Return the error for audio sent to an engine that cannot hear."""
    return EventRefused(
        "This engine cannot hear: its speech parts are not installed. "
        "Text conversations work.",
        code="voice_unavailable",
    )


def only_in_calls(event: str) -> EventRefused:
    """Return the error for an event that WebRTC and SIP sessions have."""
    return EventRefused(
        f"'{event}' is for WebRTC and SIP sessions.",
        code="invalid_event",
        param="type",
    )


def session_expired(minutes: float) -> EventRefused:
    """Return the error at a session's maximum age (recorded, exact for 60)."""
    return EventRefused(
        f"Your session hit the maximum duration of {minutes:g} minutes.",
        code="session_expired",
    )


def bad_key() -> EventRefused:
    """Return the error for a key that is not the required one."""
    return EventRefused("Incorrect API key provided.", code="invalid_api_key")


def beta_shape() -> EventRefused:
    """Return the error for a client that asks for the beta (recorded, exact)."""
    return EventRefused(
        "The Realtime Beta API is no longer supported. Please use /v1/realtime for the "
        "GA API.",
        code="beta_api_shape_disabled",
    )


def engine_failed() -> EventRefused:
    """Return the error for a fault of the engine itself."""
    return EventRefused("The server had an error.", code=SERVER_ERROR)


def _shown(value: Any) -> str:
    text = value if isinstance(value, str) else _json_type(value)
    if len(text) > _SHOWN_CHARS:
        text = text[:_SHOWN_CHARS] + "…"
    return f"'{text}'"


def _number(value: float) -> str:
    text = str(value)
    return text if len(text) <= _SHOWN_CHARS else "a longer one"


def _json_type(value: Any) -> str:
    """Return the JSON type of a value, with its article."""
    for kind, name in _JSON_TYPES:
        if isinstance(value, kind):
            return name
    return "null"
