"""Asking a provider whether it works, without a session: it costs nothing.

The list of models is asked for by HTTP, with the key and by the way that a session
takes: the same proxy, the same certificates, the same refusal of inner networks.

Source: REST API, ``GET /v1/models``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from realtime_widget.upstream import faults
from realtime_widget.upstream.providers import Target
from realtime_widget.upstream.rest import ask

TIMEOUT_S: Final = 5.0
# No list of models there: somebody answered all the same, and refused no key.
NO_LIST: Final = (404, 405, 501)


@dataclass(frozen=True, slots=True)
class Models:
    """What a server said.

    Attributes:
        names: Its models, None when it has no such list.
    """

    names: frozenset[str] | None


async def list_models(target: Target, timeout_s: float = TIMEOUT_S) -> Models:
    """Ask for the list of models.

    Args:
        target: Where a session would connect.
        timeout_s: Longest wait for the whole answer.

    Raises:
        UpstreamRefused: If the key is refused, or the host is in an inner network.
        UpstreamTimeout: If it took too long.
        UpstreamUnreachable: If there is no way to it, or it answered with an error.
    """
    status, body = await ask(target, "models", timeout_s=timeout_s)
    if status in NO_LIST:
        return Models(None)
    if not 200 <= status < 300:
        raise faults.refused(status)
    return Models(_names(body))


def _names(body: bytes) -> frozenset[str] | None:
    """Return the ids of ``{"data": [{"id": ...}]}``, None for anything else."""
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        return None
    entries = answer.get("data") if isinstance(answer, Mapping) else None
    if not isinstance(entries, list):
        return None
    return frozenset(
        str(entry["id"])
        for entry in entries
        if isinstance(entry, Mapping) and "id" in entry
    )
