"""Which address a visitor comes from, as far as limits go."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence

ADDRESS_CHARS = 45


def client_address(peer: str, forwarded_for: Sequence[str], trusted: int) -> str:
    """Return the address that limits count by.

    Args:
        peer: Who connected to this server.
        forwarded_for: Values of ``X-Forwarded-For`` in the order received.
        trusted: How many proxies in front of this server are one's own.

    Returns:
        An IPv4 address, the /64 network of an IPv6 one, or what the peer said.
    """
    hops = [hop.strip() for value in forwarded_for for hop in value.split(",")]
    address = hops[-trusted] if 0 < trusted <= len(hops) else peer
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return (peer if address != peer else address)[:ADDRESS_CHARS]
    if isinstance(parsed, ipaddress.IPv6Address):
        mapped = parsed.ipv4_mapped
        return str(mapped or ipaddress.ip_network((parsed, 64), strict=False))
    return str(parsed)
