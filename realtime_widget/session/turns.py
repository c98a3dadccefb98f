"""Whose turn it is: at most one response at a time, and none over the visitor.

The server makes responses by itself when its turn detection hears the end of the
visitor's speech. What we ask for ourselves (typed messages, tool answers, the
greeting) waits until nothing runs, and several wishes become one response.

Source: Realtime API, ``response.create`` and the error
``conversation_already_has_active_response``.
"""

from __future__ import annotations

from collections import deque
from typing import Any, Final

from realtime_widget.protocol.upstream_errors import BENIGN
from realtime_widget.session.effects import Effects
from realtime_widget.session.unseen import Unseen

# The server needs so long at most from the end of speech to its own response.
OWN_RESPONSE_S = 3.0
# A request that neither starts nor fails is given up after this.
REQUEST_S = 20.0
REFUSED: Final = "conversation_already_has_active_response"
# Ids of ended or silenced responses that are remembered, for late events.
REMEMBERED = 64


class Turns:
    """The visitor's speech and the model's responses.

    Args:
        effects: Where events are collected.
        unseen: What the model's side does not know yet.

    Attributes:
        active_id: The response that runs, "" when none does.
        speaking: Whether the visitor speaks.
    """

    def __init__(self, effects: Effects, unseen: Unseen) -> None:
        self._effects = effects
        self._unseen = unseen
        self._created = 0
        self._request_id = ""
        self._sent_id = ""
        self._sent_parameters: dict[str, Any] = {}
        # What the last request asks about, as far as the model's side had yet to get it.
        self._sent_about: frozenset[str] = frozenset()
        # Whether the response that runs is surely not the one that was asked for last,
        # and whether it may not be.
        self._overtaken = False
        self._unsure = False
        # Whether only what the model's side had yet to get kept a wish from being granted.
        self._kept = False
        # The last request that the visitor has interrupted.
        self._forgotten_id = ""
        self._request_until_s = 0.0
        self._wanted: dict[str, Any] | None = None
        self._answer_until_s: float | None = None
        self._cancel_until_s: float | None = None
        self._cancelled: deque[str] = deque(maxlen=REMEMBERED)
        self._silenced: deque[str] = deque(maxlen=REMEMBERED)
        self._ended: deque[str] = deque(maxlen=REMEMBERED)
        self._paused = False
        self._lost = False
        self.active_id = ""
        self.speaking = False

    @property
    def owes(self) -> bool:
        """Return whether an answer is wanted that was not asked for yet."""
        return self._wanted is not None

    @property
    def thinking(self) -> bool:
        """Return whether an answer is on its way."""
        return bool(
            self.active_id
            or self._request_id
            or self._wanted is not None
            or self._answer_until_s is not None
        )

    def want_response(self, now_s: float, **parameters: Any) -> None:
        """Ask for a response as soon as one is possible.

        Args:
            now_s: The time.
            **parameters: Parameters of this response; a later plain wish that is
                merged with it keeps them.
        """
        self._wanted = {**(self._wanted or {}), **parameters}
        self._cancel_until_s = None
        self._kept = False
        self._create_if_free(now_s)

    def speech_started(self) -> None:
        """Hold back responses of our own while the visitor speaks."""
        self.speaking = True
        self._answer_until_s = None
        self._cancel_until_s = None
        if not self._request_id:
            self._forgotten_id = ""

    def speech_stopped(self, now_s: float) -> None:
        """Expect the server's own response to what was said."""
        self.speaking = False
        self._answer_until_s = now_s + OWN_RESPONSE_S

    def speech_committed(self, now_s: float) -> None:
        """Have what was said answered; the server does not do it by itself."""
        self.speaking = False
        # What was being cancelled stays cancelled.
        self._wanted = {}
        self._create_if_free(now_s)

    def speech_dropped(self, now_s: float) -> None:
        """Go on as if the visitor had said nothing."""
        self.speaking = False
        self._create_if_free(now_s)

    def response_created(self, response_id: str, *, unwanted: bool = False) -> None:
        """Note that a response runs.

        The server begins some by itself. Such a one answers the items that were added
        before it, and none that were on their way.

        Args:
            response_id: The response.
            unwanted: Whether it is cut off at once.
        """
        if response_id in self._ended:
            return
        unseen = self._unseen.now()
        self._unseen.response_created()
        known = self._unseen.shows and bool(self._request_id)
        self._overtaken = known and bool(unseen & self._sent_about)
        if self._paused:
            if self._answer_until_s is not None:
                self._owe({})
        elif not self._request_id and not unseen:
            self._wanted = None
        self._kept = not self._request_id and bool(unseen)
        unwanted = unwanted or self._paused or self._cancel_until_s is not None
        if self._request_id and not self._overtaken:
            unwanted = unwanted or self._request_id == self._forgotten_id
            self._unsure = True
            if self.speaking:
                self._forgotten_id = ""
            self._request_id = ""
        self._answer_until_s = self._cancel_until_s = None
        self.active_id = response_id
        if unwanted:
            self.cut_off(response_id)

    def ended(self, response_id: str) -> bool:
        """Return whether a response has ended."""
        return response_id in self._ended

    def response_done(self, response_id: str, now_s: float) -> bool:
        """Note the end of a response.

        Returns:
            False when this response was not running.
        """
        if response_id in self._ended:
            return False
        self._ended.append(response_id)
        if self.active_id not in {"", response_id}:
            return False
        self.active_id = ""
        never_shown = self._unseen.response_done()
        if never_shown or not self._overtaken:
            self._request_id = ""
        if never_shown and self._kept:
            self._wanted = None
        self._unsure = self._overtaken = False
        self._create_if_free(now_s)
        return True

    def lost(self) -> bool:
        """Forget everything that runs: the model's side is gone.

        Returns:
            Whether an answer was on its way.
        """
        waited = self.thinking
        self._lost = True
        if self.active_id:
            self._ended.append(self.active_id)
        self.active_id = self._request_id = ""
        self._unsure = self._overtaken = False
        self._wanted = self._answer_until_s = self._cancel_until_s = None
        self.speaking = False
        return waited

    def renewed(self, now_s: float, *, again: bool) -> None:
        """Go on with another session of the model, by one request for all wishes.

        Args:
            now_s: The time.
            again: Whether an answer was on its way when the old one was lost.
        """
        self._lost = False
        if again:
            self._owe({})
        self._create_if_free(now_s)

    def request_failed(self, event_id: str, code: str, now_s: float) -> bool:
        """Note an error that may belong to a ``response.create``, ours or the server's.

        Returns:
            True when it does.
        """
        refused = code == REFUSED
        if event_id:
            known = event_id == self._sent_id
        else:
            # Some servers do not say what an error belongs to; ours is the likely one.
            known = refused or (bool(self._request_id) and code not in BENIGN)
        if not known:
            return False
        ours = bool(event_id or self._request_id or self._unsure)
        forgotten = ours and self._sent_id == self._forgotten_id
        self._request_id = ""
        if not refused or forgotten:
            self._create_if_free(now_s)
            return True
        # Another response came first and may not know the newest items, or what was
        # said last. Ours follows its response.done.
        parameters = self._sent_parameters if ours else {}
        self._wanted = {**parameters, **(self._wanted or {})}
        if not event_id:
            self._answer_until_s = None
        if not self.active_id:
            self._answer_until_s = now_s + OWN_RESPONSE_S
        return True

    def cancel(self, now_s: float) -> None:
        """Stop the running or coming response, and forget those asked for."""
        self._wanted = None
        self._forgotten_id = self._sent_id
        if self.active_id:
            self.cut_off(self.active_id)
        elif self._request_id or self._answer_until_s is not None:
            self._cancel_until_s = now_s + OWN_RESPONSE_S
        self._answer_until_s = None

    def pause(self, now_s: float, *, owed: bool) -> None:
        """Let nobody answer until ``go_on``: there is nobody to hear it.

        Args:
            now_s: The time.
            owed: Whether somebody waits for an answer that is not on its way any more.
        """
        wanted = self._wanted
        if wanted is None and self._request_id:
            wanted = self._sent_parameters
        self.cancel(now_s)
        self._paused = True
        if owed or wanted is not None:
            self._owe(wanted or {})

    def go_on(self, now_s: float) -> None:
        """Answer again, and first what is owed."""
        self._paused = False
        self._create_if_free(now_s)

    def _owe(self, parameters: dict[str, Any]) -> None:
        if self._wanted is None:
            self._wanted = parameters

    def cut_off(self, response_id: str) -> None:
        """Cancel one response and let nothing more of it through."""
        if response_id == self.active_id and response_id not in self._cancelled:
            self._cancelled.append(response_id)
            self._effects.upstream(
                {"type": "response.cancel", "response_id": response_id}
            )
        if response_id not in self._silenced:
            self._silenced.append(response_id)

    def silence(self) -> None:
        """Let nothing more of the running response through."""
        if self.active_id and self.active_id not in self._silenced:
            self._silenced.append(self.active_id)

    def silenced(self, response_id: str) -> bool:
        """Return whether a response was cut off by the visitor."""
        return response_id in self._silenced

    def tick(self, now_s: float) -> None:
        """Give up waiting for what did not come."""
        if self._answer_until_s is not None and now_s >= self._answer_until_s:
            self._answer_until_s = None
        if self._cancel_until_s is not None and now_s >= self._cancel_until_s:
            self._cancel_until_s = None
        if self._request_id and now_s >= self._request_until_s:
            self._request_id = ""
            if self._sent_id != self._forgotten_id:
                self._effects.error("response_failed")
        self._create_if_free(now_s)

    def next_deadline_s(self) -> float | None:
        """Return when ``tick`` has something to do."""
        request = self._request_until_s if self._request_id else None
        deadlines = (self._answer_until_s, self._cancel_until_s, request)
        return min((d for d in deadlines if d is not None), default=None)

    def _create_if_free(self, now_s: float) -> None:
        if self._wanted is None or self._busy:
            return
        self._created += 1
        self._request_id = self._sent_id = f"response_{self._created}"
        self._sent_parameters = self._wanted
        self._sent_about = self._unseen.now()
        self._request_until_s = now_s + REQUEST_S
        event: dict[str, Any] = {
            "type": "response.create",
            "event_id": self._request_id,
        }
        if self._wanted:
            event["response"] = self._wanted
        self._wanted = None
        self._effects.upstream(event)

    @property
    def _busy(self) -> bool:
        return bool(
            self._paused
            or self._lost
            or self.active_id
            or self._request_id
            or self.speaking
            or self._answer_until_s is not None
        )
