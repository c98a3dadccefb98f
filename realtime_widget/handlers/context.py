"""What a handler is told about the session it works for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any


def _nobody_listens(_note: str) -> None:
    """Take a note of progress where no page shows it."""


@dataclass(frozen=True, slots=True)
class ToolContext:
    """The first argument of every handler.

    Attributes:
        user: The signed-in user, or ``AnonymousUser``; loaded once a session.
        site: The ``Site`` the page belongs to; None without the sites framework.
        widget: Slug of the widget.
        conversation_id: UUID of the conversation's record.
        call_id: The protocol's id of this call, the same when it is delivered twice.
        language: Language of the page, "" when unknown. It is also the active
            translation while the handler runs.
    """

    user: Any
    site: Any = None
    widget: str = ""
    conversation_id: str = ""
    language: str = ""
    call_id: str = ""
    on_progress: Callable[[str], None] = field(default=_nobody_listens, repr=False)

    def progress(self, note: str = "") -> None:
        """Tell the waiting visitor that the work goes on.

        May be called from any thread and as often as the handler likes; the page
        shows the latest note beside the tool's name. Never raises.

        Args:
            note: A few words in the visitor's language, cut at 200 characters.
        """
        self.on_progress(str(note)[:200])
