from __future__ import annotations

import pytest

from realtime_widget.conf import Conf
from realtime_widget.exceptions import AdmissionRefused
from realtime_widget.quotas import (
    AddressRate,
    SessionCounters,
    SocketMeter,
    TokenBucket,
    client_address,
    session_limits,
)
from realtime_widget.quotas.rates import ADDRESSES_KEPT

SECOND_BYTES = 48_000
FRAME_BYTES = 1_920


def test_bucket_lets_the_burst_pass_and_then_its_rate():
    bucket = TokenBucket(per_s=2, burst=3)
    assert [bucket.take(10.0) for _ in range(4)] == [True, True, True, False]
    assert bucket.take(10.5)
    assert not bucket.take(10.5)
    assert [bucket.take(1_000.0) for _ in range(4)] == [True, True, True, False]


def test_bucket_takes_nothing_when_there_is_too_little():
    bucket = TokenBucket(per_s=1, burst=10)
    assert not bucket.take(0.0, 11)
    assert bucket.take(0.0, 10)


def test_clock_that_stands_still_or_jumps_back_refills_nothing():
    bucket = TokenBucket(per_s=1, burst=1)
    assert bucket.take(10.0)
    assert not bucket.take(5.0)


def test_session_takes_all_its_places_or_none():
    counters = SessionCounters()
    first = counters.acquire({"process": 10, "user:1": 1})
    with pytest.raises(AdmissionRefused) as refusal:
        counters.acquire({"process": 10, "user:1": 1})
    assert refusal.value.close_code == 4429
    assert "user" in str(refusal.value)
    assert counters.running() == 1
    counters.release(first)
    counters.release(first)
    assert counters.running() == 0
    counters.acquire({"process": 10, "user:1": 1})


def test_zero_is_no_bound():
    counters = SessionCounters()
    for _ in range(50):
        counters.acquire({"widget:support": 0})
    assert counters.running("widget:support") == 50


def test_limits_come_from_the_settings():
    conf = Conf(SESSIONS_PER_USER=3, SESSIONS_PER_IP=4)
    limits = session_limits(conf, widget="support", user="7", address="10.0.0.1")
    assert limits == {
        "process": 1_000,
        "widget:support": 0,
        "address:10.0.0.1": 4,
        "user:7": 3,
    }
    assert "user:" not in session_limits(conf, widget="s", user="", address="a")


def test_address_may_ask_so_often_a_minute():
    rate = AddressRate()
    assert [rate.take("a", 2, 0.0) for _ in range(3)] == [True, True, False]
    assert rate.take("b", 2, 0.0)
    assert rate.take("a", 2, 30.0)
    assert all(rate.take("a", 0, 30.0) for _ in range(100))


def test_remembered_addresses_are_bounded():
    rate = AddressRate()
    for number in range(ADDRESSES_KEPT + 10):
        rate.take(str(number), 1, 0.0)
    assert len(rate._buckets) == ADDRESSES_KEPT


def test_audio_may_come_a_quarter_faster_than_real_time():
    meter = SocketMeter(Conf())
    meter.expect_audio(SECOND_BYTES, 0)
    passed = 0
    for frame in range(25 * 60):
        passed += meter.take_audio(frame * 0.04 / 1.25, FRAME_BYTES)
    assert passed == 25 * 60


def test_audio_much_faster_than_real_time_is_dropped_after_the_burst():
    meter = SocketMeter(Conf())
    meter.expect_audio(SECOND_BYTES, 0)
    passed = sum(meter.take_audio(0.0, FRAME_BYTES) for _ in range(1_000))
    assert passed == 5 * 25


def test_audio_the_page_recorded_while_connecting_may_come_at_once():
    meter = SocketMeter(Conf())
    meter.expect_audio(SECOND_BYTES, 6.0)
    assert all(meter.take_audio(0.0, FRAME_BYTES) for _ in range(11 * 25))


def test_dropped_audio_counts_once_a_second():
    meter = SocketMeter(Conf())
    meter.expect_audio(SECOND_BYTES, 0)
    assert sum(meter.dropped_a_second(FRAME_BYTES) for _ in range(75)) == 3


def test_errors_of_a_page_are_counted_to_the_setting():
    meter = SocketMeter(Conf(ERRORS_PER_SESSION=3))
    assert [meter.error() for _ in range(3)] == [True, True, False]


@pytest.mark.parametrize(
    ("peer", "forwarded", "trusted", "address"),
    [
        ("10.0.0.1", [], 0, "10.0.0.1"),
        ("10.0.0.1", ["1.2.3.4"], 0, "10.0.0.1"),
        ("10.0.0.1", ["6.6.6.6, 1.2.3.4"], 1, "1.2.3.4"),
        ("10.0.0.1", ["6.6.6.6", "1.2.3.4, 5.6.7.8"], 2, "1.2.3.4"),
        ("10.0.0.1", ["1.2.3.4"], 2, "10.0.0.1"),
        ("10.0.0.1", ["nonsense"], 1, "10.0.0.1"),
        ("2001:db8:1:2:3::4", [], 0, "2001:db8:1:2::/64"),
        ("::ffff:10.0.0.9", [], 0, "10.0.0.9"),
        ("", [], 0, ""),
    ],
)
def test_address_is_the_last_hop_that_is_not_ones_own(
    peer, forwarded, trusted, address
):
    assert client_address(peer, forwarded, trusted) == address
