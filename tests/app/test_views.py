from __future__ import annotations

import asyncio
import json
import re
import threading

import pytest
from django.contrib.auth.models import User
from django.contrib.sites.models import Site
from django.db import OperationalError, connection
from django.db.backends.signals import connection_created

from realtime_widget import views
from realtime_widget.messages import error_messages
from realtime_widget.models import Provider
from realtime_widget.threads import row_pool
from tests.app.rows import make_widget

pytestmark = pytest.mark.django_db(transaction=True)

OWN = "http://testserver"
PARTNER = "https://partner.example"
URL = "/realtime/widgets/support/session"


def post(client, origin=OWN, body='{"language": "en"}', url=URL, **headers):
    headers = {"origin": origin, **headers} if origin is not None else headers
    return client.post(url, body, content_type="application/json", headers=headers)


def refusal(answer):
    error = answer.json()["error"]
    assert set(error) == {"code", "message", "retryable"}
    assert error["message"]
    return answer.status_code, error["code"]


@pytest.fixture
def widget():
    return make_widget()


def test_page_of_the_site_gets_a_token_and_an_address(widget, client):
    answer = post(client)
    assert answer.status_code == 200
    granted = answer.json()
    assert set(granted) == {"token", "url", "protocol", "expires_in_s"}
    assert re.fullmatch(r"[A-Za-z0-9_.-]+", granted["token"])
    assert granted["url"] == "ws://testserver/realtime/ws/support/"
    assert granted["protocol"] == "realtime-widget.v1"
    assert granted["expires_in_s"] == 60
    assert "no-store" in answer["Cache-Control"]
    assert "Access-Control-Allow-Origin" not in answer


def test_encrypted_page_gets_an_encrypted_socket(widget, client):
    answer = client.post(
        URL,
        "{}",
        content_type="application/json",
        headers={"origin": "https://testserver"},
        secure=True,
    )
    assert answer.json()["url"] == "wss://testserver/realtime/ws/support/"


@pytest.mark.parametrize(
    "origin",
    [
        None,
        "null",
        PARTNER,
        "https://testserver",
        "http://testserver:8080",
        "http://testserver.evil.example",
        "http://eviltestserver",
        "http://user@testserver",
        "http://[::1",
        "http://testserver, http://testserver",
    ],
)
def test_any_other_origin_is_refused(widget, client, origin, caplog):
    answer = post(client, origin)
    assert refusal(answer) == (403, "origin")
    assert "Access-Control-Allow-Origin" not in answer
    assert caplog.text.count("Session not opened") == 1


def test_partner_site_is_allowed_with_cors_and_without_credentials(client):
    make_widget(allowed_origins=[PARTNER])
    answer = post(client, PARTNER)
    assert answer.status_code == 200
    assert answer["Access-Control-Allow-Origin"] == PARTNER
    assert answer["Vary"] == "Origin" or "Origin" in answer["Vary"]
    assert "Access-Control-Allow-Credentials" not in answer


def test_partner_site_may_ask_first(client):
    make_widget(allowed_origins=[PARTNER])
    answer = client.options(URL, headers={"origin": PARTNER})
    assert answer.status_code == 204
    assert answer["Access-Control-Allow-Methods"] == "POST"
    assert answer["Access-Control-Allow-Headers"] == "content-type"
    refused = client.options(URL, headers={"origin": "https://evil.example"})
    assert refused.status_code == 403
    assert "Access-Control-Allow-Origin" not in refused


@pytest.mark.parametrize("fields", [{"enabled": False}, {"slug": "other"}])
def test_missing_or_disabled_widget_is_not_there(client, fields):
    make_widget(**fields)
    assert refusal(post(client)) == (404, "no_widget")


def test_widget_of_another_site_is_not_there(widget, client):
    widget.sites.add(Site.objects.create(domain="other.example"))
    assert refusal(post(client)) == (404, "no_widget")


@pytest.mark.parametrize(
    "body",
    [
        "",
        "no json",
        "[]",
        '{"language": NaN}',
        '{"a":' * 50 + "1" + "}" * 50,
        "x" * 9_000,
    ],
)
def test_body_that_is_no_small_json_object_is_refused(widget, client, body):
    assert refusal(post(client, body=body)) == (400, "bad_message")


def test_form_cannot_open_a_session(widget, client):
    answer = client.post(URL, {"language": "en"}, headers={"origin": OWN})
    assert refusal(answer) == (400, "bad_message")


