"""From a provider's row to the addresses to dial, one for each of its keys."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured
from django.views.decorators.debug import sensitive_variables

from realtime_widget.conf import get_conf
from realtime_widget.exceptions import UpstreamError
from realtime_widget.models import Provider
from realtime_widget.models.provider_keys import FoundKey
from realtime_widget.models.validators import is_listed_host
from realtime_widget.upstream.providers import (
    Account,
    AuthStyle,
    Target,
    build_target,
)


@dataclass(frozen=True, slots=True)
class Way:
    """One way to a provider.

    Attributes:
        target: Where to connect, and with which key.
        slot: Which of the row's keys that is, "" without one.
    """

    target: Target
    slot: str = ""


@sensitive_variables()
def ways(
    provider: Provider, *, user_hash: str = "", open_timeout_s: float | None = None
) -> list[Way]:
    """Return the ways to a provider that is not in this process, in order of trial.

    Reads the environment and the settings.

    Args:
        provider: One that is dialled.
        user_hash: Stable hash of the visitor for the provider's abuse reports.
        open_timeout_s: Longest wait for the server, None for the site's setting.

    Raises:
        UpstreamError: ``not_configured``, when no key is set or the address is not
            one that may be dialled.
    """
    conf = get_conf()
    options: dict[str, Any] = {
        "open_timeout_s": open_timeout_s or conf.UPSTREAM_OPEN_S,
        "max_event_bytes": conf.UPSTREAM_EVENT_BYTES,
        "driver": conf.UPSTREAM_DRIVER,
        "public_only": _public_only(provider.base_url),
    }
    if provider.dialect != Provider.Dialect.AUTO:
        options["dialect"] = provider.dialect
    keys = _usable_keys(provider) or [FoundKey("key", "", "")]
    try:
        return [
            Way(
                build_target(
                    provider.kind,
                    base_url=provider.base_url,
                    model=provider.model,
                    account=_account(provider, key, user_hash),
                    **options,
                ),
                key.slot if key.value else "",
            )
            for key in keys
        ]
    except ValueError:
        raise _not_configured("The provider's address is not usable.") from None


def _account(provider: Provider, key: FoundKey, user_hash: str) -> Account:
    return Account(
        key=key.value,
        style=cast(AuthStyle, provider.auth_style),
        name=provider.auth_name,
        headers=provider.extra_headers,
        query=provider.extra_query,
        user_hash=user_hash,
    )


@sensitive_variables()
def _usable_keys(provider: Provider) -> list[FoundKey]:
    """Return the keys that are there, in the order of trial.

    Where the first was refused the last time, the second comes first: one handshake
    less for the visitor.

    Raises:
        UpstreamError: ``not_configured``, when a key is wanted and none is there.
    """
    try:
        found = provider.found_keys()
    except ImproperlyConfigured as exc:
        raise _not_configured(str(exc)) from None
    usable = [key for key in found if key.value]
    if not usable and (found or provider.needs_key):
        raise _not_configured(" ".join(map(_missing, found)) or "No key is named.")
    if provider.health_state == Provider.Health.DEGRADED:
        usable.reverse()
    return usable


def _missing(key: FoundKey) -> str:
    if key.place == "unreadable":
        return "No key in FERNET_KEYS opens the stored key."
    return f"The key {key.name} is not set."


def _public_only(base_url: str) -> bool:
    """Return whether the host must be of the internet: it is not one the site lists."""
    try:
        parts = urlsplit(base_url.strip())
        return not is_listed_host(parts.hostname or "", parts.port)
    except ValueError:
        return True


def _not_configured(message: str) -> UpstreamError:
    return UpstreamError(message, code="not_configured", retryable=False)
