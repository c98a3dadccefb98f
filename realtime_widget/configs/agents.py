"""Everybody who may answer in a session, and what their code is."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from realtime_widget.configs.instructions import written
from realtime_widget.configs.mcp import mcp_specs
from realtime_widget.configs.targets import ways
from realtime_widget.configs.tools import enabled_tools, resolve, spec_of
from realtime_widget.exceptions import UpstreamError
from realtime_widget.handlers import (
    Guard,
    Handler,
    Visit,
    denied_words,
    filtered_handoff,
    registered,
    registered_filters,
    registered_guardrails,
)
from realtime_widget.models import Agent, Guardrail
from realtime_widget.session.config import AgentSpec, GuardrailSpec, ToolSpec
from realtime_widget.upstream.moderation import Moderation

logger = logging.getLogger(__name__)

# Agents that one session may hold; a longer chain of handoffs is cut.
MAX_AGENTS: Final = 20
NO_ARGUMENTS: Final[dict[str, Any]] = {"type": "object", "properties": {}}


@dataclass(frozen=True, slots=True)
class Staff:
    """The agents of a session.

    Attributes:
        agents: By name, the first to answer first.
        handlers: What runs, by the names of tools. Two agents' tools of one name are
            one row, so they are one handler too.
        guards: What checks texts, by the names of guardrails.
    """

    agents: dict[str, AgentSpec] = field(default_factory=dict)
    handlers: dict[str, Handler] = field(default_factory=dict)
    guards: dict[str, Guard] = field(default_factory=dict)


def staff(first: Agent, visit: Visit, voice: str = "", closing: str = "") -> Staff:
    """Return everybody whom a conversation can reach, with their code.

    Args:
        first: Who answers first.
        visit: Whom the instructions are for.
        voice: Of agents that have none of their own.
        closing: What all of them are told after their own instructions.
    """
    found = Staff()
    for agent in reachable(first):
        tools = resolve(enabled_tools(agent), visit.site)
        found.handlers.update({one.tool.name: one.handler for one in tools})
        specs = [spec_of(one) for one in tools]
        specs += _transfers(agent, {spec.name for spec in specs}, found)
        found.agents[agent.name] = AgentSpec(
            name=agent.name,
            instructions=f"{written(agent, visit)}\n\n{closing}".strip(),
            voice=agent.voice or voice,
            tools=tuple(specs),
            guardrails=tuple(_guardrails(agent, found)),
            mcp=mcp_specs(agent, visit),
        )
    return found


def reachable(first: Agent) -> list[Agent]:
    """Return an agent and all it can hand over to, near ones first."""
    found = [first]
    for agent in found:
        for other in agent.handoffs.all():
            if other not in found and len(found) < MAX_AGENTS:
                found.append(other)
    return found


def transfer_name(agent: Agent) -> str:
    """Return the name of the tool that hands over to an agent.

    Names of functions are ASCII (Realtime API, ``tools[].name``).
    """
    plain = re.sub(r"[^a-z0-9]+", "_", agent.name.lower()).strip("_")
    whole = plain if agent.name.isascii() and plain else f"agent_{agent.pk}"
    return f"transfer_to_{whole}"[:64]


def _transfers(agent: Agent, taken: set[str], found: Staff) -> Iterator[ToolSpec]:
    """Yield the tools by which an agent hands over."""
    for other in agent.handoffs.all():
        name = transfer_name(other)
        if name in taken:
            name = f"transfer_to_agent_{other.pk}"
        hook = registered.get(other.on_handoff)
        if other.on_handoff and hook is None:
            logger.warning(
                "A handoff's function does not exist and is left out. agent=%s",
                other.pk,
            )
        filter_ = registered_filters.get(other.handoff_filter)
        if other.handoff_filter and filter_ is None:
            # What it hides is not passed on by mistake.
            logger.error(
                "A handoff's filter does not exist: there is no handoff. agent=%s",
                other.pk,
            )
            continue
        if filter_ is not None:
            found.handlers[name] = filtered_handoff(name, hook, filter_)
        elif hook is not None:
            found.handlers[name] = hook
        yield ToolSpec(
            name=name,
            description=other.handoff_description
            or f"Pass the conversation to {other.name}.",
            parameters=hook.parameters if hook else NO_ARGUMENTS,
            handoff_to=other.name,
            filters=filter_ is not None,
            runs=hook is not None or filter_ is not None,
        )


def _guardrails(agent: Agent, found: Staff) -> Iterator[GuardrailSpec]:
    """Yield an agent's guardrails; one that cannot check is logged and left out."""
    for row in agent.guardrails.filter(enabled=True).select_related("moderation"):
        guard = _guard(row)
        if guard is None:
            logger.error(
                "A guardrail's function does not exist and is left out. guardrail=%s",
                row.name,
            )
            continue
        found.guards[row.name] = guard
        yield GuardrailSpec(row.name, row.stages, row.steer)


def _guard(row: Guardrail) -> Guard | None:
    words = row.denied_words.splitlines()
    function = registered_guardrails.get(row.function)
    if row.function and function is None:
        return None
    return Guard(row.name, denied_words(words), function, _moderation(row))


def _moderation(row: Guardrail) -> Moderation | None:
    """Return the service that a row names; one without a key is logged, not asked."""
    if row.moderation is None:
        return None
    try:
        # The first key that is there: a service that refuses it is logged by each check.
        way, *_ = ways(row.moderation)
    except UpstreamError as exc:
        logger.error(
            "A moderation service cannot be asked: %s guardrail=%s", exc, row.name
        )
        return None
    return Moderation(
        target=way.target,
        model=row.moderation_model,
        categories=frozenset(row.moderation_categories),
        threshold=row.moderation_threshold,
    )
