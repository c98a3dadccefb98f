"""The Python functions that a model may call.

A site writes them in ``realtime_tools.py`` of any installed app::

    from realtime_widget.handlers import ToolContext, function_handler

    @function_handler
    async def order_status(context: ToolContext, order_number: str) -> dict:
        \"\"\"Look up an order of the signed-in customer.

        Args:
            order_number: The number printed on the confirmation mail.
        \"\"\"

Only functions decorated this way can be called: a row in the database names one,
it never holds an import path.
"""

from __future__ import annotations

from realtime_widget.handlers.context import ToolContext
from realtime_widget.handlers.execution import run_handler
from realtime_widget.handlers.registry import (
    Handler,
    autodiscover,
    function_handler,
    registered,
)

__all__ = [
    "Handler",
    "ToolContext",
    "autodiscover",
    "function_handler",
    "registered",
    "run_handler",
]
