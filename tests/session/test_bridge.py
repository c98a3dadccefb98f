from __future__ import annotations

import asyncio
import logging

import pytest

from realtime_widget.exceptions import (
    EngineUnavailable,
    UpstreamClosed,
    UpstreamRefused,
    UpstreamTimeout,
)
from realtime_widget.session.config import Limits
from realtime_widget.session.ports import ErrorFact, ItemFact, StartedFact
from tests.fakes.clock import settle, virtual_time
from tests.session.bridging import Session, session


@virtual_time
async def test_a_session_starts_and_ends_as_the_page_wishes():
    async with session() as talk:
        await asyncio.sleep(3)
        await talk.page("session.stop")
        end = await talk.task
    assert (end.reason, end.close_code, end.error_code) == ("user", 1000, "")
    assert end.duration_s == pytest.approx(3)
    assert talk.browser.log[-1] == "session.stopped"
    assert talk.upstream.closed == 1
    assert talk.recorder.facts == [StartedFact("gpt-realtime-2.1", "s1")]
    assert talk.bridge.end is end
    talk.upstream.assert_complete()


@virtual_time
async def test_microphone_audio_goes_up_only_between_start_and_end():
    async with session(started=False) as talk:
        await settle()
        await talk.bridge.receive_audio(b"\0" * 960)
        assert talk.upstream.audio == []
        await talk.start()
        await talk.bridge.receive_audio(b"\1\2\3\4")
        assert talk.upstream.audio == ["AQIDBA=="]
        talk.bridge.stop("user")
        await talk.bridge.receive_audio(b"\0" * 960)
        assert len(talk.upstream.audio) == 1
    assert talk.bridge.counters["unheard_audio"] == 2


@virtual_time
async def test_a_text_session_takes_no_audio():
    async with session(text_only=True) as talk:
        await talk.bridge.receive_audio(b"\0" * 960)
        assert talk.upstream.audio == []


@virtual_time
async def test_audio_for_an_upstream_that_is_gone_is_dropped():
    async with session() as talk:
        talk.upstream.lose()
        await talk.bridge.receive_audio(b"\0" * 960)
        end = await talk.task
    assert end.reason == "upstream"


@virtual_time
async def test_messages_of_the_page_reach_the_model_in_order():
    async with session() as talk:
        assert await talk.page("message", text="one") is True
        assert await talk.page("message", text="") is False
        assert await talk.page("message", text="two", respond=False) is True
        assert await talk.page("turn.start") is False
        items = [
            await talk.upstream.expect("conversation.item.create"),
            await talk.upstream.expect("response.create"),
            await talk.upstream.expect("conversation.item.create"),
        ]
        await settle()
        talk.upstream.assert_complete()
    assert items[0]["item"]["content"][0]["text"] == "one"
    assert [fact.text for fact in talk.recorder.of(ItemFact)] == ["one", "two"]


@virtual_time
async def test_a_slow_upstream_does_not_hold_the_page_up():
    async with session() as talk:
        talk.upstream.sends_blocked = True
        await talk.page("message", text="hello")
        await talk.page("ping", t=5)
        await talk.browser.wait_for("pong", t=5)
        talk.respond()
        talk.speak(200)
        await talk.browser.wait_for("audio.start")


@pytest.mark.parametrize(
    ("error", "reason", "code", "close_code"),
    [
        (
            UpstreamRefused("no", code="upstream_auth"),
            "upstream",
            "upstream_auth",
            4502,
        ),
        (UpstreamTimeout("slow"), "upstream", "upstream_unreachable", 4502),
        (UpstreamRefused("no", code="of_a_plugin"), "upstream", "upstream_error", 4502),
        (EngineUnavailable("no", part="stt"), "upstream", "not_configured", 4502),
        (ZeroDivisionError(), "error", "internal", 4500),
    ],
)
@virtual_time
async def test_a_connection_that_cannot_be_made_ends_the_session(
    caplog, error, reason, code, close_code
):
    async def connect():
        raise error

    async with session(started=False, connect=connect) as talk:
        end = await talk.task
    assert (end.reason, end.error_code, end.close_code) == (reason, code, close_code)
    assert talk.browser.log == ["state", "error", "session.stopped"]
    assert talk.browser.of("error")[0]["fatal"] is True
    assert talk.recorder.facts == [ErrorFact(code)]
    assert ("error of ours" in caplog.text) == (reason == "error")


@virtual_time
async def test_a_server_that_never_answers_is_given_up_in_time():
    forever = asyncio.Event()

    async def connect():
        await forever.wait()

    async with session(started=False, connect=connect) as talk:
        began = talk.now
        end = await talk.task
    assert end.error_code == "upstream_unreachable"
    assert talk.now - began == pytest.approx(10, abs=0.1)


@virtual_time
async def test_losing_the_upstream_keeps_what_was_said():
    async with session() as talk:
        talk.respond()
        talk.upstream.emit(
            "response.output_audio_transcript.delta",
            item_id="item_1",
            response_id="resp_1",
            output_index=0,
            content_index=0,
            delta="one two three four",
        )
        talk.speak(1000)
        await asyncio.sleep(0.6)
        talk.upstream.lose(UpstreamClosed("gone", close_code=1011))
        end = await talk.task
    assert (end.reason, end.error_code) == ("upstream", "upstream_lost")
    (item,) = talk.recorder.of(ItemFact)
    assert (item.text, item.status) == ("one two", "interrupted")


@virtual_time
async def test_an_error_and_a_close_before_the_session_mean_refused():
    async with session(started=False) as talk:
        talk.upstream.emit(
            "error", error={"type": "x", "code": "new_code", "message": "secret"}
        )
        talk.upstream.lose()
        end = await talk.task
    assert end.error_code == "upstream_refused"
    assert "secret" not in str(talk.browser.messages)


