"""Days, times and numbers as people say them and as recognisers write them."""

from __future__ import annotations

import datetime
import re
from typing import Final

WEEKDAYS: Final = (
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
    "sunday",
)
DIGITS: Final = {
    "zero": "0",
    "oh": "0",
    "o": "0",
    "one": "1",
    "two": "2",
    "three": "3",
    "four": "4",
    "five": "5",
    "six": "6",
    "seven": "7",
    "eight": "8",
    "nine": "9",
}
HOURS: Final = {word: int(digit) for word, digit in DIGITS.items() if len(word) > 2} | {
    "ten": 10,
    "eleven": 11,
    "twelve": 12,
    "noon": 12,
    "midday": 12,
}
MINUTES: Final = {"fifteen": 15, "thirty": 30, "forty-five": 45, "forty five": 45}
CLOCK: Final = re.compile(r"\b(\d{1,2})(?:[:.](\d{2}))?\s*(am|pm|o'clock)?(?!\d)")
# The shop opens in the morning: "at three" is in the afternoon.
FIRST_MORNING_HOUR: Final = 8


def order_number(said: str) -> str:
    """Return the digits of an order number.

    >>> order_number("one zero four two")
    '1042'
    >>> order_number("number 10-42")
    '1042'
    """
    words = re.findall(r"[a-z]+|\d+", said.lower())
    return "".join(word if word.isdigit() else DIGITS.get(word, "") for word in words)


def day(said: str, today: datetime.date) -> datetime.date | None:
    """Return the date meant, None when there is none in the words.

    A weekday's name is the next such day, today included; "next Tuesday" on a
    Tuesday is a week away.

    Args:
        said: "Tuesday", "tomorrow", "next Friday" or an ISO date.
        today: The date in the shop.
    """
    words = said.lower().strip()
    if match := re.search(r"\d{4}-\d{2}-\d{2}", words):
        try:
            return datetime.date.fromisoformat(match[0])
        except ValueError:
            return None
    if "today" in words or "now" in words.split():
        return today
    if "tomorrow" in words:
        after = 2 if "day after" in words else 1
        return today + datetime.timedelta(days=after)
    for number, name in enumerate(WEEKDAYS):
        if name in words:
            ahead = (number - today.weekday()) % 7
            ahead = 7 if ahead == 0 and "next" in words else ahead
            return today + datetime.timedelta(days=ahead)
    return None


def clock_time(said: str) -> datetime.time | None:
    """Return the time of day meant, None when there is none in the words.

    Args:
        said: "10", "at ten", "half past seven", "quarter to four", "3 pm", "14:30".
    """
    words = said.lower().replace("a.m.", "am").replace("p.m.", "pm").strip()
    hour, minute, half = _digits(words) or _words(words)
    if hour is None:
        return None
    if half == "pm" and hour < 12:
        hour += 12
    elif half == "am" and hour == 12:
        hour = 0
    elif not half and hour < FIRST_MORNING_HOUR:
        hour += 12
    hour, minute = _shifted(words, hour, minute)
    if hour > 23 or minute > 59:
        return None
    return datetime.time(hour, minute)


def _digits(words: str) -> tuple[int | None, int, str] | None:
    match = CLOCK.search(words)
    if match is None:
        return None
    half = match[3] if match[3] in ("am", "pm") else _half_of_day(words)
    return int(match[1]), int(match[2] or 0), half


def _words(words: str) -> tuple[int | None, int, str]:
    names = re.findall(r"[a-z]+(?:-[a-z]+)?", words)
    hour = next((HOURS[name] for name in names if name in HOURS), None)
    minute = next((value for name, value in MINUTES.items() if name in words), 0)
    return hour, minute, _half_of_day(words)


def _half_of_day(words: str) -> str:
    if re.search(r"\b(afternoon|evening|pm)\b", words):
        return "pm"
    return "am" if re.search(r"\b(morning|am)\b", words) else ""


def _shifted(words: str, hour: int, minute: int) -> tuple[int, int]:
    """Return the time with "half past", "quarter past" and "quarter to" in it."""
    if "half past" in words:
        return hour, 30
    if "quarter past" in words:
        return hour, 15
    if "quarter to" in words:
        return hour - 1, 45
    return hour, minute


def time_words(time: datetime.time) -> str:
    """Return a time so that a voice says it well: "10 o'clock", "half past 2"."""
    hour = time.hour % 12 or 12
    if time.minute == 0:
        return f"{hour} o'clock"
    if time.minute == 30:
        return f"half past {hour}"
    return f"{hour}:{time.minute:02}"


def day_words(date: datetime.date, today: datetime.date) -> str:
    """Return a date so that a voice says it well: "tomorrow", "on Tuesday"."""
    ahead = (date - today).days
    if ahead == 0:
        return "today"
    if ahead == 1:
        return "tomorrow"
    if 1 < ahead < 7:
        return f"on {date:%A}"
    return f"on {date:%A}, {date:%B} {date.day}"
