"""E-mail addresses and telephone numbers as they are said aloud."""

from __future__ import annotations

import re
from typing import Final

from realtime_widget.engine.dialogue.numbers import dialled, find_numbers, small_number
from realtime_widget.engine.dialogue.words import Said, word_list

_WRITTEN: Final = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_SIGNS: Final = {
    "dot": ".",
    "point": ".",
    "period": ".",
    "underscore": "_",
    "dash": "-",
    "hyphen": "-",
    "minus": "-",
    "plus": "+",
}
_DOTS: Final = frozenset({"dot", "point"})
# What stands before an address and is no part of it.
_LEADS: Final = frozenset(
    word_list("""is it's its email e mail address at to me my use as for with and under
    would be yes please the i am i'm change update set reach send contact no sorry""")
)
_MOST_LOCAL_WORDS: Final = 10
_MOST_DOMAIN_WORDS: Final = 8
_FEWEST_DIGITS: Final = 5


def take_email(said: Said) -> str | None:
    """Return an address, written or spelled: "ann dot lee at shop dot example"."""
    if match := _WRITTEN.search(said.text):
        for at, written in enumerate(said.words):
            if match.start() <= written.start < match.end():
                said.use(at, at + 1)
        return match[0].rstrip(".").lower()
    words = said.lows()
    for at, word in enumerate(words):
        if word != "at":
            continue
        domain, end = _domain(words, at + 1)
        local, start = _local(words, at)
        if domain and local:
            said.use(start, end)
            return f"{local}@{domain}"
    return None


def take_phone(said: Said) -> str | None:
    """Return a telephone number said in groups, with "+" when "plus" was said."""
    numbers = [n for n in find_numbers(said) if n.end > n.start]
    words = said.lows()
    read = [(dialled(words[n.start : n.end]), n) for n in numbers]
    if not read:
        return None
    digits, number = max(read, key=lambda one: len(one[0]))
    if len(digits) < _FEWEST_DIGITS:
        return None
    before = said.words[number.start].start
    start = number.start
    plus = said.text[:before].rstrip().endswith("+")
    if start and words[start - 1] == "plus":
        plus, start = True, start - 1
    said.use(start, number.end)
    return f"+{digits}" if plus else digits


def _domain(words: list[str], at: int) -> tuple[str, int]:
    """Return what follows "at" up to its last label, "" without a dot."""
    tokens: list[str] = []
    place = at
    while place < min(len(words), at + _MOST_DOMAIN_WORDS):
        if words[place] in _DOTS and tokens and place + 1 < len(words):
            end = _label_end(words, place + 1)
            tokens += [".", *words[place + 1 : end]]
            if end >= len(words) or words[end] not in _DOTS:
                return _address(tokens), end
            place = end
            continue
        tokens.append(words[place])
        place += 1
    return "", at


def _label_end(words: list[str], at: int) -> int:
    """Return where the label after a dot ends; "c o m" is one."""
    place = at + 1
    while len(words[at]) == 1 and place < len(words) and len(words[place]) == 1:
        place += 1
    return place


def _local(words: list[str], at: int) -> tuple[str, int]:
    """Return what precedes "at" and where it begins."""
    start = at
    while start and at - start < _MOST_LOCAL_WORDS:
        word = words[start - 1]
        spelled = len(word) == 1 and start < at and len(words[start]) == 1
        if word in _LEADS and not spelled:
            break
        start -= 1
    return _address(words[start:at]).strip(".-+"), start


def _address(tokens: list[str]) -> str:
    """Return words as an address is written: signs, and digits for number words."""
    written = ""
    numbers: list[str] = []
    for token in [*tokens, ""]:
        if small_number(token) is not None:
            numbers.append(token)
            continue
        written += dialled(numbers) + _SIGNS.get(token, token.replace("'", ""))
        numbers = []
    return written
