"""Passing a conversation from one agent to another, in the middle of it.

The model hears of the new agent's instructions and tools before the call is answered,
so its next words are the new agent's. What the old one is still saying is heard to its
end. What of the talk so far it is not to know is deleted at the model's side, before
anything else is sent. The voice is the session's once anything was spoken: a server refuses another.

Source: Realtime API, ``session.update`` (``audio.output.voice``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from realtime_widget.session import composing
from realtime_widget.session.config import AgentSpec
from realtime_widget.session.ports import HandoffFact, HandoffItem

if TYPE_CHECKING:
    from realtime_widget.session.core import SessionCore


def serve(core: SessionCore, agent: AgentSpec) -> None:
    """Let an agent answer from now on."""

    def pass_on(to: str, call_id: str, gone: list[str]) -> None:
        forget(core, gone)
        hand_over(core, core.config.agents[to], call_id)

    def history(call_id: str) -> tuple[HandoffItem, ...]:
        return core.items.shown(core.transcript, call_id)

    core.agent = agent
    core.transcript.agent = agent.name
    core.guardrails.replace(agent.guardrails)
    core.tools.serve(agent, core.guardrails.names("arguments"), pass_on, history)


def forget(core: SessionCore, item_ids: list[str]) -> None:
    """Have the model forget items; the page and the record keep them."""
    for item_id in item_ids:
        core.effects.upstream(composing.delete_item(item_id))
    core.items.drop(item_ids)


def hand_over(core: SessionCore, agent: AgentSpec, call_id: str = "") -> None:
    """Pass the conversation on: tell the model, the page and the record.

    Args:
        core: The session.
        agent: Who has it now.
        call_id: The call that does it, "" for the site's own code.
    """
    before = core.agent.name
    serve(core, agent)
    parts = composing.agent_parts(
        agent,
        with_voice=not (core.config.text_only or core.answers.spoken),
        with_mcp=core.takes_mcp,
    )
    core.session = composing.merged(core.session, parts)
    core.handoffs += 1
    core.effects.upstream(
        composing.session_update(parts, event_id=f"handoff_{core.handoffs}")
    )
    if agent.name != before:
        core.effects.page("handoff", **{"from": before, "to": agent.name})
        core.effects.record(HandoffFact(before, agent.name, call_id))
