from __future__ import annotations

import asyncio
import json
import re

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import AnonymousUser, User
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from websockets.asyncio.server import serve

from realtime_widget import connectors
from realtime_widget.admission import Origin
from realtime_widget.connectors import engine_parts, make_connect
from realtime_widget.consumers.opening import Admitted, Visit, prepare
from realtime_widget.exceptions import UpstreamError, UpstreamRefused
from realtime_widget.models import Provider
from tests.app.rows import make_widget, until

pytestmark = pytest.mark.django_db(transaction=True)

KEY = "sk-very-secret-key"


@pytest.fixture
async def server():
    """Return a model's server that tells what it was asked with."""
    asked = []

    def decide(connection, request):
        asked.append(request.headers.get("Authorization", ""))
        if asked[-1] != f"Bearer {KEY}":
            return connection.respond(401, f"Incorrect API key: {asked[-1]}")
        return None

    async def greet(socket):
        await socket.send('{"type":"session.created","session":{"id":"sess_1"}}')
        await socket.wait_closed()

    async with serve(greet, "127.0.0.1", 0, process_request=decide) as running:
        running.asked = asked
        yield running


@sync_to_async
def provider_at(server):
    port = server.sockets[0].getsockname()[1]
    return Provider.objects.create(
        name="Model",
        kind="compatible",
        base_url=f"http://127.0.0.1:{port}/v1",
        key_name="MODEL_KEY",
    )


@pytest.fixture
def own_host(settings):
    """Allow the model's server of the test, and the name of its key."""
    settings.REALTIME_WIDGET = {
        "UPSTREAM_HOSTS": ("127.0.0.1",),
        "KEY_NAMES": ("MODEL_KEY",),
    }


def logged(caplog):
    """Return what our side logged; the model's server of the test logs too."""
    ours = [r for r in caplog.records if r.name != "websockets.server"]
    return "\n".join(record.getMessage() for record in ours)


async def health_of(provider):
    rows = Provider.objects.filter(pk=provider.pk).exclude(health_state="unknown")
    return await until(lambda: rows.all().first())


async def test_key_of_the_environment_opens_the_connection(
    server, own_host, monkeypatch, caplog
):
    monkeypatch.setenv("MODEL_KEY", KEY)
    provider = await provider_at(server)
    caplog.set_level("DEBUG")
    upstream = await (await sync_to_async(make_connect)(provider))()
    assert b"session.created" in await upstream.receive()
    await upstream.close()
    assert server.asked == [f"Bearer {KEY}"]
    assert (await health_of(provider)).health_state == "ok"
    assert KEY not in logged(caplog)


async def test_wrong_key_is_refused_and_noted_without_being_shown(
    server, own_host, monkeypatch, caplog
):
    monkeypatch.setenv("MODEL_KEY", "sk-wrong-key")
    provider = await provider_at(server)
    caplog.set_level("DEBUG")
    connect = await sync_to_async(make_connect)(provider)
    with pytest.raises(UpstreamRefused) as refusal:
        await connect()
    assert refusal.value.code == "upstream_auth"
    noted = await health_of(provider)
    assert noted.health_state == "failing"
    assert noted.health_reason
    assert "sk-wrong-key" not in noted.health_reason + logged(caplog)


async def test_missing_key_is_not_tried_at_all(server, own_host, monkeypatch):
    monkeypatch.delenv("MODEL_KEY", raising=False)
    provider = await provider_at(server)
    with pytest.raises(UpstreamError) as refusal:
        await sync_to_async(make_connect)(provider)
    assert refusal.value.code == "not_configured"
    assert "MODEL_KEY" in (await health_of(provider)).health_reason
    assert server.asked == []


async def test_server_that_is_not_there_is_noted(own_host, monkeypatch, server):
    monkeypatch.setenv("MODEL_KEY", KEY)
    provider = await provider_at(server)
    server.close()
    await server.wait_closed()
    connect = await sync_to_async(make_connect)(provider)
    with pytest.raises(UpstreamError) as refusal:
        await connect()
    assert refusal.value.code == "upstream_unreachable"
    assert (await health_of(provider)).health_state == "failing"


async def test_engine_answers_without_a_provider_and_is_loaded_once():
    connect = await sync_to_async(make_connect)(None)
    first, second = await connect(), await connect()
    assert b"session.created" in await first.receive()
    assert b"session.created" in await second.receive()
    await asyncio.gather(first.close(), second.close())
    assert engine_parts() is engine_parts()


@pytest.mark.parametrize(
    ("model", "modality"), [("scripted", "audio"), ("local-text", "text")]
)
async def test_provider_row_names_the_engine_s_model(model, modality):
    provider = await Provider.objects.acreate(name="Engine", kind="local", model=model)
    connection = await (await sync_to_async(make_connect)(provider))()
    session = json.loads(await connection.receive())["session"]
    await connection.close()
    assert (session["model"], session["output_modalities"]) == (model, [modality])


def test_misspelt_model_of_the_engine_is_refused_with_the_one_that_was_meant():
    provider = Provider(name="Engine", kind="local", model="Scriptd")
    with pytest.raises(ValidationError, match="Did you mean “scripted”"):
        provider.clean()
    for model in ("gpt-realtime-2.1", "echo"):
        Provider(name="Engine", kind="local", model=model).clean()


def test_visitor_is_named_to_a_provider_by_a_hash_that_stays_the_same(monkeypatch):
    told = []

    def make(_provider, caller):
        told.append(caller.user_hash)
        return None

    monkeypatch.setitem(connectors.CONNECTORS, "compatible", make)
    provider = Provider.objects.create(
        name="Model", kind="compatible", base_url="https://model.example/v1"
    )
    widget = make_widget(provider=provider)
    mira, noah = (User.objects.create_user(name) for name in ("mira", "noah"))
    nobody = AnonymousUser()
    visitors = [
        (mira, "session-1", "203.0.113.1"),
        (mira, "session-2", "203.0.113.2"),
        (noah, "session-1", "203.0.113.1"),
        (nobody, "session-1", "203.0.113.1"),
        (nobody, "session-1", "203.0.113.9"),
        (nobody, "", "203.0.113.1"),
    ]
    for user, session_key, address in visitors:
        origin = Origin("https", "shop.example", 443)
        request = HttpRequest()
        visit = Visit(
            "support", origin, origin, address, user, session_key, "", request
        )
        admitted = Admitted(visit, widget, None, user, session_key, limits={})
        prepare(admitted, {})
    assert told[0] == told[1]
    assert told[3] == told[4]
    assert len(set(told)) == 4
    assert all(re.fullmatch("[0-9a-f]{64}", name) for name in told)
