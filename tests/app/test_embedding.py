"""What a page of another site loads before it opens a session."""

from __future__ import annotations

import re

import pytest
from django.contrib.sites.models import Site
from django.db import OperationalError, connection
from django.test import override_settings

from realtime_widget import __version__, embedding
from realtime_widget.configs import public_config
from realtime_widget.messages import error_messages, texts
from realtime_widget.models import Avatar
from tests.app.rows import make_widget

pytestmark = pytest.mark.django_db

OWN = "http://testserver"
PARTNER = "https://partner.example"
CONFIG = "/realtime/widgets/support/config"
SCRIPT = "/realtime/embed.js"
CORS = "Access-Control-Allow-Origin"


def get(client, origin=PARTNER, url=CONFIG, **options):
    headers = {} if origin is None else {"origin": origin}
    return client.get(url, headers={**headers, **options.pop("headers", {})}, **options)


def refusal(answer):
    error = answer.json()["error"]
    assert set(error) == {"code", "message", "retryable"}
    assert answer["Cache-Control"] == "no-store"
    return answer.status_code, error["code"]


@pytest.fixture
def widget():
    return make_widget(allowed_origins=[PARTNER])


# --- the configuration


def test_partner_site_gets_addresses_that_hold_there(widget, client):
    answer = get(client)
    config = answer.json()
    assert answer.status_code == 200
    assert answer["Content-Type"] == "application/json"
    assert config["sessionUrl"] == f"{OWN}/realtime/widgets/support/session"
    assert set(config["worklets"]) == {"capture", "playback"}
    addresses = [*config["worklets"].values(), config["avatar"]["src"]]
    assert all(a.startswith(f"{OWN}/static/realtime_widget/") for a in addresses)


def test_encrypted_site_gives_encrypted_addresses(widget, client):
    config = get(client, secure=True).json()
    assert config["sessionUrl"].startswith("https://testserver/")
    assert config["avatar"]["src"].startswith("https://testserver/")


def test_everything_but_addresses_is_what_the_tag_puts_into_a_page(widget, client):
    foreign, own = get(client).json(), get(client, None).json()
    assert own == public_config(widget)
    for config in (foreign, own):
        del config["sessionUrl"], config["worklets"], config["avatar"]["src"]
    assert foreign.pop("configUrl") == OWN + own.pop("configUrl")
    assert foreign == own


@override_settings(STATIC_URL="https://cdn.example/static/")
def test_files_elsewhere_stay_where_they_are(client):
    avatar = Avatar.objects.create(name="Ada", image="avatars/ada.png")
    make_widget(allowed_origins=[PARTNER], avatar=avatar)
    config = get(client).json()
    assert config["worklets"]["capture"].startswith("https://cdn.example/static/")
    assert config["avatar"]["src"] == f"{OWN}/media/avatars/ada.png"


@pytest.mark.parametrize(
    ("origin", "status", "allowed"),
    [
        (PARTNER, 200, PARTNER),
        ("https://partner.example:443", 200, PARTNER),
        (OWN, 200, None),
        (None, 200, None),
        ("", 403, None),
        ("null", 403, None),
        ("http://partner.example", 403, None),
        ("https://partner.example:8443", 403, None),
        ("https://partner.example.evil.example", 403, None),
        ("https://user@partner.example", 403, None),
        ("https://partner.example/", 403, None),
        ("https://testserver", 403, None),
        (f"{PARTNER}, {PARTNER}", 403, None),
    ],
)
def test_origin_decides_who_may_read(widget, client, origin, status, allowed):
    answer = get(client, origin)
    assert answer.status_code == status
    assert answer.get(CORS) == allowed
    assert "Origin" in answer["Vary"]
    assert "Access-Control-Allow-Credentials" not in answer
    if status == 403:
        assert refusal(answer) == (403, "origin")


def test_partner_site_may_ask_first(widget, client):
    answer = client.options(CONFIG, headers={"origin": PARTNER})
    assert answer.status_code == 204
    assert answer[CORS] == PARTNER
    assert answer["Access-Control-Allow-Methods"] == "GET"
    assert "Origin" in answer["Vary"]
    refused = client.options(CONFIG, headers={"origin": "https://evil.example"})
    assert refusal(refused) == (403, "origin")
    assert CORS not in refused


