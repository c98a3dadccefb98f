"""The table of handlers, filled by the decorator."""

from __future__ import annotations

import inspect
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Literal, ParamSpec, TypeVar, overload

from asgiref.sync import iscoroutinefunction
from django.utils.module_loading import autodiscover_modules
from pydantic import BaseModel

from realtime_widget.handlers.context import ToolContext
from realtime_widget.handlers.names import place_of, refuse_another
from realtime_widget.handlers.signatures import (
    arguments_model,
    json_schema,
    read_docstring,
)

P = ParamSpec("P")
R = TypeVar("R")

# Says whether a visitor may call a function: ``def`` or ``async def``.
Allows = Callable[[ToolContext], bool | Awaitable[bool]]

MODULE_NAME = "realtime_tools"
# Names of functions in the Realtime API, tools[].name.
TOOL_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")


@dataclass(frozen=True, slots=True)
class Handler:
    """One decorated function.

    Attributes:
        name: What a Tool row and the model call it.
        function: The function as written.
        description: The docstring without its sections.
        parameters: JSON Schema of the arguments.
        arguments: Checks the arguments; None where somebody else does.
        run_in: ``loop`` for ``async def``, ``thread`` for ``def``, ``page`` for a
            function that the visitor's page runs.
        timeout_s: Its own bound, None for the tool's.
        requires_login: Whether an anonymous visitor is refused.
        permissions: Permissions the user needs, all of them (``app.codename``).
        allows: Asked with the context before each call, None for nobody.
    """

    name: str
    function: Callable[..., Any] = field(repr=False)
    description: str
    parameters: dict[str, Any] = field(repr=False)
    arguments: type[BaseModel] | None = field(repr=False)
    run_in: Literal["loop", "thread", "page"]
    timeout_s: float | None = None
    requires_login: bool = False
    permissions: tuple[str, ...] = ()
    allows: Allows | None = field(default=None, repr=False)

    @property
    def path(self) -> str:
        """Return where the function is, for people."""
        return place_of(self.function)


# Name -> handler, of every imported ``realtime_tools`` module.
registered: dict[str, Handler] = {}


@overload
def function_handler(function: Callable[P, R], /) -> Callable[P, R]: ...


@overload
def function_handler(
    *,
    name: str = "",
    timeout_s: float | None = None,
    requires_login: bool = False,
    permission: str | Allows = "",
) -> Callable[[Callable[P, R]], Callable[P, R]]: ...


def function_handler(
    function: Callable[..., Any] | None = None,
    /,
    *,
    name: str = "",
    timeout_s: float | None = None,
    requires_login: bool = False,
    permission: str | Allows = "",
) -> Any:
    """Let a model call this function.

    Args:
        function: Takes ``context`` first; every other parameter has a type.
        name: What the model calls it; the function's name when "".
        timeout_s: Longest time it may take; the tool's when None.
        requires_login: Refuse visitors who are not signed in.
        permission: Refuse users without this permission (``app.codename``), or
            visitors for whom this function of the context does not return true.

    Returns:
        The function itself, or a decorator that does.

    Raises:
        ValueError: If the name is taken or not allowed, or the signature cannot
            be called with named JSON values.
    """

    def register(function: Callable[..., Any]) -> Callable[..., Any]:
        description, words = read_docstring(function)
        arguments = arguments_model(function, words)
        chosen = name or function.__name__
        permissions = (
            (permission,) if isinstance(permission, str) and permission else ()
        )
        _add(
            Handler(
                name=chosen,
                function=function,
                description=description or chosen.replace("_", " "),
                parameters=json_schema(arguments),
                arguments=arguments,
                run_in="loop" if iscoroutinefunction(function) else "thread",
                timeout_s=timeout_s,
                requires_login=requires_login or bool(permissions),
                permissions=permissions,
                allows=permission if callable(permission) else None,
            )
        )
        return function

    return register if function is None else register(function)


def _add(handler: Handler) -> None:
    """Put a handler into the table; the same function may come again."""
    if not TOOL_NAME.fullmatch(handler.name):
        raise ValueError(
            f"{handler.path}: tool name {handler.name!r} is not 1 to 64 letters, "
            "digits, '_' or '-'."
        )
    if inspect.isgeneratorfunction(handler.function) or inspect.isasyncgenfunction(
        handler.function
    ):
        raise ValueError(f"{handler.path}: a tool returns a value, it cannot yield.")
    present = registered.get(handler.name, handler)
    refuse_another("tools", handler.name, present.function, handler.function)
    registered[handler.name] = handler


def dict_handler(name: str, function: Callable[[dict[str, Any]], Any]) -> Handler:
    """Return a function of one dict as the handler of a tool; it is not registered.

    Args:
        name: What the model calls it.
        function: ``def`` or ``async def`` of the arguments, which somebody else checks.
    """
    is_async = iscoroutinefunction(function)

    def call(context: ToolContext, /, **arguments: Any) -> Any:
        return function(arguments)

    async def acall(context: ToolContext, /, **arguments: Any) -> Any:
        return await function(arguments)

    return Handler(
        name=name,
        function=acall if is_async else call,
        description="",
        parameters={},
        arguments=None,
        run_in="loop" if is_async else "thread",
    )


def autodiscover() -> None:
    """Import ``realtime_tools`` of every installed app."""
    autodiscover_modules(MODULE_NAME)
