from __future__ import annotations

import json
import random

import pytest

from realtime_widget.engine.dialogue.rules import RulesDialogue
from realtime_widget.engine.dialogue.words import word_list
from realtime_widget.engine.ports import DialogueRequest, FunctionCall, TextDelta
from tests.engine.speech.dialogues import SHOP, TEXT, TODAY, Talk, call_for, said, tool


@pytest.mark.parametrize(
    ("text", "name", "arguments"),
    [
        (
            "Where is my order one zero four two?",
            "order_status",
            {"order_number": "1042"},
        ),
        ("Where is my order 1042?", "order_status", {"order_number": "1042"}),
        ("where's order number 10 42", "order_status", {"order_number": "1042"}),
        (
            "Status of order ten forty two please",
            "order_status",
            {"order_number": "1042"},
        ),
        ("Has order 1-0-4-2 been shipped?", "order_status", {"order_number": "1042"}),
        ("Is my order ready? 1042", "order_status", {"order_number": "1042"}),
        ("Track order A-1042.", "order_status", {"order_number": "A-1042"}),
        (
            "Hi, where is my parcel? It's order A 1042",
            "order_status",
            {"order_number": "A-1042"},
        ),
        ("Order oh no wait, order 0042", "order_status", {"order_number": "0042"}),
        (
            "Book an appointment for Tuesday at ten.",
            "book_appointment",
            {"day": "2026-11-24", "time": "10:00"},
        ),
        (
            "Book an appointment for Tuesday at 10.",
            "book_appointment",
            {"day": "2026-11-24", "time": "10:00"},
        ),
        (
            "I would like to book an appointment, on Friday at half past seven.",
            "book_appointment",
            {"day": "2026-11-27", "time": "07:30"},
        ),
        (
            "I need an appointment tomorrow at four",
            "book_appointment",
            {"day": "2026-11-22", "time": "16:00"},
        ),
        (
            "Can I get an appointment on the 3rd of December at 3 p.m.?",
            "book_appointment",
            {"day": "2026-12-03", "time": "15:00"},
        ),
        (
            "Please schedule a visit for 2026-12-01 at 14:15",
            "book_appointment",
            {"day": "2026-12-01", "time": "14:15"},
        ),
        ("Cancel appointment AP-12", "cancel_appointment", {"reference": "AP-12"}),
        ("When are you open on Saturday?", "opening_hours", {"day": "saturday"}),
        ("When do you close tomorrow?", "opening_hours", {"day": "sunday"}),
        ("What are your opening hours?", "opening_hours", {}),
        ("What's the weather in Tokyo?", "get_weather", {"city": "Tokyo"}),
        ("what is the weather in new york", "get_weather", {"city": "New York"}),
        ("Will it rain in São Paulo tomorrow?", "get_weather", {"city": "São Paulo"}),
        ("Set a timer for fifteen minutes.", "set_timer", {"minutes": 15}),
        ("Set a timer for 15 minutes", "set_timer", {"minutes": 15}),
        ("Set a timer for two hours", "set_timer", {"minutes": 120}),
    ],
)
def test_sentence_calls_the_tool_with_its_arguments(text, name, arguments):
    assert call_for(text) == (name, arguments)


@pytest.mark.parametrize(
    "text",
    [
        "Who was Napoleon?",
        "Tell me a joke.",
        "He might even have been made amiable himself.",
        "Please hold while we try to connect you.",
        "Eight of spades, four of clubs, seven of hearts.",
        "Cancel",
        "I want to cancel.",
        "Where is Napoleon?",
        "Delete my account",
        "Do I have an appointment on Tuesday?",
        "Thank you",
        "Hello",
        "",
        "?!",
        "🎉",
    ],
)
def test_sentence_without_a_tool_calls_none(text):
    assert call_for(text) is None


def test_no_tool_of_the_session_is_honest_about_it():
    answer = Talk(tools=[]).say("Where is my order?")

    assert "small offline demo" in answer


def test_missing_argument_is_asked_for_and_remembered():
    talk = Talk()

    assert talk.say("Where is my order?") == "What is the order number?"
    talk.say("one zero four two")

    assert talk.calls == [("order_status", {"order_number": "1042"})]


