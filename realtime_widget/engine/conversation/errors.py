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


def missing(param: str) -> EventRefused:
    """Return the error for a field that has to be there."""
    return EventRefused(
        f"Missing required parameter: '{param}'.",
        code="missing_required_parameter",
        param=param,
    )


def invalid(param: str, value: Any, supported: Iterable[str]) -> EventRefused:
    """Return the error for a value that is none of a few."""
    known = ", ".join(f"'{name}'" for name in supported)
    return EventRefused(
        f"Invalid value: {_shown(value)}. Supported values are: {known}.",
        code="invalid_value",
        param=param,
    )


def invalid_because(param: str, reason: str) -> EventRefused:
    """Return the error for a value that breaks a rule."""
    return EventRefused(
        f"Invalid '{param}': {reason}.", code="invalid_value", param=param
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
    text = value if isinstance(value, str) else type(value).__name__
    if len(text) > _SHOWN_CHARS:
        text = text[:_SHOWN_CHARS] + "…"
    return f"'{text}'"
