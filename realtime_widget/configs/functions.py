"""Which fields of rows name a function of the site, and what there is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from realtime_widget.handlers import (
    registered,
    registered_filters,
    registered_guardrails,
    registered_instructions,
    registered_tokens,
)
from realtime_widget.models import Agent, Guardrail, McpServer

Known = Mapping[str, Any]
Row = Agent | Guardrail | McpServer

NAMED_BY_AGENTS: Final[Mapping[str, Known]] = {
    "instructions_function": registered_instructions,
    "on_handoff": registered,
    "handoff_filter": registered_filters,
}
NAMED_BY_GUARDRAILS: Final[Mapping[str, Known]] = {"function": registered_guardrails}
NAMED_BY_SERVERS: Final[Mapping[str, Known]] = {"token_function": registered_tokens}


def missing_functions() -> Iterator[tuple[Row, str, Known]]:
    """Yield each row that names what does not exist, the name, and what there is."""
    rows: list[tuple[Row, Mapping[str, Known]]] = [
        *((agent, NAMED_BY_AGENTS) for agent in Agent.objects.all()),
        *((one, NAMED_BY_GUARDRAILS) for one in Guardrail.objects.all()),
        *((one, NAMED_BY_SERVERS) for one in McpServer.objects.all()),
    ]
    for row, fields in rows:
        for field, known in fields.items():
            name = getattr(row, field)
            if name and name not in known:
                yield row, name, known
