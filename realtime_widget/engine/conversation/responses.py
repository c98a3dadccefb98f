"""One response: words, sentences and calls in, events in the protocol's order out.

Source: order on the wire as recorded from the Realtime API (GA).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal, NamedTuple

from realtime_widget.engine.conversation import usage
from realtime_widget.engine.conversation.items import Item, Items
from realtime_widget.engine.conversation.messages import CallOutput, MessageOutput
from realtime_widget.engine.conversation.output_tokens import OutputTokens
from realtime_widget.engine.conversation.plan import Plan
from realtime_widget.engine.conversation.work import Drop, Outbox, Reply, Speak
from realtime_widget.engine.speakable import SentenceSplitter
from realtime_widget.protocol.greeting import words_to_say

# A sentence is synthesised when what was sent lasts less than this beyond real time:
# an interruption then stops an answer that is still being made, and a long answer does
# not pile up anywhere.
AHEAD_MS: Final = 8_000

_SERVER_ERROR: Final = {"type": "server_error", "code": "server_error"}

Status = Literal["in_progress", "completed", "cancelled", "incomplete", "failed"]


class _Call(NamedTuple):
    """A function call in an answer's queue."""

    name: str
    arguments: str


class _Sound(NamedTuple):
    """Sound in an answer's queue that needs no voice, and its words."""

    pcm: bytes
    text: str


class _End(NamedTuple):
    """The end of the answer in its queue."""

    status: Status
    details: dict[str, Any] | None


@dataclass(slots=True)
class _Spoken:
    """How a spoken answer gets on.

    Attributes:
        queue: What is still to come, in order; sentences are plain text.
        splitter: Cuts the dialogue's words into sentences.
        sentence: The sentence that is being synthesised.
        started_s: When the first audio was sent.
        sent_ms: Audio sent so far, over all items.
        resume_s: When the next sentence may be synthesised, None when nothing waits.
    """

    queue: deque[str | _Sound | _Call | _End] = field(default_factory=deque)
    splitter: SentenceSplitter = field(default_factory=SentenceSplitter)
    sentence: str | None = None
    started_s: float | None = None
    sent_ms: int = 0
    resume_s: float | None = None


