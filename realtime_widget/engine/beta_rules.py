"""What the fields of the beta may hold, where GA has other names, places or values.

The rest is checked by the session itself, and its errors are told by the beta's names.
"""

from __future__ import annotations

from typing import Any, Final

from realtime_widget.engine.conversation import errors
from realtime_widget.engine.conversation.field_rules import (
    Rule,
    array,
    boolean,
    fields,
    may_be_null,
    number_within,
    one_of,
    unknown,
)

_TEMPERATURES: Final = (0.6, 1.2)
_MODALITIES: Final = (["text"], ["audio", "text"])
_FORMATS: Final = may_be_null(one_of("pcm16", "g711_ulaw", "g711_alaw"))


def _modalities(value: Any, path: str) -> None:
    """Check a combination; audio brings its transcript along and never comes alone."""
    names = array(value, path)
    if not all(isinstance(n, str) for n in names) or sorted(names) not in _MODALITIES:
        raise errors.invalid_beta_modalities(path, names)


def _items(value: Any, path: str) -> None:
    for at, member in enumerate(array(value, path)):
        item(member, f"{path}[{at}]")


def item(value: Any, path: str) -> None:
    """Check that an item brings nothing that events of the beta cannot show."""
    content = value.get("content") if isinstance(value, dict) else None
    for at, part in enumerate(content if isinstance(content, list) else ()):
        kind = part.get("type") if isinstance(part, dict) else None
        if kind == "input_image":
            place = f"{path}.content[{at}].type"
            raise errors.invalid(place, kind, ("input_text", "input_audio"))


_OF_GA: Final[dict[str, Rule]] = dict.fromkeys(("audio", "output_modalities"), unknown)
_BOTH: Final[dict[str, Rule]] = {
    **_OF_GA,
    "modalities": may_be_null(_modalities),
    "output_audio_format": _FORMATS,
    "temperature": may_be_null(number_within(*_TEMPERATURES)),
}
SESSION: Final = fields(
    {
        **_BOTH,
        "type": unknown,
        "max_output_tokens": unknown,
        "input_audio_format": _FORMATS,
    }
)
RESPONSE: Final = fields(
    {
        **_BOTH,
        "commit": may_be_null(boolean),
        "cancel_previous": may_be_null(boolean),
        "append_input_items": may_be_null(_items),
        "input_items": may_be_null(_items),
    }
)
