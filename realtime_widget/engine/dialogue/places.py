"""Proper names and free words in speech: what no format tells apart."""

from __future__ import annotations

import re
from typing import Final

from realtime_widget.engine.dialogue.dates import MONTHS, WEEKDAYS
from realtime_widget.engine.dialogue.parameters import Parameter
from realtime_widget.engine.dialogue.words import STOPWORDS, Said, stem

_PLACE_LEADS: Final = frozenset({"in", "at", "for", "to", "from", "near", "around"})
_NAME_LEAD = re.compile(
    r"\b(?:my name is|name is|name's|i am|i'm|this is|call me|under the name(?: of)?|"
    r"in the name of|(?:it's|it is)(?: under)?|under)\s+",
    re.IGNORECASE,
)
_TEXT_LEAD = re.compile(
    r"\b(?:about|saying|that says|because|regarding|reason is|called|titled|note that|"
    r"for)\s+",
    re.IGNORECASE,
)
_QUOTED = re.compile(r"[\"“]([^\"”]+)[\"”]")
# Free words for these are the whole sentence.
_WHOLE: Final = frozenset(
    {"query", "question", "search", "request", "utterance", "text"}
)
_CALENDAR: Final = frozenset({*WEEKDAYS, *MONTHS, "today", "tomorrow", "tonight"})
_FILLERS: Final = STOPWORDS | {
    "please",
    "sorry",
    "look",
    "find",
    "check",
    "show",
    "help",
    "day",
    "time",
    "now",
    "right",
}


def take_place(said: Said, *, direct: bool, tool_words: frozenset[str]) -> str | None:
    """Return a place: capitalised words, or what follows "in"."""
    run = _capitalised(said, tool_words)
    if run is None:
        run = _after_lead(said, tool_words)
    if run is None and direct:
        run = _leftover(said, frozenset())
    if run is None:
        return None
    said.use(*run)
    found = said.slice(*run)
    return found if any(c.isupper() for c in found) else found.title()


def take_name(said: Said, parameter: Parameter, *, direct: bool) -> str | None:
    """Return a name: what follows "my name is", or capitals after "for"."""
    if match := _NAME_LEAD.search(said.text):
        run = _name_run(said, match.end())
        if run is not None and _looks_like_name(said, run, direct=direct):
            said.use(*run)
            return _titled(said.slice(*run))
    personal = not {"product", "item", "service", "company", "file"} & set(
        parameter.words.split()
    )
    run = _leftover(said, frozenset()) if direct else None
    if run is None and personal:
        run = _after_word(said, "for")
    if run is None:
        return None
    said.use(*run)
    return _titled(said.slice(*run))


def take_text(
    said: Said, parameter: Parameter, *, direct: bool, tool_words: frozenset[str]
) -> str | None:
    """Return free words: quoted, an example of the description, or what is left over."""
    if match := _QUOTED.search(said.text):
        return match[1].strip()
    low = said.text.lower()
    for example in parameter.examples():
        if re.search(rf"\b{re.escape(example.lower())}", low):
            return example
    if direct or _WHOLE & set(parameter.words.split()):
        return said.text.strip().rstrip(".!?").strip() or None
    if not parameter.required:
        return None
    if match := _TEXT_LEAD.search(said.text):
        run = _run_from(said, match.end(), 12)
        if run is not None and _meaningful(said, run, tool_words):
            said.use(*run)
            return said.slice(*run)
    run = _leftover(said, tool_words)
    if run is None:
        return None
    said.use(*run)
    return said.slice(*run)


def _capitalised(said: Said, tool_words: frozenset[str]) -> tuple[int, int] | None:
    """Return the longest run of capitalised words that is no sentence's beginning."""
    best: tuple[int, int] | None = None
    at = 0
    while at < len(said.words):
        end = at
        while end < len(said.words) and _is_proper(said, end, tool_words):
            end += 1
        if end > at and (best is None or end - at > best[1] - best[0]):
            best = (at, end)
        at = max(end, at + 1)
    return best


def _is_proper(said: Said, at: int, tool_words: frozenset[str]) -> bool:
    word = said.words[at]
    begins = at == 0 or bool(
        re.search(r"[.!?]\s*$", said.text[: word.start].rstrip("\"'“ "))
    )
    return (
        word.text[0].isupper()
        and said.free(at, at + 1)
        and word.low not in STOPWORDS
        and word.low not in _CALENDAR
        and stem(word.low) not in tool_words
        and (not begins or len(said.words) <= 2)
    )


def _after_lead(said: Said, tool_words: frozenset[str]) -> tuple[int, int] | None:
    for at, word in enumerate(said.words[:-1]):
        if word.low in _PLACE_LEADS and said.free(at, at + 1):
            run = _content_run(said, at + 1, 3, tool_words)
            if run is not None:
                return run
    return None


def _after_word(said: Said, lead: str) -> tuple[int, int] | None:
    for at, word in enumerate(said.words[:-1]):
        if word.low == lead and _is_proper(said, at + 1, frozenset()):
            end = at + 2
            while end < len(said.words) and _is_proper(said, end, frozenset()):
                end += 1
            return at + 1, end
    return None


def _content_run(
    said: Said, start: int, most: int, tool_words: frozenset[str]
) -> tuple[int, int] | None:
    end = start
    while end < min(len(said.words), start + most) and _is_content(
        said, end, tool_words
    ):
        end += 1
    return (start, end) if end > start else None


def _is_content(said: Said, at: int, tool_words: frozenset[str]) -> bool:
    word = said.words[at]
    return (
        said.free(at, at + 1)
        and word.low not in _FILLERS
        and word.low not in _CALENDAR
        and stem(word.low) not in tool_words
    )


def _leftover(said: Said, tool_words: frozenset[str]) -> tuple[int, int] | None:
    """Return the longest run of words that mean something and were not used."""
    best: tuple[int, int] | None = None
    for at in range(len(said.words)):
        run = _content_run(said, at, 6, tool_words)
        if run is not None and (best is None or run[1] - run[0] > best[1] - best[0]):
            best = run
    return best


def _run_from(said: Said, position: int, most: int) -> tuple[int, int] | None:
    """Return up to ``most`` unused words from a place in the text to a clause's end."""
    starts = [at for at, word in enumerate(said.words) if word.start >= position]
    if not starts:
        return None
    start = end = starts[0]
    while end < min(len(said.words), start + most) and said.free(end, end + 1):
        gap = said.text[said.words[end - 1].end : said.words[end].start]
        if end > start and re.search(r"[.,;!?]", gap):
            break
        end += 1
    return (start, end) if end > start else None


def _name_run(said: Said, position: int) -> tuple[int, int] | None:
    """Return up to three words of a name; in mixed case, the capitalised ones."""
    run = _run_from(said, position, 3)
    if run is None or not said.words[run[0]].text[0].isupper():
        return run
    end = run[0] + 1
    while end < run[1] and said.words[end].text[0].isupper():
        end += 1
    return run[0], end


def _meaningful(said: Said, run: tuple[int, int], tool_words: frozenset[str]) -> bool:
    return any(_is_content(said, at, tool_words) for at in range(*run))


def _looks_like_name(said: Said, run: tuple[int, int], *, direct: bool) -> bool:
    first = said.words[run[0]]
    return first.low not in _FILLERS and (direct or first.text[0].isupper())


def _titled(name: str) -> str:
    return name if any(c.isupper() for c in name) else name.title()
