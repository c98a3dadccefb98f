"""Keys in rows: encrypted, write-only, replaceable without a break."""

from __future__ import annotations

import json
import sys
from io import StringIO

import pytest
from asgiref.sync import sync_to_async
from cryptography.fernet import Fernet
from django.contrib.admin.models import LogEntry
from django.core.management import CommandError, call_command
from django.core.signals import got_request_exception
from django.db import connection
from django.test import Client, override_settings
from django.urls import reverse
from django.views.debug import ExceptionReporter
from websockets.asyncio.server import serve

from realtime_widget import checks
from realtime_widget.connectors import Caller, make_connect
from realtime_widget.exceptions import UpstreamError
from realtime_widget.models import Provider
from realtime_widget.models.sealing import Unreadable, seal, unseal
from tests.app.rows import make_widget, until

FIRST = "sk-first-0123456789abcdef-AAAA"
SECOND = "sk-second-0123456789abcdef-BBBB"
OLD, NEW = (Fernet.generate_key().decode() for _ in range(2))


def fernet(*keys, **more):
    return override_settings(REALTIME_WIDGET={"FERNET_KEYS": keys, **more})


def url(page, *args):
    return reverse(f"admin:realtime_widget_provider_{page}", args=args)


def typed(**changes):
    return {
        "name": "P",
        "kind": "openai",
        "dialect": "auto",
        "model": "gpt-realtime-2.1",
        "auth_style": "",
        "extra_headers": "{}",
        "extra_query": "{}",
        **changes,
    }


def everything_in_the_database():
    tables = connection.introspection.table_names()
    with connection.cursor() as cursor:
        for table in tables:
            cursor.execute(f'SELECT * FROM "{table}"')
            yield from (str(row) for row in cursor.fetchall())


# Sealing


def test_sealed_text_comes_back_and_shows_nothing():
    sealed = seal(FIRST)
    assert unseal(sealed) == FIRST
    assert FIRST not in sealed
    assert seal(FIRST) != sealed


def test_key_made_from_the_secret_key_goes_on_working_beside_keys_of_its_own():
    sealed = seal(FIRST)
    with fernet(NEW):
        assert unseal(sealed) == FIRST
        newer = seal(FIRST)
    with pytest.raises(Unreadable):
        unseal(newer)


def test_replaced_secret_key_opens_what_it_sealed_while_it_is_a_fallback():
    with override_settings(SECRET_KEY="old secret of the site"):
        sealed = seal(FIRST)
    with pytest.raises(Unreadable):
        unseal(sealed)
    with override_settings(SECRET_KEY_FALLBACKS=["old secret of the site"]):
        assert unseal(sealed) == FIRST


@pytest.mark.parametrize("keys", [["nonsense"], [NEW, ""], [NEW[:-4]]])
def test_a_bad_fernet_key_is_named_by_a_check_and_never_shown(keys):
    with fernet(*keys):
        (message,) = checks.check_fernet_keys()
    assert message.id == "realtime_widget.E009"
    assert not any(key and key in str(message) for key in keys)


# Admin


@pytest.fixture
def stored(admin_client):
    """Return a provider whose key was typed into the admin."""
    response = admin_client.post(url("add"), typed(new_key=FIRST))
    assert response.status_code == 302, response.context["errors"]
    return Provider.objects.get()


@pytest.mark.django_db
def test_typed_key_is_stored_encrypted_and_shown_by_its_last_four_only(
    admin_client, stored, caplog
):
    caplog.set_level("DEBUG")
    assert stored.found_key("key").value == FIRST
    pages = [url("changelist"), url("change", stored.pk), url("history", stored.pk)]
    for address in pages:
        html = admin_client.get(address).content.decode()
        assert FIRST not in html
        assert stored.key_sealed not in html
    html = admin_client.get(url("change", stored.pk)).content.decode()
    assert "stored, ends with …AAAA" in html
    assert not any(FIRST in row for row in everything_in_the_database())
    assert LogEntry.objects.count() == 1
    assert FIRST not in caplog.text + repr(stored) + repr(stored.found_keys())


@pytest.mark.django_db
def test_key_is_no_part_of_fixtures(stored):
    out = StringIO()
    call_command("dumpdata", "realtime_widget.provider", stdout=out)
    (row,) = json.loads(out.getvalue())
    assert row["fields"]["name"] == "P"
    assert not [name for name in row["fields"] if "sealed" in name]


