from __future__ import annotations

import asyncio
import json
import random

import pytest

from realtime_widget.session import tool_values
from realtime_widget.session.config import AgentSpec, GuardrailSpec
from realtime_widget.session.effects import Check, CheckText
from realtime_widget.session.guardrail_tasks import GuardrailTasks
from realtime_widget.session.ports import GuardrailFact, ItemFact
from tests.fakes.clock import virtual_time
from tests.session.bridging import session
from tests.session.driving import Talk, tool

NO_PRICES = GuardrailSpec("no_prices", frozenset({"output"}))
POLITE = GuardrailSpec("polite", frozenset({"input"}), steer="Ask to be polite.")
HUNDRED = "x" * 100


def guarded(*specs, tools=(), **fields):
    agent = AgentSpec(
        "Ann", "Be kind.", "marin", tools=tuple(tools), guardrails=specs or (NO_PRICES,)
    )
    return Talk(agent=agent, **fields)


def checks(talk):
    return [effect.check for effect in talk.of(CheckText)]


def trip(talk, check, name="no_prices"):
    talk.take(talk.core.guardrail_tripped(check, name, talk.now))


# --- what is checked ------------------------------------------------------------


def test_an_answer_is_checked_every_hundred_characters_and_at_its_end():
    talk = guarded()
    talk.response()
    for _ in range(25):
        talk.words("1234567890")
    talk.all_words("1234567890" * 25)
    assert [len(check.text) for check in checks(talk)] == [100, 200, 250]
    assert {check.names for check in checks(talk)} == {("no_prices",)}
    assert {check.response_id for check in checks(talk)} == {"resp_1"}


def test_a_short_answer_is_checked_once_at_its_end():
    talk = guarded()
    talk.response()
    talk.text("Five ")
    talk.text("dollars.")
    assert not checks(talk)
    talk.all_text("Five dollars.")
    assert [check.text for check in checks(talk)] == ["Five dollars."]


def test_an_end_that_says_nothing_new_is_not_checked_again():
    talk = guarded()
    talk.response()
    talk.words(HUNDRED)
    talk.all_words(HUNDRED)
    assert len(checks(talk)) == 1


@pytest.mark.parametrize("chars", [0, -1])
def test_without_a_debounce_every_piece_is_checked(chars):
    talk = guarded(guardrail_debounce_chars=chars)
    talk.response()
    talk.words("a")
    talk.words("b")
    assert [check.text for check in checks(talk)] == ["a", "ab"]


def test_words_that_come_only_at_the_end_are_checked():
    talk = guarded()
    talk.response()
    talk.all_words("Five dollars.")
    assert [check.text for check in checks(talk)] == ["Five dollars."]


def test_an_agent_without_guardrails_is_not_checked():
    talk = Talk()
    talk.response()
    talk.words(HUNDRED)
    talk.all_words(HUNDRED)
    talk.page("message", text="hello")
    assert not checks(talk)


def test_what_the_visitor_says_and_types_is_checked():
    talk = guarded(POLITE)
    talk.spoken()
    talk.transcribed("You fool")
    talk.page("message", text="Idiot")
    assert [check.text for check in checks(talk)] == ["You fool", "Idiot"]


# --- what a trip does -------------------------------------------------------------


def spoken(talk):
    """Return the check of an answer that is being spoken."""
    talk.response()
    talk.audio(2000)
    talk.words(HUNDRED)
    talk.play()
    talk.after(0.5)
    talk.page("playback", item_id="item_1", played_ms=480, done=False)
    (check,) = checks(talk)
    talk.clear()
    return check


def test_a_trip_cancels_silences_tells_records_and_steers():
    talk = guarded()
    check = spoken(talk)
    trip(talk, check)
    assert talk.sent("response.cancel") == [
        {"type": "response.cancel", "response_id": "resp_1"}
    ]
    (cut,) = talk.messages("audio.interrupted")
    assert cut["item_id"] == "item_1"
    assert talk.messages("guardrail") == [
        {"type": "guardrail", "name": "no_prices", "item_id": "item_1"}
    ]
    assert GuardrailFact("no_prices", "output", "item_1", "resp_1") in talk.facts
    assert not talk.sent("response.create")
    talk.page("playback", item_id="item_1", played_ms=500, done=True)
    (truncated,) = talk.sent("conversation.item.truncate")
    assert truncated["audio_end_ms"] == 500
    talk.done(status="cancelled")
    (create,) = talk.sent("response.create")
    instructions = create["response"]["instructions"]
    assert instructions.startswith("Be kind.")
    assert "no_prices" in instructions


