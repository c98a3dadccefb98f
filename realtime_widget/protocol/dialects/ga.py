"""The GA dialect: what the Realtime API itself speaks.

GA is also the canonical form inside this package, so nothing is renamed here. What
is here: the quick recognition of audio on the wire, and how a server's dialect is
told from its ``session.created``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal, NamedTuple

from realtime_widget.protocol.events import decoded_audio

# json.dumps with and without blanks after the separators; any other order of keys
# is left to the JSON parser.
_AUDIO_HEADS: Final = (
    b'{"type":"response.output_audio.delta"',
    b'{"type": "response.output_audio.delta"',
)


class AudioDelta(NamedTuple):
    """One piece of the answer's audio, decoded, in the session's output format."""

    item_id: str
    response_id: str
    audio: bytes


def scan_audio_delta(event: bytes) -> AudioDelta | None:
    """Recognise an audio delta without parsing JSON.

    A quote inside a JSON string is always escaped, so the searched key patterns
    cannot occur in a value.

    Args:
        event: One server event as it came, UTF-8.

    Returns:
        The delta; None when this is another event or is spelled in a way only a
        JSON parser can read.
    """
    if not event.startswith(_AUDIO_HEADS):
        return None
    base64 = _value(event, b'"delta":')
    item_id = _value(event, b'"item_id":')
    response_id = _value(event, b'"response_id":')
    if base64 is None or item_id is None or response_id is None:
        return None
    audio = decoded_audio(base64)
    if audio is None:
        return None
    try:
        return AudioDelta(item_id.decode(), response_id.decode(), audio)
    except UnicodeDecodeError:
        return None


def _value(event: bytes, key: bytes) -> bytes | None:
    """Return the string value that follows ``key``, None if it is no plain string."""
    start = event.find(key)
    if start < 0:
        return None
    start += len(key)
    if event[start : start + 1] == b" ":
        start += 1
    if event[start : start + 1] != b'"':
        return None
    end = event.find(b'"', start + 1)
    value = event[start + 1 : end]
    return None if end < 0 or b"\\" in value else value


def parsed_audio_delta(event: Mapping[str, Any]) -> AudioDelta | None:
    """Read an audio delta that went through the JSON parser.

    Returns:
        The delta, None when a field is missing or the audio is not base64.
    """
    item_id, response_id = event.get("item_id"), event.get("response_id")
    delta = event.get("delta")
    if not (
        isinstance(item_id, str)
        and isinstance(response_id, str)
        and isinstance(delta, str)
    ):
        return None
    audio = decoded_audio(delta.encode(errors="replace"))
    return None if audio is None else AudioDelta(item_id, response_id, audio)


def detect(session: Mapping[str, Any]) -> Literal["ga", "beta"]:
    """Tell a server's dialect from the session object of ``session.created``."""
    if "type" in session or "audio" in session:
        return "ga"
    flat = {"modalities", "input_audio_format", "output_audio_format"}
    return "beta" if flat & session.keys() else "ga"
