from __future__ import annotations

import pytest

from realtime_widget.upstream.addresses import (
    environment_proxy,
    is_public,
    public_address,
)
from realtime_widget.upstream.providers import (
    BUILDERS,
    Account,
    build_target,
    realtime_url,
)


@pytest.mark.parametrize(
    ("base_url", "url"),
    [
        ("wss://host/v1", "wss://host/v1/realtime?model=m"),
        ("https://host/v1/", "wss://host/v1/realtime?model=m"),
        (" http://host:8000/v1/realtime ", "ws://host:8000/v1/realtime?model=m"),
        ("ws://host", "ws://host/realtime?model=m"),
        ("wss://host/v1?x=1", "wss://host/v1/realtime?x=1&model=m"),
        ("wss://host/a/{model}/b?y={model}", "wss://host/a/m/b?y=m"),
    ],
)
def test_an_address_as_people_write_it_becomes_the_realtime_one(base_url, url):
    assert realtime_url(base_url, "m") == url


def test_a_models_name_is_escaped():
    assert realtime_url("wss://h/v1", "a b&c=/d") == (
        "wss://h/v1/realtime?model=a%20b%26c%3D%2Fd"
    )
    assert realtime_url("wss://h/v1", "") == "wss://h/v1/realtime"


@pytest.mark.parametrize(
    "base_url", ["", "host/v1", "ftp://host", "wss://", "wss://me:secret@host/v1"]
)
def test_what_is_no_address_is_refused(base_url):
    with pytest.raises(ValueError, match="the address must") as caught:
        realtime_url(base_url, "m")
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("kind", "given", "url", "headers", "proxy"),
    [
        (
            "openai",
            {"account": Account(key="k", user_hash="u"), "model": "m"},
            "wss://api.openai.com/v1/realtime?model=m",
            {"Authorization": "Bearer k", "OpenAI-Safety-Identifier": "u"},
            "environment",
        ),
        (
            "azure",
            {
                "account": Account(key="k"),
                "model": "d",
                "base_url": "https://n.openai.azure.com/",
            },
            "wss://n.openai.azure.com/openai/v1/realtime?model=d",
            {"api-key": "k"},
            "environment",
        ),
        (
            "azure",
            {
                "account": Account(key="k", user_hash="u"),
                "model": "d",
                "base_url": "wss://n/openai/v1",
            },
            "wss://n/openai/v1/realtime?model=d",
            {"api-key": "k"},
            "environment",
        ),
        (
            "azure",
            {
                "account": Account(key="token", style="bearer"),
                "model": "d",
                "base_url": "https://n.openai.azure.com",
            },
            "wss://n.openai.azure.com/openai/v1/realtime?model=d",
            {"Authorization": "Bearer token"},
            "environment",
        ),
        (
            "compatible",
            {
                "account": Account(
                    key="k", style="header", name="X-API-Key", headers={"X-Team": "a"}
                ),
                "model": "m",
                "base_url": "https://h/v1",
            },
            "wss://h/v1/realtime?model=m",
            {"X-API-Key": "k", "X-Team": "a"},
            "environment",
        ),
        (
            "compatible",
            {
                "account": Account(
                    key="k&k", style="query", name="api_key", query={"language": "de"}
                ),
                "model": "m",
                "base_url": "https://h/v1",
            },
            "wss://h/v1/realtime?language=de&api_key=k%26k&model=m",
            {},
            "environment",
        ),
        (
            "compatible",
            {
                "account": Account(
                    key="k", style="none", query={"deployment": "{model}"}
                ),
                "model": "a/b",
                "base_url": "https://h/{model}/talk",
            },
            "wss://h/a%2Fb/talk?deployment=a%2Fb",
            {},
            "environment",
        ),
        (
            "compatible",
            {
                "account": Account(user_hash="u"),
                "model": "m",
                "base_url": "http://h/v1",
            },
            "ws://h/v1/realtime?model=m",
            {},
            "",
        ),
        (
            "local",
            {"account": Account(), "base_url": "ws://127.0.0.1:8765/v1"},
            "ws://127.0.0.1:8765/v1/realtime",
            {},
            "",
        ),
    ],
)
def test_each_kind_has_its_address_and_headers(kind, given, url, headers, proxy):
    target = build_target(kind, **given)
    assert target.url == url
    assert target.headers == headers
    assert target.proxy == proxy
    assert "OpenAI-Beta" not in target.headers


def test_options_reach_the_target_and_the_key_is_not_shown():
    target = build_target(
        "compatible",
        base_url="wss://h/v1",
        model="m",
        account=Account(key="sk-secret", style="query"),
        dialect="beta",
        open_timeout_s=3.0,
        max_event_bytes=9,
        public_only=True,
        proxy="",
    )
    assert (target.dialect, target.open_timeout_s) == ("beta", 3.0)
    assert (target.max_event_bytes, target.public_only, target.proxy) == (9, True, "")
    assert "sk-secret" in target.url
    assert "sk-secret" not in repr(target) + repr(Account(key="sk-secret"))


def test_an_unknown_kind_is_refused_by_name():
    with pytest.raises(ValueError, match="'soap'; there are openai"):
        build_target("soap", base_url="wss://h", model="m")
    assert set(BUILDERS) == {"openai", "azure", "compatible", "local"}


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("8.8.8.8", True),
        ("2606:4700:4700::1111", True),
        ("64:ff9b::808:808", True),
        ("127.0.0.1", False),
        ("10.1.2.3", False),
        ("169.254.169.254", False),
        ("100.64.0.1", False),
        ("0.0.0.0", False),
        ("224.0.0.1", False),
        ("::1", False),
        ("::ffff:127.0.0.1", False),
        ("fe80::1%eth0", False),
        ("fd00::1", False),
        ("64:ff9b::7f00:1", False),
        ("2002:7f00:1::", False),
    ],
)
def test_only_addresses_of_the_internet_are_public(address, public):
    assert is_public(address) is public


@pytest.mark.parametrize(
    ("environment", "url", "proxy"),
    [
        ({}, "wss://h/", ""),
        ({"https_proxy": "http://p:1"}, "wss://h/", "http://p:1"),
        ({"https_proxy": "http://p:1"}, "ws://h/", ""),
        ({"all_proxy": "http://p:2"}, "wss://h/", "http://p:2"),
        ({"https_proxy": "socks5://p:1"}, "wss://h/", ""),
        ({"https_proxy": "http://p:1", "no_proxy": "h"}, "wss://h/", ""),
    ],
)
def test_the_environments_proxy_is_read_as_usual(monkeypatch, environment, url, proxy):
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert environment_proxy(url) == proxy


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("wss://8.8.8.8/v1", ("8.8.8.8", 443)),
        ("ws://8.8.8.8/v1", ("8.8.8.8", 80)),
        ("wss://[2606:4700:4700::1111]:8443/v1", ("2606:4700:4700::1111", 8443)),
    ],
)
async def test_the_checked_address_is_the_one_to_dial(url, address):
    assert await public_address(url) == address


def test_without_a_visitors_hash_openai_gets_none():
    headers = build_target("openai", account=Account(key="k"), model="m").headers
    assert headers == {"Authorization": "Bearer k"}
