"""Addresses and secrets of webhooks: what a row may name."""

from __future__ import annotations

import os
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from realtime_widget.conf import get_conf
from realtime_widget.models.addresses import (
    DEFAULT_PORTS,
    is_listed,
    is_public_host,
    read_address,
)
from realtime_widget.models.validators import looks_like_a_key


def validate_webhook_url(value: str) -> None:
    """Refuse an address that a server of the site must not be sent to."""
    parts = read_address(
        value,
        extra=_("Leave out user names, passwords, “?” and “#”: the call is signed."),
    )
    if is_listed_webhook(value):
        return
    if (
        parts.scheme != "https"
        or parts.port not in (None, 443)
        or not is_public_host(parts.hostname or "")
    ):
        raise ValidationError(
            _(
                "A webhook is a public host over https:// on its usual port. If this one is"
                ' really meant, add its host to REALTIME_WIDGET["WEBHOOK_HOSTS"].'
            ),
            code="url_host",
        )


def is_listed_webhook(url: str) -> bool:
    """Return whether the site's settings name the host of an address, or host and port."""
    parts = urlsplit(url)
    port = parts.port or DEFAULT_PORTS.get(parts.scheme)
    return is_listed(parts.hostname or "", port, get_conf().WEBHOOK_HOSTS)


def validate_secret_name(value: str) -> None:
    """Refuse a secret itself, and a name the site's settings do not list."""
    if looks_like_a_key(value) or value not in get_conf().WEBHOOK_SECRETS:
        # The value is not repeated: it may be the secret itself.
        raise ValidationError(
            _(
                "Signing secrets are read only from names that the site's settings list:"
                ' %(names)s. Add the name to REALTIME_WIDGET["WEBHOOK_SECRETS"] to use it.'
            ),
            code="secret_name",
            params={"names": ", ".join(get_conf().WEBHOOK_SECRETS) or "—"},
        )


def find_secret(name: str) -> str:
    """Return a signing secret, "" when it is not set or its name is not listed.

    Args:
        name: Name of an environment variable or of a setting.
    """
    if name not in get_conf().WEBHOOK_SECRETS:
        return ""
    return os.environ.get(name) or str(getattr(settings, name, "") or "")
