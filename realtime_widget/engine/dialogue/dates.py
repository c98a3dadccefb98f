"""Days and times in speech, relative to today."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, time, timedelta
from typing import Final

from realtime_widget.engine.dialogue.numbers import ordinal, small_number
from realtime_widget.engine.dialogue.words import Said

WEEKDAYS: Final = (
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
    "sunday",
)
MONTHS: Final = (
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
)
_WEEKDAY_INDEX: Final = {
    form: index
    for index, name in enumerate(WEEKDAYS)
    for form in (name, f"{name}s", name[:3])
    if form not in {"sun", "sat"}
} | {"tues": 1, "thur": 3, "thurs": 3}
_MONTH_INDEX: Final = {
    form: index
    for index, name in enumerate(MONTHS, start=1)
    for form in {name, name[:3]}
} | {"sept": 9}
_ISO = re.compile(r"\b(\d{4})-(\d{2})-(\d{2})\b")
_RELATIVE: Final = {"today": 0, "tonight": 0, "now": 0, "tomorrow": 1}
_REJECTED_LEADS: Final = frozenset({"on", "for", "at", "the", "this"})
_LEAD_INS: Final = frozenset({"on", "for", "the", "this", "by", "of"})
# "At four" of a visitor means the afternoon: shops are shut at night.
_MORNING_STARTS_HOUR: Final = 7

Span = tuple[int, int]


def take_date(said: Said, today: date) -> date | None:
    """Return the first day that is spoken of, and mark its words."""
    if match := _ISO.search(said.text):
        inside = [
            i
            for i, w in enumerate(said.words)
            if match.start() <= w.start < match.end()
        ]
        if said.free(inside[0], inside[-1] + 1):
            said.use(inside[0], inside[-1] + 1)
            return _date(int(match[1]), int(match[2]), int(match[3]))
    words = [word.removesuffix("'s") for word in said.lows()]
    for at in range(len(words)):
        for reader in _DATE_READERS:
            read = reader(words, at, today)
            if read is not None and said.free(at, at + read[1]):
                start = at
                while start and words[start - 1] in _LEAD_INS:
                    start -= 1
                said.use(start, at + read[1])
                return read[0]
    return None


def reject(said: Said, today: date) -> None:
    """Mark the days and times that are named only to say that they are not meant."""
    words = said.lows()
    for at, word in enumerate(words):
        if word not in {"not", "than", "of"} or not said.free(at, at + 1):
            continue
        if word != "not" and words[at - 1 : at] not in (["rather"], ["instead"]):
            continue
        place = at + 1
        while place < len(words) and words[place] in _REJECTED_LEADS:
            place += 1
        taken = _taken(words, place, today)
        if taken:
            said.use(at, place + taken)


def _taken(words: list[str], at: int, today: date) -> int:
    """Return how many words from here on name a day or a time, 0 for none."""
    if at >= len(words):
        return 0
    for reader in _DATE_READERS:
        read = reader(words, at, today)
        if read is not None:
            return read[1]
    moment = _read_time(words, at, bare=True)
    return moment[1] if moment is not None else 0


def take_time(said: Said, *, bare: bool = False) -> time | None:
    """Return the first time of day that is spoken of, and mark its words.

    Args:
        said: What was said.
        bare: Whether a number alone counts, as after the question for a time.
    """
    words = said.lows()
    for at in range(len(words)):
        read = _read_time(words, at, bare=bare)
        if read is None or not said.free(at, at + read[1]):
            continue
        hour, minute, sure = read[2], read[3], read[4]
        said.use(at, at + read[1])
        return time(_day_hour(hour, words, sure=sure), minute)
    return None


def weekday_name(day: date) -> str:
    """Return a day's name in English, in lower case, whatever the locale."""
    return WEEKDAYS[day.weekday()]


def spoken_date(day: date, today: date) -> str:
    """Return a day as a person says it: "Tuesday, November 24"."""
    words = f"{weekday_name(day).title()}, {MONTHS[day.month - 1].title()} {day.day}"
    return words if day.year == today.year else f"{words}, {day.year}"


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _read_relative(words: list[str], at: int, today: date) -> tuple[date, int] | None:
    if words[at : at + 3] == ["day", "after", "tomorrow"]:
        return today + timedelta(days=2), 3
    if words[at] in _RELATIVE:
        return today + timedelta(days=_RELATIVE[words[at]]), 1
    if words[at] == "in" and at + 2 < len(words):
        count = 1 if words[at + 1] in {"a", "an"} else small_number(words[at + 1])
        days = {"day": 1, "week": 7}.get(words[at + 2].removesuffix("s"))
        if count is not None and days is not None:
            return today + timedelta(days=count * days), 3
    return None


def _read_weekday(words: list[str], at: int, today: date) -> tuple[date, int] | None:
    following = words[at] == "next"
    place = at + 1 if following else at
    if place >= len(words) or words[place] not in _WEEKDAY_INDEX:
        return None
    index = _WEEKDAY_INDEX[words[place]]
    if following:
        monday = today - timedelta(days=today.weekday()) + timedelta(days=7)
        return monday + timedelta(days=index), 2
    ahead = (index - today.weekday() - 1) % 7 + 1
    return today + timedelta(days=ahead), 1


