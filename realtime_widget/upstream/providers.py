"""Where and how to connect, for each kind of provider.

Source: Realtime API, "Connection" (WebSocket, server side). The beta header is never
sent: OpenAI closes such connections.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal
from urllib.parse import quote, urlsplit, urlunsplit

Dialect = Literal["auto", "ga", "beta"]

OPENAI_URL: Final = "wss://api.openai.com/v1"
# Value of ``Target.proxy``: what HTTPS_PROXY, ALL_PROXY and NO_PROXY say.
ENVIRONMENT: Final = "environment"
AZURE_PATH: Final = "/openai/v1"
DEFAULT_OPEN_TIMEOUT_S: Final = 10.0
DEFAULT_MAX_EVENT_BYTES: Final = 4 * 1024 * 1024
SECURE_SCHEMES: Final = {"http": "ws", "https": "wss", "ws": "ws", "wss": "wss"}


@dataclass(frozen=True, slots=True)
class Target:
    """One address to dial.

    Attributes:
        url: ``ws://`` or ``wss://`` with the model in its query.
        headers: Sent with the handshake; hold the key, so they are not in the repr.
        dialect: How the server spells its events; ``auto`` looks at its first one.
        open_timeout_s: Longest time from dialling to an open WebSocket.
        max_event_bytes: Largest event that is taken.
        proxy: URL of a proxy, ``environment`` for the one of the environment
            variables, "" for none.
        public_only: Refuse a host that resolves to an address of an inner network.
            Without effect through a proxy, which resolves names itself.
    """

    url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    dialect: Dialect = "auto"
    open_timeout_s: float = DEFAULT_OPEN_TIMEOUT_S
    max_event_bytes: int = DEFAULT_MAX_EVENT_BYTES
    proxy: str = ""
    public_only: bool = False


def openai(
    *, base_url: str = "", model: str, key: str, user_hash: str = "", **options: object
) -> Target:
    """Return the target for OpenAI itself.

    Args:
        base_url: Another address than OpenAI's own, "" for that.
        model: Name of the model.
        key: The API key.
        user_hash: Stable hash of the visitor, for abuse reports; "" for none.
        **options: Further fields of ``Target``.

    Raises:
        ValueError: If the address is none.
    """
    headers = _bearer(key)
    if user_hash:
        headers["OpenAI-Safety-Identifier"] = user_hash
    return _target(base_url or OPENAI_URL, model, headers, {"dialect": "ga", **options})


def compatible(
    *, base_url: str, model: str, key: str = "", user_hash: str = "", **options: object
) -> Target:
    """Return the target for another server that speaks the protocol.

    The visitor's hash is not passed on: the header is OpenAI's own.

    Raises:
        ValueError: If the address is none.
    """
    return _target(base_url, model, _bearer(key), options)


def local(
    *,
    base_url: str,
    model: str = "",
    key: str = "",
    user_hash: str = "",
    **options: object,
) -> Target:
    """Return the target for the embedded engine served on a TCP port.

    Raises:
        ValueError: If the address is none.
    """
    return _target(base_url, model, _bearer(key), {"dialect": "ga", **options})


def azure(
    *, base_url: str, model: str, key: str, user_hash: str = "", **options: object
) -> Target:
    """Return the target for Azure OpenAI (GA v1, no api-version).

    Args:
        base_url: ``https://NAME.openai.azure.com``, with or without the path.
        model: Name of the deployment.
        key: The resource's key, sent in ``api-key``.
        user_hash: Not passed on: the header is OpenAI's own.
        **options: Further fields of ``Target``.

    Raises:
        ValueError: If the address is none.
    """
    if not urlsplit(base_url.strip()).path.strip("/"):
        base_url = base_url.strip().rstrip("/") + AZURE_PATH
    return _target(base_url, model, {"api-key": key}, {"dialect": "ga", **options})


BUILDERS: Final[dict[str, Callable[..., Target]]] = {
    "openai": openai,
    "azure": azure,
    "compatible": compatible,
    "local": local,
}


def build_target(kind: str, **options: object) -> Target:
    """Return the target for a provider of a kind.

    Args:
        kind: A key of ``BUILDERS``.
        **options: What the builder takes.

    Raises:
        ValueError: If there is no such kind, or the address is none.
    """
    builder = BUILDERS.get(kind)
    if builder is None:
        raise ValueError(f"no provider kind {kind!r}; there are {', '.join(BUILDERS)}")
    return builder(**options)


def realtime_url(base_url: str, model: str) -> str:
    """Return the WebSocket address for a base address as people write it.

    ``https://host/v1``, ``wss://host/v1`` and ``wss://host/v1/realtime`` mean the
    same; ``{model}`` in it is replaced, else the model goes into the query.

    Raises:
        ValueError: If it is no http(s) or ws(s) address, or holds a password.
    """
    parts = urlsplit(base_url.strip())
    scheme = SECURE_SCHEMES.get(parts.scheme)
    if scheme is None or not parts.hostname:
        raise ValueError(
            "the address must begin with wss://, ws://, https:// or http://"
        )
    if parts.username or parts.password:
        raise ValueError("the address must not hold a user name or password")
    name = quote(model, safe="")
    if "{model}" in base_url:
        path, query = (
            part.replace("{model}", name) for part in (parts.path, parts.query)
        )
        return urlunsplit((scheme, parts.netloc, path, query, ""))
    path = parts.path.rstrip("/")
    if not path.endswith("/realtime"):
        path += "/realtime"
    query = parts.query
    if model:
        query = f"{query}&model={name}" if query else f"model={name}"
    return urlunsplit((scheme, parts.netloc, path, query, ""))


def _bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"} if key else {}


def _target(
    base_url: str, model: str, headers: Mapping[str, str], options: Mapping[str, object]
) -> Target:
    url = realtime_url(base_url, model)
    # A proxy sees nothing of a TLS connection; a plain one stays on this network.
    proxy = ENVIRONMENT if url.startswith("wss:") else ""
    fields = {"proxy": proxy, **options}
    return Target(url=url, headers=headers, **fields)  # type: ignore[arg-type]
