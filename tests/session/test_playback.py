from __future__ import annotations

import pytest

from realtime_widget.protocol.audio import PCM16
from realtime_widget.session.playback import Playback

MS = 48


def playing(*pieces_ms, lead_s=2.5, stalled_s=15.0, close=False):
    """Return a queue with pieces of ``item_1``."""
    playback = Playback(PCM16, lead_s=lead_s, stalled_s=stalled_s)
    for ms in pieces_ms:
        playback.add("item_1", "resp_1", b"\1" * ms * MS)
    if close:
        playback.close("item_1")
    return playback


def drain(playback, now_s):
    """Return the lengths of frames in ms, and the marks, that may be sent now."""
    out = []
    while (piece := playback.take(now_s)) is not None:
        out.append(piece["type"] if isinstance(piece, dict) else len(piece) // MS)
    return out


def test_audio_is_framed_by_marks_and_at_most_100_ms_long():
    playback = playing(250, close=True)
    assert drain(playback, 0.0) == ["audio.start", 100, 100, 50, "audio.end"]


def test_audio_is_let_out_up_to_the_lead_and_then_as_it_is_heard():
    playback = playing(*[200] * 20, lead_s=1.0)
    assert sum(drain(playback, 0.0)[1:]) == 1000
    assert drain(playback, 0.05) == []
    assert sum(drain(playback, 0.5)) == 500
    assert playback.queued_ms == 2500


def test_the_next_due_time_comes_when_a_frame_has_been_heard():
    playback = playing(*[200] * 20, lead_s=1.0)
    assert playback.next_due_s(0.0) == 0.0
    drain(playback, 0.0)
    due_s = playback.next_due_s(0.0)
    assert 0.1 <= due_s <= 0.3
    assert drain(playback, due_s)


def test_an_empty_queue_is_never_due():
    assert playing().next_due_s(0.0) is None


def test_reports_slow_the_pace_down_when_the_page_plays_late():
    playback = playing(*[100] * 40, lead_s=1.0)
    drain(playback, 0.0)
    playback.report("item_1", 0, 1.0, done=False)
    assert drain(playback, 1.0) == []
    playback.report("item_1", 300, 1.3, done=False)
    assert sum(drain(playback, 1.3)) == 300


def test_between_reports_the_clock_is_believed_for_a_second():
    playback = playing(*[100] * 40, lead_s=5.0)
    drain(playback, 0.0)
    playback.report("item_1", 200, 0.5, done=False)
    assert playback.heard_ms("item_1", 0.9) == 600
    assert playback.heard_ms("item_1", 9.0) == 1200


def test_a_page_cannot_have_played_faster_than_time():
    playback = playing(*[100] * 40, lead_s=2.0)
    drain(playback, 0.0)
    playback.report("item_1", 4000, 0.2, done=False)
    assert playback.heard_ms("item_1", 0.2) == 700


def test_heard_of_an_unknown_item_is_nothing():
    playback = playing()
    playback.report("item_9", 100, 1.0, done=True)
    playback.close("item_9")
    assert playback.heard_ms("item_9", 1.0) == 0


def test_the_clock_waits_for_audio_that_comes_late():
    playback = playing(200)
    drain(playback, 0.0)
    playback.add("item_1", "resp_1", b"\1" * 200 * MS)
    drain(playback, 5.0)
    assert playback.heard_ms("item_1", 5.1) == 300


def test_a_second_item_is_heard_after_the_first():
    playback = playing(500, close=True)
    drain(playback, 0.0)
    playback.add("item_2", "resp_1", b"\1" * 500 * MS)
    drain(playback, 0.1)
    assert playback.heard_ms("item_2", 0.5) == 0
    assert playback.heard_ms("item_2", 0.7) == 200
    assert playback.end_s() == pytest.approx(1.0)


def test_it_is_over_when_the_clock_says_so_and_no_page_reports():
    playback = playing(500, close=True)
    assert playback.active(0.0)
    drain(playback, 0.0)
    assert playback.active(0.49)
    assert not playback.active(0.51)
    assert playback.end_s() == 0.5


def test_a_page_that_reports_may_say_itself_when_it_is_done():
    playback = playing(500, close=True)
    drain(playback, 0.0)
    playback.report("item_1", 250, 0.3, done=False)
    assert playback.active(0.9)
    playback.report("item_1", 500, 0.95, done=True)
    assert not playback.active(0.95)
    assert playback.end_s() == 0.95


def test_done_of_an_item_that_still_gets_audio_is_not_its_end():
    playback = playing(100)
    drain(playback, 0.0)
    playback.report("item_1", 100, 0.1, done=True)
    assert playback.active(0.1)
    playback.close("item_1")
    assert drain(playback, 0.2) == ["audio.end"]


def test_a_report_on_a_later_item_ends_the_earlier_ones():
    playback = playing(300, close=True)
    playback.add("item_2", "resp_1", b"\1" * 300 * MS)
    drain(playback, 0.0)
    playback.report("item_2", 50, 0.35, done=False)
    assert [cut.item_id for cut in playback.interrupt(0.35)] == ["item_2"]


def test_an_interruption_empties_the_queue_and_tells_what_was_heard():
    playback = playing(*[200] * 20, lead_s=1.0)
    drain(playback, 0.0)
    (cut,) = playback.interrupt(0.25)
    assert (cut.heard_ms, cut.sent_ms, cut.received_ms) == (250, 1000, 4000)
    assert not cut.complete
    assert playback.queued_ms == 0
    assert playback.take(0.3) is None
    assert not playback.active(0.3)


def test_what_waits_beyond_the_own_share_is_shared_by_all_sessions():
    def waiting(ms):
        playback = Playback(
            PCM16, lead_s=1.0, stalled_s=15, own_bytes=1000 * MS, spare_bytes=500 * MS
        )
        assert playback.has_room(ms * MS)
        playback.add("item_1", "resp_1", b"\1" * ms * MS)
        return playback

    one, other = waiting(1000), waiting(1300)
    assert one.has_room(200 * MS)
    assert not one.has_room(201 * MS)
    assert other.has_room(200 * MS)
    # What is let out makes room, for the others too; so does the end of a session.
    while other.take(0.0) is not None:
        pass
    assert one.has_room(500 * MS)
    assert not one.has_room(501 * MS)
    third = waiting(1500)
    assert not one.has_room(1)
    third.interrupt(0.0)
    assert one.has_room(500 * MS)


def test_a_page_that_stops_reporting_is_stalled_after_the_limit():
    playback = playing(*[100] * 300, lead_s=1.0)
    now_s = 0.0
    while now_s < 2.0:
        drain(playback, now_s)
        now_s += 0.25
        playback.report("item_1", now_s * 1000, now_s, done=False)
    for _ in range(100):
        drain(playback, now_s)
        now_s += 0.1
    assert not playback.stalled(now_s)
    assert not playback.stalled(2.0 + 14.9)
    assert playback.stalled(2.0 + 15.6)


def test_a_page_that_never_reports_gets_no_more_than_the_limit():
    playback = playing(*[100] * 300, lead_s=1.0)
    now_s, sent_ms = 0.0, 0
    while not playback.stalled(now_s):
        sent_ms += sum(p for p in drain(playback, now_s) if isinstance(p, int))
        now_s += 0.1
    assert 15_000 <= sent_ms <= 15_300


def test_a_page_that_was_given_all_is_not_stalled():
    playback = playing(500, close=True)
    drain(playback, 0.0)
    playback.report("item_1", 100, 0.1, done=False)
    assert not playback.stalled(60.0)


def test_closing_a_response_closes_its_items_once():
    playback = playing(100, close=True)
    playback.add("item_2", "resp_1", b"\1" * MS)
    playback.add("item_3", "resp_2", b"\1" * MS)
    playback.close_response("resp_1")
    assert drain(playback, 0.0).count("audio.end") == 2


def test_the_next_look_is_at_the_end_or_after_the_given_time():
    playback = playing(500, close=True)
    drain(playback, 0.0)
    assert playback.look_again_s(0.0, 1.0) == 0.5
    assert playback.look_again_s(0.0, 0.2) == 0.2
    assert playback.look_again_s(0.6, 1.0) == 1.6


def test_a_report_on_audio_that_was_not_sent_is_not_believed():
    playback = playing(*[100] * 30, lead_s=1.0)
    playback.add("item_2", "resp_1", b"\1" * 300 * MS)
    drain(playback, 0.0)
    playback.report("item_2", 300, 0.5, done=True)
    assert sum(drain(playback, 1.0)) == 1000
    assert [cut.item_id for cut in playback.interrupt(1.0)] == ["item_1", "item_2"]
