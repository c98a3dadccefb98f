"""The responses that are in progress: at most one in the conversation, some beside it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from realtime_widget.engine.conversation import errors
from realtime_widget.engine.conversation.items import Items
from realtime_widget.engine.conversation.plan import Plan
from realtime_widget.engine.conversation.rate_limits import RateLimits
from realtime_widget.engine.conversation.responses import Response
from realtime_widget.engine.conversation.work import Outbox

# Answers beside the conversation (``conversation: none``) and in it, at a time.
MAX_RESPONSES: Final = 8


class Answers:
    """Begins responses, brings them the results of work, lets go of them.

    Args:
        items: The conversation.
        limits: What the session's answers may use.
        outbox: Where events and work go.
    """

    def __init__(self, items: Items, limits: RateLimits, outbox: Outbox) -> None:
        self._items = items
        self._limits = limits
        self._outbox = outbox
        self._conversation_id = outbox.new_id("conv")
        self._responses: dict[str, Response] = {}
        self.voice_locked = False

    @property
    def wake_s(self) -> float | None:
        """When ``tick`` has to be called at the latest, None for not by the clock."""
        times = [r.resume_s for r in self._responses.values() if r.resume_s is not None]
        return min(times, default=None)

    @property
    def busy(self) -> bool:
        """Whether any response is in progress."""
        return bool(self._responses)

    def active(self) -> Response | None:
        """Return the response of the conversation that is in progress."""
        for response in self._responses.values():
            if response.plan.in_conversation and not response.ended:
                return response
        return None

    def find(self, response_id: str) -> Response | None:
        """Return a response that is in progress, in the conversation or beside it."""
        return self._responses.get(response_id)

    def check(self, plan: Plan, session: Mapping[str, Any]) -> None:
        """Check that a response may begin.

        Args:
            plan: What it is made from.
            session: The session object.

        Raises:
            EventRefused: If it may not.
        """
        if plan.in_conversation:
            active = self.active()
            if active is not None:
                raise errors.response_active(active.response_id)
            voice = session["audio"]["output"]["voice"]
            if self.voice_locked and plan.config["audio"]["output"]["voice"] != voice:
                raise errors.voice_locked()
        if len(self._responses) >= MAX_RESPONSES:
            raise errors.too_many_responses(MAX_RESPONSES)

    def begin(self, plan: Plan, now_s: float) -> None:
        """Begin a response; ``settle`` asks the dialogue for it."""
        response = Response(
            self._outbox.new_id("resp"),
            plan,
            conversation_id=self._conversation_id,
            items=self._items,
            outbox=self._outbox,
        )
        self._responses[response.response_id] = response
        spent = self._limits.spent(now_s)
        self._limits.take("requests", 1, now_s)
        response.begin(spent)

    def settle(self, language: str, now_s: float) -> list[Response]:
        """Ask for what can be asked for now; let go of and return what has ended."""
        ended: list[Response] = []
        for response in list(self._responses.values()):
            response.ask(language, now_s)
            if response.ended:
                del self._responses[response.response_id]
                ended.append(response)
                self._limits.take("tokens", response.cost_tokens, now_s)
                self._outbox.send(
                    "rate_limits.updated", rate_limits=self._limits.public(now_s)
                )
        return ended

    def tick(self, now_s: float) -> None:
        """Go on with spoken answers that waited for the clock."""
        for response in self._responses.values():
            if response.resume_s is not None and now_s >= response.resume_s:
                response.advance(now_s)

    def spoken(self, response_id: str, pcm: bytes, now_s: float) -> bool:
        """Take audio of a sentence; from now on the voice cannot change.

        Returns:
            Whether the answer ended with it, because it has grown too long.
        """
        response = self._responses.get(response_id)
        if response is None:
            return False
        response.spoken(pcm, now_s)
        self.voice_locked = self.voice_locked or response.has_audio
        return response.ended
