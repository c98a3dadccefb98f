"""Cut an utterance into clauses, and a clause into what is said and what revises it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from realtime_widget.engine.dialogue.words import spoken_words

_CONNECTOR: Final = re.compile(
    r"[.!?;]+\s+|\s*,\s+(?:(?:and|then|but|also)\s+)*|"
    r"(?<!hundred)(?<!thousand)\s+(?:and|then|but|also|plus|as well as)(?:\s+(?:then|also|after that))*\s+",
    re.IGNORECASE,
)
_ONE_MARK: Final = (
    r"(?:oh no|no wait|no(?! (?:longer|need|more|way|idea|problem|matter|reason)\b)|nope|"
    r"sorry|wait|hang on|i mean|i meant|i said|or rather|make (?:it|that)|"
    r"(?:change|move|switch) (?:it|that)(?: to)?|actually|correction|scratch that)"
)
_MARKS: Final = re.compile(
    rf"(?<![\w'])(?:(?<!have )(?<!is )(?<!there )(?<!order )(?<!has )(?<!say ))"
    rf"{_ONE_MARK}(?:[\s,.]+{_ONE_MARK})*(?![\w'])[\s,.:]*",
    re.IGNORECASE,
)
_FILLERS: Final = frozenset({"oh", "um", "uh", "well", "and", "but", "ah", "hmm"})
_DENIES: Final = frozenset({"no", "nope", "correction", "scratch"})
_WITHDRAWS: Final = re.compile(
    r"^(?:please |just )*(?:do not|never mind|forget (?:it|that|about it)|leave it|"
    r"stop|rather not|keep it|cancel that)(?: please| do (?:it|that)| that)*$"
)


@dataclass(frozen=True, slots=True)
class Revised:
    """A clause with what the speaker put in the place of what was said first.

    Attributes:
        first: What was said first; "" when the clause begins with a correction.
        later: What takes its place, one after the other.
        denied: Whether it ends with nothing in its place: "..., actually no".
    """

    first: str
    later: tuple[str, ...] = ()
    denied: bool = False

    @property
    def begins(self) -> bool:
        """Whether the clause corrects what was said before it."""
        return not self.first and bool(self.later or self.denied)

    @property
    def withdrawn(self) -> bool:
        """Whether the speaker takes back what was said."""
        return self.denied or bool(self.later and withdraws(self.later[-1]))

    def parts(self) -> list[str]:
        """Return what was said, the latest last."""
        return [part for part in (self.first, *self.later) if part]


def pieces(text: str) -> Iterator[tuple[int, int]]:
    """Yield where each piece between connectors begins and ends."""
    start = 0
    for match in _CONNECTOR.finditer(text):
        if match.start() > start:
            yield start, match.start()
        start = match.end()
    if start < len(text):
        yield start, len(text)


def revised(clause: str) -> Revised:
    """Return a clause cut at the words that mark a correction."""
    parts: list[str] = []
    start = 0
    last_mark = ""
    for match in _MARKS.finditer(clause):
        parts.append(_trimmed(clause[start : match.start()]))
        start = match.end()
        last_mark = match[0]
    parts.append(_trimmed(clause[start:]))
    if len(parts) > 1 and not set(spoken_words(parts[0])) - _FILLERS:
        parts[0] = ""
    later = tuple(part for part in parts[1:] if part)
    denied = not parts[-1] and bool(_DENIES & set(spoken_words(last_mark)))
    return Revised(parts[0], later, denied)


def withdraws(text: str) -> bool:
    """Return whether a text takes back what was said and says nothing else."""
    return _WITHDRAWS.match(" ".join(spoken_words(text))) is not None


def _trimmed(text: str) -> str:
    return text.strip(" ,;:-")
