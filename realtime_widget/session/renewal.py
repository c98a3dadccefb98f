"""Going on with a new session of the model: the old one was lost, or grows too old.

The conversation, its record and the page's session stay what they are. The new session
is configured as the old one was by now, is told what was said and what tools answered,
and only then what came meanwhile. An answer that was on its way is asked for again;
what of it has reached us is heard to its end.

Source: Realtime API, ``conversation.item.create`` (messages, ``function_call`` and
``function_call_output`` items), error ``session_expired``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from realtime_widget.session import composing
from realtime_widget.session.composing import Event
from realtime_widget.session.effects import Prepare, Redial
from realtime_widget.session.ports import HandoffItem

if TYPE_CHECKING:
    from realtime_widget.session.core import SessionCore

# What a new session is told of the old one: the newest, as the page's resume does.
MAX_ITEMS: Final = 60
MAX_CHARS: Final = 24_000
# A server that loses session after session is not asked for ever.
MAX_LOSSES: Final = 3
LOSSES_S: Final = 60.0
# A rotation that found no silence, or no server, is tried again so much later.
LOOK_AGAIN_S: Final = 1.0
TRY_AGAIN_S: Final = 60.0


class Renewal:
    """How far the change to a new session is.

    Args:
        reconnect_s: A lost session may take so long to be replaced; 0 for never.
        rotate_s: A session this old is replaced in the next silence; 0 for never.

    Attributes:
        under_way: Whether the old session is gone and the new one is not ready.
        told: Whether the visitor is shown that something is being waited for.
    """

    def __init__(self, reconnect_s: float, rotate_s: float) -> None:
        self._reconnect_s = reconnect_s
        self._rotate_s = rotate_s
        self._losses: list[float] = []
        self._rotate_at_s: float | None = None
        self._spare: bool | None = None
        # What the model's side was told by us, by the item's id or the call's.
        self._telling: dict[str, HandoffItem] = {}
        # What the old session had, and what was typed and perhaps never taken by it.
        self._before: list[HandoffItem] = []
        self.asks_again = False
        self.under_way = False
        self.told = False

    def created(self, now_s: float) -> None:
        """Note that the model's side has made a session."""
        if self._rotate_s:
            self._rotate_at_s = now_s + self._rotate_s

    def remember(self, item_id: str, role: str, words: str) -> None:
        """Keep the words that the model's side was told under this id."""
        self._telling[item_id] = HandoffItem(item_id, "message", role, words)

    def next_deadline_s(self) -> float | None:
        """Return when ``tick`` has something to do."""
        return self._rotate_at_s

    # --- the old session is lost ------------------------------------------------

    def lost(self, core: SessionCore, now_s: float) -> bool:
        """Begin to replace a session that is gone.

        Returns:
            False when the talk cannot go on.
        """
        if self.under_way or not (self._reconnect_s and core.started):
            return False
        recent = [at_s for at_s in self._losses if at_s > now_s - LOSSES_S]
        if len(recent) >= MAX_LOSSES:
            return False
        self._losses = [*recent, now_s]
        core.count("upstream_session_lost")
        self.told = True
        self._begin(core, now_s)
        return True

    # --- the old session grows old ----------------------------------------------

    def tick(self, core: SessionCore, now_s: float) -> None:
        """Prepare a new session when the old one is old enough, in a silence."""
        if self._rotate_at_s is None or now_s < self._rotate_at_s:
            return
        self._rotate_at_s = now_s + LOOK_AGAIN_S
        if self.under_way or not quiet(core, now_s):
            return
        if self._spare is None:
            self._spare = False
            self._rotate_at_s = None
            core.effects.add(Prepare())
        elif self._spare:
            self._rotate(core, now_s)

    def prepared(self, core: SessionCore, now_s: float, *, succeeded: bool) -> None:
        """Take whether there is a connection to change to."""
        if not succeeded:
            self._spare = None
            self._rotate_at_s = now_s + TRY_AGAIN_S
            return
        self._spare = True
        self._rotate_at_s = now_s
        self.tick(core, now_s)

    def _rotate(self, core: SessionCore, now_s: float) -> None:
        core.count("upstream_session_rotated")
        self._begin(core, now_s)
        core.effects.add(Redial())

    # --- the change --------------------------------------------------------------

    def _begin(self, core: SessionCore, now_s: float) -> None:
        """Forget what only the old session knew, and hold back what comes now."""
        self.under_way = True
        self._spare = self._rotate_at_s = None
        core.effects.hold()
        untaken = self._untaken(core)
        core.answers.lost()
        unheard = core.transcript.lost()
        self._before = [*core.items.shown(core.transcript, ""), *untaken]
        waited = core.turns.lost()
        core.tools.lost(now_s)
        core.talk_key.held = False
        core.effects.forget_held()
        if unheard and waited:
            # Its words are not known, so nobody can answer them.
            core.effects.error("response_failed")
        self.asks_again = waited and not unheard and not core.tools.busy
        core.await_upstream(now_s + self._reconnect_s)

    def ready(self, core: SessionCore, now_s: float) -> None:
        """Tell the new session what it has to know, then what was held back."""
        events = self._told(core)
        self.under_way = self.told = False
        core.effects.release(events)
        core.turns.renewed(now_s, again=self.asks_again)
        self.asks_again = False

    def _told(self, core: SessionCore) -> list[Event]:
        """Return the events that tell a new session what was said, oldest first."""
        items, self._before = self._before, []
        known, self._telling = self._telling, {}
        left = MAX_CHARS
        told: list[Event] = []
        seen: set[str] = set()
        for item in reversed(items[-MAX_ITEMS:]):
            if item.kind != "message":
                # An answer is met before its call, and goes with it.
                if item.call_id not in seen:
                    seen.add(item.call_id)
                    told.extend(reversed(core.tools.retold(item.call_id)))
                    self._telling[item.call_id] = item
                continue
            words = (known.get(item.item_id) or item).text
            left -= len(words)
            if left < 0:
                break
            if words:
                item_id = core.transcript.next_typed_id()
                self.remember(item_id, item.role, words)
                told.append(composing.message_item(item_id, item.role, words))
        told.reverse()
        self._telling = dict(reversed(self._telling.items()))
        for call_id in core.tools.open_calls():
            if call_id not in seen:
                told.extend(core.tools.retold(call_id))
                self._telling[call_id] = HandoffItem(
                    "", "function_call", call_id=call_id
                )
        return told

    def _untaken(self, core: SessionCore) -> list[HandoffItem]:
        """Return what the old session was sent and has not shown, in its order.

        What it was told when it began is part of that: it may be lost before it has
        shown all of it.
        """
        sent = core.transcript.take_unconfirmed()
        shown = {item.call_id for item in core.items.shown(core.transcript, "")}
        told = [
            item
            for key, item in self._telling.items()
            if (key in sent if item.kind == "message" else key not in shown)
        ]
        typed = [core.transcript.message(item_id) for item_id in sent]
        return [*told, *(item for item in typed if item is not None)]


def quiet(core: SessionCore, now_s: float) -> bool:
    """Return whether nobody says or does anything."""
    return not (
        core.turns.speaking
        or core.turns.thinking
        or core.talk_key.held
        or core.tools.busy
        or core.tools.open_calls()
        or core.answers.playback.active(now_s)
    )
