"""``openai-agents``: a RealtimeRunner with its whole session, as applications use it."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager

import pytest
from agents import GuardrailFunctionOutput, OutputGuardrail, function_tool
from agents.realtime import RealtimeAgent, RealtimeRunner, realtime_handoff

from tests.clients import strict
from tests.clients.sound import loud, pieces, quiet

TIMEOUT_S = 20


@function_tool
def get_weather(city: str) -> str:
    """Tell the weather in a city."""
    return f"Sunny in {city}."


@function_tool(needs_approval=True)
def book_table(people: int) -> str:
    """Book a table."""
    return f"Booked for {people}."


class Talk:
    """A session whose every event is judged; an error of any kind fails."""

    def __init__(self, session):
        self.session = session
        self.events = []
        self._stream = aiter(session)

    async def until(self, wanted):
        """Return the next event that is wanted: its type, or a function of it."""
        fits = wanted if callable(wanted) else lambda event: event.type == wanted
        async with asyncio.timeout(TIMEOUT_S):
            async for event in self._stream:
                self.events.append(event)
                assert event.type != "error", event
                if fits(event):
                    return event
        raise AssertionError("the session ended")

    async def answer(self):
        """Return the transcript of the next whole answer of the assistant."""
        done = await self.until(lambda event: raw_type(event) == "response.done")
        (item,) = done.data.data["response"]["output"]
        return item["content"][0]["transcript"]

    async def speak(self, pcm):
        """Send sound as a microphone does."""
        for piece in pieces(pcm):
            await self.session.send_audio(piece)

    def all(self, kind):
        """Return the events of a kind so far."""
        return [event for event in self.events if event.type == kind]


def raw_type(event):
    """Return the type of the server's event that an event carries, "" for others."""
    data = getattr(event, "data", None)
    is_server = getattr(data, "type", "") == "raw_server_event"
    return data.data["type"] if is_server else ""


@pytest.fixture
def talk(engine_url, caplog):
    """How a test opens a session with an agent of its own."""

    @asynccontextmanager
    async def opened(agent, **config):
        runner = RealtimeRunner(agent, config={"tracing_disabled": True, **config})
        where = {"url": f"{engine_url}?model=gpt-realtime-2.1", "api_key": "any"}
        async with await runner.run(model_config=where) as session:
            yield (made := Talk(session))
        raw = [event.data.data for event in made.events if raw_type(event)]
        assert raw
        for event in raw:
            strict.check_event(event)
        failed = [r for r in caplog.records if r.name.startswith("openai.agents")]
        assert [r.message for r in failed if r.levelname != "DEBUG"] == []

    return opened


async def test_text_turn_fills_the_history(talk):
    async with talk(RealtimeAgent(name="Host", instructions="Be brief.")) as opened:
        await opened.session.send_message("Good morning")
        said = await opened.answer()
        await opened.until("agent_end")
        await opened.until(lambda e: raw_type(e) == "rate_limits.updated")

    assert said == 'You said: "Good morning".'
    assert opened.all("history_added")
    last = opened.all("history_updated")[-1].history
    assert [item.role for item in last] == ["user", "assistant"]
    assert opened.all("audio")


async def test_spoken_turn(talk):
    async with talk(RealtimeAgent(name="Host")) as opened:
        await opened.speak(quiet(300) + loud(1000) + quiet(1000))
        said = await opened.answer()

    assert "seconds of speech" in said


async def test_tool_is_called_and_its_output_spoken(talk):
    async with talk(RealtimeAgent(name="Host", tools=[get_weather])) as opened:
        await opened.session.send_message('get_weather {"city": "Kyoto"}')
        end = await opened.until("tool_end")
        await opened.until(lambda e: raw_type(e) == "response.created")
        said = await opened.answer()

    assert end.output == "Sunny in Kyoto."
    assert said == "The tool says: Sunny in Kyoto."


@pytest.mark.parametrize("allowed", [True, False])
async def test_tool_waits_for_approval(talk, allowed):
    async with talk(RealtimeAgent(name="Host", tools=[book_table])) as opened:
        await opened.session.send_message('book_table {"people": 4}')
        asked = await opened.until("tool_approval_required")
        if allowed:
            await opened.session.approve_tool_call(asked.call_id)
        else:
            await opened.session.reject_tool_call(asked.call_id)
        await opened.until(lambda e: raw_type(e) == "response.created")
        said = await opened.answer()

    assert ("Booked for 4." in said) is allowed
    assert said.startswith("The tool says: ")


async def test_speech_interrupts_the_answer(talk):
    async with talk(RealtimeAgent(name="Host")) as opened:
        await opened.session.send_message("Please count slowly.")
        await opened.until("audio")
        await opened.speak(loud(600))
        cut = await opened.until("audio_interrupted")
        done = await opened.until(lambda e: raw_type(e) == "response.done")

    assert cut.item_id
    assert done.data.data["response"]["status"] == "cancelled"


async def test_application_interrupts_the_answer(talk):
    # The client cancels by itself only where the server would not do it for speech.
    detection = {"type": "server_vad", "interrupt_response": False}
    settings = {"audio": {"input": {"turn_detection": detection}}}
    agent = RealtimeAgent(name="Host")
    async with talk(agent, model_settings=settings) as opened:
        await opened.session.send_message("Please count slowly.")
        await opened.until("audio")
        await opened.session.interrupt()
        done = await opened.until(lambda e: raw_type(e) == "response.done")

    assert done.data.data["response"]["status"] == "cancelled"


async def test_guardrail_trips_on_the_answer(talk):
    def check(_context, _agent, output):
        tripped = "long sentence" in output
        return GuardrailFunctionOutput(output_info=None, tripwire_triggered=tripped)

    guardrail = OutputGuardrail(guardrail_function=check, name="brevity")
    agent = RealtimeAgent(name="Host", output_guardrails=[guardrail])
    async with talk(agent) as opened:
        await opened.session.send_message("Tell me something long")
        tripped = await opened.until("guardrail_tripped")
        await opened.until(lambda e: raw_type(e) == "response.created")
        again = await opened.answer()

    assert "long sentence" in tripped.message
    assert "brevity" in again


async def test_handoff_to_another_agent(talk):
    kitchen = RealtimeAgent(name="Kitchen", instructions="Cook.", tools=[get_weather])
    host = RealtimeAgent(name="Host", handoffs=[realtime_handoff(kitchen)])
    async with talk(host) as opened:
        await opened.session.send_message("transfer_to_kitchen {}")
        handoff = await opened.until("handoff")
        await opened.until(lambda e: raw_type(e) == "response.created")
        said = await opened.answer()
        await opened.session.send_message('get_weather {"city": "Oslo"}')
        end = await opened.until("tool_end")

    assert (handoff.from_agent.name, handoff.to_agent.name) == ("Host", "Kitchen")
    assert said.startswith("The tool says: ")
    assert end.agent.name == "Kitchen"
    updated = [e for e in opened.events if raw_type(e) == "session.updated"]
    assert updated[-1].data.data["session"]["instructions"] == "Cook."