@pytest.mark.django_db
def test_saving_without_a_new_key_keeps_the_stored_one(admin_client, stored):
    data = typed(name="Renamed", model="gpt-realtime-2.1-mini")
    response = admin_client.post(url("change", stored.pk), data)
    assert response.status_code == 302, response.context["errors"]
    stored.refresh_from_db()
    assert (stored.name, stored.found_key("key").value) == ("Renamed", FIRST)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "there",
    [
        {"kind": "compatible", "base_url": "https://elsewhere.example/v1"},
        {"extra_query": '{"to": "x"}', "initial-extra_query": '{"to": "x"}'},
    ],
)
def test_a_stored_key_is_not_sent_to_another_destination(admin_client, stored, there):
    moved = typed(**there)
    response = admin_client.post(url("change", stored.pk), moved)
    assert "Type the key again" in str(response.context["errors"])
    stored.refresh_from_db()
    assert (stored.kind, stored.extra_query) == ("openai", {})
    moved["new_key"] = SECOND
    assert admin_client.post(url("change", stored.pk), moved).status_code == 302
    stored.refresh_from_db()
    assert stored.found_key("key").value == SECOND


@pytest.mark.django_db
def test_forgotten_key_is_gone(admin_client, stored):
    data = typed(kind="local", forget_key="on")
    assert admin_client.post(url("change", stored.pk), data).status_code == 302
    stored.refresh_from_db()
    assert stored.key_sealed == ""


@pytest.mark.django_db
@pytest.mark.parametrize("key", ["two words", "ümlaut-key", "line\nbreak"])
def test_what_is_no_key_is_refused_and_not_sent_back(admin_client, key):
    response = admin_client.post(url("add"), typed(new_key=key))
    assert "no spaces" in str(response.context["errors"])
    assert key not in response.content.decode()
    assert not Provider.objects.exists()


@pytest.mark.django_db
def test_typed_key_is_not_in_the_report_of_an_error(admin_user, stored):
    reports = []

    def report(request, **_):
        reporter = ExceptionReporter(request, *sys.exc_info())
        reports.append(reporter.get_traceback_html() + reporter.get_traceback_text())

    client = Client(raise_request_exception=False)
    client.force_login(admin_user)
    # PostgreSQL drops no table whose deferred checks are still to come.
    connection.check_constraints()
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE django_admin_log")
    got_request_exception.connect(report)
    try:
        response = client.post(url("change", stored.pk), typed(new_key=SECOND))
    finally:
        got_request_exception.disconnect(report)
    assert response.status_code == 500
    assert "django_admin_log" in reports[0]
    assert SECOND not in reports[0]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("extra_headers", {"Authorization": "Bearer x"}),
        ("extra_headers", {"Sec-WebSocket-Protocol": "x"}),
        ("extra_headers", {"X-API-Key": "abc"}),
        ("extra_headers", {"X-A": "line\nbreak"}),
        ("extra_headers", {"X A": "x"}),
        ("extra_headers", ["X"]),
        ("extra_headers", {f"X-{i}": "" for i in range(11)}),
        ("extra_query", {"api_key": "abc"}),
        ("extra_query", {"x": FIRST}),
        ("extra_query", {"model": "x"}),
        ("extra_query", {"x": 1}),
        ("auth_name", "Host"),
        ("auth_name", "two words"),
    ],
)
def test_handshake_refuses_what_is_not_a_rows_to_set(admin_client, field, value):
    text = value if isinstance(value, str) else json.dumps(value)
    data = typed(kind="compatible", base_url="https://m.example/v1", **{field: text})
    response = admin_client.post(url("add"), data)
    assert field in response.context["adminform"].form.errors
    assert not Provider.objects.exists()


@pytest.mark.django_db
def test_swapping_makes_the_second_key_the_first(admin_client, stored):
    stored.second_key_name = "OPENAI_API_KEY"
    stored.save()
    chosen = {"action": "swap_keys", "_selected_action": [stored.pk]}
    admin_client.post(url("changelist"), chosen)
    stored.refresh_from_db()
    assert stored.key_name == "OPENAI_API_KEY"
    assert stored.found_key("second_key").value == FIRST
    assert stored.key_sealed == ""


@pytest.mark.django_db
def test_model_is_free_text_with_suggestions_and_facts_of_a_day(admin_client, stored):
    html = admin_client.get(url("change", stored.pk)).content.decode()
    assert '<option value="gpt-realtime-2.1-mini">' in html
    assert '<option value="gpt-realtime">' not in html
    assert "128,000 tokens of context" in html
    data = typed(model="my-own-model", forget_key="on", key_name="OPENAI_API_KEY")
    assert admin_client.post(url("change", stored.pk), data).status_code == 302
    stored.refresh_from_db()
    assert stored.model == "my-own-model"