def test_what_still_comes_of_a_tripped_answer_is_not_let_through():
    talk = guarded()
    check = spoken(talk)
    trip(talk, check)
    talk.clear()
    talk.audio(1000)
    talk.words(" and more")
    assert not talk.play()
    assert not talk.messages("transcript")


def test_an_answer_trips_once():
    talk = guarded()
    check = spoken(talk)
    trip(talk, check)
    trip(talk, check)
    talk.words(HUNDRED)
    assert len(talk.messages("guardrail")) == 1
    assert not checks(talk)


def test_a_finished_answer_loses_what_is_not_heard_yet():
    talk = guarded()
    check = spoken(talk)
    talk.audio_done()
    talk.all_words(HUNDRED)
    talk.done()
    trip(talk, check)
    assert not talk.sent("response.cancel")
    assert talk.messages("audio.interrupted")
    assert len(talk.sent("response.create")) == 1


def test_a_late_trip_leaves_a_newer_answer_alone():
    talk = guarded()
    check = spoken(talk)
    talk.done()
    talk.response("resp_2")
    talk.words("hello", item_id="item_2", response_id="resp_2")
    trip(talk, check)
    assert talk.messages("guardrail")
    assert not talk.sent("response.cancel")
    assert not talk.messages("audio.interrupted")
    talk.done("resp_2")
    assert not talk.sent("response.create")


def test_a_model_that_trips_again_and_again_is_given_up():
    talk = guarded()
    for n in range(5):
        talk.response(f"resp_{n}")
        talk.words(HUNDRED, f"item_{n}", f"resp_{n}")
        trip(talk, checks(talk)[-1])
        talk.done(f"resp_{n}", "cancelled")
    assert len(talk.sent("response.create")) == 2
    talk.page("message", text="Go on", respond=False)
    talk.response("resp_9")
    talk.words(HUNDRED, "item_9", "resp_9")
    trip(talk, checks(talk)[-1])
    talk.done("resp_9", "cancelled")
    assert len(talk.sent("response.create")) == 3


def test_nothing_is_asked_for_while_the_visitor_speaks():
    talk = guarded()
    check = spoken(talk)
    talk.speech()
    trip(talk, check)
    talk.done(status="cancelled")
    assert not talk.sent("response.create")


def test_tripped_words_of_the_visitor_cancel_the_running_answer():
    talk = guarded(POLITE)
    talk.spoken()
    talk.response()
    talk.transcribed("You fool")
    trip(talk, checks(talk)[0], "polite")
    assert talk.sent("response.cancel")
    talk.done(status="cancelled")
    (create,) = talk.sent("response.create")
    assert create["response"]["instructions"] == "Be kind.\n\nAsk to be polite."


def test_tripped_words_of_the_visitor_cancel_the_coming_answer():
    talk = guarded(POLITE)
    talk.page("message", text="You fool")
    trip(talk, checks(talk)[0], "polite")
    assert len(talk.sent("response.create")) == 1
    talk.response()
    assert talk.sent("response.cancel") == [
        {"type": "response.cancel", "response_id": "resp_1"}
    ]
    talk.done(status="cancelled")
    (_, create) = talk.sent("response.create")
    assert "polite" in create["response"]["instructions"]
    talk.response("resp_2")
    assert len(talk.sent("response.cancel")) == 1


def test_the_record_keeps_what_was_heard_of_a_tripped_answer():
    talk = guarded()
    check = spoken(talk)
    trip(talk, check)
    talk.page("playback", item_id="item_1", played_ms=500, done=True)
    talk.done(status="cancelled")
    (item,) = [fact for fact in talk.facts if isinstance(fact, ItemFact)]
    assert item.status == "interrupted"
    assert len(item.text) < 100


# --- with tasks -------------------------------------------------------------------


class Words:
    """A ``GuardrailPort`` of deny words, one guardrail for each."""

    def __init__(self, **slow):
        self.slow = slow
        self.checked = []

    async def check(self, name, text):
        self.checked.append((name, text))
        await asyncio.sleep(self.slow.get(name, 0))
        if name == "broken":
            raise KeyError("the visitor's secret")
        return name in text


