"""Who said what, in the conversation's order.

Lines are placed by the protocol's item order, not by the arrival of their words: the
transcription of the visitor's speech usually comes after the answer has begun.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Literal

from realtime_widget.session.effects import Effects
from realtime_widget.session.ports import HandoffItem, ItemFact

Role = Literal["user", "assistant", "system"]
Status = Literal["completed", "interrupted", "failed"]

# Older lines are forgotten; they were recorded when they became final.
MAX_ITEMS = 1_000
# More of one line is not kept: an answer of a model has a fifth of this.
MAX_LINE_CHARS = 100_000
# Of all lines; the words of the oldest are forgotten first, when they are final.
MAX_CHARS = 200_000
# Typed messages whose echo by the server is still looked for.
MAX_UNCONFIRMED = 96


@dataclass(slots=True)
class Line:
    """One line of the transcript.

    Attributes:
        text: The words so far.
        shown: Whether the page knows the line.
        final: Whether the words are complete.
        frozen: Whether the visitor cut it off; later words were never heard.
        response_id: The response that says it, "" for the visitor's lines.
        agent: Who says it, "" for the visitor.
        language: Of the visitor's words, where the model's side tells it.
        generated: All words of an answer that was cut off; "" when all were heard.
        unheard: Words that came behind the cut.
        status: How the line was recorded.
        heard_ms: Likewise, None when it was not cut off.
    """

    item_id: str
    role: Role
    source: Literal["voice", "text"]
    text: str = ""
    shown: bool = False
    final: bool = False
    frozen: bool = False
    response_id: str = ""
    agent: str = ""
    language: str = ""
    generated: str = ""
    unheard: str = ""
    status: Status = "completed"
    heard_ms: int | None = None


class Transcript:
    """The lines of both sides, and what the page and the recorder learn of them.

    Args:
        effects: Where messages and facts are collected.
        agent: Name of the agent that answers.

    Attributes:
        agent: The same; another one after a handoff.
    """

    def __init__(self, effects: Effects, *, agent: str) -> None:
        self._effects = effects
        self.agent = agent
        self._lines: dict[str, Line] = {}
        self._previous: dict[str, str | None] = {}
        self._last: str | None = None
        self._typed = 0
        self._unconfirmed: deque[str] = deque(maxlen=MAX_UNCONFIRMED)

    def place(self, item_id: str, previous_item_id: str | None) -> None:
        """Note where an item of any kind stands in the conversation.

        Args:
            item_id: The item.
            previous_item_id: The item before it, None to append.
        """
        if item_id not in self._previous:
            before = previous_item_id or self._last
            self._previous[item_id] = before if before != item_id else None
            self._last = item_id
            self._forget_old()
        elif previous_item_id and previous_item_id != item_id:
            self._previous[item_id] = previous_item_id

    def said(self) -> list[dict[str, Any]]:
        """Return the lines that are complete, for a page that missed some."""
        return [
            {
                "role": line.role,
                "text": line.text,
                "item_id": line.item_id,
                **({"interrupted": True} if line.status == "interrupted" else {}),
            }
            for line in self._lines.values()
            if line.final and line.text
        ]

    def show_open(self) -> None:
        """Show the lines that ``said`` leaves out: open ones, and what nobody heard."""
        for line in self._lines.values():
            unheard = line.status == "interrupted" and line.heard_ms == 0
            if line.shown and (unheard or not line.final):
                self._send(line, text=line.text)

    def place_speech(self, item_id: str) -> None:
        """Show an empty line for speech whose words come later."""
        line = self._line(item_id, "user", "voice")
        if not line.shown:
            self._send(line, delta="")

    def next_typed_id(self) -> str:
        """Return an item id of our own for a typed message."""
        self._typed += 1
        item_id = f"typed_{self._typed}"
        self._unconfirmed.append(item_id)
        return item_id

    def typed(self, item_id: str, role: Role, text: str) -> None:
        """Add a typed message: complete at once."""
        self.place(item_id, None)
        line = self._line(item_id, role, "text")
        line.text = text
        self._finish(line, "completed")

    def confirmed(self, item_id: str, *, may_be_renamed: bool) -> str:
        """Return which typed message an item is when the server named it anew.

        Args:
            item_id: The server's id of a message.
            may_be_renamed: Whether it can be a typed message under another id.

        Returns:
            Our id of the oldest message the server has not confirmed; "" when the
            item kept its id or was not typed here.
        """
        if item_id in self._unconfirmed:
            self._unconfirmed.remove(item_id)
        elif may_be_renamed and self._unconfirmed and not self.places(item_id):
            return self._unconfirmed.popleft()
        return ""

    def take_unconfirmed(self) -> list[str]:
        """Return the messages that the model's side may not have taken, once."""
        item_ids = list(self._unconfirmed)
        self._unconfirmed.clear()
        return item_ids

    def message(self, item_id: str) -> HandoffItem | None:
        """Return a line as an item of the conversation, None when there is none."""
        line = self._lines.get(item_id)
        if line is None:
            return None
        return HandoffItem(line.item_id, "message", line.role, line.text)

    def lost(self) -> bool:
        """Close the visitor's open lines: nobody will write down their words.

        Returns:
            Whether there was one without any.
        """
        open_ = [
            line
            for line in self._lines.values()
            if line.role == "user" and not line.final
        ]
        for line in open_:
            self._finish(line, "failed")
        return any(not line.text for line in open_)

    def places(self, item_id: str) -> bool:
        """Return whether an item's place is known."""
        return item_id in self._previous

    def words_of(self, item_id: str) -> str:
        """Return the words of a line so far, "" when there is none."""
        line = self._lines.get(item_id)
        return line.text if line is not None else ""

    def heard_words(self, item_id: str, delta: str) -> None:
        """Append words of the visitor's speech."""
        line = self._line(item_id, "user", "voice")
        if not line.final:
            self._grow(line, delta)

    def heard_all(
        self, item_id: str, text: str, status: Status, language: str = ""
    ) -> None:
        """Complete a line of the visitor's speech."""
        line = self._line(item_id, "user", "voice")
        line.language = language
        line.text = text[:MAX_LINE_CHARS]
        self._finish(line, status)

    def answer_words(
        self,
        item_id: str,
        response_id: str,
        delta: str,
        source: Literal["voice", "text"],
    ) -> None:
        """Append words of the answer."""
        line = self._answer(item_id, response_id, source)
        if line.frozen:
            self.unheard_words(item_id, delta)
        elif not line.final:
            self._grow(line, delta)

    def answer_all(
        self,
        item_id: str,
        response_id: str,
        text: str,
        source: Literal["voice", "text"],
    ) -> None:
        """Complete a line of the answer."""
        line = self._answer(item_id, response_id, source)
        if line.frozen:
            self._made(line, text)
        elif not line.final:
            line.text = text[:MAX_LINE_CHARS]
            self._finish(line, "completed")

    def unheard_words(self, item_id: str, delta: str) -> None:
        """Note words of an answer that was cut off; the page is not told."""
        line = self._lines.get(item_id)
        if line is not None and line.frozen:
            line.unheard += delta[: MAX_LINE_CHARS - len(line.unheard)]

    def unheard_all(self, item_id: str, text: str) -> None:
        """Note all the words of an answer that was cut off."""
        line = self._lines.get(item_id)
        if line is not None and line.frozen:
            self._made(line, text)

    def heard_nothing(self, item_id: str) -> None:
        """Complete a line whose speech could not be written down."""
        line = self._line(item_id, "user", "voice")
        self._finish(line, "failed")

    def freeze(self, item_ids: Collection[str]) -> None:
        """Take no more words for answers that the visitor cut off."""
        for item_id in item_ids:
            if item_id in self._lines:
                self._lines[item_id].frozen = True

    def thaw(self, item_id: str) -> None:
        """Take words again: the answer was heard to its end after all."""
        line = self._lines.get(item_id)
        if line is None:
            return
        line.frozen = False
        if line.generated and not line.final:
            # It was completed while it was frozen.
            line.text, line.generated = line.generated, ""
            self._finish(line, "completed")

    def drop_unplayed(self, response_id: str) -> None:
        """Empty the open spoken lines of a response; their audio was not played."""
        for line in self._lines.values():
            if (
                line.response_id == response_id
                and line.source == "voice"
                and not (line.frozen or line.final)
            ):
                self.cut(line.item_id, 0, 0)

    def cut(self, item_id: str, heard_ms: int, received_ms: int) -> None:
        """Keep of an answer what was heard, by the share of its audio.

        Args:
            item_id: The answer.
            heard_ms: How much of its audio was played.
            received_ms: How much audio the words so far belong to.
        """
        line = self._lines.get(item_id)
        if line is None:
            return
        line.frozen = True
        made = line.generated or (line.text + line.unheard)[:MAX_LINE_CHARS]
        line.text = heard_part(line.text, heard_ms, received_ms)
        line.generated = made if made != line.text else ""
        line.unheard = ""
        self._finish(line, "interrupted", heard_ms=heard_ms)

    def end_response(self, response_id: str, status: Status) -> None:
        """Complete the lines that a response left open."""
        for line in self._lines.values():
            if line.response_id == response_id and not (line.final or line.frozen):
                self._finish(line, status)

    def end_cut_off(self, response_id: str) -> None:
        """Note what the lines of a response would have been that were cut off."""
        for line in self._lines.values():
            if line.response_id == response_id and line.frozen and line.unheard:
                self._made(line, (line.generated or line.text) + line.unheard)

    def end(self) -> None:
        """Record what is known of every line that is still open."""
        for line in self._lines.values():
            if not line.final and line.text:
                self._record(line, "interrupted", None)

    def _answer(
        self, item_id: str, response_id: str, source: Literal["voice", "text"]
    ) -> Line:
        line = self._line(item_id, "assistant", source)
        line.response_id = response_id
        return line

    def _line(self, item_id: str, role: Role, source: Literal["voice", "text"]) -> Line:
        line = self._lines.get(item_id)
        if line is None:
            self.place(item_id, None)
            line = self._lines[item_id] = Line(item_id, role, source)
            line.agent = self.agent if role == "assistant" else ""
        return line

    def _grow(self, line: Line, delta: str) -> None:
        """Append words as far as a line goes."""
        kept = delta[: MAX_LINE_CHARS - len(line.text)]
        if kept or not delta:
            line.text += kept
            self._send(line, delta=kept)

    def _made(self, line: Line, words: str) -> None:
        """Note what an answer that was cut off would have been, also in its record.

        The words of an old line may be forgotten by now; its record stays as it is.
        """
        line.unheard = ""
        words = words[:MAX_LINE_CHARS]
        if not line.final:
            line.generated = words
            return
        known, line.generated = line.generated, words if words != line.text else ""
        forgotten = not line.text and bool(line.heard_ms)
        if line.generated != known and not forgotten:
            self._record(line, line.status, line.heard_ms)

    def _finish(self, line: Line, status: Status, heard_ms: int | None = None) -> None:
        line.final = True
        self._send(line, text=line.text)
        self._record(line, status, heard_ms)
        self._forget_old_words()

    def _send(self, line: Line, **words: str) -> None:
        line.shown = True
        self._effects.page(
            "transcript",
            item_id=line.item_id,
            role=line.role,
            previous_item_id=self._shown_before(line.item_id),
            **words,
            final=line.final,
        )

    def _record(self, line: Line, status: Status, heard_ms: int | None) -> None:
        line.status, line.heard_ms = status, heard_ms
        if not line.text.strip() and heard_ms is None:
            return  # silence that was taken for speech
        self._effects.record(
            ItemFact(
                item_id=line.item_id,
                role=line.role,
                text=line.text,
                source=line.source,
                status=status,
                previous_item_id=self._shown_before(line.item_id),
                heard_ms=heard_ms,
                agent=line.agent,
                language=line.language,
                generated=line.generated,
            )
        )

    def _shown_before(self, item_id: str) -> str | None:
        """Return the nearest earlier item the page knows; tool calls are not shown."""
        seen = {item_id}
        before = self._previous.get(item_id)
        while before is not None and before not in seen:
            line = self._lines.get(before)
            if line is not None and line.shown:
                return before
            seen.add(before)
            before = self._previous.get(before)
        return None

    def _forget_old(self) -> None:
        while len(self._previous) > MAX_ITEMS:
            oldest = next(iter(self._previous))
            del self._previous[oldest]
            self._lines.pop(oldest, None)

    def _forget_old_words(self) -> None:
        too_many = sum(len(line.text) for line in self._lines.values()) - MAX_CHARS
        for line in self._lines.values():
            if too_many <= 0:
                return
            if line.final:
                too_many -= len(line.text)
                line.text = line.generated = line.unheard = ""


def heard_part(text: str, heard_ms: int, received_ms: int) -> str:
    """Return the words that fit into the heard share, ending at a word's end.

    The protocol gives no time marks, so this is an estimate.
    """
    if received_ms <= 0 or heard_ms <= 0:
        return ""
    if heard_ms >= received_ms:
        return text
    end = len(text) * heard_ms // received_ms
    if end < len(text) and not text[end].isspace():
        # Text without blanks (Chinese, Japanese) is cut where it is.
        space = max(text.rfind(" ", 0, end), text.rfind("\n", 0, end))
        end = space if space >= 0 or " " in text else end
    return text[: max(end, 0)].rstrip()
