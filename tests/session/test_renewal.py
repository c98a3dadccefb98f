"""The model's side is lost, or replaced, in the middle of a talk."""

from __future__ import annotations

import asyncio

import pytest

from realtime_widget.exceptions import UpstreamClosed, UpstreamRefused
from realtime_widget.session.config import Limits
from realtime_widget.session.ports import ItemFact, ToolFact
from tests.fakes.clock import settle, virtual_time
from tests.fakes.upstream import ScriptedUpstream
from tests.session.bridging import session
from tests.session.driving import tool

LIMITS = Limits(reconnect_s=3.0)
FRAME = b"\1\2" * 960


class Servers:
    """Gives a new upstream for each connection, or what the test put in its place."""

    def __init__(self):
        self.made = []
        self.instead = []
        self.dialled = asyncio.Event()

    async def __call__(self):
        if self.instead and self.made:
            failure = self.instead.pop(0)
            if isinstance(failure, Exception):
                raise failure
            await asyncio.sleep(failure)
        self.made.append(ScriptedUpstream())
        self.dialled.set()
        return self.made[-1]

    async def take_over(self, talk, *, number=1):
        """Let the newest server accept the session."""
        async with asyncio.timeout(30):
            while len(self.made) <= number:
                self.dialled.clear()
                await self.dialled.wait()
        new = talk.upstream = self.made[number]
        new.emit("session.created", session={"type": "realtime", "id": "s2"})
        update = await new.expect("session.update")
        new.emit("session.updated", session={"type": "realtime"})
        await settle()
        return new, update["session"]


async def begin(talk, servers):
    await settle()
    talk.upstream = servers.made[0]
    await talk.start()


def echo(upstream, item_id, role, text, previous=None):
    kind = "output_text" if role == "assistant" else "input_text"
    content = [{"type": kind, "text": text}]
    item = {"id": item_id, "type": "message", "role": role, "content": content}
    upstream.emit("conversation.item.added", item=item, previous_item_id=previous)


async def type_in(talk, text):
    """Say something in writing, and have it confirmed; nothing answers yet."""
    await talk.page("message", text=text, respond=False)
    item = (await talk.upstream.expect("conversation.item.create"))["item"]
    echo(talk.upstream, item["id"], "user", text)
    await settle()


async def told(upstream):
    """Return role and words of the messages the server is told of."""
    messages = []
    while "conversation.item.create" in upstream.unexpected[:1]:
        item = (await upstream.expect("conversation.item.create"))["item"]
        if item["type"] == "message":
            messages.append((item["role"], item["content"][0]["text"]))
        else:
            messages.append((item["type"], item["call_id"], item.get("output")))
    return messages


@virtual_time
async def test_a_lost_server_is_replaced_and_told_what_was_said():
    servers = Servers()
    async with session(started=False, connect=servers, limits=LIMITS) as talk:
        await begin(talk, servers)
        before = servers.made[0]
        await type_in(talk, "My name is Mira.")
        await type_in(talk, "I have a red bike.")
        before.lose()
        await talk.browser.wait_for("state", state="connecting")
        new, sent = await servers.take_over(talk)
        assert sent["instructions"]
        assert await told(new) == [
            ("user", "My name is Mira."),
            ("user", "I have a red bike."),
        ]
        new.assert_complete()
        assert talk.browser.of("state")[-1]["state"] == "listening"
        assert before.closed == 1
        assert not talk.browser.of("error")
        assert len(talk.browser.of("session.started")) == 1
    assert talk.bridge.end.reason == "user"


@virtual_time
async def test_what_is_said_meanwhile_is_not_lost():
    servers = Servers()
    async with session(started=False, connect=servers, limits=LIMITS) as talk:
        await begin(talk, servers)
        servers.instead = [1.0]
        servers.made[0].lose()
        await settle()
        await talk.bridge.receive_audio(FRAME)
        await talk.page("message", text="Are you there?")
        await asyncio.sleep(1.5)
        new, _sent = await servers.take_over(talk)
        await talk.bridge.receive_audio(FRAME[:2])
        assert await told(new) == [("user", "Are you there?")]
        await new.expect("response.create")
        new.assert_complete()
        assert len(new.audio) == 2
        assert len(new.audio[0]) > len(new.audio[1])


@virtual_time
async def test_speech_beyond_the_wait_is_forgotten_from_its_beginning():
    servers = Servers()
    limits = Limits(reconnect_s=1.0)
    async with session(started=False, connect=servers, limits=limits) as talk:
        await begin(talk, servers)
        servers.instead = [0.5]
        servers.made[0].lose()
        await settle()
        for number in range(100):  # 4 s
            await talk.bridge.receive_audio(bytes([number]) * 1920)
        await asyncio.sleep(0.6)
        new, _sent = await servers.take_over(talk)
        assert 20 <= len(new.audio) <= 30
        assert new.audio[-1].startswith("Y2Nj")  # 99


