"""From a provider's row to the addresses to dial."""

from __future__ import annotations

import pytest
from cryptography.fernet import Fernet
from django.test import override_settings

from realtime_widget.configs import ways
from realtime_widget.exceptions import UpstreamError
from realtime_widget.models import Provider

SENTINEL = "sk-sentinel-of-the-key-0123456789abcdef"


def target(provider, **options):
    return ways(provider, **options)[0].target


@pytest.fixture
def key_is_set(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", SENTINEL)


def test_target_carries_the_key_and_the_visitor_and_never_shows_the_key(key_is_set):
    provider = Provider(kind="openai", key_name="OPENAI_API_KEY", model="other")
    found = target(provider, user_hash="abc")
    assert found.url == "wss://api.openai.com/v1/realtime?model=other"
    assert found.headers == {
        "Authorization": f"Bearer {SENTINEL}",
        "OpenAI-Safety-Identifier": "abc",
    }
    assert SENTINEL not in repr(ways(provider))


@pytest.mark.parametrize(
    ("auth_style", "header"),
    [("", ("api-key", SENTINEL)), ("bearer", ("Authorization", f"Bearer {SENTINEL}"))],
)
def test_azure_names_the_deployment_and_takes_its_key_or_an_entra_token(
    key_is_set, auth_style, header
):
    provider = Provider(
        kind="azure",
        base_url="https://shop.openai.azure.com",
        key_name="OPENAI_API_KEY",
        auth_style=auth_style,
        model="voice",
    )
    found = target(provider, user_hash="abc")
    assert found.url == "wss://shop.openai.azure.com/openai/v1/realtime?model=voice"
    assert found.headers == dict([header])


@pytest.mark.parametrize("kind", Provider.Kind.values)
def test_every_kind_an_editor_may_choose_has_a_target(kind, key_is_set):
    url = "wss://model.example/v1"
    provider = Provider(kind=kind, base_url=url, key_name="OPENAI_API_KEY")
    assert target(provider).url.startswith("wss://model.example/v1/realtime?model=")
    assert target(provider).public_only


@override_settings(
    REALTIME_WIDGET={
        "UPSTREAM_OPEN_S": 3,
        "UPSTREAM_EVENT_BYTES": 9_999,
        "UPSTREAM_HOSTS": ["127.0.0.1:9"],
    }
)
def test_target_of_a_compatible_server_follows_the_row_and_the_settings():
    provider = Provider(
        kind="compatible",
        base_url="http://127.0.0.1:9/talk/{model}",
        dialect="beta",
        model="m",
        extra_headers={"X-Team": "shop"},
        extra_query={"language": "de"},
    )
    found = target(provider)
    assert found.url == "ws://127.0.0.1:9/talk/m?language=de"
    assert (found.dialect, found.headers) == ("beta", {"X-Team": "shop"})
    assert (found.open_timeout_s, found.max_event_bytes) == (3, 9_999)
    assert not found.public_only
    assert target(provider, open_timeout_s=1.5).open_timeout_s == 1.5


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"kind": "openai", "key_name": "OPENAI_API_KEY"}, "key OPENAI_API_KEY is not"),
        ({"kind": "openai"}, "No key is named"),
        (
            {
                "kind": "compatible",
                "base_url": "wss://x.example",
                "key_name": "OPENAI_API_KEY",
            },
            "key OPENAI_API_KEY is not set",
        ),
        ({"kind": "openai", "key_name": "SECRET_KEY"}, "key SECRET_KEY is not set"),
        ({"kind": "compatible", "base_url": "nonsense"}, "address is not usable"),
        ({"kind": "openai", "key_sealed": "gAAAA"}, "opens the stored key"),
    ],
)
def test_missing_key_or_address_is_not_configured(fields, words, monkeypatch):
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with pytest.raises(UpstreamError, match=words) as caught:
        ways(Provider(**fields))
    assert (caught.value.code, caught.value.retryable) == ("not_configured", False)


def test_stored_key_comes_before_a_named_one_and_the_second_after_the_first(key_is_set):
    provider = Provider(kind="openai", second_key_name="OPENAI_API_KEY")
    provider.store_key("key", "stored-first")
    keys = [way.target.headers["Authorization"] for way in ways(provider)]
    assert keys == ["Bearer stored-first", f"Bearer {SENTINEL}"]
    assert [way.slot for way in ways(provider)] == ["key", "second_key"]
    provider.health_state = "degraded"
    assert [way.slot for way in ways(provider)] == ["second_key", "key"]


def test_second_key_is_used_where_the_first_cannot_be_read(key_is_set):
    provider = Provider(
        kind="openai", key_sealed="gAAAA", second_key_name="OPENAI_API_KEY"
    )
    assert [way.slot for way in ways(provider)] == ["second_key"]


def test_bad_fernet_key_is_told_to_the_operator_without_its_value(key_is_set):
    provider = Provider(kind="openai")
    provider.store_key("key", SENTINEL)
    for bad in ("not-a-fernet-key", Fernet.generate_key().decode()[:-3]):
        with (
            override_settings(REALTIME_WIDGET={"FERNET_KEYS": [bad]}),
            pytest.raises(UpstreamError, match="FERNET_KEYS") as caught,
        ):
            ways(provider)
        assert bad not in str(caught.value)