class Response:
    """One answer from ``response.created`` to ``response.done``.

    Args:
        response_id: Its id.
        plan: What it is made from.
        conversation_id: The conversation's id.
        items: The conversation, which the output is added to.
        outbox: Where events and work go.
    """

    def __init__(
        self,
        response_id: str,
        plan: Plan,
        *,
        conversation_id: str,
        items: Items,
        outbox: Outbox,
    ) -> None:
        self.response_id = response_id
        self.plan = plan
        self.status: Status = "in_progress"
        self._conversation_id = conversation_id if plan.in_conversation else None
        self._items = items
        self._outbox = outbox
        self._asked = False
        self._taken = (0, 0)
        self._tokens = OutputTokens(plan.max_output_tokens)
        self._calls = 0
        self._output: list[Item] = []
        self._message: MessageOutput | None = None
        self._spoken = _Spoken()

    @property
    def ended(self) -> bool:
        """Whether ``response.done`` was sent."""
        return self.status != "in_progress"

    @property
    def resume_s(self) -> float | None:
        """When ``advance`` is to be called next, None for not by the clock."""
        return self._spoken.resume_s

    @property
    def has_audio(self) -> bool:
        """Whether some of it was heard."""
        return self._spoken.started_s is not None

    @property
    def cost_tokens(self) -> int:
        """Tokens of the answer and what it was made from, as far as it got."""
        return sum(self._taken) + self._tokens.text + self._audio_tokens

    def plays_until_s(self, now_s: float) -> float:
        """Return when a client that plays at once has played all that was sent."""
        if self._spoken.started_s is None:
            return now_s
        return max(now_s, self._spoken.started_s + self._spoken.sent_ms / 1000)

    def begin(self, spent: str | None) -> None:
        """Announce it.

        Args:
            spent: The limit that it would go beyond, None for none: it ends as failed.
        """
        self._outbox.send("response.created", response=self._public(None))
        if spent is not None:
            self._fail({"type": spent, "code": "rate_limit_exceeded"})

    def ask(self, language: str, now_s: float) -> None:
        """Ask the dialogue, once, as soon as the words of the context are known.

        Words that are to be said exactly need no dialogue.
        """
        if self._asked or self.ended or self.plan.waits():
            return
        self._asked = True
        config = self.plan.config
        self._taken = usage.input_tokens(
            config["instructions"], config["tools"], self.plan.items
        )
        if any(item.failed for item in self.plan.items[-1:]):
            self.fail()
            return
        if self.plan.nothing_said:
            self.finished(now_s)
            return
        words = words_to_say(config["instructions"])
        if words is not None:
            self.said(words, now_s)
            self.finished(now_s)
            return
        self._outbox.ask(Reply(self.response_id, self.plan.request(language)))

    # --- what the dialogue says ----------------------------------------------

    def said(self, delta: str, now_s: float) -> None:
        """Take some more words of the answer."""
        if self.ended or not delta:
            return
        if self.plan.speaks:
            self._spoken.queue.extend(self._spoken.splitter.feed(delta))
            self.advance(now_s)
            return
        kept = self._tokens.words(delta)
        if kept:
            self._open_message().text(kept)
        if len(kept) < len(delta):
            self._stop_full()

    def sounded(self, pcm: bytes, text: str, now_s: float) -> None:
        """Take sound of the answer with its words; written answers have only these."""
        if not self.plan.speaks:
            self.said(text, now_s)
        elif not self.ended:
            self._flush_sentences()
            self._spoken.queue.append(_Sound(pcm, text))
            self.advance(now_s)

    def called(self, name: str, arguments: str, now_s: float) -> None:
        """Take a function call; it comes after the sentences before it."""
        if self.ended or not self.plan.may_call(self._calls):
            return
        self._calls += 1
        if self.plan.speaks:
            self._flush_sentences()
            self._spoken.queue.append(_Call(name, arguments))
            self.advance(now_s)
            return
        self._call(name, arguments)

    def finished(self, now_s: float) -> None:
        """Take the end of the dialogue's answer."""
        if self.ended:
            return
        if self.plan.speaks:
            self._flush_sentences()
            self._spoken.queue.append(_End("completed", None))
            self.advance(now_s)
            return
        self._finish("completed", None)

    def broke_off(self, now_s: float) -> None:
        """End it as failed once what the dialogue said before is spoken."""
        if self.ended:
            return
        if not self.plan.speaks:
            self.fail()
            return
        self._flush_sentences()
        details = {"type": "failed", "error": dict(_SERVER_ERROR)}
        self._spoken.queue.append(_End("failed", details))
        self.advance(now_s)

    # --- what the voice says -------------------------------------------------

    def spoken(self, pcm: bytes, now_s: float) -> None:
        """Take audio of the sentence that is being synthesised."""
        if self.ended or self._spoken.sentence is None:
            return
        if self._spoken.started_s is None:
            self._spoken.started_s = now_s
        kept = self._tokens.audio(pcm)
        message = self._open_message()
        self._spoken.sent_ms += message.audio(self._spoken.sentence, kept)
        if len(kept) < len(pcm):
            self._spoken.sent_ms += message.sentence_done(self._spoken.sentence)
            self._stop_full()

    def sentence_done(self, now_s: float) -> None:
        """Take the end of that sentence, which may have had nothing to say aloud."""
        sentence, self._spoken.sentence = self._spoken.sentence, None
        if self.ended or sentence is None:
            return
        self._spoken.sent_ms += self._open_message().sentence_done(sentence)
        self.advance(now_s)

    def advance(self, now_s: float) -> None:
        """Do what comes next and may be done now."""
        spoken = self._spoken
        spoken.resume_s = None
        while spoken.queue and spoken.sentence is None and not self.ended:
            if isinstance(spoken.queue[0], str | _Sound):
                ahead_s = self.plays_until_s(now_s) - now_s
                if ahead_s * 1000 > AHEAD_MS:
                    spoken.resume_s = now_s + ahead_s - AHEAD_MS / 1000
                    return
            step = spoken.queue.popleft()
            if isinstance(step, str):
                self._speak(step)
            elif isinstance(step, _Sound):
                self._speak(step.text, step.pcm)
            elif isinstance(step, _Call):
                self._call(step.name, step.arguments)
            else:
                self._finish(step.status, step.details)

    def _speak(self, sentence: str, pcm: bytes | None = None) -> None:
        kept = self._tokens.words(sentence)
        if len(kept) < len(sentence):
            self._stop_full()
            return
        self._spoken.sentence = sentence
        speed = float(self.plan.config["audio"]["output"]["speed"])
        voice = self.plan.voice
        self._outbox.ask(Speak(self.response_id, sentence, voice, speed, pcm))

    # --- its end -------------------------------------------------------------

    def cancel(self, reason: Literal["turn_detected", "client_cancelled"]) -> None:
        """Stop it at once; what was sent of it stays."""
        self._stop("cancelled", {"type": "cancelled", "reason": reason})

    def fail(self) -> None:
        """End it because the engine could not make it."""
        self._fail(_SERVER_ERROR)

    def _fail(self, error: Mapping[str, str]) -> None:
        self._stop("failed", {"type": "failed", "error": dict(error)})

    def _stop_full(self) -> None:
        """End it because no more tokens fit."""
        self._stop("incomplete", {"type": "incomplete", "reason": "max_output_tokens"})

    def _stop(self, status: Status, details: dict[str, Any]) -> None:
        if self.ended:
            return
        self._outbox.ask(Drop(self.response_id))
        self._finish(status, details)

    def _finish(self, status: Status, details: dict[str, Any] | None) -> None:
        self._close_message("completed" if status == "completed" else "incomplete")
        self.status = status
        self._spoken.queue.clear()
        self._spoken.resume_s = None
        cost = usage.response_usage(
            self._taken,
            text_out=self._tokens.text,
            audio_out=self._audio_tokens,
        )
        self._outbox.send("response.done", response=self._public(cost, details))

    @property
    def _audio_tokens(self) -> int:
        return usage.answer_audio_tokens(self._spoken.sent_ms)

    # --- its parts -----------------------------------------------------------

    def _open_message(self) -> MessageOutput:
        if self._message is None:
            self._message = MessageOutput(
                self._outbox,
                response_id=self.response_id,
                output_index=len(self._output),
                items=self._items if self.plan.in_conversation else None,
                wire=self.plan.output_format if self.plan.speaks else None,
            )
            self._output.append(self._message.item)
        return self._message

    def _close_message(self, status: Literal["completed", "incomplete"]) -> None:
        if self._message is not None:
            self._spoken.sent_ms += self._message.close(status)
            self._message = None

    def _call(self, name: str, arguments: str) -> None:
        if not self._tokens.call(name, arguments):
            self._stop_full()
            return
        self._close_message("completed")
        call = CallOutput(
            self._outbox,
            response_id=self.response_id,
            output_index=len(self._output),
            items=self._items if self.plan.in_conversation else None,
            name=name,
        )
        call.write(arguments)
        self._output.append(call.item)

    def _flush_sentences(self) -> None:
        self._spoken.queue.extend(self._spoken.splitter.flush())

    def _public(
        self, cost: dict[str, Any] | None, details: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        return {
            "object": "realtime.response",
            "id": self.response_id,
            "status": self.status,
            "status_details": details,
            "output": [item.public() for item in self._output],
            "conversation_id": self._conversation_id,
            **self.plan.public(),
            "usage": cost,
        }
