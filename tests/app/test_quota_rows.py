"""Quotas in rows: who counts under what, never more than the limit, and kind words."""

from __future__ import annotations

import asyncio
from datetime import date
from decimal import Decimal

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import AnonymousUser, Group, User
from django.contrib.sites.models import Site
from django.core.exceptions import ValidationError
from django.db import OperationalError
from django.urls import reverse

from realtime_widget.exceptions import QuotaUsedUp
from realtime_widget.messages import quota_words
from realtime_widget.models import Conversation, Price, Provider, Quota, QuotaCount
from realtime_widget.models.days import site_today
from realtime_widget.quotas import (
    QuotaMeter,
    Reservation,
    Subject,
    check,
    ledger,
    meter,
    settle,
)
from realtime_widget.quotas.ledger import top_up
from realtime_widget.quotas.meter import quota_pool
from realtime_widget.session.ports import StartedFact
from realtime_widget.threads import ThreadPool
from tests.app.pages import ask, open_page
from tests.app.rows import make_widget, until

pytestmark = pytest.mark.django_db(transaction=True)

MILLION = 1_000_000


def quota(unit="sessions", limit=2, scope="widget", **fields):
    fields = {"name": f"{scope} {unit}", **fields}
    return Quota.objects.create(scope=scope, unit=unit, limit=limit, **fields)


def subject(user=None, **fields):
    fields = {
        "address": "192.0.2.1",
        "widget_id": 1,
        "site_id": 1,
        "provider_id": 1,
        **fields,
    }
    return Subject(user=user or AnonymousUser(), **fields)


def reserve(subject):
    """Take, and return what is held; nothing is by whoever is refused."""
    held = Reservation()
    try:
        ledger.reserve(subject, held)
    except QuotaUsedUp:
        settle(held, {}, began=False)
        raise
    return held


def used(of=None):
    rows = QuotaCount.objects.all() if of is None else of.counts.all()
    return sum(row.used for row in rows)


def test_so_many_sessions_and_no_more(db):
    quota(limit=2)
    reserve(subject())
    reserve(subject())
    with pytest.raises(QuotaUsedUp) as refusal:
        reserve(subject())
    assert refusal.value.close_code == 4429
    assert "come back tomorrow" in refusal.value.words
    reserve(subject(widget_id=2))
    assert used() == 3


async def test_of_500_at_the_same_moment_as_many_pass_as_may(transactional_db):
    await sync_to_async(quota)(limit=50, scope="site")
    money = await sync_to_async(quota)(unit="usd", limit=Decimal("100"))
    pool = ThreadPool(8, "openings")

    async def opened():
        try:
            return await pool.run(lambda: reserve(subject()))
        except QuotaUsedUp:
            return None

    held = [one for one in await asyncio.gather(*(opened() for _ in range(500))) if one]
    assert len(held) == 50
    # Whoever was refused by one quota holds nothing of another.
    assert await sync_to_async(used)(money) == Decimal("0.05") * 50


def test_what_is_not_used_is_given_back_and_what_was_used_beyond_is_counted(settings):
    seconds = quota(unit="seconds", limit=100)
    tokens = quota(unit="tokens", limit=10_000)
    held = reserve(subject())
    assert (used(seconds), used(tokens)) == (30, 2_000)
    settle(held, {"seconds": 4 * MILLION, "tokens": 2_345 * MILLION})
    settle(held, {"seconds": 99 * MILLION})
    assert (used(seconds), used(tokens)) == (4, 2_345)


def test_session_that_the_model_refused_does_not_count():
    counted = quota()
    settle(reserve(subject()), {}, began=False)
    assert used(counted) == 0
    settle(reserve(subject()), {}, began=True)
    assert used(counted) == 1


def test_conversation_that_goes_on_is_no_new_one_but_its_time_counts():
    counted, seconds = quota(limit=1), quota(unit="seconds", limit=60)
    reserve(subject())
    reserve(subject(resumed=True))
    assert (used(counted), used(seconds)) == (1, 60)


def test_last_rest_goes_to_one(settings):
    settings.REALTIME_WIDGET = {"QUOTA_SLICE_S": 40}
    quota(unit="seconds", limit=50)
    first, second = reserve(subject()), reserve(subject())
    assert [held.claims[0].taken for held in (first, second)] == [
        40 * MILLION,
        10 * MILLION,
    ]
    with pytest.raises(QuotaUsedUp):
        reserve(subject())
    with pytest.raises(QuotaUsedUp):
        check(subject())
    settle(first, {"seconds": 5 * MILLION})
    check(subject())
    top_up(second, {"seconds": 9 * MILLION})
    assert second.claims[0].taken == 45 * MILLION
    assert not second.claims[0].dry


def test_opening_that_nobody_waits_for_holds_nothing():
    sessions = quota()
    held = Reservation()
    settle(held, {}, began=False)
    ledger.reserve(subject(), held)
    assert used(sessions) == 0