def test_arguments_are_collected_over_turns():
    talk = Talk()

    assert talk.say("Book an appointment please") == "Which day would you like?"
    assert talk.say("next Tuesday") == "At what time?"
    talk.say("ten thirty")

    assert talk.calls == [("book_appointment", {"day": "2026-11-24", "time": "10:30"})]


def test_answer_may_bring_more_than_was_asked():
    talk = Talk()
    talk.say("Book an appointment")

    talk.say("Tuesday at three")

    assert talk.calls == [("book_appointment", {"day": "2026-11-24", "time": "15:00"})]


def test_question_can_be_left():
    talk = Talk()
    talk.say("Book an appointment")

    assert talk.say("Never mind.") == "All right, I will leave that."
    talk.say("Tuesday")

    assert talk.calls == []


def test_other_question_is_answered_instead():
    talk = Talk()
    talk.say("Book an appointment")

    talk.say("When are you open on Monday?")

    assert talk.calls == [("opening_hours", {"day": "monday"})]


def test_misunderstood_answer_is_asked_again_and_then_given_up():
    talk = Talk()
    talk.say("Book an appointment")

    assert talk.say("hmm well") == (
        "Sorry, I did not understand that. Which day would you like?"
    )
    assert "leave it" in talk.say("I really do not know")
    assert "small offline demo" in talk.say("blue")


def test_follow_up_asks_the_last_tool_again():
    talk = Talk()
    talk.say("What's the weather in Tokyo?")

    talk.say("And in Paris?")

    assert talk.calls[1] == ("get_weather", {"city": "Paris"})


def test_it_means_what_the_last_tool_returned():
    talk = Talk({"book_appointment": {"reference": "AP-77"}})
    talk.say("Book an appointment for Tuesday at ten")

    talk.say("Cancel it please")

    assert talk.calls[1] == ("cancel_appointment", {"reference": "AP-77"})


def test_follow_up_never_repeats_a_deed():
    talk = Talk()
    talk.say("Book an appointment for Tuesday at ten")

    talk.say("And on Friday?")

    assert len(talk.calls) == 1


def test_same_question_twice_may_call_twice():
    talk = Talk()

    talk.say("Where is my order 1042?")
    talk.say("Where is my order 1042?")

    assert len(talk.calls) == 2


def test_call_without_an_output_is_not_made_again():
    talk = Talk()
    talk.items = [said("Where is my order 1042?")]
    talk.items.append(
        {
            "type": "function_call",
            "name": "order_status",
            "call_id": "c",
            "arguments": "{}",
        }
    )

    decision = talk._decide()

    assert not decision.calls
    assert decision.text == "One moment, I am still working on that."


def test_choice_none_calls_nothing():
    assert call_for("What's the weather in Tokyo?", tool_choice="none") is None


def test_choice_required_calls_the_nearest():
    name, _arguments = call_for("hello", tool_choice="required")

    assert name in {tool["name"] for tool in SHOP}
    assert call_for("Weather in Tokyo?", tool_choice="required") == (
        "get_weather",
        {"city": "Tokyo"},
    )


def test_named_choice_calls_that_tool():
    choice = {"type": "function", "name": "get_weather"}

    assert call_for("Order something for Rome", tool_choice=choice) == (
        "get_weather",
        {"city": "Rome"},
    )


def test_clearer_tool_wins_over_a_shared_word():
    tools = [
        tool("cancel_order", "Cancel an order.", ("order_number",), order_number=TEXT),
        tool("list_orders", "List all orders of the customer."),
        *SHOP,
    ]

    assert call_for("Where is my order 1042?", tools=tools)[0] == "order_status"
    assert call_for("Cancel my order 1042", tools=tools)[0] == "cancel_order"
    assert call_for("List all my orders", tools=tools)[0] == "list_orders"


def test_tool_described_in_another_language_is_found_by_its_words():
    tools = [tool("x1", "ساعات العمل في المتجر"), tool("x2", "حالة الطلب")]

    assert call_for("ما هي ساعات العمل؟", tools=tools) == ("x1", {})


