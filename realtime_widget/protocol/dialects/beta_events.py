"""Events of the beta dialect to and from GA, one event at a time and without a state.

Source: as in ``beta``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from realtime_widget.protocol.dialects import beta
from realtime_widget.protocol.dialects.beta import Json

# Beta name -> GA name.
RENAMED: Final[Mapping[str, str]] = {
    "response.text.delta": "response.output_text.delta",
    "response.text.done": "response.output_text.done",
    "response.audio.delta": "response.output_audio.delta",
    "response.audio.done": "response.output_audio.done",
    "response.audio_transcript.delta": "response.output_audio_transcript.delta",
    "response.audio_transcript.done": "response.output_audio_transcript.done",
    "conversation.item.created": "conversation.item.added",
}
_TO_BETA: Final = {ga: name for name, ga in RENAMED.items()}
# Server events that the beta does not have.
ONLY_GA: Final = frozenset(
    {
        "conversation.item.done",
        "conversation.item.input_audio_transcription.delta",
        "conversation.item.input_audio_transcription.segment",
        "input_audio_buffer.timeout_triggered",
        "input_audio_buffer.dtmf_event_received",
    }
)
_GA_AUDIO: Final = (
    b'{"type":"response.output_audio.delta"',
    b'{"type": "response.output_audio.delta"',
)
_BETA_AUDIO: Final = (
    b'{"type":"response.audio.delta"',
    b'{"type": "response.audio.delta"',
)
# Some servers write the event's id first, others the type last.
_BETA_AUDIO_SECOND: Final = re.compile(
    rb'\{("event_id": ?"[^"\\]*"), ?"type": ?"response\.audio\.delta"'
)
_BETA_AUDIO_LAST: Final = (
    b',"type":"response.audio.delta"}',
    b', "type": "response.audio.delta"}',
)


def audio_to_beta(event: bytes) -> bytes | None:
    """Rename an encoded audio delta; None for another event. HOT: no JSON parser."""
    if event.startswith(_GA_AUDIO):
        return event.replace(b"response.output_audio.delta", b"response.audio.delta", 1)
    return None


def audio_to_ga(event: bytes) -> bytes | None:
    """Rename an encoded audio delta; None for another event. HOT: no JSON parser."""
    if event.startswith(_BETA_AUDIO):
        return event.replace(b"response.audio.delta", b"response.output_audio.delta", 1)
    if not event.startswith(b"{"):
        return None
    # A quote inside a JSON string is escaped, so neither is found in a value.
    if second := _BETA_AUDIO_SECOND.match(event):
        return b"%b,%b%b" % (_GA_AUDIO[0], second[1], event[second.end() :])
    for last in _BETA_AUDIO_LAST:
        if event.endswith(last):
            return b"%b,%b}" % (_GA_AUDIO[0], event[1 : -len(last)])
    return None


# --- client events ---------------------------------------------------------------


def client_to_ga(event: Mapping[str, Any]) -> Json:
    """Return a client event as GA spells it.

    What the preview has of its own in ``response.create`` (``commit``,
    ``cancel_previous``, ``append_input_items``, ``input_items``) is left as it is: it
    takes a state to translate.
    """
    kind = event.get("type")
    if kind == "transcription_session.update":
        return _session_event(event, "session.update", beta.fields_to_ga, caption=True)
    if kind == "session.update":
        return _session_event(event, kind, beta.fields_to_ga, caption=False)
    if kind == "conversation.item.create" and "item" in event:
        return {**event, "item": beta.item_to_ga(event["item"])}
    if kind == "response.create" and isinstance(event.get("response"), dict):
        return {**event, "response": _wish_to_ga(event["response"])}
    return dict(event)


def client_to_beta(event: Mapping[str, Any]) -> Json:
    """Return a client event as the beta spells it; GA's own fields are left out."""
    kind = event.get("type")
    if kind == "session.update" and isinstance(event.get("session"), dict):
        session = beta.fields_to_beta(event["session"], beta.SESSION)
        return {**event, "session": _without(session, beta.ONLY_GA)}
    if kind == "conversation.item.create":
        return {**event, "item": beta.item_to_beta(event.get("item"))}
    if kind == "response.create" and isinstance(event.get("response"), dict):
        wish = beta.fields_to_beta(event["response"], beta.RESPONSE)
        wish = _without(wish, beta.ONLY_GA)
        if isinstance(wish.get("input"), list):
            wish["input"] = [beta.item_to_beta(item) for item in wish["input"]]
        return {**event, "response": wish}
    return dict(event)


