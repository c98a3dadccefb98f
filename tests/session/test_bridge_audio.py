from __future__ import annotations

import asyncio

import pytest

from realtime_widget.session.config import Limits
from tests.fakes.clock import settle, virtual_time
from tests.session.bridging import session
from tests.session.driving import MS


async def report_like_a_page(talk, item_id="item_1", delay_s=0.05):
    """Play what comes, and report it every 250 ms, until cancelled."""
    began = None
    while True:
        await asyncio.sleep(0.25)
        if talk.browser.frames:
            began = began or talk.browser.frames[0][0] + delay_s
            got_ms = talk.browser.audio_bytes / MS
            played_ms = max(0, min(got_ms, (talk.now - began) * 1000))
            ended = bool(talk.browser.of("audio.end")) and played_ms >= got_ms
            await talk.page(
                "playback", item_id=item_id, played_ms=played_ms, done=ended
            )


@virtual_time
async def test_audio_reaches_the_page_unchanged_between_its_marks():
    async with session() as talk:
        talk.respond()
        talk.speak(400, byte=b"\1")
        talk.speak(150, byte=b"\2")
        talk.end_response()
        await talk.browser.wait_for("audio.end")
        log = talk.browser.log[talk.browser.log.index("audio.start") :]
        frames = [piece for piece in log if isinstance(piece, bytes)]
        assert b"".join(frames) == b"\1" * 400 * MS + b"\2" * 150 * MS
        assert max(map(len, frames)) <= 100 * MS
        assert log[0] == "audio.start"
        assert log[1 + len(frames)] == "audio.end"


@virtual_time
async def test_audio_is_paced_at_most_the_lead_ahead_of_the_page():
    async with session(limits=Limits(playback_lead_s=2.0)) as talk:
        page = asyncio.create_task(report_like_a_page(talk))
        talk.respond()
        talk.speak(10_000)
        talk.end_response()
        await talk.browser.wait_for("state", state="speaking")
        await talk.browser.wait_for("audio.end")
        page.cancel()
        first_s = talk.browser.frames[0][0]
        sent_ms = 0
        for at_s, frame in talk.browser.frames:
            sent_ms += len(frame) / MS
            heard_ms = max(0, (at_s - first_s) * 1000)
            assert sent_ms - heard_ms <= 2000 + 1
        assert sent_ms == 10_000
        assert 7.9 <= talk.browser.frames[-1][0] - first_s <= 8.5


@virtual_time
async def test_the_sender_does_not_wake_for_every_delta_that_has_to_wait():
    async with session() as talk:
        page = asyncio.create_task(report_like_a_page(talk))
        talk.respond()
        talk.speak(20_000)
        talk.end_response()
        await talk.browser.wait_for("audio.end")
        page.cancel()
        times = {at_s for at_s, _ in talk.browser.frames}
        # 17.5 s of paced audio: never more often than every 100 ms.
        assert len(times) <= 180


@virtual_time
async def test_messages_overtake_audio_that_waits():
    async with session() as talk:
        talk.respond()
        talk.speak(10_000)
        await settle()
        waiting_bytes = 10_000 * MS - talk.browser.audio_bytes
        assert waiting_bytes > 7_000 * MS
        await talk.page("ping", t=1)
        await talk.browser.wait_for("pong")
        assert talk.browser.audio_bytes < 3_000 * MS


@virtual_time
async def test_barge_in_silences_at_once_and_truncates_at_the_pages_figure():
    async with session() as talk:
        page = asyncio.create_task(report_like_a_page(talk))
        talk.respond()
        talk.speak(8000)
        await asyncio.sleep(3)
        page.cancel()
        began = talk.now
        talk.hear()
        interrupted = await talk.browser.wait_for("audio.interrupted")
        assert talk.now == began
        assert interrupted["heard_ms"] == pytest.approx(2950, abs=60)
        frames = len(talk.browser.frames)
        await asyncio.sleep(0.02)
        await talk.page("playback", item_id="item_1", played_ms=2941.7, done=True)
        truncate = await talk.upstream.expect("conversation.item.truncate")
        assert truncate["audio_end_ms"] == 2941
        assert talk.now - began < 0.05
        talk.speak(1000)
        await asyncio.sleep(1)
        assert len(talk.browser.frames) == frames


@virtual_time
async def test_a_page_that_does_not_answer_is_truncated_by_the_estimate():
    async with session() as talk:
        talk.respond()
        talk.speak(4000)
        await asyncio.sleep(1.5)
        talk.hear()
        began = talk.now
        truncate = await talk.upstream.expect("conversation.item.truncate")
        assert truncate["audio_end_ms"] == pytest.approx(1500, abs=5)
        assert talk.now - began == pytest.approx(0.3, abs=0.01)


