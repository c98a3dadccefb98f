"""What the agent says, what of it was heard, and how it is interrupted.

Barge-in: when the visitor speaks, the page is told to be silent at once, with the
server's estimate of what was heard. The page answers with the exact figure; only then,
or after ``ANSWER_S``, the model is told where it was cut off.

Source: Realtime API, ``input_audio_buffer.speech_started``,
``conversation.item.truncate``, ``response.cancel``.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final, Literal

from realtime_widget.session.composing import truncate_item
from realtime_widget.session.config import SessionConfig
from realtime_widget.session.effects import Effects, Note
from realtime_widget.session.playback import Cut, Playback
from realtime_widget.session.transcript import Status, Transcript
from realtime_widget.session.turns import Turns

# How long the page may take to say what was heard before it fell silent.
ANSWER_S: Final = 0.3
# An answer is cancelled when so much of it waits for a page that takes nothing.
STALLED_QUEUE_MS: Final = 20_000
STALLED_QUEUE_S: Final = 3.0
# Own ``event_id`` of truncations: their errors are races and never matter.
TRUNCATE_ID: Final = "truncate_"

ENDINGS: Final[dict[str, Status]] = {
    "completed": "completed",
    "cancelled": "interrupted",
    "incomplete": "interrupted",
    "failed": "failed",
}


class Answers:
    """The agent's answers of one session.

    Args:
        effects: Where events and messages are collected.
        config: The session's configuration.
        transcript: Where the words go.
        turns: Which response runs.
    """

    def __init__(
        self,
        effects: Effects,
        config: SessionConfig,
        transcript: Transcript,
        turns: Turns,
    ) -> None:
        self._effects = effects
        self._transcript = transcript
        self._turns = turns
        limits = config.limits
        self.playback = Playback(
            config.audio,
            lead_s=limits.playback_lead_s,
            stalled_s=limits.stalled_browser_s,
            own_bytes=limits.waiting_audio_bytes,
            spare_bytes=limits.spare_audio_bytes,
        )
        self._max_bytes = int(
            limits.max_response_audio_s * 1000 * config.audio.bytes_per_ms
        )
        self._counted_id = ""
        self._counted_bytes = 0
        self._truncated = 0
        self._cuts: list[Cut] = []
        self._settle_s: float | None = None
        self._played_out_s = 0.0
        self._gone: frozenset[str] = frozenset()
        self.writing = False

    @property
    def spoken(self) -> bool:
        """Return whether any audio of an answer has come in this session."""
        return bool(self._counted_id)

    def audio(self, item_id: str, response_id: str, audio: bytes, now_s: float) -> bool:
        """Queue a piece of an answer's audio. HOT: called for every delta.

        Returns:
            True when it is the first of its item.
        """
        if self._turns.silenced(response_id):
            return False
        if response_id != self._counted_id:
            self._counted_id, self._counted_bytes = response_id, 0
        self._counted_bytes += len(audio)
        if self._counted_bytes > self._max_bytes:
            self._give_up(response_id, "response_too_long")
            return False
        if self.playback.queued_ms > STALLED_QUEUE_MS and self._page_sleeps(now_s):
            self._give_up(response_id, "response_not_taken")
            return False
        if not self.playback.has_room(len(audio)):
            self._give_up(response_id, "response_too_early")
            return False
        return self.playback.add(item_id, response_id, audio)

    def words(
        self,
        item_id: str,
        response_id: str,
        delta: str,
        source: Literal["voice", "text"],
    ) -> None:
        """Take some words of an answer."""
        if not self._turns.silenced(response_id):
            self.writing = self.writing or source == "text"
            self._transcript.answer_words(item_id, response_id, delta, source)
        else:
            self._transcript.unheard_words(item_id, delta)

    def all_words(
        self,
        item_id: str,
        response_id: str,
        text: str,
        source: Literal["voice", "text"],
    ) -> None:
        """Take all the words of an answer."""
        if not self._turns.silenced(response_id):
            self._transcript.answer_all(item_id, response_id, text, source)
        else:
            self._transcript.unheard_all(item_id, text)

    def response_done(self, response_id: str, status: str, now_s: float) -> bool:
        """End a response.

        Returns:
            False when it was not running; nothing was done then.
        """
        self._transcript.end_cut_off(response_id)
        if not self._turns.response_done(response_id, now_s):
            return False
        self.writing = False
        self.playback.close_response(response_id)
        self._transcript.end_response(response_id, ENDINGS.get(status, "completed"))
        return True

    def abandon(self, now_s: float) -> None:
        """Give up a response of which nothing more comes."""
        response_id = self._turns.active_id
        self._give_up(response_id, "response_stuck")
        self.response_done(response_id, "failed", now_s)

    def lost(self) -> None:
        """Take what has come of an answer for all of it: its server is gone."""
        self._settle()
        # No other session has these items, so none can be told where they were cut off.
        self._gone = frozenset(self.playback.item_ids)
        self.writing = False
        if response_id := self._turns.active_id:
            self.playback.close_response(response_id)
            self._transcript.end_response(response_id, "interrupted")

    def barge_in(self, now_s: float) -> None:
        """Fall silent because the visitor speaks; the server cancels by itself."""
        self._settle()
        self._cuts = self._silence(now_s)
        self._settle_s = now_s + ANSWER_S
        self._turns.silence()

    def interrupt(self, item_id: str, played_ms: float, now_s: float) -> None:
        """Stop the answer because the page asks for it; it is silent already.

        Args:
            item_id: What the page was playing, "" for whatever it was.
            played_ms: What was heard of it.
            now_s: The time.
        """
        self._settle()
        cuts = self._silence(now_s)
        self._turns.cancel(now_s)
        self._cuts = _with_report(
            cuts, item_id or (cuts[0].item_id if cuts else ""), played_ms
        )
        self._settle()

    def leave(self, now_s: float) -> None:
        """Stop the answer: the page is gone, and nobody gets the rest of it.

        A page that lives plays on what it has got, and tells when it is back.
        """
        self._settle()
        self._cuts = cuts = self._silence(now_s)
        self._settle_s = None
        self._played_out_s = (
            now_s + sum(cut.sent_ms - cut.heard_ms for cut in cuts) / 1000
        )
        missed = any(cut.sent_ms < cut.received_ms or not cut.complete for cut in cuts)
        self._turns.pause(now_s, owed=missed if cuts else self._turns.thinking)

    def come_back(self, now_s: float) -> None:
        """Expect the page to tell what it has played, if it is the same."""
        self._settle_s = max(now_s, self._played_out_s) + ANSWER_S

    def reported(
        self, item_id: str, played_ms: float, now_s: float, *, done: bool
    ) -> None:
        """Take the page's report of what was heard."""
        if any(cut.item_id == item_id for cut in self._cuts):
            self._cuts = _with_report(self._cuts, item_id, played_ms)
            if done:
                self._settle()
        else:
            self.playback.report(item_id, played_ms, now_s, done=done)

    def tick(self, now_s: float) -> None:
        """Settle an interruption that the page did not answer."""
        if self._settle_s is not None and now_s >= self._settle_s:
            self._settle()

    def next_deadline_s(self) -> float | None:
        """Return when ``tick`` has something to do."""
        return self._settle_s if self._cuts else None

    @property
    def settled(self) -> bool:
        """Return whether the model's side was told what was heard."""
        return not self._cuts

    def end(self, now_s: float) -> None:
        """Keep of a running answer what was heard, at the session's end."""
        self._settle()
        for cut in self.playback.interrupt(now_s):
            if cut.heard_ms < cut.received_ms:
                self._transcript.cut(cut.item_id, cut.heard_ms, cut.received_ms)

    def _silence(self, now_s: float) -> list[Cut]:
        cuts = self.playback.interrupt(now_s)
        self._transcript.freeze([cut.item_id for cut in cuts])
        if self._turns.active_id:
            self._transcript.drop_unplayed(self._turns.active_id)
        if cuts:
            self._effects.page(
                "audio.interrupted",
                item_id=cuts[0].item_id,
                heard_ms=cuts[0].heard_ms,
            )
        return cuts

    def _settle(self) -> None:
        cuts, self._cuts, self._settle_s = self._cuts, [], None
        for cut in cuts:
            if cut.complete and cut.heard_ms >= cut.received_ms:
                self._transcript.thaw(cut.item_id)
                continue
            if cut.heard_ms > 0 and cut.item_id not in self._gone:
                self._truncated += 1
                event = truncate_item(cut.item_id, cut.heard_ms)
                event["event_id"] = f"{TRUNCATE_ID}{self._truncated}"
                self._effects.upstream(event)
            self._transcript.cut(cut.item_id, cut.heard_ms, cut.received_ms)

    def _page_sleeps(self, now_s: float) -> bool:
        return self.playback.idle_page_s(now_s) > STALLED_QUEUE_S

    def _give_up(self, response_id: str, note: str) -> None:
        self._effects.add(Note(note))
        self._turns.cut_off(response_id)
        self.playback.close_response(response_id)


def _with_report(cuts: list[Cut], item_id: str, played_ms: float) -> list[Cut]:
    """Return the cuts with the page's figure; what came before was heard in full."""
    ids = [cut.item_id for cut in cuts]
    if item_id not in ids:
        return cuts
    at = ids.index(item_id)
    before = [replace(cut, heard_ms=cut.sent_ms) for cut in cuts[:at]]
    exact = replace(cuts[at], heard_ms=int(min(played_ms, cuts[at].sent_ms)))
    return [*before, exact, *cuts[at + 1 :]]