@pytest.mark.parametrize(
    ("schema", "text", "value"),
    [
        (
            {"type": "string", "enum": ["small", "extra large"]},
            "an extra large please",
            "extra large",
        ),
        (
            {"type": "string", "enum": ["brake service", "tune-up"]},
            "the brakes",
            "brake service",
        ),
        ({"type": "integer"}, "for twenty three", 23),
        ({"type": "number"}, "2.5", 2.5),
        ({"type": "integer"}, "two hundred and five", 205),
        ({"type": "integer"}, f"no, {'9' * 400}, I mean 3", 3),
        ({"type": "boolean"}, "yes please", True),
        ({"type": "boolean"}, "no", False),
        ({"type": "string", "format": "date"}, "the day after tomorrow", "2026-11-23"),
        ({"type": "string", "format": "date"}, "in two weeks", "2026-12-05"),
        ({"type": "string", "format": "date"}, "March 3rd", "2027-03-03"),
        (
            {"type": "string", "format": "date-time"},
            "Monday at noon",
            "2026-11-23T12:00:00",
        ),
        ({"type": "string", "format": "time"}, "a quarter to five", "16:45:00"),
        (
            {"type": "string", "format": "email"},
            "Ann.Lee@shop.example",
            "ann.lee@shop.example",
        ),
        (
            {"type": "string", "format": "email"},
            "ann dot lee at shop dot example",
            "ann.lee@shop.example",
        ),
        ({"type": ["string", "null"]}, "the blue bicycle", "the blue bicycle"),
        ({"anyOf": [{"type": "integer"}, {"type": "null"}]}, "seven", 7),
        (
            {"type": "string", "pattern": "^A-\\d+$", "description": "such as A-1042"},
            "1042",
            "A-1042",
        ),
    ],
)
def test_answer_takes_the_form_the_schema_asks_for(schema, text, value):
    talk = Talk(
        tools=[tool("register_thing", "Register a thing.", ("detail",), detail=schema)]
    )
    talk.say("Register a thing")

    talk.say(text)

    assert talk.calls == [("register_thing", {"detail": value})]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("My name is Ann Lee and I am late", "Ann Lee"),
        ("ann lee", "Ann Lee"),
        ("It's under O'Brien", "O'Brien"),
        ("Call me Bob.", "Bob"),
    ],
)
def test_person_is_known_by_the_name_said(text, name):
    talk = Talk(tools=[tool("find_customer", "Find a customer.", ("name",), name=TEXT)])
    assert talk.say("Find a customer") == "What name shall I use?"

    talk.say(text)

    assert talk.calls == [("find_customer", {"name": name})]


def test_definitions_of_the_schema_are_followed():
    colours = tool(
        "paint", "Paint the frame.", ("colour",), colour={"$ref": "#/$defs/C"}
    )
    colours["parameters"]["$defs"] = {"C": {"type": "string", "enum": ["red", "green"]}}

    assert call_for("Paint the frame green", tools=[colours]) == (
        "paint",
        {"colour": "green"},
    )


async def test_reply_yields_sentences_or_one_call():
    rules = RulesDialogue(today=lambda: TODAY)
    question = DialogueRequest("", [said("Where is my order 1042?")], SHOP)
    chat = DialogueRequest("", [said("What can you do?")], SHOP, max_output_tokens=None)

    calls = [event async for event in rules.reply(question)]
    texts = [event async for event in rules.reply(chat)]

    assert calls == [FunctionCall("order_status", json.dumps({"order_number": "1042"}))]
    assert all(isinstance(event, TextDelta) for event in texts)
    assert "".join(event.text for event in texts).endswith("And more.")


