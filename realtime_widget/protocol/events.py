"""Events of the Realtime API (GA): their names, and quick building and reading.

An event is one JSON object, sent as UTF-8. Audio, which is most of the traffic, is
built and recognised by cutting bytes around its base64, without a JSON parser.

Source: Realtime API reference, client and server events.
"""

from __future__ import annotations

import json
from binascii import Error as Base64Error
from binascii import a2b_base64, b2a_base64
from typing import Any, Final

from realtime_widget.exceptions import ProtocolError
from realtime_widget.protocol.bounded_json import parse_object

APPEND: Final = "input_audio_buffer.append"
AUDIO_DELTA: Final = "response.output_audio.delta"

# How deep a client's event may be; the schema of a tool is the deepest thing in one.
MAX_DEPTH: Final = 64

# What a client may send.
CLIENT_EVENTS: Final = (
    "session.update",
    APPEND,
    "input_audio_buffer.commit",
    "input_audio_buffer.clear",
    "conversation.item.create",
    "conversation.item.truncate",
    "conversation.item.delete",
    "conversation.item.retrieve",
    "response.create",
    "response.cancel",
    "output_audio_buffer.clear",
)

_APPEND_HEADS: Final = (
    b'{"type":"input_audio_buffer.append","audio":"',
    b'{"type": "input_audio_buffer.append", "audio": "',
)


def encode(event: dict[str, Any]) -> bytes:
    """Return an event as compact JSON."""
    return json.dumps(event, separators=(",", ":")).encode("ascii")


def decode(event: bytes | str) -> dict[str, Any]:
    """Return the JSON object of an event.

    Raises:
        ProtocolError: With code ``invalid_json`` when it is none.
    """
    try:
        value = json.loads(event)
    except (ValueError, RecursionError):
        # Not chained: the parser's error holds the text.
        raise ProtocolError("an event is not JSON", code="invalid_json") from None
    if not isinstance(value, dict):
        raise ProtocolError("an event is not a JSON object", code="invalid_json")
    return value


def decode_strictly(event: bytes) -> dict[str, Any]:
    """Return the JSON object of an event whose values will be shown to other parsers.

    Python also reads what those refuse: ``NaN``, numbers without end, half a surrogate
    pair, hundreds of objects inside each other.

    Raises:
        ProtocolError: With code ``invalid_json`` when it is none or holds such a value.
    """
    try:
        return parse_object(event, max_depth=MAX_DEPTH)
    except ProtocolError:
        raise ProtocolError("an event is not JSON", code="invalid_json") from None


def append_audio(audio: bytes) -> bytes:
    """Return an ``input_audio_buffer.append`` event, encoded. HOT: no JSON encoder.

    Args:
        audio: Audio in the session's input format.
    """
    return (
        b'{"type":"input_audio_buffer.append","audio":"'
        + b2a_base64(audio, newline=False)
        + b'"}'
    )


def scan_append(event: bytes) -> bytes | None:
    """Return the audio of an ``input_audio_buffer.append``. HOT: no JSON parser.

    Only an event of just ``type`` and ``audio``, in this order, is read here. Whatever
    else there is (an ``event_id``, another order, an escape) is left to ``decode``.

    Returns:
        The audio in the session's input format; None for any other event.
    """
    for head in _APPEND_HEADS:
        if event.startswith(head) and event.endswith(b'"}'):
            return decoded_audio(event[len(head) : -2])
    return None


def decoded_audio(base64: bytes) -> bytes | None:
    """Return the audio that base64 holds, None unless all of it is base64.

    The lenient decoder is three times as fast as the strict one. It skips what is no
    base64, so its result is too short then.
    """
    if len(base64) % 4:
        return None
    try:
        audio = a2b_base64(base64)
    except Base64Error:
        return None
    missing = 2 if base64.endswith(b"==") else 1 if base64.endswith(b"=") else 0
    return audio if len(audio) == len(base64) // 4 * 3 - missing else None


def audio_delta(
    audio: bytes,
    *,
    event_id: str,
    response_id: str,
    item_id: str,
    output_index: int,
    content_index: int = 0,
) -> bytes:
    """Return a ``response.output_audio.delta``, encoded. HOT: no JSON encoder.

    Args:
        audio: Audio in the session's output format.
        event_id: The event's own id; like all ids here plain ASCII without quotes.
        response_id: The response it belongs to.
        item_id: The item it belongs to.
        output_index: The item's place in the response.
        content_index: The part's place in the item.
    """
    head = (
        f'{{"type":"response.output_audio.delta","event_id":"{event_id}",'
        f'"response_id":"{response_id}","item_id":"{item_id}",'
        f'"output_index":{output_index},"content_index":{content_index},"delta":"'
    )
    return head.encode("ascii") + b2a_base64(audio, newline=False) + b'"}'
