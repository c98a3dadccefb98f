"""Consent before a session, and opinions about it."""

from __future__ import annotations

import json

import pytest
from django.contrib.auth import get_user_model
from django.test import Client

from realtime_widget.configs import public_config
from realtime_widget.models import Consent, Conversation, Feedback, Item, Provider
from realtime_widget.models.opinions import words_hash
from realtime_widget.recorder import opinions
from realtime_widget.signals import feedback_given
from tests.app.rows import make_widget

pytestmark = pytest.mark.django_db
WORDS = "We record what you say.\nSee https://shop.example/privacy."
OWN = {"origin": "http://testserver"}
FOREIGN = {"origin": "https://far.example"}


def post(path, body=None, *, client=None, headers=OWN):
    """Return the status and the JSON of an answer."""
    answer = (client or Client()).post(
        f"/realtime/widgets/support/{path}",
        json.dumps(body or {}),
        content_type="application/json",
        headers=headers,
    )
    return answer.status_code, answer.json()


# --- consent ---------------------------------------------------------------------------


def test_widget_without_words_asks_nobody():
    make_widget()
    assert post("session")[0] == 200
    assert not Consent.objects.exists()


@pytest.mark.parametrize(
    "given", ["", "?consent=", "?consent=1", f"?consent={words_hash('x')}"]
)
def test_nobody_gets_in_without_agreeing_to_these_words(given):
    make_widget(consent_text=WORDS)
    status, answer = post(f"session{given}")
    assert (status, answer["error"]["code"]) == (403, "consent")
    assert answer["error"]["retryable"]
    assert not Consent.objects.exists()


def test_agreement_is_recorded_with_its_words_and_who_gave_it():
    widget = make_widget(consent_text=WORDS)
    client = Client()
    user = get_user_model().objects.create_user("mira")
    client.force_login(user)
    agreed = public_config(widget)["consent"]["hash"]
    status, answer = post(
        f"session?consent={agreed}", {"language": "de"}, client=client
    )
    assert (status, "token" in answer) == (200, True)
    consent = Consent.objects.get()
    assert (consent.words, consent.words_hash) == (WORDS, agreed)
    assert (consent.widget, consent.user, consent.language) == (widget, user, "de")
    assert consent.origin == "http://testserver"
    assert len(consent.session_key_hash) == 64


def test_changed_words_must_be_agreed_to_anew():
    widget = make_widget(consent_text=WORDS)
    agreed = public_config(widget)["consent"]["hash"]
    widget.consent_text = "Other words"
    widget.save()
    assert post(f"session?consent={agreed}")[0] == 403


def test_page_of_another_site_agrees_for_nobody():
    make_widget(consent_text=WORDS, allowed_origins=["https://far.example"])
    client = Client()
    client.force_login(get_user_model().objects.create_user("mira"))
    path = f"session?consent={words_hash(WORDS)}"
    assert post(path, client=client, headers=FOREIGN)[0] == 200
    consent = Consent.objects.get()
    assert (consent.user, consent.session_key_hash) == (None, "")


def test_session_that_is_refused_records_no_agreement():
    unset = Provider.objects.create(name="Unset", kind="openai", key_name="")
    make_widget(consent_text=WORDS, provider=unset)
    status, answer = post(f"session?consent={words_hash(WORDS)}")
    assert (status, answer["error"]["code"]) == (503, "not_configured")
    assert not Consent.objects.exists()


# --- opinions ----------------------------------------------------------------------------


@pytest.fixture
def conversation():
    """Return a conversation with one answer, on a widget that asks for opinions."""
    row = Conversation.objects.create(
        widget=make_widget(feedback=True), widget_slug="support"
    )
    Item.objects.create(conversation=row, item_id="a1", role="assistant", text="Hello")
    Item.objects.create(conversation=row, item_id="u1", role="user", text="Hi")
    return row