@pytest.mark.parametrize("origin", [None, OWN, PARTNER])
@pytest.mark.parametrize("fields", [{"enabled": False}, {"slug": "other"}])
def test_missing_or_disabled_widget_is_not_there(client, fields, origin):
    make_widget(allowed_origins=[PARTNER], **fields)
    answer = get(client, origin)
    assert refusal(answer) == (404, "no_widget")
    assert CORS not in answer


def test_widget_of_another_site_is_not_there(widget, client):
    widget.sites.add(Site.objects.create(domain="other.example"))
    assert refusal(get(client)) == (404, "no_widget")


def test_page_chooses_the_language(widget, client):
    german = get(client, data={"lang": "de-AT"})
    assert german["Content-Language"] == german.json()["language"] == "de"
    assert german.json()["texts"] == texts("de") != texts("en")
    unknown = get(client, data={"lang": "xx-nonsense\x00" + "y" * 600})
    assert unknown.json()["texts"] == texts("en")


def test_page_without_a_language_gets_the_visitors(widget, client):
    answer = get(client, headers={"accept-language": "de"})
    assert answer["Content-Language"] == answer.json()["language"] == "de"
    assert "Accept-Language" in answer["Vary"]


def test_refusal_is_in_the_language_of_the_page(client):
    message = get(client, data={"lang": "de"}).json()["error"]["message"]
    assert message == error_messages("de")["no_widget"]


def test_answer_may_be_kept_for_a_minute(widget, client):
    assert get(client)["Cache-Control"] == "private, max-age=60"
    named = get(client, data={"lang": "en"})
    assert named["Cache-Control"] == "public, max-age=60"


def test_unchanged_answer_is_not_sent_again(widget, client):
    first = get(client)
    again = get(client, headers={"if-none-match": first["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert again[CORS] == PARTNER
    assert "Origin" in again["Vary"]
    assert again["Cache-Control"] == first["Cache-Control"]

    widget.title = "Another title"
    widget.save()
    changed = get(client, headers={"if-none-match": first["ETag"]})
    assert changed.status_code == 200
    assert changed.json()["title"] == "Another title"


def test_no_visitor_is_looked_at_and_no_cookie_is_set(widget, client, admin_user):
    client.force_login(admin_user)
    answer = get(client)
    assert not answer.cookies
    assert "Cookie" not in answer["Vary"]


def test_other_methods_are_not_allowed(widget, client):
    assert client.post(CONFIG, headers={"origin": PARTNER}).status_code == 405


def test_head_is_answered_like_get(widget, client):
    answer = client.head(CONFIG, headers={"origin": PARTNER})
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer["ETag"] == get(client)["ETag"]


def test_database_that_is_away_is_our_fault(widget, client, caplog):
    def away(*_):
        raise OperationalError("password of the database")

    with connection.execute_wrapper(away):
        answer = get(client)
    assert refusal(answer) == (503, "internal")
    assert "password" not in caplog.text + answer.text


def test_refusal_is_logged_on_one_line(client, caplog):
    get(client, "https://evil.example\nforged")
    lines = [r.getMessage() for r in caplog.records if r.name == embedding.__name__]
    assert len(lines) == 1
    assert lines[0].startswith("Configuration not given: no_widget. widget='support'")
    assert "\n" not in lines[0]


# --- the script


def test_script_imports_the_element_from_its_own_site(client):
    answer = client.get(SCRIPT, headers={"origin": PARTNER})
    assert answer.status_code == 200
    assert answer["Content-Type"] == "text/javascript; charset=utf-8"
    assert answer[CORS] == "*"
    assert __version__ in answer.text
    address = "/static/realtime_widget/realtime-widget.js"
    assert re.findall(r"^import (.+);$", answer.text, re.MULTILINE) == [f'"{address}"']


@override_settings(STATIC_URL="https://cdn.example/static/")
def test_script_finds_files_that_lie_elsewhere(client):
    assert '"https://cdn.example/static/realtime_widget/' in client.get(SCRIPT).text


def test_script_is_the_same_for_everyone_and_kept_for_an_hour(client, admin_user):
    first = client.get(SCRIPT)
    client.force_login(admin_user)
    second = client.get(SCRIPT, headers={"origin": PARTNER})
    assert first.content == second.content
    assert first["Cache-Control"] == second["Cache-Control"] == "public, max-age=3600"
    assert not second.cookies
    again = client.get(SCRIPT, headers={"if-none-match": first["ETag"]})
    assert (again.status_code, again[CORS]) == (304, "*")


def test_script_is_only_read(client):
    assert client.post(SCRIPT).status_code == 405
