"""The one TLS context of this process.

Making one costs some 36 ms and 0.9 MB, so it is made once, when first needed, and in
a thread: every other session's audio would wait for it on the event loop.
"""

from __future__ import annotations

import asyncio
import ssl
import threading

_lock = threading.Lock()
_context: ssl.SSLContext | None = None


def make_tls_context() -> ssl.SSLContext:
    """Return the shared client context: certificates and host names are verified.

    Blocks while it is made. The trust store is the system's, or what the
    environment variables SSL_CERT_FILE and SSL_CERT_DIR name.
    """
    global _context
    with _lock:
        if _context is None:
            _context = ssl.create_default_context()
        return _context


async def tls_context() -> ssl.SSLContext:
    """Return the shared client context without blocking the event loop."""
    if _context is not None:
        return _context
    return await asyncio.to_thread(make_tls_context)


def forget_tls_context() -> None:
    """Have the context made anew, after the trust store has changed."""
    global _context
    with _lock:
        _context = None
