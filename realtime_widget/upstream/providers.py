"""Where and how to connect, for each kind of provider.

Source: Realtime API, "Connection" (WebSocket, server side). The beta header is never
sent: OpenAI closes such connections.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal
from urllib.parse import quote, urlencode, urlsplit, urlunsplit

AuthStyle = Literal["", "bearer", "header", "query", "none"]
Dialect = Literal["auto", "ga", "beta"]
Driver = Literal["auto", "websockets", "picows"]

OPENAI_URL: Final = "wss://api.openai.com/v1"
# Value of ``Target.proxy``: what HTTPS_PROXY, ALL_PROXY and NO_PROXY say.
ENVIRONMENT: Final = "environment"
AZURE_PATH: Final = "/openai/v1"
# Azure's own header; what other servers call theirs is a field of the row.
KEY_HEADER: Final = "api-key"
DEFAULT_OPEN_TIMEOUT_S: Final = 10.0
DEFAULT_MAX_EVENT_BYTES: Final = 4 * 1024 * 1024
SECURE_SCHEMES: Final = {"http": "ws", "https": "wss", "ws": "ws", "wss": "wss"}


@dataclass(frozen=True, slots=True)
class Target:
    """One address to dial.

    Attributes:
        url: ``ws://`` or ``wss://`` with the model in its query. Not in the repr: some
            servers want the key in it.
        headers: Sent with the handshake; hold the key, so they are not in the repr.
        dialect: How the server spells its events; ``auto`` looks at its first one.
        open_timeout_s: Longest time from dialling to an open WebSocket.
        max_event_bytes: Largest event that is taken.
        proxy: URL of a proxy, ``environment`` for the one of the environment
            variables, "" for none.
        public_only: Refuse a host that resolves to an address of an inner network.
            Without effect through a proxy, which resolves names itself.
        driver: The library that dials; ``auto`` takes picows where it is installed.
    """

    url: str = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    dialect: Dialect = "auto"
    open_timeout_s: float = DEFAULT_OPEN_TIMEOUT_S
    max_event_bytes: int = DEFAULT_MAX_EVENT_BYTES
    proxy: str = ""
    public_only: bool = False
    driver: Driver = "auto"


@dataclass(frozen=True, slots=True)
class Account:
    """How a server knows who asks, and what else it wants to be told.

    Attributes:
        key: The API key or token, "" for none.
        style: Where the key goes: ``Authorization: Bearer``, a header or a query
            parameter of another name, or nowhere; "" as usual for the kind.
        name: Name of that header or parameter, "" for ``api-key``.
        headers: Further headers of the handshake.
        query: Further parameters of the address; ``{model}`` in a value is replaced.
        user_hash: Stable hash of the visitor, for abuse reports; "" for none. Only
            OpenAI is told: the header is its own.
    """

    key: str = field(default="", repr=False)
    style: AuthStyle = ""
    name: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    user_hash: str = ""

    def signed_headers(self, usual: AuthStyle) -> dict[str, str]:
        """Return the headers of the handshake, with the key where it is a header."""
        style = self.style or usual
        headers = dict(self.headers)
        if self.key and style == "bearer":
            headers["Authorization"] = f"Bearer {self.key}"
        elif self.key and style == "header":
            headers[self.name or KEY_HEADER] = self.key
        return headers

    def signed_query(self) -> dict[str, str]:
        """Return the parameters of the address, with the key where it is one."""
        if self.key and self.style == "query":
            return {**self.query, self.name or KEY_HEADER: self.key}
        return dict(self.query)


def openai(
    *, base_url: str = "", model: str, account: Account, **options: object
) -> Target:
    """Return the target for OpenAI itself.

    Args:
        base_url: Another address than OpenAI's own, "" for that.
        model: Name of the model.
        account: Key and visitor.
        **options: Further fields of ``Target``.

    Raises:
        ValueError: If the address is none.
    """
    headers = account.signed_headers("bearer")
    if account.user_hash:
        headers["OpenAI-Safety-Identifier"] = account.user_hash
    url = realtime_url(base_url or OPENAI_URL, model, account.signed_query())
    return _target(url, headers, {**options, "dialect": "ga"})


def compatible(
    *, base_url: str, model: str, account: Account, **options: object
) -> Target:
    """Return the target for another server that speaks the protocol.

    Raises:
        ValueError: If the address is none.
    """
    url = realtime_url(base_url, model, account.signed_query())
    return _target(url, account.signed_headers("bearer"), options)


def local(
    *, base_url: str, model: str = "", account: Account, **options: object
) -> Target:
    """Return the target for the embedded engine served on a TCP port.

    Raises:
        ValueError: If the address is none.
    """
    return compatible(
        base_url=base_url,
        model=model,
        account=account,
        **{"dialect": "ga", **options},
    )


def azure(*, base_url: str, model: str, account: Account, **options: object) -> Target:
    """Return the target for Azure OpenAI (GA v1, no api-version).

    Args:
        base_url: ``https://NAME.openai.azure.com``, with or without the path.
        model: Name of the deployment.
        account: The resource's key, sent in ``api-key``; an Entra token with the
            style ``bearer``.
        **options: Further fields of ``Target``.

    Raises:
        ValueError: If the address is none.
    """
    if not urlsplit(base_url.strip()).path.strip("/"):
        base_url = base_url.strip().rstrip("/") + AZURE_PATH
    url = realtime_url(base_url, model, account.signed_query())
    return _target(url, account.signed_headers("header"), {**options, "dialect": "ga"})


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


def realtime_url(
    base_url: str, model: str, query: Mapping[str, str] | None = None
) -> str:
    """Return the WebSocket address for a base address as people write it.

    ``https://host/v1``, ``wss://host/v1`` and ``wss://host/v1/realtime`` mean the
    same. A ``{model}`` in the address makes it a template that is dialled as it
    stands; one there or in the query's values replaces the parameter ``model``.

    Args:
        base_url: As people write it.
        model: Its name goes where the server looks for it.
        query: Further parameters.

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
    placed = any("{model}" in text for text in (base_url, *(query or {}).values()))
    further = {
        name: value.replace("{model}", model) for name, value in (query or {}).items()
    }
    if model and not placed:
        further["model"] = model
    name = quote(model, safe="")
    path = parts.path.replace("{model}", name)
    if "{model}" not in base_url:
        path = path.rstrip("/")
        path = path if path.endswith("/realtime") else f"{path}/realtime"
    written = [
        parts.query.replace("{model}", name),
        urlencode(further, quote_via=quote, safe=""),
    ]
    return urlunsplit((scheme, parts.netloc, path, "&".join(filter(None, written)), ""))


def _target(
    url: str, headers: Mapping[str, str], options: Mapping[str, object]
) -> Target:
    # A proxy sees nothing of a TLS connection; a plain one stays on this network.
    proxy = ENVIRONMENT if url.startswith("wss:") else ""
    fields = {"proxy": proxy, **options}
    return Target(url=url, headers=headers, **fields)  # type: ignore[arg-type]
