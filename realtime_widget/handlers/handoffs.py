"""What of a talk the next agent gets to know: functions by name.

A site writes them in ``realtime_tools.py`` of any installed app::

    from realtime_widget.handlers import ToolContext, handoff_filter

    @handoff_filter
    def only_questions(context: ToolContext, items):
        \"\"\"Keep what the visitor has said.\"\"\"
        return [item for item in items if item.role == "user"]
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, TypeVar

from asgiref.sync import iscoroutinefunction

from realtime_widget.handlers.context import ToolContext
from realtime_widget.handlers.execution import in_thread, run_handler
from realtime_widget.handlers.names import register
from realtime_widget.handlers.registry import Handler
from realtime_widget.session.ports import HISTORY, HandoffItem
from realtime_widget.threads import OwnThreadContext

F = TypeVar("F", bound=Callable[..., Any])

NO_ARGUMENTS: Final[dict[str, Any]] = {"type": "object", "properties": {}}
LAST_MESSAGES: Final = 10

# Name -> function of the context and the items, of every imported module.
registered_filters: dict[str, Callable[..., Any]] = {}


def handoff_filter(function: F) -> F:
    """Let agents choose this function as the filter of what they take over.

    Args:
        function: ``def`` or ``async def`` of the context and a list of ``HandoffItem``,
            oldest first; returns those that stay.

    Raises:
        ValueError: If another function has this name.
    """
    register(registered_filters, function, "handoff filters")
    return function


@handoff_filter
def without_tools(
    context: ToolContext, items: Sequence[HandoffItem]
) -> list[HandoffItem]:
    """Keep what was said, without calls and their answers."""
    return [item for item in items if item.kind == "message"]


@handoff_filter
def last_ten_messages(
    context: ToolContext, items: Sequence[HandoffItem]
) -> list[HandoffItem]:
    """Keep the ten newest messages, and nothing else."""
    return without_tools(context, items)[-LAST_MESSAGES:]


def filtered_handoff(
    name: str, hook: Handler | None, filter_: Callable[..., Any]
) -> Handler:
    """Return what runs when an agent with a filter takes over.

    A filter that fails stops the handoff: what was not to be passed on is not.

    Args:
        name: Of the tool.
        hook: The function that runs before, None for none.
        filter_: Chooses what stays.
    """

    async def hand_over(context: ToolContext, /, **arguments: Any) -> dict[str, Any]:
        if hook is not None:
            await run_handler(hook, context, arguments)
        items = HISTORY.get()
        return {"kept": _ids(await _filtered(filter_, context, list(items)))}

    return Handler(
        name=name,
        function=hand_over,
        description="",
        parameters=hook.parameters if hook else NO_ARGUMENTS,
        arguments=None,
        run_in="loop",
    )


async def _filtered(
    filter_: Callable[..., Any], context: ToolContext, items: list[HandoffItem]
) -> Iterable[HandoffItem]:
    if not iscoroutinefunction(filter_):
        kept: Iterable[HandoffItem] = await in_thread(lambda: filter_(context, items))
        return kept
    async with OwnThreadContext():
        kept = await filter_(context, items)
    return kept


def _ids(items: Iterable[HandoffItem]) -> list[str]:
    return [item.item_id for item in items]
