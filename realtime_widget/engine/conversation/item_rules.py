"""Items that a client creates: what is taken and what is refused.

Source: Realtime API, ``conversation.item.create`` (GA).
"""

from __future__ import annotations

from binascii import Error as Base64Error
from binascii import a2b_base64
from collections.abc import Callable, Mapping
from typing import Any, Final

from realtime_widget.engine.conversation import errors, field_rules
from realtime_widget.engine.conversation.items import Item
from realtime_widget.engine.g711 import g711_to_pcm16_24k
from realtime_widget.protocol.audio import PCM16, AudioFormat

# Content that each role may bring. An assistant's audio cannot be created.
_CONTENT: Final[Mapping[str, tuple[str, ...]]] = {
    "user": ("input_text", "input_audio", "input_image"),
    "assistant": ("output_text",),
    "system": ("input_text",),
}
_FIELDS: Final[Mapping[str, tuple[str, ...]]] = {
    "message": (),
    "function_call": ("name", "arguments"),
    "function_call_output": ("call_id", "output"),
}
_DETAILS: Final = ("auto", "low", "high")


def read_item(
    data: Any, path: str, *, new_id: Callable[[str], str], wire: AudioFormat
) -> Item:
    """Return the item that a client describes.

    Args:
        data: The item as it was sent.
        path: Its place in the event, for errors.
        new_id: Gives an id when the client chose none.
        wire: The format of audio in it.

    Returns:
        The item; with audio and no transcript its words have to be found out.

    Raises:
        EventRefused: If it is not acceptable.
    """
    if data is None:
        raise errors.missing(path)
    body = dict(field_rules.mapping(data, path))
    kind = body.get("type")
    if not isinstance(kind, str) or kind not in _FIELDS:
        raise errors.invalid(f"{path}.type", kind, _FIELDS)
    for name in _FIELDS[kind]:
        if name not in body:
            raise errors.missing(f"{path}.{name}")
        field_rules.text(body[name], f"{path}.{name}")
    for name in ("id", "call_id"):
        if body.get(name) is not None:
            field_rules.text(body[name], f"{path}.{name}")
    item = Item(
        {
            **{key: value for key, value in body.items() if value is not None},
            "id": body.get("id") or new_id("item"),
            "object": "realtime.item",
            "status": "completed",
        }
    )
    if kind == "message":
        _read_content(item, path, wire)
    elif kind == "function_call" and not body.get("call_id"):
        item.body["call_id"] = new_id("call")
    return item


def _read_content(item: Item, path: str, wire: AudioFormat) -> None:
    role = item.body.get("role")
    if not isinstance(role, str) or role not in _CONTENT:
        raise errors.invalid(f"{path}.role", role, _CONTENT)
    content = item.body.get("content")
    if content is None:
        raise errors.missing(f"{path}.content")
    field_rules.array(content, f"{path}.content")
    parts: list[dict[str, Any]] = []
    for at, data in enumerate(content):
        here = f"{path}.content[{at}]"
        part = dict(field_rules.mapping(data, here))
        kind = part.get("type")
        if not isinstance(kind, str) or kind not in _CONTENT[role]:
            raise errors.invalid(f"{here}.type", kind, _CONTENT[role])
        parts.append(_PARTS[kind](item, part, here, wire))
    item.body["content"] = parts


def _text_part(
    _item: Item, part: dict[str, Any], path: str, _wire: AudioFormat
) -> dict[str, Any]:
    if "text" not in part:
        raise errors.missing(f"{path}.text")
    return {
        "type": part["type"],
        "text": field_rules.text(part["text"], f"{path}.text"),
    }


def _image_part(
    _item: Item, part: dict[str, Any], path: str, _wire: AudioFormat
) -> dict[str, Any]:
    """Take an image: data, never an address that we would have to fetch."""
    url = part.get("image_url")
    if url is None:
        raise errors.missing(f"{path}.image_url")
    if not field_rules.text(url, f"{path}.image_url").startswith("data:image/"):
        raise errors.invalid_because(
            f"{path}.image_url", "expected a data URI of an image"
        )
    detail = part.get("detail") or "auto"
    field_rules.one_of(*_DETAILS)(detail, f"{path}.detail")
    return {"type": "input_image", "image_url": url, "detail": detail}


def _audio_part(
    item: Item, part: dict[str, Any], path: str, wire: AudioFormat
) -> dict[str, Any]:
    """Take audio, words or both; without words they have to be found out."""
    words = part.get("transcript")
    if part.get("audio") is None and words is None:
        raise errors.missing(f"{path}.audio")
    if part.get("audio") is not None:
        data = decode_audio(part["audio"], f"{path}.audio")
        if wire.name != "pcm16":
            data = g711_to_pcm16_24k(data, wire.name)
        item.audio += data
        item.audio_ms = PCM16.duration_ms(len(item.audio))
    if words is None:
        item.transcript = None
    elif item.transcript is not None:
        item.transcript = field_rules.text(words, f"{path}.transcript")
    return {"type": "input_audio", "transcript": words}


def decode_audio(value: Any, path: str) -> bytes:
    """Return what base64 text holds.

    Raises:
        EventRefused: If it is no base64.
    """
    try:
        return a2b_base64(field_rules.text(value, path), strict_mode=True)
    except (Base64Error, ValueError):
        raise errors.invalid_because(path, "expected base64") from None


_PARTS: Final[
    Mapping[str, Callable[[Item, dict[str, Any], str, AudioFormat], dict[str, Any]]]
] = {
    "input_text": _text_part,
    "output_text": _text_part,
    "input_audio": _audio_part,
    "input_image": _image_part,
}
