"""Real servers on the loopback device: good ones and bad ones."""

from __future__ import annotations

import asyncio
import datetime
import ssl
from contextlib import asynccontextmanager
from http import HTTPStatus

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from websockets.asyncio.server import serve

from realtime_widget.upstream.providers import Target

KEY = "sk-sentinel-key"


class Handshakes(list):
    """Requests that were seen."""


def port_of(server):
    return server.sockets[0].getsockname()[1]


@asynccontextmanager
async def websocket_server(handler, *, status=None, headers=(), tls=None, seen=None):
    """Serve WebSockets, or answer each handshake with a status and a body."""

    def process_request(connection, request):
        if seen is not None:
            seen.append(request)
        if status is None:
            return None
        # A body like those of real services: it repeats the key.
        response = connection.respond(HTTPStatus(status), f"bad key {KEY}\n")
        for name, value in headers:
            response.headers[name] = value
        return response

    async with serve(
        handler, "127.0.0.1", 0, process_request=process_request, ssl=tls, max_size=None
    ) as server:
        yield port_of(server)


@asynccontextmanager
async def raw_server(handler):
    """Serve bytes."""
    tasks = set()

    async def serve_one(reader, writer):
        tasks.add(asyncio.current_task())
        try:
            await handler(reader, writer)
        except (asyncio.CancelledError, ConnectionError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve_one, "127.0.0.1", 0)
    try:
        yield port_of(server)
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


DRIVERS = ("websockets", "picows")


def target(port, *, scheme="ws", host="127.0.0.1", **fields):
    """Return a target on the loopback device that carries a key."""
    return Target(
        url=f"{scheme}://{host}:{port}/v1/realtime?model=m",
        headers={"Authorization": f"Bearer {KEY}"},
        **{"open_timeout_s": 5.0, **fields},
    )


def certificate(folder, host):
    """Write a self-signed certificate for a host; return its path and a context."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    now = datetime.datetime.now(datetime.UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    path = folder / f"{host}.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + signed.public_bytes(serialization.Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return path, context