def _wish_to_ga(wish: Json) -> Json:
    ga = beta.fields_to_ga(wish, beta.RESPONSE)
    if "max_response_output_tokens" in ga:
        ga["max_output_tokens"] = ga.pop("max_response_output_tokens")
    if ga.get("max_output_tokens", "") is None:
        ga["max_output_tokens"] = "inf"
    if isinstance(ga.get("input"), list):
        ga["input"] = [beta.item_to_ga(item) for item in ga["input"]]
    return ga


def _session_event(
    event: Mapping[str, Any],
    kind: str,
    translate: Callable[..., Json],
    *,
    caption: bool,
) -> Json:
    session = event.get("session")
    if not isinstance(session, dict):
        return {**event, "type": kind}
    kept = _without(session, frozenset({"modalities"})) if caption else session
    typed = {"type": "transcription" if caption else "realtime"}
    return {
        **event,
        "type": kind,
        "session": {**translate(kept, beta.SESSION), **typed},
    }


# --- server events ---------------------------------------------------------------


def server_to_beta(event: Mapping[str, Any]) -> Json | None:
    """Return a server event as the beta spells it, None for one it does not have."""
    kind = str(event.get("type"))
    if kind in ONLY_GA:
        return None
    told = {**event, "type": _TO_BETA.get(kind, kind)}
    translate = _SERVER_TO_BETA.get(kind)
    if translate is not None:
        translate(told)
    if "item" in told:
        told["item"] = beta.item_to_beta(told["item"])
    if "response" in told:
        told["response"] = beta.response_to_beta(told["response"])
    return told


def _session_to_beta(told: Json) -> None:
    ga = told.get("session")
    if not isinstance(ga, dict):
        return
    session = _without(beta.fields_to_beta(ga, beta.SESSION), beta.ONLY_GA)
    if ga.get("type") == "transcription":
        told["type"] = f"transcription_{told['type']}"
    elif session.get("max_response_output_tokens") == "inf":
        # The preview types it as a number or null.
        session["max_response_output_tokens"] = None
    told["session"] = session


def _error_to_beta(told: Json) -> None:
    given = told.get("error")
    if not isinstance(given, dict):
        return
    error = {key: value for key, value in given.items() if value is not None}
    param = error.get("param")
    if isinstance(param, str):
        error["param"] = moved = beta.param_to_beta(param)
        message = str(error.get("message", ""))
        error["message"] = message.replace(f"'{param}'", f"'{moved}'")
    told["error"] = error


def _text_done(told: Json) -> None:
    told["value"] = told.get("text", "")  # as the preview called it


def _truncated(told: Json) -> None:
    told["index"] = told.get("content_index", 0)


def _committed(told: Json) -> None:
    if told.get("previous_item_id") is None:
        told.pop("previous_item_id", None)


_SERVER_TO_BETA: Final[Mapping[str, Callable[[Json], None]]] = {
    "session.created": _session_to_beta,
    "session.updated": _session_to_beta,
    "error": _error_to_beta,
    "conversation.item.input_audio_transcription.failed": _error_to_beta,
    "response.output_text.done": _text_done,
    "conversation.item.truncated": _truncated,
    "input_audio_buffer.committed": _committed,
}


def server_to_ga(event: Mapping[str, Any]) -> Json:
    """Return a server event as GA spells it.

    An item is both announced and complete in ``conversation.item.created``; GA's own
    ``conversation.item.done`` is the caller's to make.
    """
    kind = str(event.get("type"))
    ga = {**event, "type": RENAMED.get(kind, kind)}
    translate = _SERVER_TO_GA.get(kind)
    if translate is not None:
        translate(ga)
    if "item" in ga:
        ga["item"] = beta.item_to_ga(ga["item"])
    if "response" in ga:
        ga["response"] = beta.response_to_ga(ga["response"])
    return ga


def _session_to_ga(ga: Json) -> None:
    if isinstance(ga.get("session"), dict):
        typed = {"type": "realtime"}
        ga["session"] = {**beta.fields_to_ga(ga["session"], beta.SESSION), **typed}


def _error_to_ga(ga: Json) -> None:
    error = ga.get("error")
    if isinstance(error, dict) and isinstance(error.get("param"), str):
        ga["error"] = {**error, "param": beta.param_to_ga(error["param"])}


def _text_done_to_ga(ga: Json) -> None:
    if "value" in ga:
        ga.setdefault("text", ga.pop("value"))


def _truncated_to_ga(ga: Json) -> None:
    if "index" in ga:
        ga.setdefault("content_index", ga.pop("index"))


_SERVER_TO_GA: Final[Mapping[str, Callable[[Json], None]]] = {
    "session.created": _session_to_ga,
    "session.updated": _session_to_ga,
    "error": _error_to_ga,
    "response.text.done": _text_done_to_ga,
    "conversation.item.truncated": _truncated_to_ga,
}


def _without(values: Json, names: frozenset[str]) -> Json:
    return {key: value for key, value in values.items() if key not in names}
