"""Addresses that rows name: how they are written, and which hosts are meant.

A name that resolves to an inner address is not found here: names are looked up when a
connection is made.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Collection
from typing import Any, Final
from urllib.parse import SplitResult, urlsplit

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

WEB_SCHEMES: Final = ("http", "https")
DEFAULT_PORTS: Final = {"http": 80, "https": 443}
PRIVATE_SUFFIXES: Final = (
    ".local",
    ".localhost",
    ".internal",
    ".lan",
    ".home",
    ".arpa",
)
WRITE_IT_FULL: Final = _("Write the full address, beginning with https://.")
LABEL: Final = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")


def read_address(
    value: str,
    *,
    extra: Any,
    schemes: Collection[str] = WEB_SCHEMES,
    scheme: Any = WRITE_IT_FULL,
) -> SplitResult:
    """Return the parts of an address that is scheme, host, port and path only.

    Args:
        value: As it was typed.
        extra: Words for whoever wrote more than that.
        schemes: Those it may have.
        scheme: Words for whoever wrote another.

    Raises:
        ValidationError: If it is anything else.
    """
    try:
        parts = urlsplit(value)
        parts.port  # noqa: B018 - raises for what is no port
    except ValueError:
        raise ValidationError(_("This is not a valid address."), code="url") from None
    if parts.scheme not in schemes or not parts.hostname:
        raise ValidationError(scheme, code="url_scheme")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ValidationError(extra, code="url_extra")
    return parts


def written_host(host: str) -> str:
    """Return a host as it stands in an address: IPv6 in brackets."""
    return f"[{host}]" if ":" in host else host


def is_listed(host: str, port: int | None, listed: Collection[str]) -> bool:
    """Return whether a list of the settings names this host, or this host and port."""
    written = written_host(host)
    return host in listed or written in listed or f"{written}:{port}" in listed


def is_host(host: str) -> bool:
    """Return whether this is an address or a name, in lower case and without a dot behind."""
    if _as_ip(host) is not None:
        return True
    return len(host) <= 253 and all(map(LABEL.fullmatch, host.split(".")))


def is_origin(value: str) -> bool:
    """Return whether this is an origin exactly as a browser writes it."""
    try:
        parts = urlsplit(value)
        port = parts.port
    except ValueError:
        return False
    host = parts.hostname or ""
    if parts.scheme not in WEB_SCHEMES or not is_host(host):
        return False
    suffix = "" if port in (None, DEFAULT_PORTS[parts.scheme]) else f":{port}"
    return value == f"{parts.scheme}://{written_host(host)}{suffix}"


def is_public_host(host: str) -> bool:
    """Return whether a host, as written, can be on the public Internet."""
    address = _as_ip(host)
    if address is not None:
        return address.is_global and not address.is_multicast
    name = host.lower().rstrip(".")
    # A last label of digits is an address in disguise (127.1, 0x7f.1, 2130706433).
    last_label = name.rpartition(".")[2]
    return (
        "." in name
        and not name.endswith(PRIVATE_SUFFIXES)
        and not re.match(r"(0x)?[0-9]", last_label)
        and is_host(name)
    )


def _as_ip(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        return address.ipv4_mapped
    return address
