from __future__ import annotations

import json

import pytest

from realtime_widget.engine.dialogue.rules import decide
from realtime_widget.engine.ports import DialogueRequest
from tests.engine.speech.dialogues import SHOP, TODAY, Talk, called, said


def answer_to(output, *, name="order_status", arguments=None):
    items = [said("Where is my order 1042?")]
    items += called(name, arguments or {"order_number": "1042"}, output)
    return decide(DialogueRequest("", items, SHOP), TODAY).text


@pytest.mark.parametrize(
    ("output", "sentence"),
    [
        ({"message": "It is on its way", "status": "shipped"}, "It is on its way."),
        ({"speech": "Here you are!", "message": "x"}, "Here you are!"),
        ({"summary": "Two bikes."}, "Two bikes."),
        ("Plain words from a tool", "Plain words from a tool."),
        (
            {"order_number": "1042", "status": "shipped", "arrives": "2026-11-24"},
            "The status is shipped and it arrives on Tuesday, November 24.",
        ),
        ({"arrives": "2027-01-02"}, "It arrives on Saturday, January 2, 2027."),
        (
            {"day": "monday", "open": "09:00", "close": "17:30"},
            "It is open from 09:00 to 17:30 and the day is monday.",
        ),
        ({"temperature_c": 21.5}, "The temperature is 21.5 degrees Celsius."),
        ({"in_stock": True, "items": []}, "In stock: yes. There are no items."),
        ({"condition": "partly_cloudy"}, "The condition is partly cloudy."),
        (
            {"id": 7, "url": "https://a.example", "status": "open"},
            "The status is open.",
        ),
        ({"slots": ["9:00", "10:00"]}, "I found 2 slots; they are 9:00 and 10:00."),
        (
            {
                "orders": [
                    {"id": 1, "name": "bike"},
                    {"id": 2, "name": "bell"},
                    {"name": "lamp"},
                    {"name": "pump"},
                ]
            },
            "I found 4 orders; the first are bike, bell and lamp.",
        ),
        ([], "I found nothing."),
        (["one"], "I found one: one."),
        ({}, "Done."),
        ({"ok": True}, "Done."),
        ("", "Done."),
        ("null", "Done."),
        ("42", "It is 42."),
        ("false", "No."),
        ({"customer": {"city": "Rome"}}, "Customer: the city is Rome."),
    ],
)
def test_output_becomes_a_sentence(output, sentence):
    assert answer_to(output) == sentence


@pytest.mark.parametrize(
    ("output", "sentence"),
    [
        (
            {"error": "The warehouse is closed until Monday."},
            "Sorry, that did not work. The warehouse is closed until Monday.",
        ),
        ({"error": "internal_error"}, "Sorry, that did not work."),
        (
            {"error": {"code": 5, "message": "There is no such order"}},
            "Sorry, that did not work. There is no such order.",
        ),
        ({"error": {"code": 5}}, "Sorry, that did not work."),
        (
            {"error": "Traceback (most recent call last): x"},
            "Sorry, that did not work.",
        ),
        ({"error": "order_number: Field required"}, "Sorry, that did not work."),
        (
            {"error": "The tool failed. Apologise, and offer to help in another way."},
            "Sorry, that did not work.",
        ),
        ({"error": "The tool did not answer in time."}, "Sorry, that did not work."),
        ({"error": "KeyError: 'x y'"}, "Sorry, that did not work."),
        ({"error": "x " * 300}, "Sorry, that did not work."),
    ],
)
def test_error_becomes_an_apology(output, sentence):
    assert answer_to(output) == sentence


def test_deed_is_confirmed_with_its_facts():
    arguments = {"day": "2026-11-24", "time": "10:00"}
    output = {"reference": "AP-12", "day": "2026-11-24", "time": "10:00"}

    answer = answer_to(output, name="book_appointment", arguments=arguments)

    assert answer.startswith("Done. The reference is AP-12")
    assert "Tuesday, November 24" in answer


def test_long_answer_is_cut_at_a_sentence():
    answer = answer_to({"message": "This is a sentence. " * 100})

    assert len(answer) <= 600
    assert answer.endswith("sentence.")


def test_two_calls_of_one_question_are_answered_together():
    items = [said("Where are my orders?")]
    items += called("order_status", {}, {"message": "The first is here."})
    items += called("order_status", {}, {"message": "The second is not."})

    text = decide(DialogueRequest("", items, SHOP), TODAY).text

    assert text == "The first is here. The second is not."


def test_output_that_is_hardly_json_is_read_as_it_is():
    assert answer_to('{"broken": ') == '{"broken":.'


@pytest.mark.parametrize("text", ["Hello", "Hi there!", "Good morning."])
def test_greeting_is_returned_with_what_can_be_done(text):
    answer = Talk().say(text)

    assert answer.startswith("Hello! I can look up an order, ")


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("Thank you very much", "You are welcome. Is there anything else?"),
        ("Bye!", "Goodbye, and thank you for stopping by."),
        ("How are you?", "I am fine, thank you. How can I help you?"),
        ("", "Sorry, I did not catch that. Could you say it again?"),
        ("What did you say?", "I have not said anything yet."),
    ],
)
def test_small_talk_is_answered(text, answer):
    assert Talk().say(text) == answer


@pytest.mark.parametrize("text", ["Who are you?", "Are you a robot?", "Tell me a joke"])
def test_rules_say_that_they_are_small(text):
    answer = Talk().say(text)

    assert answer.startswith("I am a small offline demo without a language model.")
    assert "book an appointment" in answer


def test_last_answer_is_repeated():
    talk = Talk()
    first = talk.say("What can you do?")

    assert talk.say("Can you repeat that?") == first


def test_conversation_begins_with_a_greeting():
    begin = DialogueRequest("", [], SHOP)
    quoted = DialogueRequest('Greet the visitor with "Welcome to the shop!"', [], SHOP)

    assert decide(begin, TODAY).text.startswith("Hello! I can look up an order")
    assert decide(quoted, TODAY).text == "Welcome to the shop!"


def test_same_items_always_get_the_same_answer():
    def run():
        talk = Talk({"order_status": json.dumps({"status": "shipped"})})
        return [talk.say(t) for t in ("Hi", "Where is my order?", "1042", "and 1043?")]

    assert run() == run()