def _read_month_day(words: list[str], at: int, today: date) -> tuple[date, int] | None:
    """Read "November 24th", "24 November" and "the twenty fourth of November"."""
    if words[at] in _MONTH_INDEX and at + 1 < len(words):
        read = _day_number(words, at + 1)
        if read is not None:
            return _coming(_MONTH_INDEX[words[at]], read[0], today, read[1] + 1)
    read = _day_number(words, at)
    if read is None:
        return None
    place = at + read[1]
    if place < len(words) and words[place] == "of":
        place += 1
    if place < len(words) and words[place] in _MONTH_INDEX:
        return _coming(_MONTH_INDEX[words[place]], read[0], today, place - at + 1)
    return None


def _read_day_of_month(
    words: list[str], at: int, today: date
) -> tuple[date, int] | None:
    """Read "the 24th": this month's or the next one's."""
    if at == 0 or words[at - 1] not in {"the", "on"}:
        return None
    read = ordinal(words, at)
    if read is None:
        return None
    for ahead in range(12):
        year, month = divmod(today.year * 12 + today.month - 1 + ahead, 12)
        day = _date(year, month + 1, read[0])
        if day is not None and day >= today:
            return day, read[1]
    return None


_DATE_READERS: Final[
    tuple[Callable[[list[str], int, date], tuple[date, int] | None], ...]
] = (_read_relative, _read_weekday, _read_month_day, _read_day_of_month)


def _day_number(words: list[str], at: int) -> tuple[int, int] | None:
    read = ordinal(words, at)
    if read is not None:
        return read
    value = small_number(words[at])
    if value is None or not 1 <= value <= 31:
        return None
    unit = small_number(words[at + 1]) if at + 1 < len(words) else None
    if value in {20, 30} and not words[at].isdecimal() and unit and unit <= 9:
        return value + unit, 2
    return value, 1


def _coming(month: int, day: int, today: date, taken: int) -> tuple[date, int] | None:
    this_year = _date(today.year, month, day)
    if this_year is not None and this_year >= today:
        return this_year, taken
    later = _date(today.year + 1, month, day)
    return (later, taken) if later is not None else None


# (start, words taken, hour, minute, hour is of 24)
_Read = tuple[int, int, int, int, bool]


def _read_time(words: list[str], at: int, *, bare: bool) -> _Read | None:
    if words[at] in {"noon", "midday"}:
        return at, 1, 12, 0, True
    if words[at] == "midnight":
        return at, 1, 0, 0, True
    if (past := _read_past(words, at)) is not None:
        return past
    place = at + 1 if words[at] in {"at", "around", "by", "from"} else at
    if place >= len(words):
        return None
    clock = re.fullmatch(r"(\d{1,2})[:.](\d{2})", words[place])
    if clock and int(clock[1]) < 24 and int(clock[2]) < 60:
        sure = int(clock[1]) > 12 or clock[1].startswith("0")
        return _halved(words, at, place + 1, int(clock[1]), int(clock[2]), sure=sure)
    hour = small_number(words[place])
    if hour is None or not 0 <= hour <= 23:
        return None
    end, minute = _minute(words, place + 1)
    read = _halved(words, at, end, hour, minute, sure=hour > 12 or hour == 0)
    marked = place > at or end > place + 1 or read[1] > end - at
    return read if marked or bare else None


def _read_past(words: list[str], at: int) -> _Read | None:
    """Read "half past seven", "a quarter to four" and "ten past nine"."""
    if at + 2 >= len(words) or words[at + 1] not in {"past", "pass", "to", "after"}:
        return None
    minutes = {"half": 30, "quarter": 15}.get(words[at], small_number(words[at]))
    hour = small_number(words[at + 2])
    if minutes is None or hour is None or not 1 <= hour <= 12 or minutes > 59:
        return None
    if words[at + 1] == "to":
        hour, minutes = hour - 1 or 12, 60 - minutes
    return _halved(words, at, at + 3, hour, minutes % 60, sure=False)


def _minute(words: list[str], at: int) -> tuple[int, int]:
    """Return (index behind, minute) of "thirty" in "ten thirty"; 0 when there is none."""
    if at < len(words) and words[at] in {"o'clock", "oclock"}:
        return at + 1, 0
    if at + 1 < len(words) and words[at] in {"oh", "o"}:
        unit = small_number(words[at + 1])
        if unit is not None and 0 < unit < 10:
            return at + 2, unit
    value = small_number(words[at]) if at < len(words) else None
    if value is None or not 10 <= value <= 59:
        return at, 0
    unit = small_number(words[at + 1]) if at + 1 < len(words) else None
    if value % 10 == 0 and not words[at].isdecimal() and unit and unit <= 9:
        return at + 2, value + unit
    return at + 1, value


def _halved(
    words: list[str], at: int, end: int, hour: int, minute: int, *, sure: bool
) -> _Read:
    """Add a following "pm" or "in the evening" to a time."""
    half = ""
    if end < len(words) and words[end] in {"am", "pm"}:
        half, end = words[end], end + 1
    elif end + 1 < len(words) and words[end] in {"a", "p"} and words[end + 1] == "m":
        half, end = f"{words[end]}m", end + 2
    elif end < len(words) and words[end] in {"o'clock", "oclock"}:
        end += 1
    if half and 1 <= hour <= 12:
        return at, end - at, hour % 12 + (12 if half == "pm" else 0), minute, True
    return at, end - at, hour, minute, sure


def _day_hour(hour: int, words: list[str], *, sure: bool) -> int:
    """Return the hour of 24 that a visitor means."""
    if sure:
        return hour
    if {"afternoon", "evening", "tonight"} & set(words) and hour < 12:
        return hour + 12
    if "morning" in words:
        return hour % 12
    return hour + 12 if 1 <= hour < _MORNING_STARTS_HOUR else hour
