"""Providers that stand in for others, and those that are left alone."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import AnonymousUser

from realtime_widget import connectors
from realtime_widget.beginning import prepare_session
from realtime_widget.connectors import breaker_of, make_connect
from realtime_widget.exceptions import (
    EngineUnavailable,
    UpstreamError,
    UpstreamRefused,
    UpstreamUnreachable,
)
from realtime_widget.models import (
    FallbackProvider,
    Price,
    Provider,
    Quota,
    QuotaCount,
    Usage,
)
from realtime_widget.sessions import open_session
from tests.app.pages import open_page
from tests.app.rows import ended_conversation, make_widget
from tests.fakes.model import AnsweringModel

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def servers(monkeypatch):
    """Return what each provider's server does, by name: an error, or it answers."""
    does, asked = {}, []

    def make(provider, caller):
        async def connect():
            asked.append((provider.name, caller.open_timeout_s))
            fault = does.get(provider.name)
            if fault is not None:
                raise fault
            return AnsweringModel()

        return connect

    monkeypatch.setitem(connectors.CONNECTORS, "compatible", make)
    monkeypatch.setattr(connectors, "_breakers", {})
    does["asked"] = asked
    return does


@sync_to_async
def rows(*names):
    return [
        Provider.objects.create(
            name=name, kind="compatible", base_url="https://m.example/v1", model=name
        )
        for name in names
    ]


def names_asked(servers):
    return [name for name, _timeout_s in servers["asked"]]


async def test_the_first_that_answers_is_used_in_order(servers):
    first, second, third = await rows("first", "second", "third")
    servers["first"] = UpstreamRefused("quota", code="upstream_quota")
    servers["second"] = EngineUnavailable("missing", part="stt")
    connect = make_connect(first, fallbacks=[second, third])
    await (await connect()).close()
    assert connect.answered_by == third
    # Together they get the time of one: no visitor waits longer.
    assert servers["asked"] == [
        ("first", pytest.approx(10 / 3)),
        ("second", pytest.approx(10 / 3)),
        ("third", pytest.approx(10 / 3)),
    ]


async def test_the_first_error_is_told_when_nobody_answers(servers):
    first, second = await rows("first", "second")
    servers["first"] = UpstreamRefused("no", code="upstream_auth")
    servers["second"] = UpstreamUnreachable("away")
    with pytest.raises(UpstreamError) as caught:
        await make_connect(first, fallbacks=[second])()
    assert caught.value.code == "upstream_auth"
    assert names_asked(servers) == ["first", "second"]


async def test_a_provider_without_its_key_is_passed_over(servers):
    (second,) = await rows("second")
    first = await Provider.objects.acreate(
        name="first", kind="openai", key_name="OPENAI_API_KEY"
    )
    connect = await sync_to_async(make_connect)(first, fallbacks=[second])
    await (await connect()).close()
    assert connect.answered_by == second
    await first.arefresh_from_db()
    assert "OPENAI_API_KEY" in first.health_reason


async def test_a_provider_that_fails_again_and_again_is_left_alone(servers, settings):
    settings.REALTIME_WIDGET = {"BREAKER_FAILURES": 3, "BREAKER_OPEN_S": 3_600}
    first, second = await rows("first", "second")
    servers["first"] = UpstreamUnreachable("away")
    for _ in range(5):
        await (await make_connect(first, fallbacks=[second])()).close()
    assert names_asked(servers) == ["first", "second"] * 3 + ["second"] * 2
    with pytest.raises(UpstreamUnreachable):
        await make_connect(first)()
    assert names_asked(servers)[-1] == "second"


async def test_half_open_one_session_tries_and_its_success_is_everybodys(
    servers, settings
):
    settings.REALTIME_WIDGET = {"BREAKER_FAILURES": 1, "BREAKER_OPEN_S": 0}
    (first,) = await rows("first")
    servers["first"] = UpstreamUnreachable("away")
    with pytest.raises(UpstreamUnreachable):
        await make_connect(first)()
    del servers["first"]
    await (await make_connect(first)()).close()
    assert breaker_of(first).state(float("inf")) == "closed"