def test_other_methods_are_not_allowed(widget, client):
    assert client.get(URL, headers={"origin": OWN}).status_code == 405


def test_address_that_asks_too_often_is_told_to_wait(widget, client, settings):
    settings.REALTIME_WIDGET = {"OPENS_PER_MINUTE_PER_IP": 2}
    assert [post(client).status_code for _ in range(3)] == [200, 200, 429]
    assert refusal(post(client)) == (429, "limit")


def test_full_process_is_told_before_a_socket_is_opened(widget, client, settings):
    settings.REALTIME_WIDGET = {"SESSIONS_PER_PROCESS": 1}
    lease = views.counters.acquire({"process": 1})
    try:
        assert refusal(post(client)) == (429, "limit")
    finally:
        views.counters.release(lease)


def test_missing_key_is_told_to_the_page_and_named_in_the_admin(client, monkeypatch):
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    provider = Provider.objects.create(
        name="OpenAI", kind="openai", key_name="OPENAI_API_KEY"
    )
    make_widget(provider=provider)
    answer = post(client)
    assert refusal(answer) == (503, "not_configured")
    assert "OPENAI_API_KEY" not in answer.text
    provider.refresh_from_db()
    assert provider.health_state == "failing"
    assert "OPENAI_API_KEY" in provider.health_reason


def test_refusal_is_in_the_language_of_the_page(widget, client, settings):
    settings.REALTIME_WIDGET = {"SESSIONS_PER_PROCESS": 1}
    lease = views.counters.acquire({"process": 1})
    try:
        answers = [
            post(client, body=json.dumps({"language": language})).json()
            for language in ("de-AT", "en", "xx-nonsense")
        ]
    finally:
        views.counters.release(lease)
    german, english, unknown = (answer["error"]["message"] for answer in answers)
    assert german == error_messages("de")["limit"] != english == unknown


def test_database_that_is_away_is_our_fault(widget, client, caplog):
    def away(*_):
        raise OperationalError("password of the database")

    with connection.execute_wrapper(away):
        answer = post(client)
    assert refusal(answer) == (503, "internal")
    assert "password" not in caplog.text + answer.text


def test_log_lines_cannot_be_forged(widget, client, caplog):
    post(client, url="/realtime/widgets/no-such-widget/session")
    lines = [r.getMessage() for r in caplog.records if r.name == views.__name__]
    assert lines == [
        "Session not opened: no_widget. widget='no-such-widget' origin='http://testserver'"
    ]


def test_no_cookie_and_no_csrf_token_is_needed(widget):
    from django.test import Client

    assert post(Client(enforce_csrf_checks=True)).status_code == 200


def test_signed_in_user_gets_a_token_of_his_own(widget, client):
    client.force_login(User.objects.create(username="ann"))
    assert post(client).status_code == 200


async def test_health_tells_what_answers(async_client):
    answer = await async_client.get("/realtime/health")
    assert answer.status_code == 200
    assert answer.json() == {"status": "ok", "database": True, "channel_layer": True}
    assert "no-store" in answer["Cache-Control"]


async def test_health_without_a_layer_is_good(async_client, settings):
    settings.CHANNEL_LAYERS = {}
    answer = await async_client.get("/realtime/health")
    assert answer.json()["channel_layer"] is None
    assert answer.status_code == 200


async def test_health_without_its_layer_still_takes_sessions(async_client, settings):
    settings.CHANNEL_LAYERS = {
        "default": {
            "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
            "CONFIG": {"hosts": ["redis://127.0.0.1:1"]},
        }
    }
    answer = await async_client.get("/realtime/health")
    assert answer.status_code == 200
    assert answer.json()["status"] == "degraded"
    assert answer.json()["channel_layer"] is False
    assert "redis" not in answer.text


async def test_health_is_good_while_many_pages_open(async_client):
    open_again = threading.Event()
    rush = [
        asyncio.create_task(row_pool.run(open_again.wait))
        for _ in range(row_pool.threads + 1)
    ]
    try:
        answer = await async_client.get("/realtime/health")
    finally:
        open_again.set()
        await asyncio.gather(*rush)
    assert answer.status_code == 200
    assert answer.json()["database"] is True


async def test_health_without_its_database_is_bad(async_client):
    def away(**_):
        raise OperationalError("host of the database")

    connection_created.connect(away)
    try:
        answer = await async_client.get("/realtime/health")
    finally:
        connection_created.disconnect(away)
    assert answer.status_code == 503
    assert answer.json()["database"] is False
    assert "host of" not in answer.text
