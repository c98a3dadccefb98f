"""Whether anybody is there: a page may go without a word, and come back.

While nobody is there the session lives on. An answer that is spoken stops where it was
heard, and none is given into the void; what is answered in writing, and what tools
answer, is kept. Whoever comes back is told how things are, and hears the answer that is
still owed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from realtime_widget.session.introducing import introduce

if TYPE_CHECKING:
    from realtime_widget.session.core import SessionCore

# What was typed or said meanwhile comes with the page; one answer is for all of it.
GO_ON_S: Final = 0.5


class Presence:
    """Whether a page is there.

    Attributes:
        away: Whether there is none.
    """

    def __init__(self) -> None:
        self.away = False
        self._go_on_s: float | None = None

    def leave(self, core: SessionCore, now_s: float) -> None:
        """Go on without a page."""
        self.away = True
        self._go_on_s = None
        if core.talk_key.held:
            core.talk_key.drop()
            core.turns.speech_dropped(now_s)
        if not core.config.text_only:
            core.answers.leave(now_s)

    def come_back(self, core: SessionCore, now_s: float) -> None:
        """Go on with a page that knows nothing of what happened meanwhile."""
        self.away = False
        introduce(core, again=True)
        core.answers.come_back(now_s)
        core.lifetime.warn_again(core.answers.playback.end_s(), now_s)
        core.transcript.show_open()
        core.tools.ask_again()
        if core.turns.owes or not core.answers.settled:
            self._go_on_s = now_s + GO_ON_S
        else:
            core.turns.go_on(now_s)

    def tick(self, core: SessionCore, now_s: float) -> None:
        """Ask for the answer that is owed, when the page has said what it had to."""
        if self._go_on_s is None or now_s < self._go_on_s:
            return
        # What was heard of the last answer comes before the next one.
        self._go_on_s = None if core.answers.settled else now_s + GO_ON_S
        if self._go_on_s is None:
            core.turns.go_on(now_s)

    def next_deadline_s(self) -> float | None:
        """Return when ``tick`` has something to do."""
        return self._go_on_s
