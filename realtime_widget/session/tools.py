"""Tool calls: exactly one answer for each, whatever happens.

A call is taken when its item is complete. It runs as soon as a place is free - after
the visitor's word, where the tool asks for it - and is answered by its result, its
failure, its refusal, its time-out or its cancellation, whichever comes first;
everything later is ignored. When all calls of a response are answered and the response
has ended, the model is asked to go on, once.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from realtime_widget.exceptions import BadToolArguments, ProtocolError
from realtime_widget.session import tool_values as values
from realtime_widget.session.approvals import plain_answer, summary
from realtime_widget.session.argument_schema import check_arguments
from realtime_widget.session.batches import Batches
from realtime_widget.session.budgets import Budget
from realtime_widget.session.composing import Event, tool_call_item, tool_output_item
from realtime_widget.session.config import AgentSpec, Limits, ToolSpec
from realtime_widget.session.effects import CancelTool, Effects, StartTool
from realtime_widget.session.item_log import left_out
from realtime_widget.session.mcp import McpCalls
from realtime_widget.session.ports import HandoffItem
from realtime_widget.session.told_calls import ToldCalls
from realtime_widget.session.tool_values import Outcome, Status, error_output
from realtime_widget.session.unseen import Unseen

# Calls that may wait for a place; a model that asks for more is told so.
MAX_WAITING: Final = 32
# The same of all their arguments.
MAX_WAITING_CHARS: Final = 256 * 1024
# Answered call ids that are remembered against duplicates.
MAX_REMEMBERED: Final = 1_000


HandOver = Callable[[str, str, list[str]], None]
History = Callable[[str], tuple[HandoffItem, ...]]


def _nobody(_to: str, _call_id: str, _gone: list[str]) -> None:
    """Pass the conversation to nobody."""


def _nothing(_call_id: str) -> tuple[HandoffItem, ...]:
    """Return that nothing was said."""
    return ()


@dataclass(slots=True)
class Call:
    """One call on its way.

    Attributes:
        arguments: JSON text as the model wrote it.
        tool: What was called, as it was then; None for a name that does not exist.
        agent: Who called it.
        parsed: The arguments, checked; empty until then.
        deadline_s: When it times out; None while it waits for a place.
        history: What a handoff's filter was given to choose from.
        filler_s: When its filler phrase is due; None for never.
        asked: Whether the page was asked to run it.
    """

    call_id: str
    response_id: str
    name: str
    arguments: str
    arrived_s: float
    agent: str = ""
    tool: ToolSpec | None = None
    parsed: Mapping[str, Any] = field(default_factory=dict)
    deadline_s: float | None = None
    filler_s: float | None = None
    history: tuple[HandoffItem, ...] = ()
    asked: bool = False

    @property
    def spec(self) -> ToolSpec:
        """Return the tool of a call that was not refused."""
        assert self.tool is not None  # noqa: S101 - refused calls never get here
        return self.tool


class ToolCalls:
    """All tool calls of a session.

    Args:
        effects: Where events, messages and facts are collected.
        limits: Bounds of calls and answers.
        unseen: Told of the answers that are sent.
        language: Of the page, for a spoken yes or no.

    Attributes:
        mcp: Those that the model's side makes by itself.
    """

    def __init__(
        self,
        effects: Effects,
        *,
        limits: Limits,
        unseen: Unseen,
        language: str = "",
    ) -> None:
        self._effects = effects
        self._tools: dict[str, ToolSpec] = {}
        self._limits = limits
        self._language = language
        self._unseen = unseen
        self._budget = Budget(limits)
        self.mcp = McpCalls(effects, limits, self._budget)
        self._pending: dict[str, Call] = {}
        self._always: set[str] = set()
        self._waiting: deque[Call] = deque()
        self._running: dict[str, Call] = {}
        self._seen: dict[str, None] = {}
        self._batches = Batches()
        self._told = ToldCalls()
        self._hand_over: HandOver = _nobody
        self._history: History = _nothing
        self._agent = ""
        self._guardrails: tuple[str, ...] = ()

    @property
    def busy(self) -> bool:
        """Return whether work goes on; a call that waits for the visitor is none."""
        return bool(self._running or self._waiting or self.mcp.busy)

    def serve(
        self,
        agent: AgentSpec,
        guardrails: tuple[str, ...],
        hand_over: HandOver,
        history: History,
    ) -> None:
        """Work for an agent from now on; running calls are not touched.

        Args:
            agent: Whose tools the model may call.
            guardrails: What their arguments must pass.
            hand_over: Passes the conversation to the agent of this name, for this call,
                without some items.
            history: Returns the items that a handoff may leave out, but for this call.
        """
        self._agent = agent.name
        self._tools = {tool.name: tool for tool in agent.tools}
        self._guardrails = guardrails
        self._hand_over = hand_over
        self._history = history
        self.mcp.serve(agent.mcp, guardrails)

    # --- what the model's side says -------------------------------------------

    def called(
        self, call_id: str, response_id: str, name: str, arguments: str, now_s: float
    ) -> bool:
        """Take a call that the model has completed.

        Returns:
            False when this call was taken before.
        """
        if call_id in self._seen:
            return False
        self._seen[call_id] = None
        if len(self._seen) > MAX_REMEMBERED:
            del self._seen[next(iter(self._seen))]
        call = Call(call_id, response_id, name, arguments, now_s, self._agent)
        self._batches.called(response_id)
        refusal = self._refusal(call)
        if refusal is not None:
            self._show_start(call)
            self._answer(call, *refusal, now_s)
        elif call.spec.needs_approval and name not in self._always:
            self._ask(call, now_s)
        else:
            self._admit(call, now_s)
        return True

    def response_ended(self, response_id: str) -> None:
        """Note that no more calls of this response will come."""
        self._batches.ended(response_id)

    def take_answered(self, active_id: str) -> bool:
        """Return whether the model is to go on.

        It is when a whole response's calls were answered since this was last asked.

        Args:
            active_id: The response that runs, "" for none.
        """
        batches, mcp = self._batches.take_answered(), self.mcp.take_answered(active_id)
        return batches or mcp

    def barge_in(self, now_s: float) -> None:
        """Give up the calls that are of no use once the visitor speaks again."""
        for call in [c for c in self._running.values() if c.spec.cancel_on_barge_in]:
            self._give_up(call, "cancelled", values.SPOKEN_OVER, now_s)
        self._start_waiting(now_s)

    # --- what the visitor and the page say ------------------------------------

    def approved(
        self, call_id: str, now_s: float, *, approve: bool, always: bool = False
    ) -> None:
        """Take the visitor's word on a call; too late, it means nothing.

        Args:
            call_id: The call.
            now_s: The time.
            approve: Whether it may run.
            always: Whether this tool's later calls may, without asking.
        """
        call = self._pending.pop(call_id, None)
        if call is None:
            self.mcp.approved(call_id, now_s, approve=approve, always=always)
            return
        if not approve:
            self._answer(call, "rejected", error_output(values.REJECTED), now_s)
            return
        if always:
            self._always.add(call.name)
        self._admit(call, now_s)

    def said(self, text: str, now_s: float) -> None:
        """Take words of the visitor, which may be the answer to a question."""
        asked = [
            *((c.call_id, c.spec.spoken_approval) for c in self._pending.values()),
            *(
                (c.call_id, c.server is not None and c.server.spoken_approval)
                for c in self.mcp.pending.values()
            ),
        ]
        if len(asked) != 1 or not asked[0][1]:
            return  # which one was meant is anybody's guess
        approve = plain_answer(text, self._language)
        if approve is not None:
            self.approved(asked[0][0], now_s, approve=approve)

    def page_answered(
        self, call_id: str, message: Mapping[str, Any], now_s: float
    ) -> None:
        """Take what the page's function returned; too late, it means nothing.

        Raises:
            ProtocolError: If this call is not the page's to answer.
        """
        call = self._running.get(call_id)
        if call is not None and not call.asked:
            raise ProtocolError("not a call of the page", code="forbidden")
        self.finished(call_id, values.page_outcome(message), now_s)

    def ask_again(self) -> None:
        """Tell a page that missed it what runs, and ask it what is still open."""
        for call in self._running.values():
            self._show_start(call)
            if call.asked:
                self._ask_page(call)
        for call in self._pending.values():
            self._ask_visitor(call)
        self.mcp.ask_again()

    # --- how calls end ---------------------------------------------------------

    def finished(self, call_id: str, outcome: Outcome, now_s: float) -> None:
        """Answer a call by its task's outcome, unless it was answered before."""
        call = self._running.get(call_id)
        if call is None:
            self.mcp.checked(call_id, outcome, now_s)
            return
        if outcome.status == "permitted":
            if not call.asked:
                self._ask_page(call)
            return
        del self._running[call_id]
        if outcome.status == "completed" and call.spec.handoff_to:
            outcome = self._passed_on(call, outcome.result)
        if outcome.status == "completed":
            outcome = values.encoded(outcome.result, self._limits.tool_output_bytes)
            output: str = outcome.result
        else:
            output = error_output(outcome.result)
        self._answer(call, outcome.status, output, now_s)
        self._start_waiting(now_s)

    def tick(self, now_s: float) -> None:
        """Answer calls whose time is up."""
        for call in list(self._running.values()):
            if call.deadline_s is not None and now_s >= call.deadline_s:
                self._give_up(call, "timeout", values.TIMED_OUT, now_s)
        for call in list(self._pending.values()):
            if call.deadline_s is not None and now_s >= call.deadline_s:
                del self._pending[call.call_id]
                output = error_output(values.NOT_APPROVED)
                self._answer(call, "rejected", output, now_s)
        self.mcp.tick(now_s)
        self._start_waiting(now_s)

    def next_deadline_s(self) -> float | None:
        """Return when ``tick`` has something to do."""
        return min(self._deadlines(), default=None)

    def take_filler(self, now_s: float) -> str:
        """Return the phrase that bridges a call which takes long; each call has one."""
        for call in self._running.values():
            if call.filler_s is not None and now_s >= call.filler_s:
                call.filler_s = None
                return call.spec.filler
        return ""

    def lost(self, now_s: float) -> None:
        """Go on without the model's side: no response will call or end any more."""
        self.mcp.lost(now_s)
        self._batches.lost()

    def open_calls(self) -> list[str]:
        """Return the calls that are not answered, oldest first."""
        calls = (*self._running.values(), *self._waiting, *self._pending.values())
        return [c.call_id for c in sorted(calls, key=lambda call: call.arrived_s)]

    def retold(self, call_id: str) -> list[Event]:
        """Return the events that tell another session of a call and its answer."""
        told = self._told.events(call_id)
        if told:
            return told
        calls = (*self._running.values(), *self._waiting, *self._pending.values())
        call = next((c for c in calls if c.call_id == call_id), None)
        return [tool_call_item(call_id, call.name, call.arguments)] if call else []

    def cancel_all(self, now_s: float) -> None:
        """Record the calls the session's end leaves unanswered."""
        self.mcp.cancel_all(now_s)
        for call in (*self._running.values(), *self._waiting):
            self._effects.add(CancelTool(call.call_id))
            self._record(call, "cancelled", "", now_s)
        for call in self._pending.values():
            self._record(call, "cancelled", "", now_s)
        self._running.clear()
        self._waiting.clear()
        self._pending.clear()

    # --- inside ----------------------------------------------------------------

    def _refusal(self, call: Call) -> tuple[Status, str] | None:
        """Check a call; set its tool and its parsed arguments when it may run."""
        tool = self._tools.get(call.name)
        if tool is None:
            return "unknown_tool", error_output(values.UNKNOWN)
        if self._crowded(call):
            return "failed", error_output(values.TOO_MANY)
        try:
            call.parsed = values.parsed_arguments(
                call.arguments, self._limits.tool_arguments_bytes
            )
            if tool.checks_arguments:
                check_arguments(tool.parameters, call.parsed)
        except BadToolArguments as exc:
            return "bad_arguments", error_output(str(exc))
        words = self._budget.refusal(tool.name, tool.max_calls, call.arrived_s)
        if words:
            return "refused", error_output(words)
        call.tool = tool
        return None

    def _crowded(self, call: Call) -> bool:
        """Return whether there is no room for one more call that waits."""
        waiting = (*self._waiting, *self._pending.values())
        chars = sum(len(one.arguments) for one in (*waiting, call))
        return len(waiting) >= MAX_WAITING or chars > MAX_WAITING_CHARS

    def _ask(self, call: Call, now_s: float) -> None:
        """Leave a call to the visitor."""
        call.deadline_s = now_s + self._limits.approval_s
        self._pending[call.call_id] = call
        self._ask_visitor(call)

    def _ask_visitor(self, call: Call) -> None:
        self._effects.page(
            "tool.approval_required",
            call_id=call.call_id,
            name=call.name,
            summary=summary(call.spec, call.parsed),
        )

    def _admit(self, call: Call, now_s: float) -> None:
        self._show_start(call)
        self._waiting.append(call)
        self._start_waiting(now_s)

    def _show_start(self, call: Call) -> None:
        self._effects.page(
            "tool.started", call_id=call.call_id, name=call.name, status="running"
        )

    def _start_waiting(self, now_s: float) -> None:
        while self._waiting and len(self._running) < self._limits.tools_at_once:
            call = self._waiting.popleft()
            tool = call.spec
            call.deadline_s = now_s + tool.timeout_s
            if tool.filler:
                call.filler_s = now_s + self._limits.filler_after_s
            self._running[call.call_id] = call
            if not (tool.runs or self._guardrails):
                self.finished(call.call_id, Outcome("completed", None), now_s)
                continue
            if tool.filters:
                call.history = self._history(call.call_id)
            self._effects.add(
                StartTool(
                    call.call_id,
                    call.name,
                    call.parsed,
                    in_page=tool.runs_on == "browser",
                    guardrails=self._guardrails,
                    history=call.history,
                )
            )

    def _passed_on(self, call: Call, result: Any) -> Outcome:
        """Pass the conversation on; the model hears of its tools before the answer."""
        if call.agent != self._agent:
            return Outcome("failed", values.PASSED_ON)
        gone = left_out(call.history, result["kept"]) if call.spec.filters else []
        self._hand_over(call.spec.handoff_to, call.call_id, gone)
        return Outcome("completed", {"assistant": call.spec.handoff_to})

    def _ask_page(self, call: Call) -> None:
        call.asked = True
        self._effects.page(
            "tool.call",
            call_id=call.call_id,
            name=call.name,
            arguments=call.arguments or "{}",
        )

    def _give_up(self, call: Call, status: Status, words: str, now_s: float) -> None:
        """Stop the task of a call and answer it."""
        del self._running[call.call_id]
        self._effects.add(CancelTool(call.call_id))
        self._answer(call, status, error_output(words), now_s)

    def _answer(self, call: Call, status: Status, output: str, now_s: float) -> None:
        self._batches.answered(call.response_id, refused=status == "refused")
        self._effects.upstream(tool_output_item(call.call_id, output))
        self._unseen.sent(call.call_id)
        self._told.keep(call.call_id, call.name, call.arguments, output)
        self._effects.page(
            "tool.finished", call_id=call.call_id, name=call.name, status=status
        )
        self._record(call, status, output, now_s)

    def _record(self, call: Call, status: Status, output: str, now_s: float) -> None:
        limit = self._limits.tool_arguments_bytes
        self._effects.record(values.fact(call, status, output, now_s, limit))

    def _deadlines(self) -> Iterator[float]:
        yield from self.mcp.deadlines()
        for call in (*self._running.values(), *self._pending.values()):
            if call.deadline_s is not None:
                yield call.deadline_s
            if call.filler_s is not None:
                yield call.filler_s