@pytest.mark.django_db
def test_check_names_a_stored_key_that_no_longer_opens(stored):
    make_widget(provider=stored)
    assert checks.check_provider_keys(["default"]) == []
    with override_settings(SECRET_KEY="another"):
        (message,) = checks.check_provider_keys(["default"])
    assert "cannot be decrypted" in message.msg


# Rotation of Fernet keys


@pytest.mark.django_db
def test_rotation_lets_the_old_fernet_key_go():
    provider = Provider(name="P", kind="openai")
    with fernet(OLD):
        provider.store_key("key", FIRST)
        provider.store_key("second_key", SECOND)
        provider.save()
    out = StringIO()
    with fernet(NEW, OLD):
        call_command("realtime_rotate_keys", stdout=out)
    assert "2 stored keys" in out.getvalue()
    with fernet(NEW):
        keys = Provider.objects.get().found_keys()
    assert [key.value for key in keys] == [FIRST, SECOND]


@pytest.mark.django_db
def test_rotation_names_what_it_cannot_open_and_does_the_rest():
    with fernet(OLD):
        for name, slot in (("Lost", "second_key"), ("Kept", "key")):
            provider = Provider(name=name, kind="openai")
            provider.store_key(slot, FIRST)
            provider.save()
    kept = Provider.objects.get(name="Kept")
    kept.store_key("key", FIRST)  # with the key made from SECRET_KEY
    kept.save()
    with (
        fernet(NEW),
        pytest.raises(CommandError, match=r"Lost \(second key\)") as caught,
    ):
        call_command("realtime_rotate_keys", stdout=StringIO())
    assert FIRST not in str(caught.value)
    with fernet(NEW), override_settings(SECRET_KEY="another"):
        assert Provider.objects.get(name="Kept").found_key("key").value == FIRST


# Two keys


@pytest.fixture
async def server(settings):
    """Return a model's server that takes the keys in ``takes``."""
    settings.REALTIME_WIDGET = {"UPSTREAM_HOSTS": ("127.0.0.1",)}
    asked, takes = [], {SECOND}

    def decide(opening, request):
        asked.append(request.headers["Authorization"].removeprefix("Bearer "))
        if asked[-1] not in takes:
            return opening.respond(401, f"Incorrect API key: {asked[-1]}")
        return None

    async def greet(socket):
        await socket.send('{"type":"session.created","session":{"id":"sess_1"}}')
        await socket.wait_closed()

    async with serve(greet, "127.0.0.1", 0, process_request=decide) as running:
        running.asked, running.takes = asked, takes
        yield running


@sync_to_async
def provider_with_two_keys(server):
    port = server.sockets[0].getsockname()[1]
    provider = Provider(
        name="Model", kind="compatible", base_url=f"http://127.0.0.1:{port}/v1"
    )
    provider.store_key("key", FIRST)
    provider.store_key("second_key", SECOND)
    provider.save()
    return provider


async def opened(provider):
    connect = await sync_to_async(make_connect)(provider, Caller())
    upstream = await connect()
    assert b"session.created" in await upstream.receive()
    await upstream.close()


async def state_of(provider, state):
    rows = Provider.objects.filter(pk=provider.pk, health_state=state)
    return await until(lambda: rows.all().first())


@pytest.mark.django_db(transaction=True)
async def test_second_key_is_tried_when_the_first_is_refused_and_staff_is_told(
    server, caplog
):
    caplog.set_level("DEBUG", "realtime_widget")
    provider = await provider_with_two_keys(server)
    await opened(provider)
    assert server.asked == [FIRST, SECOND]
    noted = await state_of(provider, "degraded")
    assert "second key" in noted.health_reason
    await opened(noted)
    assert server.asked == [FIRST, SECOND, SECOND]
    assert FIRST not in caplog.text
    assert SECOND not in caplog.text


@pytest.mark.django_db(transaction=True)
async def test_both_keys_refused_is_told_as_such(server):
    server.takes.clear()
    provider = await provider_with_two_keys(server)
    connect = await sync_to_async(make_connect)(provider, Caller())
    with pytest.raises(UpstreamError) as refusal:
        await connect()
    assert refusal.value.code == "upstream_auth"
    assert server.asked == [FIRST, SECOND]
    noted = await state_of(provider, "failing")
    assert FIRST not in noted.health_reason
