"""``manage.py realtime_engine``: the embedded engine for any Realtime API client."""

from __future__ import annotations

import asyncio
import os
import signal
from contextlib import suppress
from ipaddress import ip_address
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from realtime_widget.conf import get_conf
from realtime_widget.engine.options import options_from_setting
from realtime_widget.engine.parts import load_parts
from realtime_widget.engine.ports import Parts
from realtime_widget.engine.server import PATH, serve

DEFAULT_HOST = "127.0.0.1"
DEFAULT_PORT = 8765
KEY_ENV = "REALTIME_ENGINE_KEY"


class Command(BaseCommand):
    """Serves until it is told to stop; uses no database."""

    help = (
        "Serve the embedded engine to clients of the Realtime API, such as the official"
        " openai packages."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the options."""
        parser.add_argument(
            "--host", default=DEFAULT_HOST, help="Address to listen on (%(default)s)."
        )
        parser.add_argument(
            "--port", type=int, default=DEFAULT_PORT, help="TCP port (%(default)s)."
        )
        parser.add_argument(
            "--key",
            default=os.environ.get(KEY_ENV, ""),
            help=f"Key that clients have to show; or set {KEY_ENV}. Without one every"
            " client is served.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Run the command."""
        parts = load_parts(options_from_setting(get_conf().ENGINE))
        try:
            with suppress(KeyboardInterrupt):
                asyncio.run(self._serve(parts, options))
        except OSError as exc:
            raise CommandError(
                f"Cannot listen on {options['host']}:{options['port']}: {exc.strerror}."
            ) from exc

    async def _serve(self, parts: Parts, options: dict[str, Any]) -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            # Windows has no such handlers; there Ctrl-C raises KeyboardInterrupt.
            with suppress(NotImplementedError):
                loop.add_signal_handler(number, stop.set)
        host, key = options["host"], options["key"]
        if not key and not is_loopback(host):
            self.stderr.write(
                f"Whoever reaches {host} is served: no key is required. Set --key."
            )
        async with await serve(host, options["port"], parts, key=key) as server:
            port = next(iter(server.sockets)).getsockname()[1]
            self.stdout.write(f"{address(host, port)} - {describe(parts, key=key)}")
            self.stdout.flush()
            await stop.wait()
        self.stdout.write("Stopped.")


def is_loopback(host: str) -> bool:
    """Return whether only this machine reaches an address."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def address(host: str, port: int) -> str:
    """Return the URL that clients dial."""
    name = f"[{host}]" if ":" in host else host
    return f"ws://{name}:{port}{PATH}"


def describe(parts: Parts, *, key: str) -> str:
    """Return which parts are there, in a few words."""
    words = [
        f"dialogue {type(parts.dialogue).__name__}",
        "hears" if parts.hears else "cannot hear",
        "speaks" if parts.speaks else "cannot speak",
        "key required" if key else "no key required",
    ]
    words += [f"{part}: {reason}" for part, reason in parts.missing.items()]
    return "; ".join(words)
