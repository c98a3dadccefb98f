"""The demo's journeys as people say them and as a recogniser writes them."""

from __future__ import annotations

import pytest

from tests.demo.tools import demo_tools
from tests.engine.speech.dialogues import Talk

ORDER = """
where is my order one zero four two
where is my order number ten forty two
where's order 1042
what is the status of order one zero four two
can you check order one zero four two for me
could you look up my order ten forty two
has order one zero four two been shipped
has my order one oh four two been shipped yet
is order one zero four two ready
is my order ready it is one zero four two
when will order one zero four two arrive
when does my order ten forty two get here
i would like to know where order one zero four two is
i'm calling about order one zero four two
i want to track order number one zero four two
tell me about my order one zero four two please
any news on order one zero four two
um hi where is my package one zero four two
hello i ordered a bike it's order one zero four two where is it
what happened to my order one zero four two
how is order one zero four two coming along
can you tell me if order one zero four two is on its way
my order number is one zero four two where is it
order one zero four two please
order status one zero four two
"""
BOOK = """
book a tune up on tuesday at ten
i would like to book a tune up for tuesday at ten
i'd like to make an appointment for a tune up on tuesday at ten
can i book an appointment for a tune up on tuesday at ten o'clock
can i get a tune up on tuesday at ten
can i bring my bike in for a tune up on tuesday at ten
could you schedule a tune up for tuesday at ten in the morning
please reserve a tune up for me on tuesday at ten
i need a tune up tuesday ten a m
i need an appointment on tuesday at ten for a tune up
i want a tune up on tuesday at ten
make me an appointment for a tune up tuesday at ten
arrange a tune up for tuesday at ten please
hi i was hoping to book a tune up for tuesday at ten
my bike needs a tune up can you book me in on tuesday at ten
book me in for a tune up tuesday at ten
put me down for a tune up on tuesday at ten
um i'd like an appointment uh tuesday at ten for a tune up
tuesday at ten for a tune up please book it
book appointment tune up tuesday ten o'clock
"""
CANCEL = """
cancel my appointment
please cancel my appointment
i want to cancel my appointment
i would like to cancel my appointment please
can you cancel my appointment
could you please cancel my booking
cancel the appointment
i have to cancel my appointment
i don't need my appointment any more
i no longer need the appointment
i do not want the appointment anymore
please call off my appointment
drop my appointment please
remove my appointment
delete my appointment
get rid of my appointment
hi there i'd like to cancel my workshop appointment
scrap my appointment
hello please cancel the appointment i made
i won't make it to my appointment please cancel it
"""
HOURS = """
when are you open
what are your opening hours
what are your hours
what time do you open
what time do you close
when do you close
when do you open
are you open now
tell me your opening hours
tell me when you are open
could you tell me your opening times
how long are you open
until when are you open
till what time are you open
what are your business hours
i would like to know your opening hours
i wanted to ask when the shop is open
hi are you open
when does the shop open
when does the shop close
when can i come by the shop
opening hours please
is the shop open
do you open early
how late are you open
"""
TALK = """
hello
how are you
thank you so much
who was napoleon
tell me a joke
what is your name
i like bikes
my appointment was great
book
i read a good book
the order of things is strange
it is a lovely day
never mind
cancel
i want to cancel
what can you do
do you sell hats
what is the capital of france
i am just looking around
yes
no
do you have time for a tune up on tuesday at ten
i won't be able to make my appointment
i cannot come to my appointment
i can't make it to my appointment
is there a slot for a tune up on tuesday at ten
"""


def lines(text):
    return [line for line in text.splitlines() if line]


def calls(*texts):
    talk = Talk(tools=demo_tools())
    for text in texts:
        talk.say(text)
    return talk.calls


@pytest.mark.parametrize("text", lines(ORDER))
def test_order_is_looked_up(text):
    assert calls(text) == [("order_status", {"order_number": "1042"})]


@pytest.mark.parametrize("text", lines(BOOK))
def test_appointment_is_booked(text):
    [(name, arguments)] = calls(text)

    assert name == "book_appointment"
    assert arguments["service"] == "tune-up"
    assert arguments["day"] in {"Tuesday", "2026-11-24"}
    assert arguments["time"] == "10:00"


@pytest.mark.parametrize("text", lines(CANCEL))
def test_appointment_is_cancelled(text):
    [(name, _arguments)] = calls(text)

    assert name == "cancel_appointment"


@pytest.mark.parametrize("text", lines(HOURS))
def test_hours_are_told(text):
    [(name, _arguments)] = calls(text)

    assert name == "opening_hours"


@pytest.mark.parametrize("text", lines(TALK))
def test_talk_calls_no_tool(text):
    assert calls(text) == []
