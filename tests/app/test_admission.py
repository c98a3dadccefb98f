from __future__ import annotations

import asyncio
import re
import time
from dataclasses import replace

import pytest
from django.core.cache import cache

from realtime_widget import admission
from realtime_widget.admission import (
    Binding,
    Origin,
    Pass,
    issue_token,
    origin_allowed,
    parse_origin,
    single_origin,
    spend_token,
)
from realtime_widget.exceptions import AdmissionRefused
from realtime_widget.quotas import counters, places

BINDING = Binding("support", "https://shop.example", user="7", session_key="abc")
OWN = Pass(1, own=True)


@pytest.mark.parametrize(
    ("text", "origin"),
    [
        ("https://shop.example", Origin("https", "shop.example", 443)),
        ("http://127.0.0.1:8000", Origin("http", "127.0.0.1", 8000)),
        ("http://[::1]:8000", Origin("http", "::1", 8000)),
        ("https://Shop.Example:443", Origin("https", "shop.example", 443)),
    ],
)
def test_origin_as_browsers_write_it_is_read_whole(text, origin):
    assert parse_origin(text) == origin


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "shop.example",
        "//shop.example",
        "ftp://shop.example",
        "javascript://shop.example",
        "https://",
        "https://shop.example/",
        "https://shop.example/path",
        "https://shop.example?q",
        "https://shop.example#f",
        "https://user@shop.example",
        "https://shop.example@evil.example",
        "https://shop.example:",
        "https://shop.example:0",
        "https://shop.example:99999",
        "https://shop.example:port",
        "http://[::1",
        "https://a.example, https://b.example",
        "https://shop.example ",
        "https://shop.example\r\nx: y",
        "https://shöp.example",
        "https://" + "a" * 300,
    ],
)
def test_everything_that_is_not_exactly_one_origin_is_none(text):
    assert parse_origin(text) is None


@pytest.mark.parametrize(
    ("text", "allowed"),
    [
        ("https://shop.example", True),
        ("https://partner.example", True),
        ("https://partner.example:8443", False),
        ("http://partner.example", False),
        ("http://shop.example", False),
        ("https://shop.example.evil.example", False),
        ("https://evilshop.example", False),
        ("https://sub.shop.example", False),
    ],
)
def test_scheme_host_and_port_must_all_be_equal(text, allowed):
    own = parse_origin("https://shop.example")
    widget = ["https://partner.example", "not an origin"]
    assert origin_allowed(parse_origin(text), own, widget) is allowed


def test_two_origin_headers_are_no_origin():
    header = (b"origin", b"https://shop.example")
    assert single_origin([header]) == parse_origin("https://shop.example")
    assert single_origin([header, header]) is None
    assert single_origin([]) is None


def test_token_is_made_of_characters_a_subprotocol_may_hold():
    assert re.fullmatch(r"[A-Za-z0-9_.-]+", issue_token(BINDING, OWN))


def test_token_tells_nothing_about_whom_it_is_for():
    token = issue_token(BINDING, OWN)
    assert token.count(".") == 2
    assert "shop" not in token


def test_token_opens_once():
    token = issue_token(BINDING, Pass(3, own=True))
    assert spend_token(token, BINDING) == Pass(3, own=True)
    with pytest.raises(AdmissionRefused):
        spend_token(token, BINDING)


def test_token_spent_in_another_process_is_refused_here():
    token = issue_token(BINDING, OWN)
    spend_token(token, BINDING)
    admission._spent.clear()  # as another process knows nothing of it
    with pytest.raises(AdmissionRefused):
        spend_token(token, BINDING)


@pytest.mark.parametrize(
    "change",
    [
        {"widget": "other"},
        {"origin": "https://partner.example"},
        {"user": "8"},
        {"user": ""},
        {"session_key": "other"},
    ],
)
def test_token_is_worthless_anywhere_else(change):
    token = issue_token(BINDING, OWN)
    with pytest.raises(AdmissionRefused):
        spend_token(token, replace(BINDING, **change))
    assert spend_token(token, BINDING) == OWN


def test_page_of_another_site_acts_for_nobody():
    token = issue_token(BINDING, Pass(1, own=False))
    assert spend_token(token, BINDING).own is False
    token = issue_token(BINDING.anonymous(), Pass(1, own=False))
    assert spend_token(token, BINDING).own is False
    own = issue_token(BINDING.anonymous(), OWN)
    with pytest.raises(AdmissionRefused):
        spend_token(own, BINDING)


def test_every_bad_token_gets_the_same_answer(settings):
    good = issue_token(BINDING, OWN)
    used = issue_token(BINDING, OWN)
    spend_token(used, BINDING)
    settings.SECRET_KEY = "another"
    forged = issue_token(BINDING, OWN)
    settings.SECRET_KEY = "tests-only"
    foreign = issue_token(replace(BINDING, widget="other"), OWN)
    answers = set()
    for token in [
        "",
        "garbage",
        "a.b.c",
        "x" * 5_000,
        good[:-2],
        forged,
        foreign,
        used,
    ]:
        with pytest.raises(AdmissionRefused) as refusal:
            spend_token(token, BINDING)
        answers.add((str(refusal.value), refusal.value.close_code))
    assert answers == {("token refused", 4401)}


def test_token_expires(settings, monkeypatch):
    settings.REALTIME_WIDGET = {"TOKEN_TTL_S": 60}
    token = issue_token(BINDING, OWN)
    now_s = time.time()
    monkeypatch.setattr("django.core.signing.time.time", lambda: now_s + 62)
    with pytest.raises(AdmissionRefused):
        spend_token(token, BINDING)


CACHE_AWAY = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": "redis://127.0.0.1:1",
    }
}


def test_site_may_want_no_sessions_without_its_cache(settings):
    settings.CACHES = CACHE_AWAY
    settings.REALTIME_WIDGET = {"OPEN_WITHOUT_CACHE": False}
    with pytest.raises(AdmissionRefused) as refusal:
        spend_token(issue_token(BINDING, OWN), BINDING)
    assert refusal.value.close_code == 4500
    with pytest.raises(AdmissionRefused) as refusal:
        places.check({"user:7": 2})
    assert refusal.value.close_code == 4500
    lease = counters.acquire({"user:7": 2})
    with pytest.raises(AdmissionRefused) as refusal:
        asyncio.run(places.take(lease))
    counters.release(lease)
    assert refusal.value.close_code == 4500


def test_without_its_cache_the_process_still_refuses_what_it_saw(settings, caplog):
    settings.CACHES = CACHE_AWAY
    assert cache is not None
    token = issue_token(BINDING, OWN)
    assert spend_token(token, BINDING) == OWN
    with pytest.raises(AdmissionRefused):
        spend_token(token, BINDING)
    assert "in this process only" in caplog.text