def agent(*names, stages=("output", "arguments"), tools=()):
    specs = tuple(GuardrailSpec(name, frozenset(stages)) for name in names)
    return AgentSpec("Ann", "Be kind.", tools=tuple(tools), guardrails=specs)


@virtual_time
async def test_a_guardrail_that_fails_or_hangs_is_left_out(caplog):
    port = Words(hangs=3600)
    names = agent("broken", "hangs", "forbidden")
    async with session(agent=names, guardrails=port) as talk:
        talk.respond()
        talk.say("This is forbidden.")
        await talk.browser.wait_for("guardrail", name="forbidden")
        await talk.upstream.expect("response.cancel")
        talk.end_response()
        await talk.upstream.expect("response.create")
    assert "broken failed" in caplog.text
    assert "hangs failed" in caplog.text
    assert "secret" not in caplog.text
    assert talk.recorder.of(GuardrailFact)[0].name == "forbidden"


@virtual_time
async def test_arguments_are_checked_before_the_tool_runs():
    async def lookup(**arguments):
        return "found"

    names = agent("forbidden", tools=[tool()])
    async with session(
        agent=names, guardrails=Words(), handlers={"lookup": lookup}
    ) as talk:
        talk.respond()
        talk.call("call_1", "lookup", '{"what": "forbidden"}')
        talk.call("call_2", "lookup", '{"what": "fine"}')
        talk.end_response()
        answers = {}
        for _ in range(2):
            event = await talk.upstream.expect("conversation.item.create")
            answers[event["item"]["call_id"]] = json.loads(event["item"]["output"])
        await talk.browser.wait_for("guardrail", item_id="call_1")
    assert answers == {"call_1": {"error": tool_values.GUARDED}, "call_2": "found"}
    assert talk.tools.started == [("lookup", {"what": "fine"})]


@virtual_time
async def test_texts_that_grow_during_a_check_are_checked_once_more():
    port, found = Words(slow=1), []
    tasks = GuardrailTasks(port, lambda check, name: found.append(name), "session-1")
    for text in ("a", "ab", "abc slow"):
        tasks.start(Check("output", text, ("slow",), "item_1", "resp_1"))
        await asyncio.sleep(0.1)
    await asyncio.sleep(3)
    assert [text for _, text in port.checked] == ["a", "abc slow"]
    assert found == ["slow"]
    tasks.start(Check("output", "d", ("slow",), "item_1", "resp_1"))
    await tasks.end()
    assert len(port.checked) == 2


# --- whatever comes, in whatever order ---------------------------------------------


@pytest.mark.parametrize("seed", range(30))
def test_every_word_is_checked_soon_and_an_answer_trips_once(seed):
    """Pieces of any length, checks that end in any order or not at all."""
    dice = random.Random(seed)
    debounce = dice.choice([1, 10, 100, 250])
    talk = guarded(guardrail_debounce_chars=debounce)
    talk.response()
    said, waiting, trips, at = "", [], 0, 0
    for _ in range(dice.randrange(1, 60)):
        piece = "x" * dice.randrange(1, 2 * debounce + 2)
        talk.text(piece)
        said += piece
        new = checks(talk)[at:]
        at += len(new)
        waiting += new
        unchecked = len(said) - max((len(c.text) for c in checks(talk)), default=0)
        assert trips or unchecked < debounce
        assert len(new) <= 1
        assert all(said.startswith(check.text) for check in new)
        if waiting and dice.random() < 0.1:
            trip(talk, waiting.pop(dice.randrange(len(waiting))))
            trips += 1
    talk.all_text(said)
    talk.done()
    texts = [check.text for check in checks(talk)]
    assert trips or texts[-1] == said
    assert len(set(texts)) == len(texts)
    for check in waiting:
        if dice.random() < 0.5:
            trip(talk, check)
            trips += 1
    tripped = min(trips, 1)
    assert len(talk.messages("guardrail")) == tripped
    assert len([f for f in talk.facts if isinstance(f, GuardrailFact)]) == tripped
    assert len(talk.sent("response.cancel")) <= tripped
    assert len(talk.sent("response.create")) == tripped