@virtual_time
async def test_an_answer_that_was_cut_is_asked_for_again():
    servers = Servers()
    async with session(started=False, connect=servers, limits=LIMITS) as talk:
        await begin(talk, servers)
        await type_in(talk, "Tell me a story.")
        echo(talk.upstream, "item_1", "assistant", "")
        talk.respond()
        talk.speak(400)
        talk.say("Once upon a time")
        await settle()
        servers.made[0].lose()
        new, _sent = await servers.take_over(talk)
        assert await told(new) == [
            ("user", "Tell me a story."),
            ("assistant", "Once upon a time"),
        ]
        await new.expect("response.create")
        new.assert_complete()
        # What had come is played to its end.
        assert not talk.browser.of("audio.interrupted")
        await talk.browser.wait_for("audio.end", item_id="item_1")


@virtual_time
async def test_speech_nobody_wrote_down_is_asked_for_again():
    servers = Servers()
    async with session(started=False, connect=servers, limits=LIMITS) as talk:
        await begin(talk, servers)
        item = {"id": "user_1", "type": "message", "role": "user"}
        item["content"] = [{"type": "input_audio", "transcript": None}]
        talk.hear()
        talk.upstream.emit(
            "input_audio_buffer.speech_stopped", audio_end_ms=900, item_id="user_1"
        )
        talk.upstream.emit("conversation.item.added", item=item, previous_item_id=None)
        talk.respond()
        await settle()
        servers.made[0].lose()
        new, _sent = await servers.take_over(talk)
        new.assert_complete()
        (error,) = talk.browser.of("error")
        assert (error["code"], error["fatal"]) == ("response_failed", False)


@virtual_time
async def test_a_running_tool_answers_the_new_server():
    servers, gate = Servers(), asyncio.Event()

    async def slow():
        await gate.wait()
        return {"ok": True}

    async with session(
        started=False,
        connect=servers,
        limits=LIMITS,
        tools=[tool("slow")],
        handlers={"slow": slow},
    ) as talk:
        await begin(talk, servers)
        talk.respond()
        talk.call("call_1", "slow")
        await settle()
        servers.made[0].lose()
        new, _sent = await servers.take_over(talk)
        assert await told(new) == [("function_call", "call_1", None)]
        new.assert_complete()
        gate.set()
        await settle()
        assert await told(new) == [("function_call_output", "call_1", '{"ok": true}')]
        await new.expect("response.create")
        new.assert_complete()
    (fact,) = [fact for fact in talk.recorder.facts if isinstance(fact, ToolFact)]
    assert fact.status == "completed"


@virtual_time
async def test_what_a_tool_did_is_told_and_not_done_again():
    servers = Servers()
    done = []

    async def book():
        done.append(1)
        return {"booked": True}

    async with session(
        started=False,
        connect=servers,
        limits=LIMITS,
        tools=[tool("book")],
        handlers={"book": book},
    ) as talk:
        await begin(talk, servers)
        await type_in(talk, "Book it.")
        talk.respond()
        call = {"id": "item_call_1", "type": "function_call", "call_id": "call_1"}
        call |= {"name": "book", "arguments": "{}"}
        talk.upstream.emit(
            "conversation.item.added", item=call, previous_item_id="typed_1"
        )
        talk.call("call_1", "book")
        talk.upstream.emit(
            "response.done", response={"id": "resp_1", "status": "completed"}
        )
        await talk.upstream.expect("conversation.item.create")
        await talk.upstream.expect("response.create")
        servers.made[0].lose()
        new, _sent = await servers.take_over(talk)
        assert await told(new) == [
            ("user", "Book it."),
            ("function_call", "call_1", None),
            ("function_call_output", "call_1", '{"booked": true}'),
        ]
        await new.expect("response.create")
        new.assert_complete()
    assert done == [1]


@virtual_time
async def test_no_other_server_in_time_ends_the_talk():
    servers = Servers()
    async with session(started=False, connect=servers, limits=LIMITS) as talk:
        await begin(talk, servers)
        servers.instead = [UpstreamClosed("no") for _attempt in range(100)]
        lost_s = talk.now
        servers.made[0].lose()
        end = await talk.task
    assert (end.reason, end.error_code) == ("upstream", "upstream_lost")
    assert talk.now - lost_s == pytest.approx(3.0, abs=0.1)
    assert len(servers.instead) > 90  # no hammering


@virtual_time
async def test_a_server_that_accepts_and_says_nothing_ends_the_talk():
    servers = Servers()
    async with session(started=False, connect=servers, limits=LIMITS) as talk:
        await begin(talk, servers)
        lost_s = talk.now
        servers.made[0].lose()
        end = await talk.task
    assert (end.reason, end.error_code) == ("upstream", "upstream_lost")
    assert talk.now - lost_s == pytest.approx(3.0, abs=0.1)
    assert [one.closed for one in servers.made] == [1, 1]


