"""Which way a connection takes, and keeping it out of inner networks.

Whoever may edit a provider's address could otherwise make this server talk to hosts
that only it can reach: databases, neighbours, a cloud's metadata service.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from typing import Final
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from realtime_widget.exceptions import UpstreamRefused

DEFAULT_PORTS: Final = {"ws": 80, "wss": 443, "http": 80, "https": 443}
NAT64: Final = ipaddress.IPv6Network("64:ff9b::/96")


def environment_proxy(url: str) -> str:
    """Return the HTTP proxy that the environment names for an address, "" for none."""
    parts = urlsplit(url)
    if proxy_bypass(parts.hostname or ""):
        return ""
    proxies = getproxies()
    proxy = proxies.get("https" if parts.scheme == "wss" else "http")
    proxy = proxy or proxies.get("all", "")
    return proxy if proxy.startswith(("http://", "https://")) else ""


async def public_address(url: str) -> tuple[str, int]:
    """Resolve a host once and return an address that is safe to dial.

    Args:
        url: A ``ws://``, ``wss://``, ``http://`` or ``https://`` address.

    Raises:
        UpstreamRefused: If any of its addresses is not public, code
            ``not_configured``.
        OSError: If the name is unknown.
    """
    parts = urlsplit(url)
    port = parts.port or DEFAULT_PORTS[parts.scheme]
    found = await asyncio.get_running_loop().getaddrinfo(
        parts.hostname, port, type=socket.SOCK_STREAM
    )
    addresses = [str(entry[4][0]) for entry in found]
    if not addresses or not all(map(is_public, addresses)):
        raise UpstreamRefused("the host is in an inner network", code="not_configured")
    return addresses[0], port


def is_public(address: str) -> bool:
    """Return whether an IP address is one of the internet."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        # Each of these wraps an IPv4 address that decides where it leads.
        inner = ip.ipv4_mapped or ip.sixtofour or (ip.teredo and ip.teredo[1])
        if inner:
            return is_public(str(inner))
        if ip in NAT64:
            return is_public(str(ipaddress.IPv4Address(int(ip) & 0xFFFF_FFFF)))
    return ip.is_global and not ip.is_multicast
