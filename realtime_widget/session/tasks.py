"""Tasks that run other people's code beside a session, and how they are left."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any, Final

# Cancelled tasks get so long to end; what ignores its cancellation is left behind.
END_S: Final = 1.0


async def cancel_all(running: Iterable[asyncio.Task[Any]]) -> None:
    """Cancel tasks, and wait a moment for them."""
    tasks = list(running)
    for task in tasks:
        task.cancel()
    if tasks:
        await asyncio.wait(tasks, timeout=END_S)
