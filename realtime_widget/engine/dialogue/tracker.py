"""Follow a conversation by its items: what is asked for, and what is still missing.

Nothing is kept between answers. The items are gone through again each time, so an
item that is deleted or truncated is forgotten here too.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Final

from realtime_widget.engine.dialogue import phrases
from realtime_widget.engine.dialogue.arguments import Value, fill
from realtime_widget.engine.dialogue.clauses import revised, withdraws
from realtime_widget.engine.dialogue.deeds import UNDO, meaning_of
from realtime_widget.engine.dialogue.frames import Call, Decision, Deeds, Frame
from realtime_widget.engine.dialogue.memory import Memory
from realtime_widget.engine.dialogue.picking import Tool, pick
from realtime_widget.engine.dialogue.requests import (
    Requests,
    revised_by_a_bare_word,
    sure_parameters,
)
from realtime_widget.engine.dialogue.words import Said

_MOST_TRIES: Final = 2
# Another tool has to fit this well to be taken for a change of subject.
_SURE: Final = 2.4
_FOLLOW_UP = re.compile(r"^(?:and|what about|how about|also)\b", re.IGNORECASE)
_FOLLOW_UP_WORDS: Final = 8
_ASKS = re.compile(
    r"^(?:what|when|where|who|how|which|can|could|do|does|is|are|tell|show|i want|i'd|"
    r"actually|instead)\b",
    re.IGNORECASE,
)
# Talk that leaves an open question open.
_ASIDES: Final = frozenset({"help", "who", "bye", "repeat"})


class Tracker:
    """Takes the conversation's items one after the other.

    Args:
        tools: What may be called.
        today: The day that "tomorrow" is counted from.
        known: Tools to speak of, when not all of them may be called now.
    """

    def __init__(
        self, tools: Sequence[Tool], today: date, known: Sequence[Tool] = ()
    ) -> None:
        self._tools = tools
        self._shown = known or tools
        self._today = today
        self._memory = Memory(today)
        self._requests = Requests(tools, today, self._memory)
        self._deeds = Deeds()
        self._last_said = ""

    def answered(self, text: str) -> None:
        """Take what the agent said."""
        self._last_said = text

    def called(self, name: str, arguments: str) -> None:
        """Take a function call that was made."""
        frame = self._deeds.open
        if frame is not None and frame.tool.name == name and not frame.values:
            self._deeds.drop()
        tool = next((tool for tool in self._tools if tool.name == name), None)
        self._memory.called(tool, arguments)

    def returned(self, output: str) -> None:
        """Take a function call's output."""
        self._memory.returned(output)

    def hear(self, text: str, *, forced: bool = False) -> Decision:
        """Take what the visitor said and decide.

        Args:
            text: The words.
            forced: Whether a tool has to be called whatever was said.
        """
        if forced and self._tools:
            return self._forced(text)
        if not text.strip():
            return Decision(phrases.UNHEARD)
        frame = self._deeds.open
        if frame is not None:
            settled = (
                self._settle(frame, text) if frame.unsure else self._go_on(frame, text)
            )
            if settled is not None:
                return settled
        return self._begin(text)

    # --- nothing is open, or it is about something else ----------------------

    def _begin(self, text: str) -> Decision:
        talk = phrases.small_talk(text)
        if talk in _ASIDES:
            return Decision(self._talk(talk))
        request = phrases.without_greeting(text)
        corrected = self._correct(request)
        if corrected is not None:
            return corrected
        requests = self._requests.read(request)
        frames = [one.frame for one in requests if one.frame is not None]
        if talk and not frames:
            return Decision(self._talk(talk))
        remarks = list(dict.fromkeys(one.remark for one in requests if one.remark))
        if frames or remarks:
            self._deeds.add(frames)
            return self._decide(" ".join(remarks))
        return self._follow_up(request) or Decision(phrases.fallback(self._shown))

    def _decide(self, said: str = "", *, again: bool = False) -> Decision:
        """Call what can be called, and ask for what the next call needs."""
        calls = self._deeds.ready()
        frame = self._deeds.open
        if frame is None:
            return Decision(said, calls)
        question = phrases.ask(frame)
        asked = phrases.again(question) if again else question
        return Decision(f"{said} {asked}".strip(), calls)

    def _correct(self, text: str) -> Decision | None:
        """Return what to do when the last call was not what was meant."""
        cut = revised(text)
        tool = self._memory.last
        if tool is None or not cut.begins or cut.denied:
            return None
        other = self._requests.topic(cut.later[-1])
        if other is not None and other is not tool:
            return None
        changed: dict[str, Value] = {}
        for part in cut.later:
            changed.update(self._requests.values(tool, part, revises=True))
        before = self._memory.values
        if all(before.get(name) == value for name, value in changed.items()):
            return None
        self._deeds.add([self._instead(tool, {**before, **changed})])
        return self._decide()

    def _instead(self, tool: Tool, values: dict[str, Value]) -> Frame:
        """Return the last call once more, with other arguments."""
        again = Frame(tool, values)
        if not tool.family or not self._memory.worked:
            return again
        back = self._memory.undoing(tuple(self._tools), UNDO)
        if back is None or tool.family == UNDO:
            again.unsure, again.lead = True, phrases.ALREADY_DONE
            return again
        undo, known = back
        lead = phrases.instead(undo, again)
        return Frame(undo, known, lead, unsure=True, then=(again,))

    def _follow_up(self, text: str) -> Decision | None:
        """Ask the last tool again with what is new: "And on Friday?"."""
        tool = self._memory.last
        said = Said(text)
        if tool is None or len(said.words) > _FOLLOW_UP_WORDS:
            return None
        if meaning_of(text).deeds and tool.family:
            return None
        values = fill(
            [p for p in tool.parameters if p.kind != "text"],
            said,
            self._today,
            tool_words=tool.name_words,
        )
        if not values or not (_FOLLOW_UP.match(text) or len(said.words) <= 3):
            return None
        merged = {**self._memory.values, **values}
        self._deeds.add([Frame(tool, merged, unsure=bool(tool.family))])
        return self._decide()

    # --- a question is open --------------------------------------------------

    def _settle(self, frame: Frame, text: str) -> Decision | None:
        """Take the answer to "Shall I?"; None when it is about something else."""
        talk = phrases.small_talk(text)
        if talk in _ASIDES:
            return Decision(self._talk(talk))
        agreed, rest = phrases.agreement(text)
        other = self._requests.topic(rest) if rest else None
        about = [frame.tool, *(following.tool for following in frame.then)]
        target = frame.then[-1] if frame.then else frame
        values = self._requests.values(target.tool, rest) if rest else {}
        mood = frame.tool.mood(meaning_of(rest)) if frame.tool.family else "asked"
        if agreed is False or mood == "negated" or withdraws(rest):
            self._deeds.drop()
            if other is not None and mood != "negated" and other not in about:
                return None
            if not values or mood == "negated":
                return self._decide(phrases.LEFT)
            target.values.update(values)
            self._deeds.waiting.insert(0, frame)
            return self._decide()
        if other is not None and other not in about and not agreed:
            self._deeds.drop()
            return None
        named = frame.tool.family in meaning_of(rest).deeds and mood == "asked"
        if agreed or named:
            frame.unsure, frame.lead = False, ""
        elif not values:
            self._deeds.drop()
            return None
        target.values.update(values)
        return self._decide()

    def _go_on(self, frame: Frame, text: str) -> Decision | None:
        """Take the answer to the open question; None when it is about something else."""
        asked = frame.asked()
        if asked is None:
            return None
        cut = revised(text)
        refused = frame.tool.family and frame.tool.mood(meaning_of(text)) == "negated"
        left = phrases.wants_to_leave(text) or cut.withdrawn
        if refused or (left and asked.kind != "boolean"):
            self._deeds.drop()
            return self._decide(phrases.LEFT)
        if (talk := phrases.small_talk(text)) in _ASIDES:
            return Decision(self._talk(talk))
        other = pick(self._tools, meaning_of(text), at_least=_SURE)
        moved_on = other is not None and other is not frame.tool
        if moved_on and (
            asked.kind not in {"text", "name"} or _ASKS.match(text.strip())
        ):
            if other is not None and other.family:
                self._deeds.drop()
            return None
        values = self._answer(frame, text)
        frame.values.update(values)
        if values:
            frame.tries = 0
            return self._decide()
        frame.tries += 1
        if frame.tries >= _MOST_TRIES:
            self._deeds.drop()
            return self._decide(phrases.GIVEN_UP)
        return self._decide(again=True)

    def _answer(self, frame: Frame, text: str) -> Mapping[str, Value]:
        """Return the arguments that an answer gives, also those it corrects."""
        cut = revised(text)
        asked = frame.asked()
        name = asked.name if asked is not None else ""
        direct = asked is not None and asked.kind == "boolean"
        values: dict[str, Value] = {}
        for part in [text] if direct or not cut.parts() else cut.parts():
            said = Said(part)
            missing = [p for p in frame.tool.parameters if p.name not in frame.values]
            found = fill(
                missing,
                said,
                self._today,
                asked=name,
                tool_words=frame.tool.name_words,
            )
            found.update(self._revised(frame, said, marked=cut.begins))
            values.update(found)
        return values

    def _revised(self, frame: Frame, said: Said, *, marked: bool) -> dict[str, Value]:
        """Return the known arguments that are said once more, and differently."""
        return fill(
            [
                p
                for p in sure_parameters(frame.tool)
                if p.name in frame.values
                and (marked or p.kind not in {"integer", "number", "id"})
            ],
            said,
            self._today,
            asked=revised_by_a_bare_word(frame.tool) if marked else "",
            tool_words=frame.tool.name_words,
        )

    # --- the rest ------------------------------------------------------------

    def _forced(self, text: str) -> Decision:
        frame = self._deeds.open
        meaning = meaning_of(text)
        tool = pick(self._tools, meaning, at_least=_SURE)
        tool = tool or (frame.tool if frame is not None else None)
        tool = tool or pick(self._tools, meaning, at_least=-1.0)
        assert tool is not None  # noqa: S101 - there are tools, and any score will do
        values = fill(
            list(tool.parameters), Said(text), self._today, tool_words=tool.name_words
        )
        if frame is not None and frame.tool is tool:
            values = {**frame.values, **values}
            self._deeds.drop()
        return Decision(calls=[Call(tool, values)])

    def _talk(self, kind: str) -> str:
        answers = {
            "hello": f"Hello! {phrases.abilities(self._shown)}",
            "how": phrases.FINE,
            "help": phrases.abilities(self._shown),
            "who": phrases.fallback(self._shown),
            "repeat": self._last_said or phrases.NOTHING_TO_REPEAT,
            "bye": phrases.GOODBYE,
            "thanks": phrases.WELCOME,
            "yes": phrases.AFFIRMED,
            "no": phrases.LEFT,
        }
        return answers[kind]
