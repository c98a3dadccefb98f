"""Whose turn it is: at most one response at a time, and none over the visitor.

The server makes responses by itself when its turn detection hears the end of the
visitor's speech. What we ask for ourselves (typed messages, tool answers, the
greeting) waits until nothing runs, and several wishes become one response.

Source: Realtime API, ``response.create`` and the error
``conversation_already_has_active_response``.
"""

from __future__ import annotations

from collections import deque
from typing import Any

from realtime_widget.session.effects import Effects

# The server needs so long at most from the end of speech to its own response.
OWN_RESPONSE_S = 3.0
# A request that neither starts nor fails is given up after this.
REQUEST_S = 20.0
# Ids of ended or silenced responses that are remembered, for late events.
REMEMBERED = 64


class Turns:
    """The visitor's speech and the model's responses.

    Args:
        effects: Where events are collected.

    Attributes:
        active_id: The response that runs, "" when none does.
        speaking: Whether the visitor speaks.
    """

    def __init__(self, effects: Effects) -> None:
        self._effects = effects
        self._created = 0
        self._request_id = ""
        self._sent_id = ""
        self._sent_parameters: dict[str, Any] = {}
        self._request_until_s = 0.0
        self._wanted: dict[str, Any] | None = None
        self._answer_until_s: float | None = None
        self._cancel_until_s: float | None = None
        self._cancelled_id = ""
        self._silenced: deque[str] = deque(maxlen=REMEMBERED)
        self._ended: deque[str] = deque(maxlen=REMEMBERED)
        self._paused = False
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
        self._create_if_free(now_s)

    def speech_started(self) -> None:
        """Hold back responses of our own while the visitor speaks."""
        self.speaking = True
        self._answer_until_s = None
        self._cancel_until_s = None

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

    def response_created(self, response_id: str) -> None:
        """Note that a response runs; it covers everything asked for so far."""
        if response_id in self._ended:
            return
        if self._paused:
            if self._answer_until_s is not None:
                self._owe({})
        elif not self._request_id:
            # The server's own; items that were added before it are answered by it.
            self._wanted = None
        self._request_id = ""
        self._answer_until_s = None
        self.active_id = response_id
        if self._paused or self._cancel_until_s is not None:
            self._cancel_until_s = None
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
        self._request_id = ""
        self._create_if_free(now_s)
        return True

    def lost(self) -> bool:
        """Forget everything that runs: the model's side is gone.

        Returns:
            Whether an answer was on its way.
        """
        waited = self.thinking
        if self.active_id:
            self._ended.append(self.active_id)
        self.active_id = self._request_id = ""
        self._wanted = self._answer_until_s = self._cancel_until_s = None
        self.speaking = False
        return waited

    def request_failed(self, event_id: str, code: str, now_s: float) -> bool:
        """Note an error that may belong to the pending ``response.create``.

        Returns:
            True when it does.
        """
        # Some servers do not say what an error belongs to; ours is the likely one.
        ours = event_id == self._sent_id if event_id else bool(self._request_id)
        if not ours:
            return False
        self._request_id = ""
        if code == "conversation_already_has_active_response":
            # A response of the server's own came first and may not know the newest
            # items. Ours follows its response.done.
            self._wanted = {**self._sent_parameters, **(self._wanted or {})}
            if not self.active_id:
                self._answer_until_s = now_s + OWN_RESPONSE_S
        else:
            self._create_if_free(now_s)
        return True

    def cancel(self, now_s: float) -> None:
        """Stop the running or coming response, and forget those asked for."""
        self._wanted = None
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
        if response_id == self.active_id and response_id != self._cancelled_id:
            self._cancelled_id = response_id
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
            or self.active_id
            or self._request_id
            or self.speaking
            or self._answer_until_s is not None
        )
