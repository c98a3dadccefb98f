"""The tasks of running tool calls: one each, named, and none outlives the session."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable

from realtime_widget.exceptions import ToolError
from realtime_widget.session.effects import Check, StartTool
from realtime_widget.session.guardrail_tasks import tripped
from realtime_widget.session.ports import CALL_ID, HISTORY, GuardrailPort, ToolPort
from realtime_widget.session.tasks import cancel_all
from realtime_widget.session.tool_values import FAILED, GUARDED, Outcome, outcome_of

logger = logging.getLogger("realtime_widget.session")


class ToolTasks:
    """Runs handlers beside the pumps.

    Handlers are other people's code: their tasks are not in the session's task
    group, where one that ignores its cancellation would keep the session from ending.

    Args:
        tools: Runs one call.
        finished: Told the outcome of each call, once.
        session_id: For names and the log.
        guardrails: Check what tools are given.
    """

    def __init__(
        self,
        tools: ToolPort,
        finished: Callable[[str, Outcome], None],
        session_id: str,
        guardrails: GuardrailPort,
    ) -> None:
        self._guardrails = guardrails
        self._tools = tools
        self._finished = finished
        self._session_id = session_id
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def start(self, call: StartTool) -> None:
        """Run a call."""
        name = f"realtime tool {call.name} {self._session_id}"
        self._tasks[call.call_id] = asyncio.create_task(self._run(call), name=name)

    def cancel(self, call_id: str) -> None:
        """Cancel a call's task, if it still runs."""
        task = self._tasks.get(call_id)
        if task is not None:
            task.cancel()

    async def end(self) -> None:
        """Cancel all tasks, and wait a moment for them."""
        await cancel_all(self._tasks.values())

    async def _run(self, call: StartTool) -> None:
        CALL_ID.set(call.call_id)
        HISTORY.set(call.history)
        # Stands when the handler's own work was cancelled by somebody else.
        outcome = Outcome("cancelled", FAILED)
        try:
            outcome = await self._outcome(call)
        except ToolError as exc:
            outcome = outcome_of(exc)
        except Exception as exc:
            logger.exception(
                "The handler of tool %s failed (session %s)",
                call.name,
                self._session_id,
            )
            outcome = outcome_of(exc)
        finally:
            self._tasks.pop(call.call_id, None)
            self._finished(call.call_id, outcome)

    async def _outcome(self, call: StartTool) -> Outcome:
        if call.guardrails:
            text = json.dumps(call.arguments, ensure_ascii=False)
            check = Check("arguments", text, call.guardrails)
            name = await tripped(self._guardrails, check, self._session_id)
            if name:
                return Outcome("guardrail", GUARDED, name)
        if call.only_checks:
            return Outcome("permitted", None)
        if call.in_page:
            await self._tools.permit(call.name, call.arguments)
            return Outcome("permitted", None)
        return Outcome("completed", await self._tools.run(call.name, call.arguments))
