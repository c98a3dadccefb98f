"""Which tools an agent has on a site, and which function answers each."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import replace
from typing import Any, Literal, cast

from django.db.models import Q

from realtime_widget.conf import get_conf
from realtime_widget.handlers import Handler, registered
from realtime_widget.models import Agent, FunctionHandler, Tool, Widget
from realtime_widget.session.config import ToolSpec

logger = logging.getLogger(__name__)


def resolve(tools: Iterable[Tool], site: Any) -> dict[str, Handler]:
    """Return the function behind each server-side tool that has one.

    The row for this site wins, then the row for every site, then the function that
    is called as the tool is.
    """
    tools = [tool for tool in tools if tool.runs_on == Tool.RunsOn.SERVER]
    site_id = getattr(site, "pk", None)
    rows = FunctionHandler.objects.filter(tool__in=tools).filter(
        Q(site=None) | Q(site=site_id) if site_id is not None else Q(site=None)
    )
    named = {(row.tool_id, row.site_id): row.handler for row in rows}
    found = {}
    for tool in tools:
        name = named.get((tool.pk, site_id)) or named.get((tool.pk, None)) or tool.name
        if name in registered:
            found[tool.name] = _guarded(registered[name], tool)
        else:
            logger.warning(
                "A tool has no function and is left out. tool=%s handler=%s",
                tool.name,
                name,
            )
    return found


def _guarded(handler: Handler, tool: Tool) -> Handler:
    """Return the handler with what the row demands besides the function itself."""
    permissions = dict.fromkeys((*handler.permissions, tool.permission))
    permissions.pop("", None)
    return replace(
        handler,
        requires_login=handler.requires_login
        or tool.requires_login
        or bool(permissions),
        permissions=tuple(permissions),
        timeout_s=timeout_s(tool, handler),
    )


def timeout_s(tool: Tool, handler: Handler | None) -> float:
    """Return how long a tool may take: the row's, the function's or the site's."""
    if tool.timeout_s is not None:
        return tool.timeout_s
    if handler is not None and handler.timeout_s is not None:
        return handler.timeout_s
    return get_conf().TOOL_TIMEOUT_S


def enabled_tools(agent: Agent) -> list[Tool]:
    """Return the agent's tools that are switched on."""
    return list(agent.tools.filter(enabled=True))


def resolved_handlers(widget: Widget, site: Any) -> dict[str, Handler]:
    """Return the functions that may be called in a session of this widget.

    Returns:
        Name of the tool -> handler, with the login and the permissions that its row
        demands added to the function's own. Disabled tools are not in it.
    """
    return resolve(enabled_tools(widget.agent), site)


def tool_specs(agent: Agent, site: Any) -> tuple[ToolSpec, ...]:
    """Return the agent's tools as the model sees them."""
    tools = enabled_tools(agent)
    handlers = resolve(tools, site)
    return tuple(
        ToolSpec(
            name=tool.name,
            description=tool.description or _description(handlers.get(tool.name)),
            parameters=tool.parameters or _parameters(handlers.get(tool.name)),
            runs_on=cast(Literal["server", "browser"], tool.runs_on),
            timeout_s=timeout_s(tool, handlers.get(tool.name)),
        )
        for tool in tools
        if tool.name in handlers or tool.runs_on == Tool.RunsOn.BROWSER
    )


def _description(handler: Handler | None) -> str:
    return handler.description if handler else ""


def _parameters(handler: Handler | None) -> dict[str, Any]:
    return handler.parameters if handler else {"type": "object", "properties": {}}
