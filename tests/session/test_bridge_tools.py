from __future__ import annotations

import asyncio
import json
from collections import Counter

from realtime_widget.exceptions import ToolError
from realtime_widget.session import tool_values
from realtime_widget.session.config import Limits
from realtime_widget.session.ports import CALL_ID, ToolFact
from tests.fakes.clock import settle, virtual_time
from tests.session.bridging import session
from tests.session.driving import tool


async def answers(talk, count):
    """Return what the model is given for ``count`` calls, by call id."""
    found = {}
    for _ in range(count):
        event = await talk.upstream.expect("conversation.item.create")
        call_id = event["item"]["call_id"]
        assert call_id not in found
        found[call_id] = json.loads(event["item"]["output"])
    return found


@virtual_time
async def test_a_tool_runs_beside_the_talk_and_is_answered():
    async def lookup(number):
        await asyncio.sleep(2)
        return {"number": number, "call": CALL_ID.get()}

    async with session(handlers={"lookup": lookup}, tools=[tool()]) as talk:
        talk.respond()
        talk.call("call_1", "lookup", '{"number": 7}')
        talk.end_response()
        await talk.browser.wait_for("tool.started")
        await talk.page("ping", t=1)
        await talk.browser.wait_for("pong")
        assert not talk.browser.of("tool.finished")
        found = await answers(talk, 1)
        await talk.upstream.expect("response.create")
    assert found == {"call_1": {"number": 7, "call": "call_1"}}
    assert talk.recorder.of(ToolFact)[0].duration_ms == 2000


@virtual_time
async def test_handlers_that_fail_in_every_way_are_answered_once(caplog):
    async def words():
        raise ToolError("Ask for the number.")

    async def bug():
        raise KeyError("the password")

    async def cancelled():
        raise asyncio.CancelledError

    async def hangs():
        await asyncio.sleep(3600)

    async def deaf():
        while True:
            try:
                await asyncio.sleep(3600)
            except asyncio.CancelledError:
                await asyncio.sleep(0.5)
                return "late"

    async def nan():
        return float("nan")

    handlers = {f.__name__: f for f in (words, bug, cancelled, hangs, deaf, nan)}
    specs = [tool(name, timeout_s=2.0) for name in handlers]
    limits = Limits(tools_at_once=10)
    async with session(handlers=handlers, tools=specs, limits=limits) as talk:
        talk.respond()
        for name in handlers:
            talk.call(name, name)
        talk.end_response()
        found = await answers(talk, 6)
        await talk.upstream.expect("response.create")
        await asyncio.sleep(2)
        talk.upstream.assert_complete()
    assert found == {
        "words": {"error": "Ask for the number."},
        "bug": {"error": tool_values.FAILED},
        "cancelled": {"error": tool_values.FAILED},
        "hangs": {"error": tool_values.TIMED_OUT},
        "deaf": {"error": tool_values.TIMED_OUT},
        "nan": {"error": tool_values.NO_JSON_OUTPUT},
    }
    statuses = Counter(fact.status for fact in talk.recorder.of(ToolFact))
    assert statuses == {"failed": 3, "cancelled": 1, "timeout": 2}
    assert "KeyError" in caplog.text


@virtual_time
async def test_a_storm_of_calls_keeps_to_the_bound_and_stops_nobody():
    async def work():
        await asyncio.sleep(1)
        return 1

    limits = Limits(tools_at_once=3)
    async with session(
        handlers={"work": work}, tools=[tool("work")], limits=limits
    ) as talk:
        talk.respond()
        for n in range(30):
            talk.call(f"call_{n}", "work")
        talk.end_response()
        await talk.bridge.receive_audio(b"\0\0")
        found = await answers(talk, 30)
        await talk.upstream.expect("response.create")
        assert len(talk.upstream.audio) == 1
        assert talk.tools.most == 3
        assert len(found) == 30


@virtual_time
async def test_the_end_cancels_running_tools_and_records_them():
    gone = []

    async def hangs():
        try:
            await asyncio.sleep(3600)
        finally:
            gone.append(True)

    limits = Limits(tools_at_once=1)
    async with session(
        handlers={"hangs": hangs}, tools=[tool("hangs")], limits=limits
    ) as talk:
        talk.respond()
        talk.call("call_1", "hangs")
        talk.call("call_2", "hangs")
        await talk.browser.wait_for("tool.started")
        await settle()
        talk.bridge.stop("user")
        await talk.task
    assert gone == [True]
    assert [fact.status for fact in talk.recorder.of(ToolFact)] == ["cancelled"] * 2
    assert len(talk.tools.started) == 1
    talk.upstream.assert_complete()


@virtual_time
async def test_a_tool_that_ignores_its_cancellation_does_not_keep_the_session():
    release = asyncio.Event()

    async def deaf():
        while not release.is_set():
            try:
                await release.wait()
            except asyncio.CancelledError:
                pass

    async with session(handlers={"deaf": deaf}, tools=[tool("deaf")]) as talk:
        talk.respond()
        talk.call("call_1", "deaf")
        await talk.browser.wait_for("tool.started")
        await settle()
        talk.bridge.stop("user")
        began = talk.now
        await talk.task
        assert talk.now - began <= 1.1
        release.set()
        await settle()


@virtual_time
async def test_a_tool_of_the_page_is_checked_asked_and_answered():
    async def permit(name, arguments):
        if arguments.get("city") == "Atlantis":
            raise ToolError("There is no such city.")

    page_tool = tool("show_map", runs_on="browser")
    async with session(handlers={"permit": permit}, tools=[page_tool]) as talk:
        talk.respond()
        talk.call("call_1", "show_map", '{"city": "Rome"}')
        talk.call("call_2", "show_map", '{"city": "Atlantis"}')
        talk.end_response()
        asked = await talk.browser.wait_for("tool.call")
        await talk.page("tool.result", call_id="call_1", output={"shown": True})
        found = await answers(talk, 2)
        await talk.upstream.expect("response.create")
    assert asked["call_id"] == "call_1"
    assert len(talk.browser.of("tool.call")) == 1
    assert found == {
        "call_1": {"shown": True},
        "call_2": {"error": "There is no such city."},
    }
    assert not talk.tools.started
