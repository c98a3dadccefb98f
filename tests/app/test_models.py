"""Rows: defaults, rules across fields, and what the database itself refuses."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth import get_user_model
from django.contrib.sites.models import Site
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.db import IntegrityError, models, transaction
from django.test import override_settings
from django.utils import timezone

from realtime_widget.models import (
    Agent,
    Button,
    ButtonSet,
    Conversation,
    FunctionHandler,
    Item,
    Provider,
    Tool,
    ToolCall,
    Usage,
    Widget,
)
from tests.app.rows import make_widget

pytestmark = pytest.mark.django_db


def errors_of(row) -> dict[str, list[str]]:
    with pytest.raises(ValidationError) as caught:
        row.full_clean()
    return caught.value.message_dict


def test_rows_made_with_the_least_are_valid():
    widget = Widget.objects.create(
        slug="support", agent=Agent.objects.create(name="Ada")
    )
    widget.full_clean()
    widget.agent.full_clean()
    Provider.objects.create(name="Engine").full_clean()
    Tool.objects.create(name="order_status").full_clean()
    assert widget.message_roles == ["user"]
    assert widget.provider is None


def test_migrations_hold_every_field():
    call_command(
        "makemigrations", "realtime_widget", check=True, dry_run=True, verbosity=0
    )


@pytest.mark.parametrize(
    "model", [Agent, Provider, Tool, Widget, Button, FunctionHandler]
)
def test_fields_an_editor_types_into_have_words(model):
    for field in model._meta.get_fields():
        if (
            not isinstance(field, models.Field)
            or field.primary_key
            or not field.editable
        ):
            continue
        assert field.verbose_name
        plain = (
            isinstance(field, models.BooleanField | models.ForeignKey) or field.choices
        )
        assert field.help_text or plain or field.name == "name", field


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("vad_threshold", 1.1),
        ("vad_threshold", -0.1),
        ("prefix_padding_ms", 5_001),
        ("silence_duration_ms", 99),
        ("idle_timeout_ms", 4_999),
        ("idle_timeout_ms", 30_001),
        ("max_session_s", 9),
        ("max_session_s", 3_301),
        ("idle_s", 1),
        ("idle_s", 4_000),
        ("audio_format", "mp3"),
        ("noise_reduction", "loud"),
        ("eagerness", "eager"),
        ("allowed_origins", ["https://x.example/"]),
        ("texts", {"beginn": "x"}),
        ("texts", {"start": ""}),
        ("loading_html", "<script></script>"),
        ("loading_styles", {"color": "url(x)"}),
        ("error_styles", ["color"]),
        ("message_roles", ["root"]),
        ("variables", ["a b"]),
        ("slug", "two words"),
    ],
)
def test_widget_refuses_the_impossible_beside_the_field(field, value):
    widget = make_widget()
    setattr(widget, field, value)
    assert field in errors_of(widget)


@override_settings(REALTIME_WIDGET={"HARD_MAX_SESSION_S": 60})
def test_longest_session_follows_the_sites_bound():
    assert "60" in errors_of(make_widget(max_session_s=61))["max_session_s"][0]


def test_idle_timeout_needs_turns_by_silence():
    widget = make_widget(idle_timeout_ms=6_000, turn_detection="semantic_vad")
    assert "silence" in errors_of(widget)["idle_timeout_ms"][0]


def test_text_only_widget_needs_its_text_box():
    assert "text_box" in errors_of(make_widget(text_only=True, text_box=False))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("speed", 0.2),
        ("speed", 1.6),
        ("max_output_tokens", 0),
        ("max_output_tokens", 4_097),
    ],
)
def test_agent_refuses_the_impossible_beside_the_field(field, value):
    assert field in errors_of(Agent(name="Ada", **{field: value}))


def test_database_refuses_a_speed_and_a_threshold_out_of_range():
    with pytest.raises(IntegrityError), transaction.atomic():
        Agent.objects.create(name="Fast", speed=9)
    with pytest.raises(IntegrityError), transaction.atomic():
        make_widget(vad_threshold=2)


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"name": "a b"}, "name"),
        ({"parameters": {"type": "string"}}, "parameters"),
        ({"timeout_s": 0}, "timeout_s"),
        ({"timeout_s": 121}, "timeout_s"),
        ({"permission": "view_order"}, "permission"),
        ({"runs_on": "browser"}, "parameters"),
    ],
)
def test_tool_refuses_the_impossible_beside_the_field(fields, field):
    assert field in errors_of(Tool(**{"name": "order_status", **fields}))


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"kind": "azure", "key_name": "OPENAI_API_KEY"}, "base_url"),
        ({"kind": "compatible"}, "base_url"),
        ({"kind": "openai"}, "key_name"),
        ({"base_url": "http://127.0.0.1:1/"}, "base_url"),
        ({"key_name": "sk-abc"}, "key_name"),
        ({"key_name": "SECRET_KEY"}, "key_name"),
    ],
)
def test_provider_refuses_the_impossible_beside_the_field(fields, field):
    assert field in errors_of(Provider(name="P", **fields))


def test_one_function_a_site_and_one_for_all_others():
    tool, site = Tool.objects.create(name="t"), Site.objects.get()
    FunctionHandler.objects.create(tool=tool, handler="a")
    FunctionHandler.objects.create(tool=tool, handler="b", site=site)
    for other in (None, site):
        assert errors_of(FunctionHandler(tool=tool, handler="c", site=other))
        with pytest.raises(IntegrityError), transaction.atomic():
            FunctionHandler.objects.create(tool=tool, handler="c", site=other)


def test_button_keeps_its_icon_cleaned():
    button = Button(
        button_set=ButtonSet.objects.create(name="Round"),
        kind="toggle",
        svg='<svg id="x" viewBox="0 0 1 1"><path d="M0 0"/></svg>',
    )
    button.full_clean()
    assert button.svg == '<svg viewBox="0 0 1 1"><path d="M0 0"></path></svg>'
    button.svg = "<svg onload=x></svg>"
    assert "svg" in errors_of(button)


def test_agent_and_provider_in_use_cannot_be_deleted():
    widget = make_widget()
    with pytest.raises(models.ProtectedError):
        widget.agent.delete()
    with pytest.raises(models.ProtectedError):
        widget.provider.delete()


def test_conversation_outlives_its_widget_user_and_site():
    user = get_user_model().objects.create(username="ada")
    site = Site.objects.create(domain="other.example", name="Other")
    widget = make_widget()
    conversation = Conversation.objects.create(
        widget=widget, widget_slug=widget.slug, user=user, site=site
    )
    for row in (widget, user, site):
        row.delete()
    conversation.refresh_from_db()
    assert (conversation.widget, conversation.user, conversation.site) == (None,) * 3
    assert conversation.widget_slug == "support"


def test_item_and_call_are_recorded_once_and_go_with_the_conversation():
    conversation = Conversation.objects.create()
    Item.objects.create(conversation=conversation, item_id="i1", text="Hello")
    ToolCall.objects.create(conversation=conversation, call_id="c1", name="t")
    Usage.objects.create(conversation=conversation)
    with pytest.raises(IntegrityError), transaction.atomic():
        Item.objects.create(conversation=conversation, item_id="i1")
    with pytest.raises(IntegrityError), transaction.atomic():
        ToolCall.objects.create(conversation=conversation, call_id="c1", name="t")
    conversation.delete()
    assert not Item.objects.exists()
    assert not ToolCall.objects.exists()
    assert not Usage.objects.exists()


def test_failed_connection_is_noted_with_its_reason():
    provider = Provider.objects.create(name="P")
    provider.note_health(ok=False, reason="401 " + "x" * 300)
    provider.refresh_from_db()
    assert provider.health_state == "failing"
    assert provider.health_reason.startswith("401")
    assert provider.health_at is not None


def test_working_connection_clears_the_reason_and_is_written_once_a_minute(
    django_assert_num_queries,
):
    provider = Provider.objects.create(name="P")
    provider.note_health(ok=False, reason="401")
    provider.note_health(ok=True)
    provider.refresh_from_db()
    assert (provider.health_state, provider.health_reason) == ("ok", "")
    first = provider.health_at
    provider.note_health(ok=True)
    provider.refresh_from_db()
    assert provider.health_at == first
    Provider.objects.update(health_at=timezone.now() - timedelta(minutes=2))
    with django_assert_num_queries(1):
        provider.note_health(ok=True)
    provider.refresh_from_db()
    assert provider.health_at > first


def test_rows_name_themselves():
    widget = make_widget(title="")
    assert str(widget) == "support"
    assert str(widget.agent) == "Ada"
    assert str(FunctionHandler(tool=Tool(name="t"), handler="f")) == "t → f"
