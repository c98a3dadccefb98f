"""Which MCP servers an agent has for one visit."""

from __future__ import annotations

import logging

from django.core.exceptions import ImproperlyConfigured
from django.db.models import Q
from django.views.decorators.debug import sensitive_variables

from realtime_widget.handlers import Visit, registered_tokens
from realtime_widget.models import Agent, McpServer
from realtime_widget.session.config import McpSpec

logger = logging.getLogger(__name__)


def mcp_specs(agent: Agent, visit: Visit) -> tuple[McpSpec, ...]:
    """Return the agent's servers that are there for this visitor on this site.

    The model's side calls them by itself, so who may not use one is not offered it. One
    whose token cannot be had is logged and left out.
    """
    on_site = Q(sites=None)
    if (site_id := getattr(visit.site, "pk", None)) is not None:
        on_site |= Q(sites=site_id)
    rows = agent.mcp_servers.filter(on_site, enabled=True).distinct()
    found = []
    for row in rows:
        if not _may_use(row, visit):
            continue
        spec = _spec(row, visit)
        if spec is not None:
            found.append(spec)
    return tuple(found)


def _may_use(row: McpServer, visit: Visit) -> bool:
    if not (row.requires_login or row.permission):
        return True
    if not visit.user.is_authenticated:
        return False
    return not row.permission or bool(visit.user.has_perm(row.permission))


@sensitive_variables()
def _spec(row: McpServer, visit: Visit) -> McpSpec | None:
    """Return a row as the session needs it, None when its token is not there."""
    if row.token_function:
        token = _visitors_token(row, visit)
        usable = bool(token)
    else:
        token = _common_token(row)
        usable = bool(token) or not row.wants_token
        if not usable:
            logger.error("An MCP server has no usable token. server=%s", row.name)
    if not usable:
        return None
    return McpSpec(
        label=row.name,
        url=row.url,
        connector=row.connector,
        description=row.description,
        tools=tuple(row.tools),
        needs_approval=row.approval != McpServer.Approval.NEVER,
        unasked=frozenset(row.unasked),
        approval_text=row.approval_text,
        spoken_approval=row.approval == McpServer.Approval.SPOKEN,
        max_calls=row.max_calls,
        authorization=token,
    )


@sensitive_variables()
def _common_token(row: McpServer) -> str:
    try:
        return row.token()
    except ImproperlyConfigured:
        return ""


@sensitive_variables()
def _visitors_token(row: McpServer, visit: Visit) -> str:
    """Return what the site's function gives this visitor, "" for nothing."""
    function = registered_tokens.get(row.token_function)
    if function is None:
        logger.error("An MCP server's function does not exist. server=%s", row.name)
        return ""
    try:
        return str(function(visit) or "")
    except Exception as exc:
        # The traceback stays out: its last line may hold the token.
        logger.error(
            "An MCP server's token failed: %s server=%s", type(exc).__name__, row.name
        )
        return ""