def test_opinion_of_an_answer_is_kept_and_the_last_one_counts(conversation):
    given = {"session_id": str(conversation.pk), "item_id": "a1"}
    assert post("feedback", {**given, "rating": "up"}) == (200, {"saved": True})
    assert post("feedback", {**given, "rating": "down", "comment": " Wrong "})[0] == 200
    row = Feedback.objects.get()
    assert (row.conversation, row.item_id) == (conversation, "a1")
    assert (row.rating, row.comment) == ("down", "Wrong")


def test_site_is_told_of_an_opinion(conversation):
    told = []

    async def receive(sender, conversation, feedback, **_):
        told.append((conversation.pk, feedback.rating))

    feedback_given.connect(receive)
    try:
        given = {"session_id": str(conversation.pk), "rating": "up"}
        assert post("feedback", given)[0] == 200
    finally:
        feedback_given.disconnect(receive)
    assert told == [(conversation.pk, "up")]


def test_opinion_of_the_whole_may_be_a_comment_alone(conversation):
    given = {"session_id": str(conversation.pk), "comment": "<b>Fine</b>"}
    assert post("feedback", given)[0] == 200
    assert Feedback.objects.get().comment == "<b>Fine</b>"


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"rating": "up", "session_id": "x"},
        {"rating": "up", "session_id": "4dd1d40e-3f5f-4a0a-8d3a-9d6d3f7e9a10"},
        {"rating": "up", "session_id": 3},
        {"rating": "best"},
        {"rating": ["up"]},
        {"rating": "up", "item_id": "u1"},
        {"rating": "up", "item_id": "a\n"},
        {"rating": "up", "item_id": "x" * 101},
        {"comment": "   "},
        {"comment": "x" * 1001},
    ],
)
def test_what_is_no_opinion_is_refused(conversation, wrong):
    status, answer = post("feedback", {"session_id": str(conversation.pk), **wrong})
    assert (status, answer["error"]["code"]) == (400, "invalid_field")
    assert not Feedback.objects.exists()


def test_opinions_of_one_conversation_have_a_bound(conversation, monkeypatch):
    monkeypatch.setattr(opinions, "MAX_OPINIONS", 2)
    given = {"session_id": str(conversation.pk), "rating": "up"}
    statuses = [post("feedback", {**given, "item_id": f"a{n}"})[0] for n in range(4)]
    assert statuses == [200, 200, 400, 400]
    assert post("feedback", {**given, "item_id": "a0"})[0] == 200


def test_opinion_is_not_taken_for_another_widgets_conversation(conversation):
    other = Conversation.objects.create(
        widget=make_widget("other"), widget_slug="other"
    )
    assert post("feedback", {"session_id": str(other.pk), "rating": "up"})[0] == 400


def test_widget_that_does_not_ask_takes_no_opinion(conversation):
    conversation.widget.feedback = False
    conversation.widget.save()
    given = {"session_id": str(conversation.pk), "rating": "up"}
    assert post("feedback", given)[1]["error"]["code"] == "forbidden"
    assert public_config(conversation.widget)["feedbackUrl"] == ""


def test_opinion_of_a_page_that_may_not_use_the_widget_is_refused(conversation):
    given = {"session_id": str(conversation.pk), "rating": "up"}
    assert post("feedback", given, headers=FOREIGN)[1]["error"]["code"] == "origin"


def test_admin_shows_opinions_escaped_and_changes_none(conversation, admin_client):
    row = Feedback.objects.create(
        conversation=conversation, comment="<b>x</b>", rating="up"
    )
    page = admin_client.get("/admin/realtime_widget/feedback/").content.decode()
    assert "&lt;b&gt;x&lt;/b&gt;" in page
    address = f"/admin/realtime_widget/feedback/{row.pk}/change/"
    assert admin_client.post(address, {"rating": "down"}).status_code == 403
    assert admin_client.get("/admin/realtime_widget/consent/").status_code == 200
