"""Which key a client of the engine's server shows, and whether it is the right one.

Source: Realtime API, connection: a Bearer token, an ``api-key`` header (Azure) or, from
a browser, a subprotocol.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Mapping
from typing import Final

from realtime_widget.engine.conversation import errors
from realtime_widget.engine.rest.client_secrets import ClientSecret, ClientSecrets

_KEY_SUBPROTOCOL: Final = "openai-insecure-api-key."


def shown_key(headers: Mapping[str, str], subprotocols: Iterable[str]) -> str:
    """Return the key of a handshake, "" when there is none."""
    scheme, _blank, token = headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer" and token:
        return token.strip()
    if headers.get("api-key"):
        return headers["api-key"]
    for name in subprotocols:
        if name.startswith(_KEY_SUBPROTOCOL):
            return name.removeprefix(_KEY_SUBPROTOCOL)
    return ""


def accepted(shown: str, required: str) -> bool:
    """Return whether a key opens the server; without a required one any does."""
    if not required:
        return True
    return hmac.compare_digest(shown.encode(), required.encode())


def secret_shown(
    shown: str, required: str, issued: ClientSecrets, now_unix_s: float
) -> ClientSecret | None:
    """Return the client secret that opens a session, None when another key does.

    A secret that has expired opens nothing, even where no key is required.

    Raises:
        EventRefused: If nothing that was shown opens one.
    """
    secret = issued.find(shown, now_unix_s)
    if secret is None and (issued.issued(shown) or not accepted(shown, required)):
        raise errors.bad_key()
    return secret