@virtual_time
@pytest.mark.parametrize("when", ["lost", "redialled"])
async def test_a_refusal_ends_the_talk_at_once(when):
    servers = Servers()
    refusal = UpstreamRefused("no", code="upstream_auth")
    async with session(started=False, connect=servers, limits=LIMITS) as talk:
        await begin(talk, servers)
        servers.instead = [refusal]
        servers.made[0].lose(refusal if when == "lost" else None)
        end = await talk.task
    assert (end.reason, end.error_code) == ("upstream", "upstream_auth")


@virtual_time
async def test_server_that_is_lost_again_and_again_is_given_up():
    servers = Servers()
    async with session(started=False, connect=servers, limits=LIMITS) as talk:
        await begin(talk, servers)
        for number in range(1, 4):
            servers.made[-1].lose()
            await servers.take_over(talk, number=number)
        servers.made[-1].lose()
        end = await talk.task
    assert (end.reason, end.error_code) == ("upstream", "upstream_lost")


@virtual_time
async def test_all_the_words_survive_two_losses_in_one_order():
    servers = Servers()
    long = "word " * 400
    async with session(started=False, connect=servers, limits=LIMITS) as talk:
        await begin(talk, servers)
        await type_in(talk, long.strip())
        for number in (1, 2):
            servers.made[-1].lose()
            new, _sent = await servers.take_over(talk, number=number)
            expected = [("user", long.strip())]
            expected += [("user", f"after {one}") for one in range(1, number)]
            ids = []
            while new.unexpected:
                item = (await new.expect("conversation.item.create"))["item"]
                ids.append(item["id"])
                words = item["content"][0]["text"]
                assert (item["role"], words) == expected[len(ids) - 1]
                before = ids[-2] if len(ids) > 1 else None
                echo(new, item["id"], "user", words, before)
            assert len(ids) == len(expected)
            await type_in(talk, f"after {number}")
    facts = [fact for fact in talk.recorder.facts if isinstance(fact, ItemFact)]
    assert [fact.text for fact in facts] == [long.strip(), "after 1", "after 2"]
    for before, after in zip(facts, facts[1:], strict=False):
        assert after.previous_item_id == before.item_id


@virtual_time
async def test_an_expired_session_is_replaced():
    servers = Servers()
    async with session(started=False, connect=servers, limits=LIMITS) as talk:
        await begin(talk, servers)
        error = {"type": "invalid_request_error", "code": "session_expired"}
        talk.upstream.emit(
            "error", error=error | {"message": "Too old.", "param": None}
        )
        await servers.take_over(talk)
        assert talk.browser.of("state")[-1]["state"] == "listening"
        assert servers.made[0].closed == 1
        assert not talk.browser.of("error")


ROTATING = Limits(reconnect_s=3.0, rotate_s=60.0, idle_s=1_000.0)


@virtual_time
async def test_an_old_session_is_replaced_in_a_silence_unnoticed():
    servers = Servers()
    async with session(started=False, connect=servers, limits=ROTATING) as talk:
        await begin(talk, servers)
        await type_in(talk, "Hello.")
        states = len(talk.browser.of("state"))
        await asyncio.sleep(61)
        await talk.bridge.receive_audio(FRAME)  # in the middle of the change
        new, _sent = await servers.take_over(talk)
        assert await told(new) == [("user", "Hello.")]
        assert len(new.audio) == 1
        assert servers.made[0].audio == []
        assert servers.made[0].closed == 1
        assert len(talk.browser.of("state")) == states
        # And the new one in its turn.
        await asyncio.sleep(61)
        await servers.take_over(talk, number=2)
        assert new.closed == 1


@virtual_time
async def test_nobody_is_cut_off_by_a_change_of_servers():
    servers = Servers()
    async with session(started=False, connect=servers, limits=ROTATING) as talk:
        await begin(talk, servers)
        await asyncio.sleep(59)
        talk.hear()
        await asyncio.sleep(5)
        assert len(servers.made) == 1
        talk.upstream.emit(
            "input_audio_buffer.speech_stopped", audio_end_ms=5_000, item_id="user_1"
        )
        talk.respond()
        await asyncio.sleep(5)
        assert len(servers.made) == 1
        talk.end_response()
        await asyncio.sleep(2)
        await servers.take_over(talk)
        assert servers.made[0].closed == 1


@virtual_time
async def test_a_change_that_finds_no_server_leaves_the_old_one():
    servers = Servers()
    async with session(started=False, connect=servers, limits=ROTATING) as talk:
        await begin(talk, servers)
        servers.instead = [UpstreamClosed("no")]
        await asyncio.sleep(70)
        assert len(servers.made) == 1
        await type_in(talk, "Still there?")
        await asyncio.sleep(51)
        await servers.take_over(talk)


@virtual_time
async def test_a_connection_that_was_prepared_is_closed_with_the_talk():
    servers = Servers()
    async with session(started=False, connect=servers, limits=ROTATING) as talk:
        await begin(talk, servers)
        servers.instead = [2.0]
        await asyncio.sleep(61)
        talk.hear()  # just before the new one is there
        await asyncio.sleep(3)
        assert [one.closed for one in servers.made] == [0, 0]
    assert [one.closed for one in servers.made] == [1, 1]
