"""A widget in an iframe, and the script that adds a widget by itself."""

from __future__ import annotations

import json
import re

import pytest
from django.contrib.sites.models import Site
from django.test import override_settings

from realtime_widget.models import Avatar
from tests.app.rows import make_widget

pytestmark = pytest.mark.django_db

PARTNER = "https://partner.example"
FRAME = "/realtime/widgets/support/frame"
SESSION = "/realtime/widgets/support/session"
SCRIPT = "/realtime/embed.js"


def policy(answer):
    """Return the directives of an answer's policy."""
    parts = answer["Content-Security-Policy"].split("; ")
    return {name: set(values) for name, *values in (part.split() for part in parts)}


def config_of(answer):
    """Return the configuration that stands in a document."""
    found = re.search(
        r'<script id="[^"]+" type="application/json">(.*?)</script>', answer.text
    )
    return json.loads(found[1])


def test_frame_holds_the_widget_alone_and_fills_itself(client):
    make_widget(form="floating", title="Help & <hints>")
    answer = client.get(FRAME)
    assert answer.status_code == 200
    assert answer["Content-Type"].startswith("text/html")
    assert "<title>Help &amp; &lt;hints&gt;</title>" in answer.text
    assert answer.text.count("<realtime-widget ") == 1
    assert config_of(answer)["form"] == "page"


def test_only_this_site_and_allowed_pages_may_frame_it(client):
    make_widget(allowed_origins=[PARTNER, "not an origin; script-src *"])
    answer = client.get(FRAME)
    assert "X-Frame-Options" not in answer
    assert policy(answer) == {
        "default-src": {"'self'"},
        "base-uri": {"'none'"},
        "form-action": {"'none'"},
        "object-src": {"'none'"},
        "frame-ancestors": {"'self'", PARTNER},
    }


@override_settings(STATIC_URL="https://cdn.example/static/")
def test_files_elsewhere_may_be_loaded_in_the_frame(client):
    make_widget(avatar=Avatar.objects.create(name="Ada", image="avatars/ada.png"))
    answer = client.get(FRAME)
    assert policy(answer)["default-src"] == {"'self'", "https://cdn.example"}


def test_session_of_a_frame_acts_for_nobody(client, admin_user, monkeypatch):
    seen = []
    monkeypatch.setattr(
        "realtime_widget.views.issue_token",
        lambda binding, granted: seen.append((binding.user, granted.own)) or "token",
    )
    make_widget()
    client.force_login(admin_user)
    url = config_of(client.get(FRAME))["sessionUrl"]
    for asked in (url, SESSION):
        answer = client.post(
            asked,
            data={},
            content_type="application/json",
            headers={"origin": "http://testserver"},
        )
        assert answer.status_code == 200, answer.text
    assert seen == [("", False), (str(admin_user.pk), True)]


def test_frame_is_in_the_language_that_is_asked(client):
    make_widget()
    answer = client.get(FRAME, {"lang": "de"})
    assert '<html lang="de" dir="ltr">' in answer.text
    assert config_of(answer)["language"] == "de"


@pytest.mark.parametrize("fields", [{"enabled": False}, {"slug": "other"}])
def test_missing_or_disabled_widget_has_no_frame(client, fields):
    make_widget(**fields)
    answer = client.get(FRAME)
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "no_widget")


def test_widget_of_another_site_has_no_frame(client):
    make_widget().sites.add(Site.objects.create(domain="other.example"))
    assert client.get(FRAME).status_code == 404


def test_frame_is_only_read(client):
    make_widget()
    assert client.post(FRAME).status_code == 405


def test_script_that_names_a_widget_adds_it(client):
    text = client.get(SCRIPT, {"widget": "support"}).text
    assert 'new URL("widgets/support/config", import.meta.url)' in text
    assert "document.body.append(widget);" in text
    assert "append" not in client.get(SCRIPT).text


@pytest.mark.parametrize("slug", ['"+alert(1)+"', "a/b", "a\nb", "ä", "x" * 51])
def test_script_takes_nothing_but_a_slug(client, slug):
    answer = client.get(SCRIPT, {"widget": slug})
    assert answer.status_code == 404
    assert "javascript" not in answer["Content-Type"]