class LockedFor:
    """A database that refuses so many writes of quotas, each after the first."""

    def __init__(self, monkeypatch, times):
        self._times, self._rows = times, ledger._rows
        self._calls = 0
        monkeypatch.setattr(ledger, "_rows", self)

    def __call__(self, claim):
        self._calls += 1
        if 1 < self._calls <= 1 + self._times:
            raise OperationalError("database is locked")
        return self._rows(claim)


def test_opening_goes_on_where_the_database_failed_it(monkeypatch):
    sessions, money = quota(), quota(unit="usd", limit=1)
    held = Reservation()
    LockedFor(monkeypatch, 1)
    with pytest.raises(OperationalError):
        ledger.reserve(subject(), held)
    assert not held.complete
    ledger.reserve(subject(), held)
    assert held.complete
    assert (used(sessions), used(money)) == (1, Decimal("0.05"))


async def test_what_was_taken_is_given_back_to_a_database_that_was_locked(
    transactional_db, monkeypatch
):
    await sync_to_async(quota)()
    await sync_to_async(quota)(unit="usd", limit=1)
    held = await sync_to_async(reserve)(subject())
    LockedFor(monkeypatch, 2)
    monkeypatch.setattr(meter, "SETTLE_WAITS_S", (0, 0, 0))
    await QuotaMeter(held).end()
    assert await sync_to_async(used)() == 0


def test_session_that_is_over_takes_no_more():
    seconds = quota(unit="seconds", limit=100)
    held = reserve(subject())
    settle(held, {})
    top_up(held, {"seconds": 29 * MILLION})
    assert used(seconds) == 0


@pytest.mark.parametrize("scope", ["user", "address", "widget", "site", "provider"])
def test_each_is_counted_for_itself(scope):
    quota(limit=1, scope=scope)
    ann, bob = (User.objects.create(username=name) for name in ("ann", "bob"))
    one = {"user": ann, "address": "192.0.2.1"}
    other = {
        "user": bob,
        "address": "192.0.2.2",
        "widget_id": 2,
        "site_id": 2,
        "provider_id": 2,
    }
    reserve(subject(**one))
    with pytest.raises(QuotaUsedUp):
        reserve(subject(**one))
    reserve(subject(**other))
    assert "192.0.2" not in str(list(QuotaCount.objects.values("subject")))


def test_a_group_is_counted_together_and_its_members_each():
    group = Group.objects.create(name="Trial")
    ann, bob, eve = (User.objects.create(username=name) for name in ("a", "b", "e"))
    group.user_set.add(ann, bob)
    together = quota(limit=3, scope="group", group=group)
    each = quota(limit=2, scope="user", group=group)
    reserve(subject(ann))
    reserve(subject(ann))
    with pytest.raises(QuotaUsedUp, match=f"quota {each.pk}"):
        reserve(subject(ann))
    reserve(subject(bob))
    with pytest.raises(QuotaUsedUp, match=f"quota {together.pk}"):
        reserve(subject(bob))
    reserve(subject(eve))
    reserve(subject())
    assert used(together) == 3


def test_quota_of_one_place_leaves_the_others_alone():
    widget = make_widget()
    quota(limit=0, scope="address", widget=widget, site=Site.objects.get())
    with pytest.raises(QuotaUsedUp):
        reserve(subject(widget_id=widget.pk))
    reserve(subject(widget_id=widget.pk + 1))
    Quota.objects.update(enabled=False)
    reserve(subject(widget_id=widget.pk))


def test_yesterday_does_not_count_today_but_does_in_its_month():
    today = site_today()
    day, month = quota(limit=1), quota(limit=1, period="month", name="month")
    QuotaCount.objects.create(
        quota=day, subject="1", period_start=date(2020, 1, 1), used_millionths=MILLION
    )
    reserve(subject())
    assert set(QuotaCount.objects.values_list("quota", "period_start")) == {
        (day.pk, date(2020, 1, 1)),
        (day.pk, today),
        (month.pk, today.replace(day=1)),
    }


@pytest.mark.parametrize(
    ("own", "next_start", "words"),
    [
        ("", date(2026, 11, 22), "Please come back tomorrow."),
        ("", date(2026, 12, 1), "Please come back on December 1."),
        (
            "Enough. See you {when}!",
            date(2026, 12, 1),
            "Enough. See you on December 1!",
        ),
        ("No more.", date(2026, 11, 22), "No more."),
    ],
)
def test_visitor_is_told_when_to_come_back(own, next_start, words):
    told = quota_words(own, next_start, date(2026, 11, 21), language="en")
    assert told.endswith(words)


