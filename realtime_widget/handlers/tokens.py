"""Access tokens of MCP servers that a function of the site gives, for each visitor."""

from __future__ import annotations

from collections.abc import Callable

from realtime_widget.handlers.instructions import Visit
from realtime_widget.handlers.names import register

GivesToken = Callable[[Visit], str]

# Name -> function, of every imported ``realtime_tools`` module.
registered_tokens: dict[str, GivesToken] = {}


def mcp_token(function: GivesToken) -> GivesToken:
    """Let MCP servers take their access token from this ``def`` of a ``Visit``.

    It is called once a session, in a thread. Without a token ("") the server is not
    there for this visitor.

    Raises:
        ValueError: If another function has this name.
    """
    register(registered_tokens, function, "functions for tokens")
    return function
