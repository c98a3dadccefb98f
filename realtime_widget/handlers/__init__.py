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
from realtime_widget.handlers.execution import permit, run_handler
from realtime_widget.handlers.guardrails import (
    Guard,
    SessionGuardrails,
    denied_words,
    guardrail,
    registered_guardrails,
)
from realtime_widget.handlers.handoffs import (
    filtered_handoff,
    handoff_filter,
    registered_filters,
)
from realtime_widget.handlers.instructions import (
    Visit,
    instructions_function,
    registered_instructions,
)
from realtime_widget.handlers.registry import (
    Handler,
    autodiscover,
    dict_handler,
    function_handler,
    registered,
)
from realtime_widget.handlers.tokens import mcp_token, registered_tokens

__all__ = [
    "Guard",
    "Handler",
    "SessionGuardrails",
    "ToolContext",
    "Visit",
    "autodiscover",
    "denied_words",
    "dict_handler",
    "filtered_handoff",
    "function_handler",
    "guardrail",
    "handoff_filter",
    "instructions_function",
    "mcp_token",
    "permit",
    "registered",
    "registered_filters",
    "registered_guardrails",
    "registered_instructions",
    "registered_tokens",
    "run_handler",
]
