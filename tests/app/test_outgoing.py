"""Outgoing webhooks: from a conversation to a signed POST, and again until it works."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from contextlib import asynccontextmanager
from datetime import timedelta
from io import StringIO

import pytest
from aiohttp import web
from asgiref.sync import sync_to_async
from django.core.management import call_command
from django.test import override_settings
from django.urls import reverse
from django.utils import timezone

from realtime_widget import outgoing
from realtime_widget.models import Conversation, OutgoingWebhook, WebhookDelivery
from realtime_widget.models.outgoing import AT_THE_END, EVENTS, queue_deliveries
from realtime_widget.models.sealing import unseal
from realtime_widget.outgoing import BACKOFF_S, deliver_due, waking
from realtime_widget.testing import Say, scripted_session
from realtime_widget.threads import row_pool
from tests.app.rows import make_widget, until

pytestmark = pytest.mark.django_db(transaction=True)

SECRET = "whsec_" + base64.b64encode(b"a secret of thirty-two bytes 123").decode()


@pytest.fixture(autouse=True)
def _thread_is_done(transactional_db):
    """Wait for the thread that sends: the database is emptied behind the test."""
    yield
    WebhookDelivery.objects.all().delete()
    until_s = time.monotonic() + 20
    while waking.thread.busy and time.monotonic() < until_s:
        waking.thread.wake()
        time.sleep(0.02)
    assert not waking.thread.busy


@asynccontextmanager
async def receiver(*statuses):
    """Answer with these statuses, the last one for ever; yield the address and bodies."""
    left, came = list(statuses), []

    async def take(request):
        came.append((request.headers, await request.read()))
        return web.Response(status=left.pop(0) if len(left) > 1 else left[0])

    app = web.Application()
    app.router.add_post("/hook", take)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    port = runner.addresses[0][1]
    try:
        with override_settings(REALTIME_WIDGET={"WEBHOOK_HOSTS": ["127.0.0.1"]}):
            yield f"http://127.0.0.1:{port}/hook", came
    finally:
        await runner.cleanup()


@sync_to_async
def make_webhook(url, events=EVENTS, **fields):
    webhook = OutgoingWebhook(name="CRM", url=url, events=list(events), **fields)
    webhook.store_secret(SECRET)
    webhook.save()
    return webhook


@sync_to_async
def ended(**fields):
    """Make a conversation that has ended, with its deliveries."""
    now = timezone.now()
    row = Conversation.objects.create(
        widget_slug="support", status="ended", reason="user", ended_at=now, **fields
    )
    queue_deliveries([row], AT_THE_END)
    return row


async def deliveries(**status):
    return [row async for row in WebhookDelivery.objects.filter(**status)]


@sync_to_async
def make_due():
    WebhookDelivery.objects.update(next_try_at=timezone.now() - timedelta(seconds=1))


async def test_a_conversation_is_told_signed_and_with_its_words():
    async with receiver(204) as (url, came):
        await make_webhook(url)
        await sync_to_async(make_widget)()
        async with await scripted_session("support", [Say("At nine.")]) as talk:
            await talk.ask("When do you open?")
        await until(
            lambda: WebhookDelivery.objects.filter(status="delivered").count() == 3
        )
    bodies = {json.loads(body)["type"]: json.loads(body) for _, body in came}
    assert set(bodies) == set(EVENTS)
    conversation = await Conversation.objects.aget()
    started = bodies["session.started"]["data"]
    assert started["conversation"]["id"] == str(conversation.pk)
    stopped = bodies["session.stopped"]["data"]
    assert stopped["conversation"]["reason"] == "user"
    assert "transcript" not in stopped
    assert "At nine." not in json.dumps([started, stopped])
    lines = bodies["transcript.ready"]["data"]["transcript"]
    assert [(line["role"], line["text"]) for line in lines] == [
        ("user", "When do you open?"),
        ("assistant", "At nine."),
    ]
    for headers, body in came:
        assert headers["webhook-signature"] == signature(headers, body)
    ids = {str(row.pk) for row in await deliveries()}
    assert {headers["webhook-id"] for headers, _ in came} == ids


def signature(headers, body):
    """Reckon the signature as a receiver does (Standard Webhooks)."""
    key = base64.b64decode(SECRET.removeprefix("whsec_"))
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    mac = hmac.new(key, signed, hashlib.sha256).digest()
    assert abs(int(headers["webhook-timestamp"]) - time.time()) < 60
    return "v1," + base64.b64encode(mac).decode()


async def test_failed_delivery_is_tried_again_later_under_the_same_id():
    async with receiver(500, 200) as (url, came):
        await make_webhook(url, ["session.stopped"])
        await ended()
        (row,) = await until(
            lambda: list(WebhookDelivery.objects.filter(answer_status=500))
        )
        assert (row.status, row.attempts) == ("pending", 1)
        wait_s = (row.next_try_at - timezone.now()).total_seconds()
        assert 0 < wait_s <= BACKOFF_S[0]
        await make_due()
        waking.thread.wake()
        (row,) = await until(
            lambda: list(WebhookDelivery.objects.filter(status="delivered"))
        )
    assert (row.attempts, row.answer_status) == (2, 200)
    assert len({headers["webhook-id"] for headers, _ in came}) == 1
    assert len(came) == 2


@pytest.mark.parametrize(("status", "attempts"), [(410, 1), (500, len(BACKOFF_S) + 1)])
async def test_it_is_given_up_in_the_end_and_sent_again_by_hand(
    status, attempts, admin_client, monkeypatch
):
    async with receiver(*[status] * attempts, 200) as (url, came):
        await make_webhook(url, ["session.stopped"])
        with monkeypatch.context() as patched:
            patched.setattr(waking.thread, "wake", lambda: None)
            await ended()
            for _ in range(attempts):
                await make_due()
                await row_pool.run(deliver_due)
        (row,) = await deliveries()
        assert (row.status, row.attempts) == ("failed", attempts)
        assert len(came) == attempts
        await sync_to_async(admin_client.post)(
            reverse("admin:realtime_widget_webhookdelivery_changelist"),
            {"action": "redeliver", "_selected_action": [str(row.pk)]},
        )
        await until(lambda: WebhookDelivery.objects.filter(status="delivered").exists())
    assert len({headers["webhook-id"] for headers, _ in came}) == 1


async def test_nobody_is_sent_twice_what_several_processes_want_to_send(monkeypatch):
    monkeypatch.setattr(waking.thread, "wake", lambda: None)
    async with receiver(200) as (url, came):
        await make_webhook(url, ["session.stopped"])
        for _ in range(12):
            await ended()
        pools = [row_pool.run(deliver_due) for _ in range(4)]
        for pool in pools:
            await pool
        assert len(came) == 12
    assert len(await deliveries(status="delivered")) == 12


async def test_inner_network_is_not_reached_even_by_name(monkeypatch):
    monkeypatch.setattr(waking.thread, "wake", lambda: None)
    await make_webhook("https://localhost/hook", ["session.stopped"])
    await ended()
    await row_pool.run(deliver_due)
    (row,) = await deliveries()
    assert (row.error, row.answer_status) == ("UpstreamRefused", None)


async def test_without_its_secret_nothing_is_sent(monkeypatch):
    monkeypatch.setattr(waking.thread, "wake", lambda: None)
    async with receiver(200) as (url, came):
        webhook = await make_webhook(url, ["session.stopped"])
        webhook.secret_sealed = "of another site"
        await webhook.asave()
        await ended()
        await row_pool.run(deliver_due)
        assert came == []
    assert (await deliveries())[0].error == "no signing secret"


async def test_only_chosen_widgets_and_events_and_each_once():
    widget = await sync_to_async(make_widget)()
    other = await sync_to_async(make_widget)("other")
    webhook = await make_webhook("https://crm.example/hook", ["session.stopped"])
    await webhook.widgets.aadd(widget)
    await make_webhook_off()
    row = await ended(widget=widget)
    await ended(widget=other)
    await sync_to_async(queue_deliveries)([row], AT_THE_END)
    assert [(d.event, d.conversation_id) for d in await deliveries()] == [
        ("session.stopped", row.pk)
    ]


@sync_to_async
def make_webhook_off():
    OutgoingWebhook.objects.create(
        name="off", url="https://off.example/hook", enabled=False
    )


async def test_command_sends_what_waits(monkeypatch):
    monkeypatch.setattr(waking.thread, "wake", lambda: None)
    async with receiver(200) as (url, came):
        await make_webhook(url, ["session.stopped"])
        await ended()
        out = StringIO()
        await row_pool.run(lambda: call_command("realtime_deliver", stdout=out))
    assert len(came) == 1
    assert "0 deliveries wait, 0 were given up" in out.getvalue()


def test_secret_goes_in_and_never_comes_out(admin_client):
    add = reverse("admin:realtime_widget_outgoingwebhook_add")
    form = {
        "name": "CRM",
        "url": "https://crm.example/h",
        "events": ["session.started"],
    }
    refused = admin_client.post(add, {**form, "enabled": "on"})
    assert "needs a secret" in refused.content.decode()
    short = admin_client.post(add, {**form, "new_secret": "short"})
    assert "at least 16" in short.content.decode()
    admin_client.post(add, {**form, "new_secret": SECRET, "enabled": "on"})
    row = OutgoingWebhook.objects.get()
    assert SECRET not in row.secret_sealed
    assert unseal(row.secret_sealed) == SECRET
    page = reverse("admin:realtime_widget_outgoingwebhook_change", args=[row.pk])
    assert SECRET not in admin_client.get(page).content.decode()
    admin_client.post(page, {**form, "name": "CRM 2", "enabled": "on"})
    row.refresh_from_db()
    assert (row.name, row.secret()) == ("CRM 2", SECRET)
    assert SECRET[:8] not in row.secret_sealed


@pytest.mark.parametrize(
    "url", ["http://crm.example/", "https://127.0.0.1/", "https://a:b@crm.example/"]
)
def test_address_that_leads_inside_is_refused(admin_client, url):
    add = reverse("admin:realtime_widget_outgoingwebhook_add")
    form = {"name": "CRM", "url": url, "events": ["session.started"]}
    answer = admin_client.post(add, {**form, "new_secret": SECRET})
    assert answer.context["adminform"].form.errors["url"]


def test_sealed_secrets_are_rotated(settings):
    from cryptography.fernet import Fernet

    webhook = OutgoingWebhook(name="CRM", url="https://crm.example/")
    webhook.store_secret(SECRET)
    webhook.save()
    before = webhook.secret_sealed
    settings.REALTIME_WIDGET = {"FERNET_KEYS": (Fernet.generate_key().decode(),)}
    call_command("realtime_rotate_keys", stdout=StringIO())
    webhook.refresh_from_db()
    assert webhook.secret_sealed != before
    assert webhook.secret() == SECRET


def test_tasks_are_used_where_somebody_works_them_off(settings):
    assert not waking.has_task_worker()
    for backend in ("immediate.ImmediateBackend", "dummy.DummyBackend"):
        settings.TASKS = {"default": {"BACKEND": f"django.tasks.backends.{backend}"}}
        assert not waking.has_task_worker()
    settings.TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend"}}
    assert waking.has_task_worker()


async def test_a_worker_of_tasks_sends_what_is_queued(settings, monkeypatch):
    pytest.importorskip("django.tasks", reason="Django 6.0 and later")
    settings.TASKS = {
        "default": {"BACKEND": "tests.fakes.tasks.KeptTasks", "QUEUES": ["default"]}
    }
    from tests.fakes.tasks import kept

    kept.clear()
    async with receiver(500, 200) as (url, came):
        await make_webhook(url, ["session.stopped"])
        await ended()
        assert not waking.thread.busy
        await row_pool.run(kept.pop(0).work)
        # It comes back for the next attempt by itself.
        (again,) = kept
        assert again.run_after > timezone.now()
        await make_due()
        await row_pool.run(again.work)
    assert len(came) == 2
    assert len(await deliveries(status="delivered")) == 1


def test_listening_twice_sends_once():
    outgoing.listen()
    from realtime_widget.models.outgoing import deliveries_queued

    receivers = [key for key, *_ in deliveries_queued.receivers]
    assert len(receivers) == len(set(receivers)) == 1
