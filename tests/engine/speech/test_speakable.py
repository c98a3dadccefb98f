from __future__ import annotations

import time

import pytest

from realtime_widget.engine.speakable import (
    SENTENCE_CHARS,
    SentenceSplitter,
    sentences,
    speakable,
)


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        ("**Your order** is _on its way_!", "Your order is on its way!"),
        ("It is ready 🎉🚲", "It is ready"),
        ("See [the page](https://a.example/x) now.", "See the page now."),
        ("See https://a.example/b?c=1.", "See the link."),
        ("# Hours\n- Monday\n* Tuesday", "Hours\nMonday\nTuesday"),
        ("```python\nprint()\n```Done.", "Done."),
        ("Run `make demo` <b>now</b>.", "Run make demo now."),
        ("order_status is fine", "order status is fine"),
        ("| a | b |\n|---|---|\n| 1 | 2 |", "a, b\n1, 2"),
        ("Order A-1042", "Order A-1 0 4 2"),
        ("Order AB12-99", "Order A-B-1 2, 9 9"),
        ("Parcel 1234567", "Parcel 1 2 3 4 5 6 7"),
        ("It costs 12345.67 in all", "It costs 12345.67 in all"),
        ("1,234,567 people", "1,234,567 people"),
        ("Order #1042", "Order number 1042"),
        ("From 09:00 to 17:30", "From 9 AM to 5:30 PM"),
        ("At 5:30 pm", "At 5:30 pm"),
        ("At 00:15", "At 12:15 AM"),
        ("2026-11-24T10:00", "2026-11-24 at 10 AM"),
        ("Mail ann.lee@shop.example", "Mail ann dot lee at shop dot example"),
        ("3 < 4 * 5 | 6", "3 4 5, 6"),
        ("COVID-19 and A4", "COVID-19 and A4"),
        ("ends \x00\x07 here", "ends here"),
        ("***", ""),
        ("🎉", ""),
        ("", ""),
    ],
)
def test_only_what_can_be_said_is_left(written, spoken):
    assert speakable(written) == spoken


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("One. Two! Three?", ["One.", "Two!", "Three?"]),
        ("Dr. Smith is in. J. Doe is out.", ["Dr. Smith is in.", "J. Doe is out."]),
        ("It costs 4.50 now.", ["It costs 4.50 now."]),
        ("At 10 a.m. we open.", ["At 10 a.m. we open."]),
        ("First line\nsecond line", ["First line", "second line"]),
        ('He said "Go." Then left.', ['He said "Go.', "Then left."]),
        ("", []),
    ],
)
def test_text_is_cut_into_sentences(text, expected):
    assert sentences(text) == expected


@pytest.mark.parametrize("text", ["word " * 500, "x" * 2000, "one, two, " * 100])
def test_no_sentence_is_too_long_and_no_word_is_lost(text):
    cut = sentences(text)

    assert max(map(len, cut)) <= SENTENCE_CHARS
    assert "".join("".join(cut).split()) == "".join(text.split())


@pytest.mark.parametrize("size", [1, 3, 7, 1000])
def test_pieces_of_any_size_give_the_same_sentences(size):
    text = "Hello there. Dr. Smith is in. It costs 4.50 now! Shall I book? Yes"
    splitter = SentenceSplitter()

    found = []
    for at in range(0, len(text), size):
        found += splitter.feed(text[at : at + size])
    found += splitter.flush()

    assert found == sentences(text)


def test_sentence_comes_as_soon_as_the_next_one_begins():
    splitter = SentenceSplitter()

    assert splitter.feed("It is ready.") == []
    assert splitter.feed(" Y") == ["It is ready."]


def test_sentence_without_an_end_is_given_out_in_parts():
    splitter = SentenceSplitter()
    text = "one, two, " * 200

    found = [
        part
        for at in range(0, len(text), 3)
        for part in splitter.feed(text[at : at + 3])
    ]
    found += splitter.flush()

    assert len(found) > 5
    assert max(map(len, found)) <= SENTENCE_CHARS
    assert "".join("".join(found).split()) == "".join(text.split())


@pytest.mark.parametrize(
    "text",
    ["*a" * 2000, "_" * 4000, "[" * 4000, "`x " * 1500, "<a " * 1500, "a.b@" * 1000],
)
def test_hostile_text_takes_no_time(text):
    started = time.process_time()

    speakable(text)

    assert time.process_time() - started < 0.5
