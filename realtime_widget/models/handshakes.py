"""What a row may add to the handshake with a model's server."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from realtime_widget.models.validators import looks_like_a_key

MAX_ENTRIES = 10
MAX_VALUE_CHARS = 500
# RFC 9110, 5.6.2: a token.
HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,60}")
PARAMETER_NAME = re.compile(r"[A-Za-z0-9._~-]{1,60}")
PRINTABLE = re.compile(r"[\x20-\x7e]*")
# The connection's own, and where a key would be.
RESERVED_HEADERS = {
    "authorization",
    "connection",
    "content-length",
    "cookie",
    "host",
    "openai-beta",
    "openai-safety-identifier",
    "origin",
    "proxy-authorization",
    "transfer-encoding",
    "upgrade",
    "user-agent",
}
RESERVED_PREFIX = "sec-websocket-"
SECRET_NAME = re.compile(r"(?i)(api|auth|access)?[-_]?(key|token|secret|password)$")


def validate_headers(value: Any) -> None:
    """Refuse anything but a short object of headers that a row may set."""
    for name, text in _entries(value, HEADER_NAME):
        low = name.lower()
        if low in RESERVED_HEADERS or low.startswith(RESERVED_PREFIX):
            raise ValidationError(
                _("The header “%(name)s” is not yours to set."),
                code="header",
                params={"name": name},
            )
        _refuse_keys(name, text)


def validate_query(value: Any) -> None:
    """Refuse anything but a short object of parameters."""
    for name, text in _entries(value, PARAMETER_NAME):
        if name == "model":
            raise ValidationError(
                _("The model has a field of its own."), code="parameter"
            )
        _refuse_keys(name, text)


def validate_auth_name(value: str) -> None:
    """Refuse what can be no name of a header or parameter."""
    low = value.lower()
    if not HEADER_NAME.fullmatch(value) or low.startswith(RESERVED_PREFIX):
        raise ValidationError(_("This is no name of a header."), code="name")
    if low in RESERVED_HEADERS:
        raise ValidationError(
            _("The header “%(name)s” is not yours to set."),
            code="header",
            params={"name": value},
        )


def _entries(value: Any, names: re.Pattern[str]) -> Iterable[tuple[str, str]]:
    if not isinstance(value, dict) or len(value) > MAX_ENTRIES:
        raise ValidationError(
            _("Enter a JSON object of at most %(limit)d texts."),
            code="object",
            params={"limit": MAX_ENTRIES},
        )
    for name, text in value.items():
        fits = (
            names.fullmatch(name)
            and isinstance(text, str)
            and len(text) <= MAX_VALUE_CHARS
            and PRINTABLE.fullmatch(text)
        )
        if not fits:
            # Nothing is repeated: someone may have pasted a key.
            raise ValidationError(
                _(
                    "Names are letters, digits and dashes; values are short plain texts."
                ),
                code="entry",
            )
    return value.items()


def _refuse_keys(name: str, text: str) -> None:
    if looks_like_a_key(text) or SECRET_NAME.search(name):
        raise ValidationError(
            _("Keys do not belong here: they are shown. They have their own fields."),
            code="key_value",
        )
