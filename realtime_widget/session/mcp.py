"""Tools of MCP servers, which the model's side calls by itself.

We tell it which servers there are, and answer for the visitor when it asks. What a call
needs before it is allowed - a budget, the guardrails on arguments, the visitor's word -
is looked at here; its beginning and end are shown and recorded like any other tool's.
When a call is done the model is asked to go on, unless it did so by itself.

Source: Realtime API (GA), tools of type ``mcp``; items ``mcp_approval_request``,
``mcp_approval_response`` and ``mcp_call``; events ``mcp_list_tools.*`` and
``response.mcp_call.*``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from realtime_widget.exceptions import BadToolArguments
from realtime_widget.session import fields
from realtime_widget.session import tool_values as values
from realtime_widget.session.approvals import fill_in
from realtime_widget.session.budgets import Budget
from realtime_widget.session.composing import approval_item
from realtime_widget.session.config import Limits, McpSpec
from realtime_widget.session.effects import CancelTool, Effects, StartTool
from realtime_widget.session.tool_values import Outcome, Status, error_output

Item = Mapping[str, Any]

# A call of whose end nothing is heard for so long is given up.
CALL_S: Final = 60.0
# Its output comes with the item, shortly before or after the event of its end.
OUTPUT_S: Final = 2.0
MAX_OPEN: Final = 32
# Calls that a server says it makes at once; more are not followed.
MAX_RUNNING: Final = 100
MAX_REMEMBERED: Final = 1_000


@dataclass(slots=True)
class McpCall:
    """One call of a server's tool.

    Attributes:
        call_id: What the page and the record know it by: the question's id when the
            model's side asked, else the call's.
        response_id: The response it is part of, "" when nobody said.
        name: Server and tool, ``docs.search``.
        arguments: JSON text as the model wrote it.
        server: Its server, None for one that was not offered.
        deadline_s: When the question or the call is given up.
        allowed: Whether it was answered for.
        ended: How the model's side said that it ended, "" while it runs.
    """

    call_id: str
    response_id: str
    name: str
    arguments: str
    server: McpSpec | None
    arrived_s: float
    deadline_s: float
    allowed: bool = False
    ended: Status | None = None
    parsed: Mapping[str, Any] = field(default_factory=dict)

    @property
    def tool(self) -> str:
        """Return the name of the tool at its server."""
        return self.name.partition(".")[2]


class McpCalls:
    """The calls of MCP tools of a session.

    Args:
        effects: Where events, messages and facts are collected.
        limits: Bounds of calls and answers.
        budget: Counts the calls together with those of other tools.
    """

    def __init__(self, effects: Effects, limits: Limits, budget: Budget) -> None:
        self._effects = effects
        self._limits = limits
        self._budget = budget
        self._servers: dict[str, McpSpec] = {}
        self._guardrails: tuple[str, ...] = ()
        self._always: set[str] = set()
        # Question's id -> the call that waits for guardrails or for the visitor.
        self._checking: dict[str, McpCall] = {}
        self.pending: dict[str, McpCall] = {}
        # Item's id -> the call that the model's side makes.
        self._running: dict[str, McpCall] = {}
        # Allowed, and not begun yet.
        self._allowed: list[McpCall] = []
        self._seen: dict[str, None] = {}
        self._goes_on: str | None = None
        self._answers = 0

    @property
    def busy(self) -> bool:
        """Return whether a call is made now."""
        return bool(self._running or self._checking or self._allowed)

    def serve(self, servers: Iterable[McpSpec], guardrails: tuple[str, ...]) -> None:
        """Answer for the servers of another agent; calls under way are not touched."""
        self._servers = {server.label: server for server in servers}
        self._guardrails = guardrails

    # --- what the model's side says -------------------------------------------

    def item(self, item: Item, response_id: str, now_s: float, *, done: bool) -> None:
        """Take an item, however often it comes; others than MCP's mean nothing.

        Args:
            item: As it is now.
            response_id: The response it is part of, "" when the event does not say.
            now_s: The time.
            done: Whether nothing more is added to it.

        Raises:
            ProtocolError: If a field is missing.
        """
        kind = item.get("type")
        if kind == "mcp_approval_request" and done:
            self._asked(item, response_id, now_s)
        elif kind == "mcp_call":
            self._called(item, response_id, now_s, done=done)

    def call_ended(self, item_id: str, status: Status, now_s: float) -> None:
        """Take the event of a call's end; its output may still come."""
        call = self._running.get(item_id)
        if call is not None and call.ended is None:
            call.ended = status
            call.deadline_s = now_s + OUTPUT_S

    def words_came(self, response_id: str) -> None:
        """Note that an answer goes on by itself after its call."""
        if response_id and self._goes_on == response_id:
            self._goes_on = None

    def take_answered(self, active_id: str) -> bool:
        """Return whether the model is to be asked to go on; once for each wish.

        Args:
            active_id: The response that runs, "" for none: one that made the call may
                still go on by itself.
        """
        waits = self.busy or (active_id and active_id == self._goes_on)
        if self._goes_on is None or waits:
            return False
        self._goes_on = None
        return True

    # --- what the visitor and the guardrails say ------------------------------

    def approved(
        self, call_id: str, now_s: float, *, approve: bool, always: bool
    ) -> None:
        """Take the visitor's word."""
        call = self.pending.pop(call_id, None)
        if call is None:
            return
        if approve:
            if always:
                self._always.add(call.name)
            self._allow(call, now_s)
        else:
            self._refuse(call, "rejected", values.REJECTED, now_s)

    def ask_again(self) -> None:
        """Tell a page that missed it what runs, and ask it what is still open."""
        for call in (*self._allowed, *self._running.values()):
            self._show_start(call)
        for call in self.pending.values():
            self._ask(call)

    def checked(self, call_id: str, outcome: Outcome, now_s: float) -> None:
        """Take what the guardrails found in a call's arguments."""
        call = self._checking.pop(call_id, None)
        if call is None:
            return
        if outcome.status == "permitted":
            self._ask_or_allow(call, now_s)
        else:
            self._refuse(call, outcome.status, str(outcome.result), now_s)

    # --- time and end ----------------------------------------------------------

    def tick(self, now_s: float) -> None:
        """Give up what nobody answers."""
        for item_id, call in list(self._running.items()):
            if now_s >= call.deadline_s:
                self._end(item_id, call, call.ended or "timeout", "", now_s)
        for call in list(self.pending.values()):
            if now_s >= call.deadline_s:
                del self.pending[call.call_id]
                self._refuse(call, "rejected", values.NOT_APPROVED, now_s)
        for call in [c for c in self._allowed if now_s >= c.deadline_s]:
            self._allowed.remove(call)
            self._finish(call, "timeout", "", now_s)

    def deadlines(self) -> Iterator[float]:
        """Yield when ``tick`` has something to do."""
        waiting = (*self._running.values(), *self.pending.values(), *self._allowed)
        return (call.deadline_s for call in waiting)

    def lost(self, now_s: float) -> None:
        """End every call: the model's side that made them is gone."""
        for call in self._taken():
            self._finish(call, "cancelled", "", now_s)
        self._goes_on = None

    def cancel_all(self, now_s: float) -> None:
        """Record what the session's end leaves open."""
        for call in self._taken():
            self._record(call, "cancelled", "", now_s)

    def _taken(self) -> list[McpCall]:
        """Return all calls that are open, and forget them."""
        for call_id in self._checking:
            self._effects.add(CancelTool(call_id))
        calls = [*self._allowed]
        self._allowed.clear()
        for own in (self._checking, self.pending, self._running):
            calls += own.values()
            own.clear()
        return calls

    # --- inside ----------------------------------------------------------------

    def _new(self, item: Item, response_id: str, now_s: float) -> McpCall:
        label = fields.label(item, "server_label")
        return McpCall(
            call_id=fields.text(item, "id"),
            response_id=response_id,
            name=f"{label}.{fields.label(item, 'name')}"[: fields.MAX_ID_CHARS],
            arguments=fields.optional_text(item, "arguments"),
            server=self._servers.get(label),
            arrived_s=now_s,
            deadline_s=now_s + CALL_S,
        )

    def _first_time(self, item_id: str) -> bool:
        if item_id in self._seen:
            return False
        self._seen[item_id] = None
        if len(self._seen) > MAX_REMEMBERED:
            del self._seen[next(iter(self._seen))]
        return True

    def _asked(self, item: Item, response_id: str, now_s: float) -> None:
        """Look at a call that the model's side wants to make."""
        call = self._new(item, response_id, now_s)
        if not self._first_time(call.call_id):
            return
        refusal = self._refusal(call, now_s)
        if refusal is not None:
            self._refuse(call, *refusal, now_s)
        elif self._guardrails:
            self._checking[call.call_id] = call
            self._effects.add(
                StartTool(
                    call.call_id,
                    call.name,
                    call.parsed,
                    guardrails=self._guardrails,
                    only_checks=True,
                )
            )
        else:
            self._ask_or_allow(call, now_s)

    def _refusal(self, call: McpCall, now_s: float) -> tuple[Status, str] | None:
        if call.server is None:
            return "unknown_tool", values.UNKNOWN
        if len(self.pending) + len(self._checking) >= MAX_OPEN:
            return "failed", values.TOO_MANY
        try:
            call.parsed = values.parsed_arguments(
                call.arguments, self._limits.tool_arguments_bytes
            )
        except BadToolArguments as exc:
            return "bad_arguments", str(exc)
        server = call.server
        words = self._budget.refusal(server.label, server.max_calls, now_s)
        return ("refused", words) if words else None

    def _ask_or_allow(self, call: McpCall, now_s: float) -> None:
        server = call.server
        asks = server is not None and server.asks(call.tool)
        if not asks or call.name in self._always:
            self._allow(call, now_s)
            return
        call.deadline_s = now_s + self._limits.approval_s
        self.pending[call.call_id] = call
        self._ask(call)

    def _ask(self, call: McpCall) -> None:
        server = call.server
        text = server.approval_text if server is not None else ""
        self._effects.page(
            "tool.approval_required",
            call_id=call.call_id,
            name=call.name,
            summary=fill_in(text, {**call.parsed, "tool": call.tool}),
        )

    def _allow(self, call: McpCall, now_s: float) -> None:
        call.allowed = True
        call.deadline_s = now_s + CALL_S
        self._allowed.append(call)
        self._answer(call, approve=True)
        self._show_start(call)

    def _refuse(self, call: McpCall, status: Status, words: str, now_s: float) -> None:
        self._answer(call, approve=False, reason=words)
        self._finish(call, status, error_output(words), now_s)

    def _answer(self, call: McpCall, *, approve: bool, reason: str = "") -> None:
        self._answers += 1
        self._effects.upstream(
            approval_item(
                f"approval_{self._answers}",
                call.call_id,
                approve=approve,
                reason=reason,
            )
        )

    def _called(
        self, item: Item, response_id: str, now_s: float, *, done: bool
    ) -> None:
        """Take a call that the model's side makes or has made."""
        item_id = fields.text(item, "id")
        if len(self._running) < MAX_RUNNING and self._first_time(item_id):
            self._begin(item_id, item, response_id, now_s)
        call = self._running.get(item_id)
        if call is None:
            return
        call.arguments = fields.optional_text(item, "arguments") or call.arguments
        call.response_id = call.response_id or response_id
        if not done:
            return
        error, output = item.get("error"), item.get("output")
        if isinstance(error, Mapping):
            words = fields.optional_text(error, "message") or values.FAILED
            self._end(item_id, call, "failed", error_output(words), now_s)
        elif isinstance(output, str):
            clean = fields.words(item, "output")
            limit = self._limits.tool_output_bytes
            kept = clean.encode()[:limit].decode(errors="ignore")
            self._end(item_id, call, call.ended or "completed", kept, now_s)
        elif call.ended == "failed":
            self._end(item_id, call, "failed", "", now_s)

    def _begin(self, item_id: str, item: Item, response_id: str, now_s: float) -> None:
        made = self._new(item, response_id, now_s)
        asked_id = fields.optional_text(item, "approval_request_id")
        call = next((c for c in self._allowed if c.call_id == asked_id), None)
        if call is None:  # a server that does not say what it was asked by
            call = next((c for c in self._allowed if c.name == made.name), None)
        if call is not None:
            self._allowed.remove(call)
            call.response_id = response_id or call.response_id
            call.deadline_s = made.deadline_s
        else:
            call = made
            if call.server is not None:
                # Counted all the same: it cannot be stopped any more.
                server = call.server
                self._budget.refusal(server.label, server.max_calls, now_s)
            self._show_start(call)
        self._running[item_id] = call

    def _end(
        self, item_id: str, call: McpCall, status: Status, output: str, now_s: float
    ) -> None:
        del self._running[item_id]
        self._finish(call, status, output, now_s)

    def _finish(self, call: McpCall, status: Status, output: str, now_s: float) -> None:
        self._goes_on = call.response_id
        self._effects.page(
            "tool.finished", call_id=call.call_id, name=call.name, status=status
        )
        self._record(call, status, output, now_s)

    def _show_start(self, call: McpCall) -> None:
        self._effects.page(
            "tool.started", call_id=call.call_id, name=call.name, status="running"
        )

    def _record(self, call: McpCall, status: Status, output: str, now_s: float) -> None:
        limit = self._limits.tool_arguments_bytes
        self._effects.record(values.fact(call, status, output, now_s, limit))
