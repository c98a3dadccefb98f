"""A picture that the visitor shows the model: checked, passed on, and not kept.

The page has made it small enough for one frame. Its bytes go to the model's side and
nowhere else; the transcript has a mark in their place.
"""

from __future__ import annotations

from base64 import b64encode
from binascii import Error as Base64Error
from binascii import a2b_base64
from collections.abc import Mapping
from typing import Any, Final

from realtime_widget.exceptions import ProtocolError
from realtime_widget.session import fields

REFUSED: Final = "bad_picture"
# Stands in the transcript where the picture was.
MARK: Final = "🖼"
# What a file of each kind begins with.
BEGINNINGS: Final = {"image/jpeg": b"\xff\xd8\xff", "image/png": b"\x89PNG\r\n\x1a\n"}


def data_url(message: Mapping[str, Any], most_bytes: int) -> str:
    """Return the picture of a ``message`` as a data URL, "" when it has none.

    Args:
        message: Of the page.
        most_bytes: The largest picture; 0 where none may be shown.

    Raises:
        ProtocolError: If none may be shown, it is too large, or it is no PNG or JPEG.
    """
    if "picture" not in message:
        return ""
    if not most_bytes:
        raise ProtocolError("pictures are not allowed", code="forbidden")
    picture = fields.mapping(message, "picture")
    mime, data = picture.get("mime"), picture.get("data")
    beginning = BEGINNINGS.get(mime) if isinstance(mime, str) else None
    if beginning is None or not isinstance(data, str):
        raise ProtocolError("picture is of no known kind", code=REFUSED)
    try:
        content = a2b_base64(data, strict_mode=True)
    except (Base64Error, ValueError):
        raise ProtocolError("picture is no base64", code=REFUSED) from None
    if len(content) > most_bytes or not content.startswith(beginning):
        raise ProtocolError("picture is too large or another kind", code=REFUSED)
    return f"data:{mime};base64,{b64encode(content).decode()}"


def line(text: str) -> str:
    """Return the words of a message with a picture, as they are shown and recorded."""
    return text if text.startswith(MARK) else f"{MARK} {text}".strip()