async def test_a_wrong_key_does_not_open_the_breaker(servers, settings):
    settings.REALTIME_WIDGET = {"BREAKER_FAILURES": 1}
    (first,) = await rows("first")
    servers["first"] = UpstreamRefused("no", code="upstream_auth")
    for _ in range(3):
        with pytest.raises(UpstreamRefused):
            await make_connect(first)()
    assert names_asked(servers) == ["first"] * 3


async def test_a_corrected_address_starts_anew(servers, settings):
    settings.REALTIME_WIDGET = {"BREAKER_FAILURES": 1, "BREAKER_OPEN_S": 3_600}
    (first,) = await rows("first")
    servers["first"] = UpstreamUnreachable("away")
    with pytest.raises(UpstreamUnreachable):
        await make_connect(first)()
    del servers["first"]
    first.base_url = "https://right.example/v1"
    await (await make_connect(first)()).close()


async def test_a_visitor_talks_to_the_fallback_and_the_record_names_it(
    servers, asgi_server, no_sessions_left
):
    first, second = await rows("first", "second")
    servers["first"] = UpstreamUnreachable("away")
    widget = await sync_to_async(make_widget)(provider=first)
    await FallbackProvider.objects.acreate(widget=widget, provider=second)
    async with open_page(asgi_server) as page:
        await page.start()
        assert await page.say("Hello") == "You: Hello"
        await page.send("session.stop")
        await page.ended()
    ended = await ended_conversation()
    assert (ended.provider_name, ended.model) == ("second", "second")


def at_prices(first_usd, second_usd):
    """Put a price on a million tokens of text of each model, going in."""
    for model, usd in (("first", first_usd), ("second", second_usd)):
        Price.objects.create(
            provider_kind=Provider.Kind.COMPATIBLE,
            model=model,
            text_in=usd,
            text_out=0,
            valid_from=date(2020, 1, 1),
        )


async def one_question(**options):
    """Hold a session of server code for one answer."""
    async with await open_session("support", text_only=True, **options) as session:
        await session.send_message("Hello")
        async for event in session:
            if event.type == "usage":
                break


async def test_server_code_is_answered_by_the_fallback_too(servers, no_sessions_left):
    first, second = await rows("first", "second")
    servers["first"] = UpstreamUnreachable("away")
    widget = await sync_to_async(make_widget)(provider=first)
    await FallbackProvider.objects.acreate(widget=widget, provider=second)
    await one_question()
    ended = await ended_conversation()
    assert (ended.provider_name, ended.model) == ("second", "second")
    assert names_asked(servers) == ["first", "second"]


@pytest.mark.parametrize(("away", "usd"), [("", "0.02"), ("first", "0.06")])
async def test_money_is_counted_at_the_price_of_whoever_answers(
    servers, no_sessions_left, away, usd
):
    first, second = await rows("first", "second")
    if away:
        servers[away] = UpstreamUnreachable("away")
    widget = await sync_to_async(make_widget)(provider=first)
    await FallbackProvider.objects.acreate(widget=widget, provider=second)
    await sync_to_async(at_prices)(10_000, 30_000)
    money = await Quota.objects.acreate(name="m", scope="widget", unit="usd", limit=9)
    # Two tokens go in with each question.
    await one_question()
    count = await QuotaCount.objects.aget(quota=money)
    assert count.used == Decimal(usd)
    assert (await Usage.objects.aget()).cost_usd == Decimal(usd)


async def test_a_provider_that_is_back_is_named_and_priced_again(servers):
    first, second = await rows("first", "second")
    widget = await sync_to_async(make_widget)(provider=first)
    await FallbackProvider.objects.acreate(widget=widget, provider=second)
    await sync_to_async(at_prices)(10_000, 30_000)
    prepared = await sync_to_async(prepare_session)(
        widget, user=AnonymousUser(), site=None, language="", variables={}
    )
    record, tariff = prepared.conversation, prepared.config.tariff
    for away, name, usd in (("first", "second", 30_000), ("second", "first", 10_000)):
        servers.pop(name, None)
        servers[away] = UpstreamUnreachable("away")
        await prepared.connect()
        assert (record.provider_name, record.model) == (name, name)
        assert tariff.response.text_in == usd
