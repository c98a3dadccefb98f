"""The tasks that check texts: one at a time for each answer, the newest text next."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Final

from realtime_widget.session.effects import Check
from realtime_widget.session.ports import GuardrailPort
from realtime_widget.session.tasks import cancel_all

logger = logging.getLogger("realtime_widget.session")

# A check that takes longer is as good as none.
CHECK_S: Final = 5.0


async def tripped(port: GuardrailPort, check: Check, session_id: str) -> str:
    """Return the guardrail that a text trips, "" for none.

    A guardrail that fails or hangs is logged and left out: it must not end a talk.
    """
    for name in check.names:
        try:
            async with asyncio.timeout(CHECK_S):
                if await port.check(name, check.text):
                    return name
        except Exception:
            # The traceback stays out: its last line may hold the text.
            logger.error("Guardrail %s failed (session %s)", name, session_id)
    return ""


class GuardrailTasks:
    """Checks texts beside the pumps.

    Args:
        port: Runs one guardrail.
        found: Told which guardrail a text has tripped.
        session_id: For names and the log.
    """

    def __init__(
        self,
        port: GuardrailPort,
        found: Callable[[Check, str], None],
        session_id: str,
    ) -> None:
        self._port = port
        self._found = found
        self._session_id = session_id
        self._tasks: dict[tuple[str, str], asyncio.Task[None]] = {}
        self._next: dict[tuple[str, str], Check] = {}

    def start(self, check: Check) -> None:
        """Check a text; a longer text of the same answer replaces one that waits."""
        key = (check.stage, check.response_id or check.item_id)
        self._next[key] = check
        if key not in self._tasks:
            name = f"realtime guardrail {self._session_id}"
            self._tasks[key] = asyncio.create_task(self._run(key), name=name)

    async def end(self) -> None:
        """Cancel all checks, and wait a moment for them."""
        await cancel_all(self._tasks.values())

    async def _run(self, key: tuple[str, str]) -> None:
        try:
            while (check := self._next.pop(key, None)) is not None:
                name = await tripped(self._port, check, self._session_id)
                if name:
                    self._found(check, name)
        finally:
            self._next.pop(key, None)
            del self._tasks[key]
