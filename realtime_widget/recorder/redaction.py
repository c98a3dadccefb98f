"""The site's own function that takes out what must not be stored.

It is asked once for each text, in the thread that writes records, before anything
reaches the database. What it fails at is stored as ``[redacted]``, never raw.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, Final

from django.utils.module_loading import import_string

from realtime_widget.conf import get_conf
from realtime_widget.models import Item, ToolCall

logger = logging.getLogger(__name__)

REDACTED: Final = "[redacted]"
# What holds content: model -> field -> what the site's function is told it is.
CONTENT: Final[dict[type, dict[str, str]]] = {
    Item: {"text": "words", "generated_text": "words"},
    ToolCall: {"arguments": "arguments", "output": "output"},
}
MARK: Final = "_redacted"

Redact = Callable[..., Any]


def redact_rows(rows: Sequence[Any]) -> None:
    """Redact the content of rows that are about to be written, once each."""
    if not get_conf().REDACT:
        return
    for row in rows:
        fields = CONTENT.get(type(row))
        if fields is None or getattr(row, MARK, False):
            continue
        for name, kind in fields.items():
            text = getattr(row, name)
            setattr(row, name, redacted(text, kind, row.conversation.language))
        # Rows that could not be written are given again.
        setattr(row, MARK, True)


def redacted(text: str, kind: str, language: str) -> str:
    """Return what may be stored of a text.

    Args:
        text: Content.
        kind: ``words``, ``arguments``, ``output`` or ``comment``.
        language: Of the conversation, "" when unknown.
    """
    path = get_conf().REDACT
    if not path or not text:
        return text
    try:
        result = _function(path)(text, kind=kind, language=language)
    except Exception as exc:
        # Its message may hold what was to be taken out.
        logger.error("REDACT failed: %s", type(exc).__name__)
        return REDACTED
    if not isinstance(result, str):
        logger.error("REDACT returned %s", type(result).__name__)
        return REDACTED
    return result


@cache
def _function(path: str) -> Redact:
    function: Redact = import_string(path)
    return function
