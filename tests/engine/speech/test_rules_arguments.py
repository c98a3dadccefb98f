"""Addresses, telephone numbers and names as a recogniser writes what is said."""

from __future__ import annotations

import pytest

from tests.engine.speech.dialogues import TEXT, Talk, call_for, tool

EMAIL = {**TEXT, "format": "email"}
SUBSCRIBE = [tool("subscribe_news", "Subscribe to the news.", ("email",), email=EMAIL)]
PHONE = [
    tool("request_call", "Request a call back.", ("phone_number",), phone_number=TEXT)
]
NAME = [tool("find_customer", "Find a customer.", ("name",), name=TEXT)]


def answer(tools, question, text):
    talk = Talk(tools=tools)
    talk.say(question)
    talk.say(text)
    [(_name, arguments)] = talk.calls
    [value] = arguments.values()
    return value


@pytest.mark.parametrize(
    ("text", "email"),
    [
        ("ann dot lee at shop dot example", "ann.lee@shop.example"),
        ("ann at shop dot example", "ann@shop.example"),
        ("it's ann at shop dot example", "ann@shop.example"),
        ("my email is ann dot lee at shop dot example", "ann.lee@shop.example"),
        ("my e mail address is bob at mail dot example", "bob@mail.example"),
        ("ann underscore lee at shop dot example", "ann_lee@shop.example"),
        ("ann dash lee at my dash shop dot example", "ann-lee@my-shop.example"),
        ("ann lee at shop dot example", "annlee@shop.example"),
        ("ann forty two at shop dot example", "ann42@shop.example"),
        ("a n n at shop dot example", "ann@shop.example"),
        ("ann at shop dot c o m", "ann@shop.com"),
        ("ann at shop dot co dot uk", "ann@shop.co.uk"),
        ("ann at g mail dot com", "ann@gmail.com"),
        ("ann plus news at shop dot example please", "ann+news@shop.example"),
        ("you can reach me at ann at shop dot example", "ann@shop.example"),
        ("it is Ann.Lee@Shop.example.", "ann.lee@shop.example"),
        ("sorry bob at shop dot example", "bob@shop.example"),
    ],
)
def test_address_is_put_together(text, email):
    assert answer(SUBSCRIBE, "subscribe me to the news", text) == email


@pytest.mark.parametrize("text", ["at ten", "at the shop", "meet me at noon dot"])
def test_words_without_a_domain_are_no_address(text):
    talk = Talk(tools=SUBSCRIBE)
    talk.say("subscribe me to the news")

    assert "email" in talk.say(text)
    assert talk.calls == []


@pytest.mark.parametrize(
    ("text", "phone"),
    [
        ("five five five one two three four", "5551234"),
        ("five five five, one two, three four", "5551234"),
        ("555 12 34", "5551234"),
        ("555-1234", "5551234"),
        ("it's oh seven seven double oh nine hundred one two three", "07700900123"),
        ("zero seven seven double zero nine hundred one two three", "07700900123"),
        ("triple five one two three four", "5551234"),
        ("five five five twelve thirty four", "5551234"),
        ("plus four four two oh seven nine four six", "+44207946"),
        ("+44 20 7946 0123", "+442079460123"),
        ("eight hundred five five five one two one two", "8005551212"),
        ("call me on five five five one two three four please", "5551234"),
        ("five five five no six six six one two three four", "6661234"),
        ("my number is five five five one two three four", "5551234"),
        ("(555) 123 4567", "5551234567"),
    ],
)
def test_telephone_number_is_put_together(text, phone):
    assert answer(PHONE, "request a call back", text) == phone


def test_address_and_number_are_taken_from_the_request_itself():
    request = "subscribe to the news with ann dot lee at shop dot example"

    assert call_for(request, tools=SUBSCRIBE) == (
        "subscribe_news",
        {"email": "ann.lee@shop.example"},
    )


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("j o h n", "John"),
        ("my name is a n n l e e", "Annlee"),
        ("my name is ann that's a n n", "Ann"),
        ("it's smith spelled s m y t h", "Smyth"),
        ("ann lee", "Ann Lee"),
        ("my name is ann lee", "Ann Lee"),
        ("ann lee spelled l e i g h", "Ann Leigh"),
        ("smith s m i t h", "Smith"),
        ("the name is o'brien", "O'Brien"),
        ("m a double t", "Matt"),
        ("no it's anna a n n a", "Anna"),
    ],
)
def test_name_may_be_spelled(text, name):
    assert answer(NAME, "find a customer", text) == name
