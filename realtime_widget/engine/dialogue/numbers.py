"""Numbers in speech: digits, number words, and digits said one by one."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from realtime_widget.engine.dialogue.words import Said, word_list

_UNITS: Final = {
    word: value
    for value, word in enumerate(
        word_list("""zero one two three four five six seven eight nine ten eleven twelve thirteen
        fourteen fifteen sixteen seventeen eighteen nineteen""")
    )
}
_TENS: Final = {
    word: 10 * value
    for value, word in enumerate(
        word_list("twenty thirty forty fifty sixty seventy eighty ninety"), start=2
    )
}
_SCALES: Final = {"hundred": 100, "thousand": 1000}
_ORDINALS: Final = {
    word: value
    for value, word in enumerate(
        word_list("""first second third fourth fifth sixth seventh eighth ninth tenth eleventh
        twelfth thirteenth fourteenth fifteenth sixteenth seventeenth eighteenth
        nineteenth twentieth"""),
        start=1,
    )
} | {"thirtieth": 30}
_ZEROS: Final = frozenset({"oh", "o", "nought"})
_TIMES: Final = {"double": 2, "triple": 3}
_DIGITS = re.compile(r"\d+(?:,\d{3})*(?:\.\d+)?$")


@dataclass(frozen=True, slots=True)
class Number:
    """A number that was said.

    Attributes:
        start: Index of its first word.
        end: Index behind its last word.
        value: What it counts ("ten forty two" counts as 1042).
        digits: Its digits as an id is read out ("0042" keeps its zeros).
    """

    start: int
    end: int
    value: float
    digits: str


def small_number(word: str) -> int | None:
    """Return the value of one word or digit group below 100, None for others."""
    if word.isdecimal() and len(word) <= 2:
        return int(word)
    return _UNITS.get(word, _TENS.get(word))


def ordinal(words: list[str], at: int) -> tuple[int, int] | None:
    """Return (value, words taken) of an ordinal at this place: 24th, twenty fourth."""
    word = words[at]
    if match := re.fullmatch(r"(\d{1,2})(?:st|nd|rd|th)", word):
        return int(match[1]), 1
    if word in _ORDINALS:
        return _ORDINALS[word], 1
    if word in _TENS and at + 1 < len(words):
        unit = _ORDINALS.get(words[at + 1], 0)
        if 1 <= unit <= 9:
            return _TENS[word] + unit, 2
    return None


def find_numbers(said: Said) -> list[Number]:
    """Return the numbers made of unused words, neighbours taken together."""
    found: list[Number] = []
    words = said.lows()
    at = 0
    while at < len(words):
        end = at
        while end < len(words) and said.free(end, end + 1) and _is_numeric(words, end):
            if end > at and not _joined(said, end):
                break
            end += 1
        if end > at:
            found.append(_read(at, words[at:end]))
        at = max(end, at + 1)
    return found


def _is_numeric(words: list[str], at: int) -> bool:
    word = words[at]
    if word in _ZEROS:
        if at > 0 and _is_plain(words[at - 1]) or words[at - 1 : at] == ["double"]:
            return True
        return (
            word == "oh"
            and len(words) > at + 2
            and all(
                _is_plain(following) or following in _TIMES or following in _ZEROS
                for following in words[at + 1 : at + 3]
            )
        )
    if word in _TIMES:
        following = words[at + 1 : at + 2]
        return bool(following) and (following[0] in _ZEROS or _is_digit(following[0]))
    if word == "and":
        return (
            at > 0
            and words[at - 1] in _SCALES
            and _is_numeric(words, at - 1)
            and _follows(words, at)
        )
    if word in _SCALES:
        before = words[at - 1] if at else ""
        return before in {"a", *_SCALES} or _is_plain(before)
    return _is_plain(word)


def _is_digit(word: str) -> bool:
    value = small_number(word)
    return value is not None and value < 10


def _is_plain(word: str) -> bool:
    return word in _UNITS or word in _TENS or bool(_DIGITS.match(word))


def _follows(words: list[str], at: int) -> bool:
    return at + 1 < len(words) and _is_plain(words[at + 1])


def _joined(said: Said, at: int) -> bool:
    """Return whether two numbers may be groups of digits of one."""
    if "." in said.words[at - 1].text or "." in said.words[at].text:
        return False
    between = said.text[said.words[at - 1].end : said.words[at].start]
    return between.strip() in {"", "-", ",", ")"}


def _read(start: int, words: list[str]) -> Number:
    end = start + len(words)
    if len(words) == 1 and _DIGITS.match(words[0]):
        plain = words[0].replace(",", "")
        return Number(start, end, float(plain), plain)
    groups = _TIMES.keys() & set(words) or words[0] in _ZEROS or words[0] == "zero"
    if groups:
        digits = dialled(words)
        return Number(start, end, float(digits), digits)
    if any(word in _SCALES for word in words):
        value = _with_scales(words)
        return Number(start, end, value, str(value))
    digits = "".join(_groups(words))
    return Number(start, end, float(digits), digits)


def dialled(words: list[str]) -> str:
    """Return the digits of a telephone number: "nine hundred" are three of them."""
    digits = ""
    for group in _groups([word for word in words if word != "and"]):
        digits += {"hundred": "00", "thousand": "000"}.get(group, group)
    return digits


def _groups(words: list[str]) -> list[str]:
    """Return the digits of each group: "ten forty two" is 10, 42."""
    groups: list[str] = []
    open_tens = False
    times = 1
    for word in words:
        if word in _TIMES:
            times, open_tens = _TIMES[word], False
            continue
        if word in _TENS:
            groups.append(str(_TENS[word]))
            open_tens = True
            continue
        unit = _UNITS.get(word)
        if unit is not None and 1 <= unit <= 9 and open_tens:
            groups[-1] = str(int(groups[-1]) + unit)
        elif word in _ZEROS:
            groups.append("0")
        else:
            groups.append(str(unit) if unit is not None else word.replace(",", ""))
        groups[-1], times = groups[-1] * times, 1
        open_tens = False
    return groups


def _with_scales(words: list[str]) -> int:
    total = current = 0
    for word in words:
        if word == "and" or word in _ZEROS:
            continue
        if word == "thousand":
            total += max(current, 1) * 1000
            current = 0
        elif word == "hundred":
            current = max(current, 1) * 100
        elif word in _UNITS or word in _TENS:
            current += _UNITS.get(word, _TENS.get(word, 0))
        else:
            current += int(float(word.replace(",", "")))
    return total + current
