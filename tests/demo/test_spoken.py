"""Days, times and numbers as the demo's customers say them."""

from __future__ import annotations

import datetime

import pytest

from demo_site import spoken

SATURDAY = datetime.date(2026, 11, 21)


@pytest.mark.parametrize(
    ("said", "number"),
    [
        ("1042", "1042"),
        ("one zero four two", "1042"),
        ("One oh four two.", "1042"),
        ("number 10-42", "1042"),
        ("1,042", "1042"),
        ("my order", ""),
    ],
)
def test_order_number_is_its_digits(said, number):
    assert spoken.order_number(said) == number


@pytest.mark.parametrize(
    ("said", "day"),
    [
        ("2026-11-24", "2026-11-24"),
        ("2026-02-31", None),
        ("Tuesday", "2026-11-24"),
        ("on saturday", "2026-11-21"),
        ("next Saturday", "2026-11-28"),
        ("today", "2026-11-21"),
        ("right now", "2026-11-21"),
        ("tomorrow", "2026-11-22"),
        ("the day after tomorrow", "2026-11-23"),
        ("soon", None),
    ],
)
def test_day_is_the_next_of_its_name(said, day):
    expected = datetime.date.fromisoformat(day) if day else None
    assert spoken.day(said, SATURDAY) == expected


@pytest.mark.parametrize(
    ("said", "time"),
    [
        ("10", "10:00"),
        ("at ten", "10:00"),
        ("10:30", "10:30"),
        ("10.30 in the morning", "10:30"),
        ("half past two", "14:30"),
        ("quarter past nine", "09:15"),
        ("quarter to four", "15:45"),
        ("3 pm", "15:00"),
        ("three in the afternoon", "15:00"),
        ("12 am", "00:00"),
        ("noon", "12:00"),
        ("14:30:00", "14:30"),
        ("ten forty-five", "10:45"),
        ("25:00", None),
        ("early", None),
    ],
)
def test_time_is_within_the_shops_day(said, time):
    expected = datetime.time.fromisoformat(time) if time else None
    assert spoken.clock_time(said) == expected


def test_words_for_a_voice_hold_no_digits_it_stumbles_over():
    assert spoken.time_words(datetime.time(10)) == "10 o'clock"
    assert spoken.time_words(datetime.time(14, 30)) == "half past 2"
    assert spoken.day_words(SATURDAY, SATURDAY) == "today"
    assert spoken.day_words(datetime.date(2026, 11, 24), SATURDAY) == "on Tuesday"
    assert (
        spoken.day_words(datetime.date(2026, 12, 1), SATURDAY)
        == "on Tuesday, December 1"
    )
