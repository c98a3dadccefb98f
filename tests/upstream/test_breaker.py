from __future__ import annotations

import pytest

from realtime_widget.upstream.breaker import Breaker, BreakerRules

RULES = BreakerRules(failures=3, window_s=30, open_s=20, probe_s=10)


def failed_at(*times_s, rules=RULES):
    breaker = Breaker(rules)
    for now_s in times_s:
        assert breaker.admit(now_s)
        breaker.failed(now_s)
    return breaker


def test_opens_after_so_many_failures_within_the_window():
    assert failed_at(0, 1).state(1) == "closed"
    breaker = failed_at(0, 1, 2)
    assert breaker.state(2) == "open"
    assert not breaker.admit(21.9)


def test_failures_far_apart_do_not_open_it():
    breaker = failed_at(0, 16, 32, 48)
    assert breaker.state(48) == "closed"
    breaker.failed(60)
    assert breaker.state(60) == "open"


def test_a_success_makes_it_forget():
    breaker = failed_at(0, 1)
    breaker.succeeded()
    breaker.failed(2)
    assert breaker.state(2) == "closed"


def test_half_open_lets_one_probe_through_and_closes_when_it_succeeds():
    breaker = failed_at(0, 1, 2)
    assert breaker.state(22) == "half_open"
    assert breaker.admit(22)
    assert not breaker.admit(22)
    breaker.succeeded()
    assert breaker.state(22) == "closed"
    assert breaker.admit(22)


def test_a_failed_probe_opens_it_again_at_once():
    breaker = failed_at(0, 1, 2)
    assert breaker.admit(22)
    breaker.failed(23)
    assert breaker.state(42.9) == "open"
    assert breaker.admit(43)


def test_a_probe_that_left_or_never_told_makes_room_for_another():
    breaker = failed_at(0, 1, 2)
    assert breaker.admit(22)
    breaker.left()
    assert breaker.admit(23)
    assert not breaker.admit(32.9)
    assert breaker.admit(33)


@pytest.mark.parametrize("count", [1, 100])
def test_no_failures_allowed_means_never(count):
    rules = BreakerRules(failures=0)
    assert failed_at(*range(count), rules=rules).admit(count)
