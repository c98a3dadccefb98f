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
_NAMING_LEAD = re.compile(
    r"\b(?:saying|that says|called|titled|named|note that)\s+", re.IGNORECASE
)
_QUOTED = re.compile(r"[\"“]([^\"”]+)[\"”]")
# Free words for these are the whole sentence.
_WHOLE: Final = frozenset(
    {"query", "question", "search", "request", "utterance", "text"}
)
_CALENDAR: Final = frozenset({*WEEKDAYS, *MONTHS, "today", "tomorrow", "tonight"})
_DETERMINERS: Final = frozenset({"a", "an", "the", "my", "your", "some", "this"})
_POSSESSIVES: Final = frozenset({"my", "your", "some"})
_AFTERTHOUGHTS: Final = frozenset({"please", "thanks", "now", "again"})
_SPELLING: Final = frozenset({"spelled", "spelt", "spelling", "name", "under"})
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
    if spelled := _take_spelled(said):
        return spelled
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


def _take_spelled(said: Said) -> str:
    """Return a name that is spelled, "" for none: "smith s m y t h" is Smyth."""
    lows = said.lows()
    for at in range(len(lows)):
        end = at
        letters = ""
        while end < len(lows) and (step := _letter(lows, end)):
            letters, end = letters + step[0], end + step[1]
        clock = letters in {"am", "pm"}
        if len(letters) < 2 or clock or not said.free(at, end):
            continue
        match = _NAME_LEAD.search(said.text)
        lead = match.end() if match else 0
        before = [
            word.text
            for word in said.words[:at]
            if word.start >= lead and word.low not in _FILLERS | _SPELLING
        ]
        if before and before[-1][0].lower() == letters[0]:
            before.pop()
        said.use(at, end)
        return _titled(" ".join([*before[-2:], letters]).lower())
    return ""


def _letter(words: list[str], at: int) -> tuple[str, int] | None:
    """Return a letter, or "double t" as two, and how many words it took."""
    if words[at] == "double" and at + 1 < len(words) and len(words[at + 1]) == 1:
        return words[at + 1] * 2, 2
    return (words[at], 1) if len(words[at]) == 1 and words[at].isalpha() else None


def take_text(
    said: Said,
    parameter: Parameter,
    *,
    direct: bool,
    tool_words: frozenset[str],
    about: frozenset[str],
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
    if match := _NAMING_LEAD.search(said.text) or _TEXT_LEAD.search(said.text):
        run = _run_from(said, match.end(), 12)
        run = _without_frame(said, run, about) if run is not None else None
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


def _without_frame(
    said: Said, run: tuple[int, int], about: frozenset[str]
) -> tuple[int, int] | None:
    """Return a run without what only says what it is: "the book ulysses".

    "My" goes too, and a place behind it that the tool is known by: "in the catalogue".
    """
    start, end = run
    known = [stem(word.low) in about for word in said.words]
    lows = said.lows()
    if lows[start] in _DETERMINERS and start + 1 < end:
        if known[start + 1]:
            start += 2 + (lows[start + 2 : start + 3] in (["of"], ["for"]))
        elif lows[start] in _POSSESSIVES:
            start += 1
    while end - start > 1 and lows[end - 1] in _AFTERTHOUGHTS:
        end -= 1
    if end - start > 2 and known[end - 1] and lows[end - 2] in _DETERMINERS:
        end -= 3 if lows[end - 3] in _PLACE_LEADS else 0
    return (start, end) if end > start else None


def _meaningful(said: Said, run: tuple[int, int], tool_words: frozenset[str]) -> bool:
    return any(_is_content(said, at, tool_words) for at in range(*run))


def _looks_like_name(said: Said, run: tuple[int, int], *, direct: bool) -> bool:
    first = said.words[run[0]]
    return first.low not in _FILLERS and (direct or first.text[0].isupper())


def _titled(name: str) -> str:
    return name if any(c.isupper() for c in name) else name.title()