async def test_answer_keeps_within_the_bound_of_tokens():
    rules = RulesDialogue(today=lambda: TODAY)
    request = DialogueRequest("", [said("What can you do?")], SHOP, max_output_tokens=8)

    text = "".join([event.text async for event in rules.reply(request)])

    assert len(text.split()) <= 6


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("reason", 'Report a fault "the bell is loose"', "the bell is loose"),
        ("reason", "Report a fault because the bell is loose", "the bell is loose"),
        ("reason", "Report a fault about the front brake", "the front brake"),
        ("reason", "Report a fault, squeaking saddle", "squeaking saddle"),
        (
            "question",
            "Report a fault: why is it loud?",
            "Report a fault: why is it loud",
        ),
    ],
)
def test_free_words_are_taken_from_the_sentence(name, text, value):
    tools = [tool("report_fault", "Report a fault.", (name,), **{name: TEXT})]

    assert call_for(text, tools=tools) == ("report_fault", {name: value})


def test_example_of_the_description_is_recognised():
    part = {**TEXT, "description": "The part, such as saddle, front brake or bell."}
    tools = [tool("report_fault", "Report a fault.", ("part",), part=part)]

    assert call_for("Report a fault of my front brake", tools=tools) == (
        "report_fault",
        {"part": "front brake"},
    )


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("Order a bike with gift wrapping", True),
        ("Order a bike without gift wrapping", False),
        ("Order a bike", None),
    ],
)
def test_choice_is_known_by_its_name(text, value):
    wrapping = {"type": "boolean", "default": False}
    tools = [tool("order_bike", "Order a bike.", (), gift_wrapping=wrapping)]

    arguments = {} if value is None else {"gift_wrapping": value}
    assert call_for(text, tools=tools) == ("order_bike", arguments)


def test_any_words_are_answered_or_called_and_never_raise():
    vocabulary = word_list("""one twenty hundred thousand and oh a the in at on for next tuesday
        november 24th first half past quarter to o'clock pm 10:30 1042 A 99999999999999999999
        3.5 1,000 12.99.99 . , - " ' days weeks book cancel appointment order status my it
        name is under because about timer weather Tokyo São don't want yes no never mind
        where 2026-02-30 2026-99-99 fault report""")
    kinds = {"when": "date-time", "day": "date", "mail": "email", "hour": "time"}
    fault = tool(
        "report_fault",
        "Report a fault.",
        (*kinds, "number", "free"),
        **{name: {**TEXT, "format": kind} for name, kind in kinds.items()},
        number={"type": "number"},
        free={**TEXT, "pattern": "("},
    )
    chance = random.Random(5)
    talks = [Talk(tools=[*SHOP, fault]) for _ in range(150)]

    for talk in talks:
        for _turn in range(4):
            answer = talk.say(" ".join(chance.choices(vocabulary, k=8)))
            assert answer

    assert sum(len(talk.calls) for talk in talks) > 20


def test_forced_call_goes_on_with_what_was_said_before():
    talk = Talk()
    talk.say("Book an appointment for Tuesday")

    talk.tool_choice = "required"
    talk.say("at ten")

    assert talk.calls == [("book_appointment", {"day": "2026-11-24", "time": "10:00"})]


def test_small_talk_does_not_lose_the_open_question():
    talk = Talk()
    talk.say("Where is my order?")
    assert talk.say("What can you do?").startswith("I can look up an order")

    talk.say("1042")

    assert talk.calls == [("order_status", {"order_number": "1042"})]


@pytest.mark.parametrize(
    "parameters",
    [None, {}, {"properties": {"x": True}}, {"properties": {"x": {"type": "array"}}}],
)
def test_odd_schema_is_called_without_arguments(parameters):
    odd = {
        "type": "function",
        "name": "ring_bell",
        "description": "Ring the bell.",
        "parameters": parameters,
    }

    assert call_for("Ring the bell", tools=[odd]) == ("ring_bell", {})


@pytest.mark.parametrize(
    ("name", "description", "text"),
    [
        ("opening_hours_ar", "ساعات العمل: متى يفتح المتجر.", "ما هي ساعات العمل؟"),
        ("booking_rules", "What holds when a booking is changed.", "Booking rules?"),
        (
            "shippingZones",
            "Countries that parcels go to.",
            "What are your shipping zones?",
        ),
    ],
)
def test_name_that_begins_with_a_gerund_orders_no_deed(name, description, text):
    assert call_for(text, tools=[tool(name, description)]) == (name, {})
