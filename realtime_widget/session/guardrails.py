"""Guardrails: what the agent says, what the visitor says, and what tools are given.

Text is collected here and handed out to be checked; a check is other people's code and
runs in a task of its own. What a trip does is decided here: the answer is cancelled and
silenced, the page and the record are told, and the model is asked for another answer.

An answer is checked each time it has grown by some characters, and once at its end, so
that a short one is checked too. It trips at most once.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from realtime_widget.session.config import GuardrailSpec
from realtime_widget.session.effects import Check, CheckText, Effects
from realtime_widget.session.ports import GuardrailFact

if TYPE_CHECKING:
    from realtime_widget.session.core import SessionCore

# Answers whose words are remembered: the running one and a few late ones.
REMEMBERED: Final = 8
# A tripped answer is replaced by another so often until the visitor speaks again.
MAX_STEERED: Final = 2
# The answer to tripped words of the visitor comes within this, if at all.
COMING_S: Final = 3.0

STEER: Final = (
    "Your last answer was stopped because it broke a rule of this site ({name}). Do not"
    " repeat it. Say briefly that you cannot help with that, and offer what you can do."
)
STEER_INPUT: Final = (
    "What the visitor said last broke a rule of this site ({name}). Do not act on it. Say"
    " briefly that you cannot help with that, and offer what you can do."
)


@dataclass(slots=True)
class _Answer:
    """What one response has said so far."""

    text: str = ""
    checked_chars: int = 0
    tripped: bool = False
    items: dict[str, int] = field(default_factory=dict)


class Guardrails:
    """The guardrails of one session.

    Args:
        effects: Where checks are asked for.
        specs: The agent's guardrails.
        debounce_chars: An answer is checked each time it has grown by so many
            characters; 0 or less for every piece of it.
    """

    def __init__(
        self, effects: Effects, specs: Iterable[GuardrailSpec], debounce_chars: int
    ) -> None:
        self._effects = effects
        self._debounce_chars = max(1, debounce_chars)
        self._answers: OrderedDict[str, _Answer] = OrderedDict()
        self._steered = 0
        self._steer_next = ""
        self._steer_until_s = 0.0
        self.replace(specs)

    def replace(self, specs: Iterable[GuardrailSpec]) -> None:
        """Use the guardrails of another agent from now on."""
        self._specs = {spec.name: spec for spec in specs}

    def names(self, stage: str) -> tuple[str, ...]:
        """Return the guardrails of a stage."""
        return tuple(n for n, spec in self._specs.items() if stage in spec.stages)

    # --- what is checked ---------------------------------------------------------

    def said(self, item_id: str, response_id: str, delta: str) -> None:
        """Take some words of an answer."""
        names = self.names("output")
        if not names:
            return
        answer = self._answer(response_id)
        answer.text += delta
        answer.items[item_id] = answer.items.get(item_id, 0) + len(delta)
        if len(answer.text) - answer.checked_chars >= self._debounce_chars:
            self._check_answer(item_id, response_id, answer, names)

    def said_all(self, item_id: str, response_id: str, text: str) -> None:
        """Take all the words of one item of an answer: its last check."""
        names = self.names("output")
        if not names:
            return
        answer = self._answer(response_id)
        if not answer.items.get(item_id):
            answer.text += text  # a server that sends no pieces
            answer.items[item_id] = len(text)
        if len(answer.text) > answer.checked_chars:
            self._check_answer(item_id, response_id, answer, names)

    def heard(self, item_id: str, text: str) -> None:
        """Take words of the visitor, said or typed."""
        self._steered = 0
        names = self.names("input")
        if names and text:
            self._effects.add(CheckText(Check("input", text, names, item_id)))

    # --- what a trip does --------------------------------------------------------

    def tripped(self, core: SessionCore, check: Check, name: str, now_s: float) -> None:
        """Act on a check that found something."""
        if check.stage == "output":
            self._output_tripped(core, check, name, now_s)
        else:
            self._input_tripped(core, check, name, now_s)

    def tell(self, check: Check, name: str) -> None:
        """Tell the page and the record."""
        self._effects.page("guardrail", name=name, item_id=check.item_id)
        self._effects.record(
            GuardrailFact(name, check.stage, check.item_id, check.response_id)
        )

    def response_created(
        self, core: SessionCore, response_id: str, now_s: float
    ) -> None:
        """Cut off the answer to words that have tripped before it began."""
        steer, self._steer_next = self._steer_next, ""
        if steer and now_s < self._steer_until_s:
            core.turns.cut_off(response_id)
            self._ask_again(core, steer, now_s)

    def _output_tripped(
        self, core: SessionCore, check: Check, name: str, now_s: float
    ) -> None:
        answer = self._answers.get(check.response_id)
        if answer is None or answer.tripped:
            return
        answer.tripped = True
        newest = core.turns.active_id in ("", check.response_id) and (
            next(reversed(self._answers)) == check.response_id
        )
        if newest:
            core.answers.barge_in(now_s)
        core.turns.cut_off(check.response_id)
        self.tell(check, name)
        if newest and not core.turns.speaking:
            self._ask_again(core, self._words(name, STEER), now_s)

    def _input_tripped(
        self, core: SessionCore, check: Check, name: str, now_s: float
    ) -> None:
        steer = self._words(name, STEER_INPUT)
        running, coming = core.turns.active_id, core.turns.thinking
        core.answers.barge_in(now_s)
        self.tell(check, name)
        if running:
            core.turns.cut_off(running)
            self._ask_again(core, steer, now_s)
        elif coming:
            self._steer_next = steer
            self._steer_until_s = now_s + COMING_S
        else:
            self._ask_again(core, steer, now_s)

    def _ask_again(self, core: SessionCore, steer: str, now_s: float) -> None:
        """Have the model answer otherwise, in this one answer only."""
        self._steered += 1
        if self._steered <= MAX_STEERED:
            instructions = f"{core.agent.instructions}\n\n{steer}".strip()
            core.turns.want_response(now_s, instructions=instructions)

    def _words(self, name: str, default: str) -> str:
        spec = self._specs.get(name)
        return spec.steer if spec and spec.steer else default.format(name=name)

    def _answer(self, response_id: str) -> _Answer:
        if response_id not in self._answers:
            self._answers[response_id] = _Answer()
            if len(self._answers) > REMEMBERED:
                self._answers.popitem(last=False)
        return self._answers[response_id]

    def _check_answer(
        self, item_id: str, response_id: str, answer: _Answer, names: tuple[str, ...]
    ) -> None:
        answer.checked_chars = len(answer.text)
        if not answer.tripped:
            check = Check("output", answer.text, names, item_id, response_id)
            self._effects.add(CheckText(check))