def test_month_ends_with_the_year():
    month = Quota(period="month")
    assert month.next_start(date(2026, 12, 31)) == date(2027, 1, 1)
    assert month.period_start(date(2026, 12, 31)) == date(2026, 12, 1)


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"scope": "group"}, "group"),
        ({"limit": Decimal("1.5")}, "limit"),
        ({"limit": -1}, "limit"),
        ({"message": "Back in {days}"}, "message"),
        ({"message": "x" * 201}, "message"),
    ],
)
def test_admin_refuses_what_cannot_be(fields, field):
    values = {"name": "q", "scope": "widget", "unit": "sessions", "limit": 5, **fields}
    with pytest.raises(ValidationError) as refusal:
        Quota(**values).full_clean()
    assert field in refusal.value.message_dict


def test_admin_shows_what_is_used_and_begins_anew(admin_client):
    one = quota(limit=4)
    reserve(subject())
    listed = reverse("admin:realtime_widget_quota_changelist")
    assert "1 (25 %)" in admin_client.get(listed).content.decode()
    page = reverse("admin:realtime_widget_quota_change", args=[one.pk])
    assert admin_client.get(page).status_code == 200
    admin_client.post(
        listed, {"action": "begin_anew", "_selected_action": [str(one.pk)]}
    )
    assert used(one) == 0


# --- with a real socket -------------------------------------------------------


async def test_page_is_told_before_and_at_its_socket(server, widget):
    await sync_to_async(quota)(unit="seconds", limit=0, message="Back {when}.")
    refused = await ask(server)
    assert refused.status_code == 429
    assert refused.json()["error"] == {
        "code": "limit",
        "message": "Back tomorrow.",
        "retryable": True,
    }


async def test_last_session_is_refused_at_the_socket(server, widget, no_sessions_left):
    await sync_to_async(quota)(limit=1, message="Back {when}.")
    async with open_page(server) as first, open_page(server) as second:
        await first.start()
        await second.send("session.start")
        messages, code, close_code = await second.ended()
        assert (code, close_code) == ("limit", 4429)
        assert [m["message"] for m in messages if m["type"] == "error"] == [
            "Back tomorrow."
        ]
        assert await first.say("Hello") == "You: Hello"
    assert await until(lambda: not Conversation.objects.filter(status="open").exists())


async def test_tokens_end_a_call_politely(server, widget, no_sessions_left):
    tokens = await sync_to_async(quota)(unit="tokens", limit=4)
    async with open_page(server) as page:
        await page.start()
        assert await page.say("one") == "You: one"
        # Three tokens an answer: this one is given to its end, and it is the last.
        assert await page.say("two") == "You: two"
        messages, code, close_code = await page.ended()
    assert (code, close_code) == ("limit", 4429)
    stopped = [m for m in messages if m["type"] == "session.stopped"]
    assert stopped[0]["reason"] == "quota"
    assert "come back tomorrow" in str(messages)
    conversation = await until(
        lambda: Conversation.objects.filter(status="ended").first()
    )
    assert conversation.reason == "quota"
    assert await until(lambda: used(tokens) == 6)


async def test_money_ends_a_call_at_the_price_of_its_model(
    server, widget, no_sessions_left
):
    def rows():
        Price.objects.create(
            provider_kind=Provider.Kind.COMPATIBLE,
            model="gpt-realtime-2.1",
            text_in=Decimal(10_000),
            text_out=Decimal(10_000),
            source="test",
        )
        return quota(unit="usd", limit=Decimal("0.05"))

    money = await sync_to_async(rows)()
    async with open_page(server) as page:
        await page.start()
        assert await page.say("one") == "You: one"
        # Three cents each: two are beyond the five.
        assert await page.say("two") == "You: two"
        assert (await page.ended())[2] == 4429
    assert await until(lambda: used(money) == Decimal("0.06"))


async def test_seconds_end_a_silent_call(server, widget, no_sessions_left):
    await sync_to_async(quota)(unit="seconds", limit=1)
    async with open_page(server) as page:
        await page.start()
        messages, code, close_code = await page.ended()
    assert (code, close_code) == ("limit", 4429)
    assert "come back tomorrow" in str(messages)


# --- the meter by itself ------------------------------------------------------


class Facts:
    """A recorder that keeps what it is told."""

    def __init__(self):
        self.facts = []

    def record(self, fact):
        self.facts.append(fact)


async def test_meter_takes_the_next_slice_before_the_last_is_used(settings):
    settings.REALTIME_WIDGET = {"QUOTA_SLICE_S": 0.2}
    seconds = await sync_to_async(quota)(unit="seconds", limit=1_000)
    told = []
    meter = QuotaMeter(await quota_pool.run(lambda: reserve(subject())))
    meter.watch(Facts(), told.append)
    meter.record(StartedFact("model"))
    assert await until(lambda: used(seconds) > 1)
    await meter.end()
    assert told == []
    # What it took and did not use is given back: no slice is left over.
    assert (
        await sync_to_async(used)(seconds) == Decimal(meter.spent["seconds"]) / MILLION
    )