@virtual_time
async def test_interrupt_of_the_page_reaches_the_model_at_once():
    async with session() as talk:
        talk.respond()
        talk.speak(4000)
        await asyncio.sleep(1)
        await talk.page("interrupt", item_id="item_1", played_ms=900)
        await talk.upstream.expect("response.cancel", response_id="resp_1")
        await talk.upstream.expect("conversation.item.truncate", audio_end_ms=900)


@virtual_time
async def test_a_page_that_stops_reading_never_holds_the_upstream_up():
    async with session() as talk:
        talk.browser.stall()
        talk.respond()
        talk.speak(1000)
        await asyncio.sleep(2)
        await talk.page("message", text="still here")
        await talk.upstream.expect("conversation.item.create")


@virtual_time
async def test_a_page_that_stops_reading_is_closed_with_4408():
    async with session(limits=Limits(stalled_browser_s=15)) as talk:
        talk.respond()
        talk.speak(400)
        await settle()
        talk.browser.stall()
        began = talk.now
        talk.speak(2000)
        end = await talk.task
    assert (end.reason, end.close_code) == ("idle", 4408)
    assert 15 <= talk.now - began <= 15 + 2 + 1.1


@virtual_time
async def test_a_page_that_is_sent_to_but_plays_nothing_is_closed_with_4408():
    """A server without back-pressure completes every send of a page that is stuck."""
    async with session(limits=Limits(stalled_browser_s=15)) as talk:
        talk.respond()
        began = talk.now
        talk.speak(60_000)
        end = await talk.task
    assert end.close_code == 4408
    assert talk.now - began <= 16.5
    assert talk.browser.audio_bytes <= 16_000 * MS


@virtual_time
async def test_a_page_that_lets_messages_pile_up_is_closed():
    async with session() as talk:
        talk.browser.stall()
        for n in range(2_100):
            await talk.page("ping", t=n)
        end = await talk.task
    assert end.close_code == 4408


@virtual_time
async def test_a_page_whose_messages_grow_long_is_closed():
    async with session() as talk:
        talk.browser.stall()
        talk.respond()
        for _ in range(6):
            talk.say("word " * 19_000)
            await settle()
            talk.say("word " * 19_000, item_id="item_2")
            talk.end_response()
        end = await talk.task
    assert end.close_code == 4408


@virtual_time
async def test_an_answer_for_which_there_is_no_room_is_ended_and_what_waits_is_heard():
    limits = Limits(waiting_audio_bytes=3_000 * MS, spare_audio_bytes=1_000 * MS)
    async with session(limits=limits) as talk:
        page = asyncio.create_task(report_like_a_page(talk))
        talk.respond()
        talk.speak(60_000)
        await talk.upstream.expect("response.cancel", response_id="resp_1")
        await talk.browser.wait_for("audio.end")
        page.cancel()
        # What waits there, and what had been let out before.
        assert 4_000 * MS <= talk.browser.audio_bytes <= 6_600 * MS
        talk.end_response(status="cancelled")
        talk.respond("resp_2")
        talk.speak(1_000, "item_2", "resp_2")
        await talk.browser.wait_for("audio.start", item_id="item_2")


@virtual_time
async def test_an_answer_without_end_is_cancelled():
    async with session(limits=Limits(max_response_audio_s=5)) as talk:
        talk.respond()
        talk.speak(60_000)
        await talk.upstream.expect("response.cancel")
        await settle()
        talk.upstream.assert_complete()


@virtual_time
async def test_deltas_that_need_a_parser_arrive_all_the_same():
    async with session() as talk:
        talk.respond()
        talk.upstream.emit_raw(
            b'{"item_id": "i", "delta": "AQIDBA\\/\\/", "response_id": "resp_1",'
            b' "type": "response.output_audio.delta"}'
        )
        await talk.browser.wait_for("audio.start")
        await settle()
        assert talk.browser.frames == [(talk.now, b"\1\2\3\4\x0f\xff")]


@virtual_time
async def test_audio_that_joins_a_waiting_queue_keeps_its_place():
    async with session(limits=Limits(playback_lead_s=1.0)) as talk:
        talk.respond()
        talk.speak(2000, byte=b"\1")
        await settle()
        talk.speak(1000, byte=b"\2")
        await asyncio.sleep(3)
        audio = b"".join(frame for _, frame in talk.browser.frames)
        assert audio == b"\1" * 2000 * MS + b"\2" * 1000 * MS


@virtual_time
async def test_the_end_of_the_audio_is_sent_without_anything_else_to_send():
    async with session() as talk:
        talk.respond()
        talk.speak(200)
        talk.end_response()
        await asyncio.sleep(0.1)
        assert len(talk.browser.of("audio.end")) == 1