@virtual_time
async def test_a_closed_tab_ends_the_session():
    async with session() as talk:
        talk.browser.gone = True
        talk.hear()
        end = await talk.task
    assert end.reason == "user"
    assert talk.upstream.closed == 1


@virtual_time
async def test_a_stop_before_the_connection_is_made_ends_at_once():
    talk = Session()
    talk.bridge.stop("replaced")
    end = await talk.bridge.run()
    assert end.reason == "replaced"
    assert talk.browser.log == ["error", "session.stopped"]


@virtual_time
async def test_a_message_before_the_connection_is_made_is_answered():
    talk = Session()
    assert await talk.page("ping", t=1) is True
    talk.run()
    await talk.browser.wait_for("pong")
    talk.bridge.stop("user")
    await talk.task


@virtual_time
async def test_cancelling_ends_everything_and_keeps_what_was_said():
    talk = Session()
    talk.run()
    await talk.start()
    talk.respond()
    talk.upstream.emit(
        "response.output_text.delta",
        item_id="item_1",
        response_id="resp_1",
        output_index=0,
        content_index=0,
        delta="half a sent",
    )
    await settle()
    talk.task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await talk.task
    assert talk.bridge.end.reason == "draining"
    assert talk.upstream.closed == 1
    assert talk.recorder.of(ItemFact)[0].text == "half a sent"
    assert asyncio.all_tasks() == {asyncio.current_task()}


@virtual_time
async def test_silence_and_the_time_limit_end_a_session_by_the_clock():
    async with session(limits=Limits(idle_s=20)) as talk:
        end = await talk.task
    assert (end.reason, end.duration_s) == ("idle", pytest.approx(20))
    async with session(limits=Limits(idle_s=20, max_session_s=15)) as talk:
        end = await talk.task
    assert (end.reason, end.duration_s) == ("time_limit", pytest.approx(15))


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b"[]",
        b"5",
        b"null",
        b"\xff\xfe\x00",
        b'{"no": "type"}',
        b"[" * 200_000,
        b'{"type": ["x"]}',
        b'{"type":"response.output_audio.delta","item_id":5}',
        b'{"delta":"A","type":"response.output_audio.delta"}',
        b'{"type":"response.done","response":null}',
        b'{"n":' + b"9" * 5000 + b"}",
    ],
)
@virtual_time
async def test_nonsense_of_the_upstream_is_dropped_and_logged_once(caplog, raw):
    async with session() as talk:
        for _ in range(3):
            talk.upstream.emit_raw(raw)
        talk.hear()
        await talk.browser.wait_for("speech.started")
        assert talk.bridge.counters["malformed_event"] == 3
    assert caplog.text.count("malformed_event") == 1


@virtual_time
async def test_no_words_are_ever_logged(caplog):
    caplog.set_level(logging.DEBUG)
    async with session(handlers={"lookup": None}) as talk:
        await talk.page("message", text="my secret")
        talk.upstream.emit(
            "error", error={"type": "secret", "code": "secret", "message": "secret"}
        )
        talk.upstream.emit_raw(b'{"type": "secret"}')
        await settle()
    assert "secret" not in caplog.text


def emit_spoken_turn(talk):
    """Emit a spoken turn in the order that real services keep."""
    emit = talk.upstream.emit
    part = {"response_id": "r", "item_id": "i", "output_index": 0, "content_index": 0}
    said = [{"type": "input_audio", "transcript": None}]
    user = {"id": "u", "type": "message", "role": "user", "content": said}
    answer = {"id": "i", "type": "message", "role": "assistant", "content": []}
    emit("input_audio_buffer.speech_started", audio_start_ms=1, item_id="u")
    emit("input_audio_buffer.speech_stopped", audio_end_ms=9, item_id="u")
    emit("input_audio_buffer.committed", item_id="u", previous_item_id=None)
    emit("conversation.item.added", item=user)
    emit("conversation.item.done", item=user)
    emit("response.created", response={"id": "r"})
    emit("response.output_item.added", response_id="r", output_index=0, item=answer)
    emit("conversation.item.added", item=answer, previous_item_id="u")
    emit(
        "response.content_part.added", **part, part={"type": "audio", "transcript": ""}
    )
    emit("response.output_audio_transcript.delta", **part, delta="Hi.")
    talk.speak(200, item_id="i", response_id="r")
    emit("response.output_audio.done", **part)
    emit("response.output_audio_transcript.done", **part, transcript="Hi.")
    emit(
        "conversation.item.input_audio_transcription.completed",
        item_id="u",
        content_index=0,
        transcript="Hello?",
        usage={"type": "duration", "seconds": 1},
    )
    emit("response.done", response={"id": "r", "status": "completed"})
    emit("rate_limits.updated", rate_limits=[])


@virtual_time
async def test_the_order_of_real_services_gives_one_tidy_turn():
    async with session() as talk:
        emit_spoken_turn(talk)
        await talk.browser.wait_for("audio.end")
        await asyncio.sleep(2)
        assert talk.browser.states == [
            "connecting",
            "listening",
            "hearing",
            "thinking",
            "speaking",
            "listening",
        ]
        talk.upstream.assert_complete()
    assert not talk.bridge.counters
    assert [fact.text for fact in talk.recorder.of(ItemFact)] == ["Hi.", "Hello?"]


@virtual_time
async def test_audio_that_comes_while_the_session_ends_is_not_sent():
    async with session() as talk:
        talk.respond()
        talk.speak(200)
        talk.bridge.stop("user")
        await talk.task
    assert talk.browser.log[-1] == "session.stopped"
