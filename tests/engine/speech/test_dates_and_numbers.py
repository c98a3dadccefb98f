from __future__ import annotations

from datetime import date, time

import pytest

from realtime_widget.engine.dialogue.dates import spoken_date, take_date, take_time
from realtime_widget.engine.dialogue.numbers import find_numbers
from realtime_widget.engine.dialogue.words import Said, stem

SATURDAY = date(2026, 11, 21)
MONDAY = date(2026, 11, 23)


@pytest.mark.parametrize(
    ("text", "today", "day"),
    [
        ("today", SATURDAY, date(2026, 11, 21)),
        ("tonight", SATURDAY, date(2026, 11, 21)),
        ("tomorrow", SATURDAY, date(2026, 11, 22)),
        ("the day after tomorrow", SATURDAY, date(2026, 11, 23)),
        ("in three days", SATURDAY, date(2026, 11, 24)),
        ("in a week", SATURDAY, date(2026, 11, 28)),
        ("in 2 weeks", SATURDAY, date(2026, 12, 5)),
        ("on Tuesday", SATURDAY, date(2026, 11, 24)),
        ("on Saturday", SATURDAY, date(2026, 11, 28)),
        ("this Friday", MONDAY, date(2026, 11, 27)),
        ("next Friday", MONDAY, date(2026, 12, 4)),
        ("next Tuesday", SATURDAY, date(2026, 11, 24)),
        ("November 24th", SATURDAY, date(2026, 11, 24)),
        ("24 November", SATURDAY, date(2026, 11, 24)),
        ("the twenty fourth of November", SATURDAY, date(2026, 11, 24)),
        ("November twenty four", SATURDAY, date(2026, 11, 24)),
        ("the 3rd of March", SATURDAY, date(2027, 3, 3)),
        ("the 24th", SATURDAY, date(2026, 11, 24)),
        ("on the first", SATURDAY, date(2026, 12, 1)),
        ("the 31st", date(2027, 2, 1), date(2027, 3, 31)),
        ("2026-12-24", SATURDAY, date(2026, 12, 24)),
        ("2026-13-24", SATURDAY, None),
        ("February 30th", SATURDAY, None),
        ("in many days", SATURDAY, None),
        ("second to none", SATURDAY, None),
        ("the sun in the month", SATURDAY, None),
        ("", SATURDAY, None),
    ],
)
def test_day_is_understood(text, today, day):
    assert take_date(Said(text), today) == day


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("at ten", time(10)),
        ("at 10 a.m.", time(10)),
        ("at 3", time(15)),
        ("at 3 in the morning", time(3)),
        ("at 8 in the evening", time(20)),
        ("3pm", time(15)),
        ("3 p.m.", time(15)),
        ("12 am", time(0)),
        ("at noon", time(12)),
        ("midnight", time(0)),
        ("half past seven", time(7, 30)),
        ("a quarter to four", time(15, 45)),
        ("ten past nine", time(9, 10)),
        ("quarter to one", time(12, 45)),
        ("10:30", time(10, 30)),
        ("17:05", time(17, 5)),
        ("09.15", time(9, 15)),
        ("at ten thirty", time(10, 30)),
        ("at ten forty five", time(10, 45)),
        ("at nine oh five", time(9, 5)),
        ("at eleven o'clock", time(11)),
        ("seven o'clock", time(7)),
        ("25:00", None),
        ("ten", None),
        ("at the shop", None),
        ("at", None),
        ("", None),
    ],
)
def test_time_is_understood(text, moment):
    assert take_time(Said(text)) == moment


def test_bare_number_is_a_time_when_one_was_asked_for():
    assert take_time(Said("ten"), bare=True) == time(10)


def test_words_of_a_day_are_not_used_again():
    said = Said("on the 24th at ten")

    assert take_date(said, SATURDAY) == date(2026, 11, 24)
    assert take_time(said) == time(10)
    assert find_numbers(said) == []


@pytest.mark.parametrize(
    ("text", "digits"),
    [
        ("one zero four two", ["1042"]),
        ("ten forty two", ["1042"]),
        ("1 0 4 2", ["1042"]),
        ("1-0-4-2", ["1042"]),
        ("one, zero, four, two", ["1042"]),
        ("four oh two", ["402"]),
        ("double 7", ["77"]),
        ("twenty three", ["23"]),
        ("two hundred and five", ["205"]),
        ("three thousand four hundred", ["3400"]),
        ("a thousand and one nights", ["1001"]),
        ("hundred and five", ["5"]),
        ("thousand", []),
        ("3.5 3.5", ["3.5", "3.5"]),
        ("2 thousand", ["2000"]),
        ("1,234", ["1234"]),
        ("7 or 8", ["7", "8"]),
        ("oh no", []),
        ("nothing", []),
    ],
)
def test_number_is_understood(text, digits):
    assert [number.digits for number in find_numbers(Said(text))] == digits


@pytest.mark.parametrize(
    ("words", "same"),
    [
        (["book", "booking", "booked", "books"], "book"),
        (["cancel", "cancelled", "cancellation"], "cancel"),
        (["open", "opening", "opens", "opened"], "open"),
        (["deliver", "delivered"], "deliver"),
        (["status"], "status"),
        (["order", "orders", "order's"], "order"),
        (["price", "prices"], "pric"),
    ],
)
def test_forms_of_a_word_are_one(words, same):
    assert {stem(word) for word in words} == {same}


@pytest.mark.parametrize(
    ("day", "words"),
    [
        (date(2026, 11, 24), "Tuesday, November 24"),
        (date(2027, 1, 2), "Saturday, January 2, 2027"),
    ],
)
def test_day_is_said_as_people_do(day, words):
    assert spoken_date(day, SATURDAY) == words
