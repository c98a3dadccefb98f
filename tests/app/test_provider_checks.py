"""Checking a provider: the admin's button, the command, the stored result."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import StringIO

import pytest
from django.contrib.auth.models import Permission, User
from django.core.management import CommandError, call_command
from django.urls import reverse

from realtime_widget.connectors import breaker_of
from realtime_widget.models import Provider
from realtime_widget.provider_checks import check_and_note

pytestmark = pytest.mark.django_db
FIRST, SECOND = "first-key-0123456789", "second-key-0123456789"


class ModelsHandler(BaseHTTPRequestHandler):
    """The REST face of a provider."""

    def do_GET(self):
        key = self.headers["Authorization"].removeprefix("Bearer ")
        self.server.asked.append((self.path, key))
        accepted = key in self.server.keys
        body = {"data": [{"id": "m"}]} if accepted else {"error": f"bad key {key}"}
        self.send_response(200 if accepted else 401)
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())

    def log_message(self, *_):
        """Say nothing."""


@pytest.fixture
def server(settings):
    """Return a provider's REST server; ``keys`` are those it accepts."""
    running = ThreadingHTTPServer(("127.0.0.1", 0), ModelsHandler)
    running.keys, running.asked = {FIRST, SECOND}, []
    settings.REALTIME_WIDGET = {"UPSTREAM_HOSTS": ("127.0.0.1",)}
    thread = threading.Thread(target=running.serve_forever)
    thread.start()
    yield running
    running.shutdown()
    thread.join()
    running.server_close()


@pytest.fixture
def provider(server):
    row = Provider(
        name="Model",
        kind="openai",
        base_url=f"http://127.0.0.1:{server.server_port}/v1",
        model="m",
    )
    row.store_key("key", FIRST)
    row.store_key("second_key", SECOND)
    row.save()
    return row


def test_working_provider_is_noted_with_the_time_it_took(provider, server):
    for _ in range(2):
        checked = check_and_note(provider)
    assert (checked.ok, checked.reason) == (True, "")
    assert server.asked == [("/v1/models", FIRST)] * 2
    provider.refresh_from_db()
    assert (provider.health_state, provider.check_ms) == ("ok", checked.took_ms)


def test_second_key_is_tried_and_the_first_comes_first_the_next_time(provider, server):
    server.keys = {SECOND}
    check_and_note(provider)
    provider.refresh_from_db()
    assert provider.health_state == "degraded"
    server.keys = {FIRST}
    check_and_note(provider)
    provider.refresh_from_db()
    assert (provider.health_state, provider.health_reason) == ("ok", "")
    assert [key for _path, key in server.asked] == [FIRST, SECOND, FIRST]


def test_refused_keys_are_told_without_them(provider, server):
    server.keys = set()
    checked = check_and_note(provider)
    assert not checked.ok
    assert "401" in checked.reason
    assert FIRST not in checked.reason + SECOND not in checked.reason


def test_model_that_is_not_in_openais_list_is_told(provider):
    provider.model = "gone"
    checked = check_and_note(provider)
    assert not checked.ok
    assert "gone" in checked.reason
    provider.kind = "compatible"
    assert check_and_note(provider).ok


def test_provider_without_a_key_is_told_without_being_asked(server):
    row = Provider.objects.create(name="P", kind="openai", key_name="OPENAI_API_KEY")
    assert "OPENAI_API_KEY" in check_and_note(row).reason
    assert server.asked == []


def test_engine_in_this_process_is_tried():
    row = Provider.objects.create(name="Engine", kind="local", model="scripted")
    assert check_and_note(row).ok


def test_a_good_check_lets_sessions_try_again(provider, settings, server):
    settings.REALTIME_WIDGET = {
        **settings.REALTIME_WIDGET,
        "BREAKER_FAILURES": 1,
        "BREAKER_OPEN_S": 3_600,
    }
    breaker_of(provider).failed(0)
    assert not breaker_of(provider).admit(1)
    check_and_note(provider)
    assert breaker_of(provider).admit(1)


def test_button_checks_and_shows_what_was_found(admin_client, provider, server):
    change = reverse("admin:realtime_widget_provider_change", args=[provider.pk])
    check = reverse("admin:realtime_widget_provider_check", args=[provider.pk])
    assert f'action="{check}"' in admin_client.get(change).content.decode()
    assert admin_client.get(check).status_code == 405
    server.keys = {SECOND}
    html = admin_client.post(check, follow=True).content.decode()
    assert "Working with the second key" in html
    assert "Only the second key was accepted" in html
    assert FIRST not in html


def test_action_checks_the_chosen_ones(admin_client, provider):
    chosen = {"action": "check_health", "_selected_action": [provider.pk]}
    address = reverse("admin:realtime_widget_provider_changelist")
    assert "Working" in admin_client.post(address, chosen, follow=True).content.decode()


def test_who_may_only_look_may_not_check(client, provider, server):
    user = User.objects.create_user("staff", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename="view_provider"))
    client.force_login(user)
    change = reverse("admin:realtime_widget_provider_change", args=[provider.pk])
    check = reverse("admin:realtime_widget_provider_check", args=[provider.pk])
    assert check not in client.get(change).content.decode()
    assert client.post(check).status_code == 403
    assert server.asked == []


def test_command_checks_all_and_fails_when_one_does_not_work(provider, server):
    Provider.objects.create(name="Bad", kind="openai", key_name="OPENAI_API_KEY")
    out = StringIO()
    with pytest.raises(CommandError, match="1 of 2"):
        call_command("realtime_check", stdout=out)
    assert "Model: ok" in out.getvalue()
    assert "Bad: failing" in out.getvalue()
    out = StringIO()
    call_command("realtime_check", "Model", "--json", stdout=out)
    line = json.loads(out.getvalue())
    assert (line["name"], line["state"], line["reason"]) == ("Model", "ok", "")
    assert isinstance(line["took_ms"], int)


def test_command_names_what_there_is(provider):
    with pytest.raises(CommandError, match="There are: Model"):
        call_command("realtime_check", "Modle")
