"""Short-lived keys, each with the session that it opens.

Source: Realtime API, ``POST /v1/realtime/client_secrets``: a secret opens any number of
sessions until it expires; a session that it opened goes on; the client may change
everything of the configuration that came with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Final

from realtime_widget.engine.conversation import field_rules
from realtime_widget.exceptions import EventRefused

PREFIX: Final = "ek_"
DEFAULT_LIFE_S: Final = 600
LIFE_S: Final = (10, 7200)
# What is not used any more is forgotten from the oldest on.
MAX_SECRETS: Final = 10_000
# Of all configurations together, as they were sent.
MAX_HELD_BYTES: Final = 16 * 1024 * 1024

_life = field_rules.integer_within(*LIFE_S)
_anchor = field_rules.one_of("created_at")


@dataclass(frozen=True, slots=True)
class ClientSecret:
    """What a secret stands for; the secret itself is not kept.

    Attributes:
        session: The ``session`` it was made with, as a ``session.update`` carries it.
        expires_at_unix_s: When it stops opening sessions.
        held_bytes: What it is counted as.
    """

    session: Mapping[str, Any] = field(repr=False)
    expires_at_unix_s: int
    held_bytes: int


class ClientSecrets:
    """The secrets of one server, bounded in number and in memory.

    Args:
        max_secrets: How many are kept at most.
        max_held_bytes: What their configurations are together at most.
    """

    def __init__(
        self,
        *,
        max_secrets: int = MAX_SECRETS,
        max_held_bytes: int = MAX_HELD_BYTES,
    ) -> None:
        self._max_secrets = max_secrets
        self._max_held_bytes = max_held_bytes
        # SHA-256 of the secret -> what it stands for, None once it has expired.
        self._secrets: dict[bytes, ClientSecret | None] = {}
        self._held_bytes = 0

    def add(self, value: str, secret: ClientSecret, now_unix_s: float) -> None:
        """Keep a new secret.

        Raises:
            EventRefused: If too many are kept that still open sessions.
        """
        self._expire(now_unix_s)
        full = len(self._secrets) >= self._max_secrets and not self._forget_one()
        if full or self._held_bytes + secret.held_bytes > self._max_held_bytes:
            raise EventRefused(
                "Too many client secrets wait to expire.", code="rate_limit_exceeded"
            )
        self._secrets[_digest(value)] = secret
        self._held_bytes += secret.held_bytes

    def find(self, value: str, now_unix_s: float) -> ClientSecret | None:
        """Return what a secret stands for, None when it is unknown or has expired."""
        secret = self._secrets.get(_digest(value))
        if secret is None or secret.expires_at_unix_s <= now_unix_s:
            return None
        return secret

    def issued(self, value: str) -> bool:
        """Return whether a secret was made here, even if it has expired since."""
        return _digest(value) in self._secrets

    def _expire(self, now_unix_s: float) -> None:
        for digest, secret in self._secrets.items():
            if secret is not None and secret.expires_at_unix_s <= now_unix_s:
                self._secrets[digest] = None
                self._held_bytes -= secret.held_bytes

    def _forget_one(self) -> bool:
        for digest, secret in self._secrets.items():
            if secret is None:
                del self._secrets[digest]
                return True
        return False


def read_life_s(expires_after: Any) -> int:
    """Return how long a secret opens sessions.

    Args:
        expires_after: ``{"anchor": "created_at", "seconds": 10 to 7200}``, None for
            the default.

    Raises:
        EventRefused: If it is something else.
    """
    if expires_after is None:
        return DEFAULT_LIFE_S
    path = "expires_after"
    wished = field_rules.mapping(expires_after, path)
    _anchor(wished.get("anchor", "created_at"), f"{path}.anchor")
    seconds: int = wished.get("seconds", DEFAULT_LIFE_S)
    _life(seconds, f"{path}.seconds")
    return seconds


def _digest(value: str) -> bytes:
    return sha256(value.encode("utf-8", "surrogateescape")).digest()
