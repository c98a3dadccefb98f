"""Tools of the test site: one of each behaviour a real site may show."""

from __future__ import annotations

import threading
import time
from datetime import date, timedelta
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import Field

from realtime_widget.exceptions import ToolError
from realtime_widget.handlers import ToolContext, function_handler

# Set by a test that wants to let ``blocked`` go on.
release = threading.Event()


@function_handler
async def order_status(context: ToolContext, order_number: str) -> dict[str, Any]:
    """Look up an order of the signed-in customer.

    Args:
        order_number: The number printed on the confirmation mail.
    """
    return {
        "order_number": order_number,
        "status": "shipped",
        "arrives": date(2030, 1, 1) + timedelta(days=1),
        "total": Decimal("12.50"),
        "user": context.user.get_username(),
    }


@function_handler
def opening_hours(
    context: ToolContext,
    day: Literal["monday", "tuesday", "wednesday", "thursday", "friday"],
) -> dict[str, str]:
    """Tell when the shop is open.

    Args:
        day: The day of the week.
    """
    return {"day": day, "open": "09:00", "close": "17:30"}


@function_handler(requires_login=True)
def whoami(context: ToolContext) -> dict[str, Any]:
    """Tell who is signed in."""
    return {"username": context.user.get_username(), "widget": context.widget}


@function_handler(name="close_account", permission="auth.delete_user")
def close_the_account(context: ToolContext) -> str:
    """Close an account; only staff may."""
    return "closed"


@function_handler
def slow(
    context: ToolContext,
    seconds: Annotated[float, Field(ge=0, le=30, description="How long.")] = 2.0,
) -> str:
    """Block a thread, as a slow query does."""
    time.sleep(seconds)
    return "done"


@function_handler
def report(context: ToolContext) -> str:
    """Tell the visitor how far it is."""
    context.progress("Half done")
    release.wait(5)
    return "all done"


@function_handler
def blocked(context: ToolContext) -> str:
    """Block a thread until the test lets it go on."""
    release.wait(30)
    return "released"


@function_handler
def broken(context: ToolContext) -> str:
    """Raise as a handler with a fault does."""
    raise RuntimeError("secret-of-the-traceback")


@function_handler
async def refuses(context: ToolContext) -> str:
    """Refuse with words for the model."""
    raise ToolError("The warehouse is closed until Monday.")


@function_handler
def huge(context: ToolContext, size_bytes: int = 200_000) -> str:
    """Return more than a tool may."""
    return "x" * size_bytes


@function_handler
def unserialisable(context: ToolContext) -> object:
    """Return something JSON has no words for."""
    return object()
