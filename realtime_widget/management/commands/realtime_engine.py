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
from realtime_widget.engine.conversation.core import MAX_SESSION_S
from realtime_widget.engine.models import LOCAL, Models, all_models
from realtime_widget.engine.options import options_from_setting
from realtime_widget.engine.ports import Parts
from realtime_widget.engine.scenario.files import load_scenario
from realtime_widget.engine.scenario.session import ScenarioModel
from realtime_widget.engine.server import PATH, serve

DEFAULT_HOST = "127.0.0.1"
DEFAULT_PORT = 8765
KEY_ENV = "REALTIME_ENGINE_KEY"
DRAIN_S = 10.0


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
            "--model",
            default=LOCAL,
            help="Model for clients that name none of the engine's own: local,"
            " local-text, echo or scripted (%(default)s).",
        )
        parser.add_argument(
            "--scenario",
            metavar="FILE",
            help="Let sessions go as this YAML, JSON, TOML or Python file says.",
        )
        parser.add_argument(
            "--key",
            default=os.environ.get(KEY_ENV, ""),
            help=f"Key that clients have to show; or set {KEY_ENV}. Without one every"
            " client is served.",
        )
        parser.add_argument(
            "--require-key",
            nargs="?",
            const="",
            metavar="KEY",
            help=f"Serve nobody without a key: this one, or that of --key or {KEY_ENV}."
            " When there is none the command does not start.",
        )
        parser.add_argument(
            "--deflate",
            action="store_true",
            help="Let clients have their events compressed.",
        )
        parser.add_argument(
            "--dialect",
            choices=("auto", "ga", "beta"),
            default="auto",
            help="What clients speak: as they ask, GA alone (the beta is refused as"
            " OpenAI refuses it), or the 2024-10 beta (%(default)s).",
        )
        parser.add_argument(
            "--max-session-s",
            type=float,
            default=MAX_SESSION_S,
            help="Age at which a session ends with session_expired (%(default)g s).",
        )
        parser.add_argument(
            "--drain-s",
            type=float,
            default=DRAIN_S,
            help="How long answers may take to end when the server is told to stop"
            " (%(default)g s). A second signal ends them at once.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Run the command."""
        key = required_key(options["key"], options["require_key"])
        try:
            chosen = options_from_setting(get_conf().ENGINE)
            models = all_models(chosen, options["model"])
            if options["scenario"]:
                scenario = load_scenario(options["scenario"])
                models = Models(ScenarioModel(models.default, scenario))
        except ValueError as exc:
            raise CommandError(str(exc)) from exc
        models.default.load()
        try:
            with suppress(KeyboardInterrupt):
                asyncio.run(self._serve(models, {**options, "key": key}))
        except OSError as exc:
            raise CommandError(
                f"Cannot listen on {options['host']}:{options['port']}: {exc.strerror}."
            ) from exc

    async def _serve(self, models: Models, options: dict[str, Any]) -> None:
        told = _signals()
        host, key = options["host"], options["key"]
        if not key and not is_loopback(host):
            self.stderr.write(
                f"Whoever reaches {host} is served: no key is required. Set --key."
            )
        async with await serve(
            host,
            options["port"],
            models,
            key=key,
            deflate=options["deflate"],
            max_session_s=options["max_session_s"],
            dialect=None if options["dialect"] == "auto" else options["dialect"],
        ) as server:
            port = next(iter(server.sockets)).getsockname()[1]
            words = describe(models.default.parts, key=key)
            self.stdout.write(
                f"{address(host, port)} - model {models.default.name}; {words}"
            )
            self.stdout.flush()
            await told.get()
            self.stdout.write("Stopping when nobody speaks ...")
            self.stdout.flush()
            ends = asyncio.create_task(server.drain(options["drain_s"]))
            again = asyncio.create_task(told.get())
            await asyncio.wait((ends, again), return_when=asyncio.FIRST_COMPLETED)
            for task in (ends, again):
                task.cancel()
            await asyncio.gather(ends, again, return_exceptions=True)
        self.stdout.write("Stopped.")


def required_key(key: str, require_key: str | None) -> str:
    """Return the key that clients have to show, "" for none.

    Args:
        key: The value of ``--key``, which is that of the environment by default.
        require_key: The value of ``--require-key``, "" when it came without one and
            None when it did not come.

    Raises:
        CommandError: If a key is required and there is none.
    """
    chosen = require_key or key
    if require_key is not None and not chosen:
        raise CommandError(
            f"A key is required and there is none: set {KEY_ENV} or --key."
        )
    return chosen


def _signals() -> asyncio.Queue[int]:
    """Return where the signals to stop come in."""
    told: asyncio.Queue[int] = asyncio.Queue()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        # Windows has no such handlers; there Ctrl-C raises KeyboardInterrupt.
        with suppress(NotImplementedError):
            loop.add_signal_handler(number, told.put_nowait, number)
    return told


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
