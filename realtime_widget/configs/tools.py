"""Which tools an agent has on a site, and what answers each."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from django.db.models import Q

from realtime_widget.conf import get_conf
from realtime_widget.handlers import Handler, registered
from realtime_widget.handlers.webhooks import Webhook, webhook_handler
from realtime_widget.models import Agent, FunctionHandler, Tool, Widget
from realtime_widget.models.webhooks import find_secret, is_listed_webhook
from realtime_widget.session.config import ToolSpec

logger = logging.getLogger(__name__)

ANYTHING: dict[str, Any] = {"type": "object", "properties": {}}


@dataclass(frozen=True, slots=True)
class Resolved:
    """A tool of an agent with what answers it on one site."""

    tool: Tool
    handler: Handler


def resolve(tools: Iterable[Tool], site: Any) -> list[Resolved]:
    """Return the tools that something answers on a site.

    The row for this site wins, then the row for every site, then the function that
    is called as the tool is - or the page, for a tool that runs there.
    """
    tools = list(tools)
    site_id = getattr(site, "pk", None)
    rows = FunctionHandler.objects.filter(tool__in=tools).filter(
        Q(site=None) | Q(site=site_id) if site_id is not None else Q(site=None)
    )
    by_place = {(row.tool_id, row.site_id): row for row in rows}
    found = []
    for tool in tools:
        row = by_place.get((tool.pk, site_id)) or by_place.get((tool.pk, None))
        handler = _handler(tool, row or _row_by_name(tool))
        if handler is not None:
            found.append(Resolved(tool, _guarded(handler, tool)))
    return found


def _row_by_name(tool: Tool) -> FunctionHandler:
    """Return what answers a tool that has no row for its site."""
    in_page = tool.runs_on == Tool.RunsOn.BROWSER
    kinds = FunctionHandler.Kind
    kind = kinds.BROWSER if in_page else kinds.FUNCTION
    return FunctionHandler(tool=tool, kind=kind, handler=tool.name)


def _handler(tool: Tool, row: FunctionHandler) -> Handler | None:
    """Return what a row names, None for nothing and for what is not there."""
    kinds = FunctionHandler.Kind
    if row.kind == kinds.NOTHING:
        return None
    if row.kind == kinds.BROWSER:
        return _page_handler(tool)
    if row.kind == kinds.WEBHOOK:
        return _webhook_handler(tool, row)
    if row.handler not in registered:
        logger.warning(
            "A tool has no function and is left out. tool=%s handler=%s",
            tool.name,
            row.handler,
        )
    return registered.get(row.handler)


def _page_handler(tool: Tool) -> Handler:
    """Return the handler that stands for a function of the page."""

    def not_here(context: Any) -> None:
        raise RuntimeError("the page runs this")

    return Handler(
        name=tool.name,
        function=not_here,
        description="",
        parameters={},
        arguments=None,
        run_in="page",
    )


def _webhook_handler(tool: Tool, row: FunctionHandler) -> Handler | None:
    secret = find_secret(row.secret_name)
    if not secret:
        logger.warning(
            "A webhook's secret is not set; its tool is left out. tool=%s", tool.name
        )
        return None
    return webhook_handler(
        Webhook(
            tool=tool.name,
            url=row.url,
            secret=secret,
            public_only=not is_listed_webhook(row.url),
            output_bytes=get_conf().TOOL_OUTPUT_BYTES,
        )
    )


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
    """Return what may be called in a session of this widget.

    Returns:
        Name of the tool -> handler, with the login and the permissions that its row
        demands added to the function's own. Disabled tools are not in it.
    """
    found = resolve(enabled_tools(widget.agent), site)
    return {one.tool.name: one.handler for one in found}


def spec_of(one: Resolved) -> ToolSpec:
    """Return a tool as the model sees it."""
    tool, handler = one.tool, one.handler
    asks = tool.approval != Tool.Approval.NEVER
    return ToolSpec(
        name=tool.name,
        description=tool.description or handler.description,
        parameters=tool.parameters or handler.parameters or ANYTHING,
        runs_on="browser" if handler.run_in == "page" else "server",
        timeout_s=timeout_s(tool, handler),
        needs_approval=asks,
        approval_text=tool.approval_text,
        spoken_approval=tool.approval == Tool.Approval.SPOKEN,
        cancel_on_barge_in=tool.on_barge_in == Tool.OnBargeIn.CANCEL,
        max_calls=tool.max_calls,
        filler=tool.filler,
        # A function checks its own, but only when it runs: nobody is asked to allow
        # what cannot be done.
        checks_arguments=handler.arguments is None or asks,
    )
