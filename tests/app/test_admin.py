"""The admin: what each page shows, to whom, and what it never shows."""

from __future__ import annotations

import io
import re

import pytest
from django.contrib.auth.models import Permission, User
from django.contrib.sites.models import Site
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.urls import reverse
from django.utils.translation import override
from PIL import Image

from realtime_widget.admin.records import REASONS
from realtime_widget.models import (
    Agent,
    Avatar,
    Button,
    ButtonSet,
    Conversation,
    FunctionHandler,
    Item,
    Provider,
    Quota,
    Tool,
    ToolCall,
    Usage,
    Widget,
)
from realtime_widget.protocol.browser import STOP_REASONS
from tests.app.rows import make_widget

pytestmark = pytest.mark.django_db
MODELS = [Agent, Avatar, ButtonSet, Conversation, Provider, Tool, Widget]
SENTINEL = "sk-sentinel-of-the-key-0123456789abcdef"


def url(model, page, *args) -> str:
    return reverse(f"admin:realtime_widget_{model.__name__.lower()}_{page}", args=args)


def staff_client(client, *codenames):
    user = User.objects.create_user("staff", password="x", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    client.force_login(user)
    return client


def form_of(client, address) -> dict[str, str]:
    """Return what the page's form would send unchanged."""
    form = client.get(address).context["adminform"].form
    data = {name: form[name].value() for name in form.fields}
    formsets = client.get(address).context["inline_admin_formsets"]
    for formset in (inline.formset for inline in formsets):
        for name in formset.management_form.fields:
            data[f"{formset.prefix}-{name}"] = formset.management_form[name].value()
    return {
        k: v for k, v in data.items() if v is not None and v is not False and v != []
    }


def errors_of(response) -> dict[str, str]:
    assert response.status_code == 200
    form = response.context["adminform"].form
    return {name: " ".join(words) for name, words in form.errors.items()}


def conversation(**fields) -> Conversation:
    row = Conversation.objects.create(widget_slug="support", **fields)
    Item.objects.create(conversation=row, item_id="i", text="SPOKEN-WORDS <b>x</b>")
    ToolCall.objects.create(
        conversation=row,
        call_id="c",
        name="order_status",
        arguments="ARGS-1",
        output="OUT-1",
    )
    Usage.objects.create(
        conversation=row, model="m", audio_in=41, text_out=7, raw={"total": 48}
    )
    return row


# Every page


@pytest.mark.parametrize("model", MODELS)
def test_list_search_and_form_open(model, admin_client):
    make_widget(tools=["order_status"], avatar=Avatar.objects.create(name="A"))
    FunctionHandler.objects.create(tool=Tool.objects.get(), handler="gone")
    Button.objects.create(button_set=ButtonSet.objects.create(name="B"), kind="toggle")
    conversation()
    assert admin_client.get(url(model, "changelist")).status_code == 200
    assert admin_client.get(url(model, "changelist"), {"q": "x"}).status_code == 200
    row = model.objects.get()
    assert admin_client.get(url(model, "change", row.pk)).status_code == 200


@pytest.mark.parametrize("model", [m for m in MODELS if m is not Conversation])
def test_empty_form_opens_for_adding(model, admin_client):
    assert admin_client.get(url(model, "add")).status_code == 200


@pytest.mark.parametrize("model", MODELS)
def test_list_takes_as_many_queries_for_many_rows_as_for_one(
    model, admin_client, django_assert_max_num_queries
):
    for number in range(8):
        make_widget(f"w{number}", agent=Agent.objects.create(name=f"A{number}"))
        conversation(user=User.objects.create(username=f"u{number}"))
        Tool.objects.create(name=f"t{number}").agents.set(Agent.objects.all())
        Avatar.objects.create(name=f"v{number}")
        ButtonSet.objects.create(name=f"b{number}")
        Provider.objects.create(name=f"p{number}")
    with django_assert_max_num_queries(14):
        admin_client.get(url(model, "changelist"))


def test_stranger_sees_nothing(client):
    widget = make_widget()
    for address in (url(Widget, "changelist"), url(Widget, "preview", widget.pk)):
        assert client.get(address).status_code == 302


# Widgets


def test_editor_makes_a_widget_from_nothing(admin_client):
    agent = Agent.objects.create(name="Ada")
    data = form_of(admin_client, url(Widget, "add"))
    response = admin_client.post(
        url(Widget, "add"), {**data, "slug": "help", "agent": agent.pk}
    )
    assert response.status_code == 302
    widget = Widget.objects.get()
    assert (widget.slug, widget.message_roles, widget.vad_threshold) == (
        "help",
        ["user"],
        0.5,
    )


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("vad_threshold", "2", "less than or equal to 1"),
        ("vad_threshold", "nan", "number"),
        ("silence_duration_ms", "5", "greater than or equal to 100"),
        ("allowed_origins", '["https://x.example/"]', "origin"),
        ("allowed_origins", "{nonsense", "valid JSON"),
        ("loading_html", "<script>x</script>", "<script>"),
        ("loading_styles", '{"background": "url(x)"}', "url()"),
        ("texts", '{"beginn": "x"}', "beginn"),
        ("max_session_s", "999999", "3300"),
        ("agent", "", "required"),
        ("turn_detection", "magic", "not one of the available choices"),
        ("changeable", '["instructions"]', "instructions"),
        ("changeable", '{"speed": 1}', "JSON list"),
    ],
)
def test_bad_row_is_refused_beside_the_field(admin_client, field, value, words):
    widget = make_widget()
    address = url(Widget, "change", widget.pk)
    response = admin_client.post(
        address, {**form_of(admin_client, address), field: value}
    )
    assert words in errors_of(response)[field]


def test_widget_shows_the_tag_to_copy(admin_client):
    html = admin_client.get(url(Widget, "change", make_widget().pk)).content.decode()
    assert "{% load realtime_widget %}{% realtime_widget &quot;support&quot; %}" in html
    assert "{{ realtime_widget(&quot;support&quot;) }}" in html


def test_preview_renders_the_real_tag(admin_client):
    widget = make_widget()
    html = admin_client.get(url(Widget, "preview", widget.pk)).content.decode()
    assert '<realtime-widget slug="support"' in html
    assert "switched off" not in html


def test_preview_of_a_disabled_widget_says_so(admin_client):
    widget = make_widget(enabled=False)
    html = admin_client.get(url(Widget, "preview", widget.pk)).content.decode()
    assert "<realtime-widget" in html
    assert "switched off" in html


def test_preview_needs_the_permission_to_view_widgets(client):
    widget = make_widget()
    staff_client(client)
    assert client.get(url(Widget, "preview", widget.pk)).status_code == 403
    client.logout()
    User.objects.all().delete()
    staff_client(client, "view_widget")
    assert client.get(url(Widget, "preview", widget.pk)).status_code == 200


def test_preview_of_no_widget_is_not_found(admin_client):
    assert admin_client.get(url(Widget, "preview", 7)).status_code == 404


def test_duplicate_makes_a_switched_off_copy_with_its_sites(admin_client):
    widget = make_widget(greeting="Hello", variables=["order"])
    widget.sites.add(Site.objects.get())
    for _ in range(2):
        data = {"action": "duplicate", "_selected_action": [widget.pk]}
        response = admin_client.post(url(Widget, "changelist"), data, follow=True)
        assert "switched off" in response.content.decode()
    copies = Widget.objects.exclude(pk=widget.pk)
    assert [copy.slug for copy in copies] == ["support-2", "support-3"]
    for copy in copies:
        assert (copy.enabled, copy.greeting, copy.variables) == (
            False,
            "Hello",
            ["order"],
        )
        assert list(copy.sites.all()) == [Site.objects.get()]
    widget.refresh_from_db()
    assert widget.enabled


# Tools


def tool_data(**changes):
    prefix = "handlers-"
    counts = {
        "TOTAL_FORMS": 0,
        "INITIAL_FORMS": 0,
        "MIN_NUM_FORMS": 0,
        "MAX_NUM_FORMS": 9,
    }
    data = {
        "name": "order_status",
        "parameters": "{}",
        "enabled": "on",
        "runs_on": "server",
        "approval": "never",
        "on_barge_in": "keep",
    }
    kinds = {f"{prefix}{n}-kind": "function" for n in range(2)}
    counted = {prefix + name: n for name, n in counts.items()}
    return {**data, **counted, **kinds, **changes}


def test_tool_shows_what_it_calls_on_each_site(admin_client, settings):
    settings.REALTIME_WIDGET = {"WEBHOOK_SECRETS": ["TOOL_SECRET"]}
    tool = Tool.objects.create(name="order_status")
    site = Site.objects.create(domain="shop.example", name="shop")
    FunctionHandler.objects.create(
        tool=tool,
        site=site,
        kind="webhook",
        url="https://shop.example/tools/order",
        secret_name="TOOL_SECRET",
    )
    html = admin_client.get(url(Tool, "change", tool.pk)).content.decode()
    assert "shop.example: Webhook <code>https://shop.example/tools/order</code>" in html
    assert "other sites: <code>tests.site.realtime_tools.order_status</code>" in html
    FunctionHandler.objects.create(tool=tool, kind="nothing")
    html = admin_client.get(url(Tool, "change", tool.pk)).content.decode()
    assert "other sites: Nothing" in html


def test_tool_of_a_functions_name_needs_nothing_more(admin_client):
    response = admin_client.post(url(Tool, "add"), tool_data())
    assert response.status_code == 302
    html = admin_client.get(url(Tool, "change", Tool.objects.get().pk)).content.decode()
    assert "tests.site.realtime_tools.order_status" in html
    assert "order_number" in html


def test_tool_without_a_function_needs_a_description(admin_client):
    response = admin_client.post(url(Tool, "add"), tool_data(name="mystery"))
    assert "no function of this name" in errors_of(response)["description"]


def test_bad_schema_is_refused_with_its_place(admin_client):
    schema = '{"type": "object", "properties": {"a": {"type": "strng"}}}'
    response = admin_client.post(url(Tool, "add"), tool_data(parameters=schema))
    assert "“a”" in errors_of(response)["parameters"]


@pytest.mark.parametrize(("name", "status"), [("whoami", 302), ("nowhere", 200)])
def test_handler_must_be_a_function_that_exists(admin_client, name, status):
    data = tool_data(**{"handlers-TOTAL_FORMS": 1, "handlers-0-handler": name})
    response = admin_client.post(url(Tool, "add"), data)
    assert response.status_code == status
    if status == 200:
        (inline,) = response.context["inline_admin_formsets"]
        assert "nowhere" in " ".join(inline.formset.errors[0]["handler"])
        assert "whoami" in " ".join(inline.formset.errors[0]["handler"])


def test_second_function_for_every_site_is_refused(admin_client):
    data = tool_data(
        **{
            "handlers-TOTAL_FORMS": 2,
            "handlers-0-handler": "whoami",
            "handlers-1-handler": "slow",
        }
    )
    response = admin_client.post(url(Tool, "add"), data)
    (inline,) = response.context["inline_admin_formsets"]
    assert "every site" in inline.formset.errors[1]["site"][0]
    assert not Tool.objects.exists()


def test_tool_names_the_function_of_each_site(admin_client):
    tool = Tool.objects.create(name="order_status")
    FunctionHandler.objects.create(tool=tool, handler="whoami", site=Site.objects.get())
    html = admin_client.get(url(Tool, "change", tool.pk)).content.decode()
    assert "example.com: <code>tests.site.realtime_tools.whoami" in html
    assert "other sites: <code>tests.site.realtime_tools.order_status" in html
    FunctionHandler.objects.create(tool=tool, handler="vanished")
    html = admin_client.get(url(Tool, "changelist")).content.decode()
    assert "no function “vanished”" in html


# Looks


def test_picture_is_taken_and_a_disguised_one_refused(admin_client, settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    buffer = io.BytesIO()
    Image.new("RGB", (4, 4)).save(buffer, "PNG")
    data = {
        "name": "A",
        "max_scale": "2.5",
        "image_styles": "{}",
        "container_styles": "{}",
    }
    svg = SimpleUploadedFile("a.png", b"<svg onload='alert(1)'/>", "image/png")
    response = admin_client.post(url(Avatar, "add"), {**data, "image": svg})
    assert "image" in errors_of(response)
    png = SimpleUploadedFile("a.png", buffer.getvalue(), "image/png")
    assert (
        admin_client.post(url(Avatar, "add"), {**data, "image": png}).status_code == 302
    )
    assert Avatar.objects.get().image.name.startswith("realtime_widget/avatars/")


def test_unsafe_icon_is_refused_beside_the_field(admin_client):
    data = {
        "name": "B",
        "container_styles": "{}",
        "buttons-TOTAL_FORMS": 1,
        "buttons-INITIAL_FORMS": 0,
        "buttons-0-kind": "toggle",
        "buttons-0-state": "default",
        "buttons-0-svg": '<svg onload="alert(1)"></svg>',
        "buttons-0-styles": "{}",
    }
    response = admin_client.post(url(ButtonSet, "add"), data)
    (inline,) = response.context["inline_admin_formsets"]
    assert "onload" in " ".join(inline.formset.errors[0]["svg"])
    data["buttons-0-svg"] = "<svg></svg>"
    assert admin_client.post(url(ButtonSet, "add"), data).status_code == 302


# Providers


def provider_data(**changes):
    return {"name": "P", "kind": "openai", "dialect": "auto", "model": "m", **changes}


def test_key_itself_is_refused_and_not_sent_back(admin_client):
    data = provider_data(key_name=SENTINEL)
    response = admin_client.post(url(Provider, "add"), data)
    assert "environment" in errors_of(response)["key_name"]
    assert SENTINEL not in response.content.decode()
    assert not Provider.objects.exists()


def test_inner_address_is_refused_beside_the_field(admin_client):
    data = provider_data(kind="compatible", base_url="http://169.254.169.254/")
    response = admin_client.post(url(Provider, "add"), data)
    assert "UPSTREAM_HOSTS" in errors_of(response)["base_url"]


@pytest.mark.parametrize(
    ("place", "words"),
    [
        ("environment", "found in the environment variable OPENAI_API_KEY"),
        ("settings", "found in the setting OPENAI_API_KEY"),
        ("", "not set"),
    ],
)
def test_admin_says_where_the_key_is_and_never_the_key(
    admin_client, monkeypatch, settings, place, words
):
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    if place == "environment":
        monkeypatch.setenv("OPENAI_API_KEY", SENTINEL)
    elif place == "settings":
        settings.OPENAI_API_KEY = SENTINEL
    provider = Provider.objects.create(
        name="P", kind="openai", key_name="OPENAI_API_KEY"
    )
    for address in (url(Provider, "changelist"), url(Provider, "change", provider.pk)):
        html = admin_client.get(address).content.decode()
        assert words in html
        assert SENTINEL not in html


def test_admin_shows_why_a_provider_fails(admin_client):
    provider = Provider.objects.create(name="P")
    provider.note_health(False, "The key was refused <401>")
    html = admin_client.get(url(Provider, "change", provider.pk)).content.decode()
    assert "Failing" in html
    assert "The key was refused &lt;401&gt;" in html


# Records


def test_reader_of_transcripts_sees_the_words_escaped(client):
    row = conversation()
    staff_client(client, "view_conversation", "view_transcript")
    html = client.get(url(Conversation, "change", row.pk)).content.decode()
    for words in (
        "SPOKEN-WORDS &lt;b&gt;",
        "ARGS-1",
        "OUT-1",
        "order_status",
        "41 audio",
    ):
        assert words in html


def test_others_see_the_course_but_not_the_words(client):
    row = conversation(reason="user", duration_s=65.4)
    staff_client(client, "view_conversation")
    for address in (
        url(Conversation, "change", row.pk),
        url(Conversation, "changelist"),
        url(Conversation, "history", row.pk),
    ):
        html = client.get(address).content.decode()
        assert not re.search("SPOKEN-WORDS|ARGS-1|OUT-1", html)
    html = client.get(url(Conversation, "change", row.pk)).content.decode()
    assert "1:05" in html
    assert "order_status" in html


def test_words_are_no_oracle_for_the_search(client):
    conversation()
    staff_client(client, "view_conversation")
    response = client.get(url(Conversation, "changelist"), {"q": "SPOKEN-WORDS"})
    assert response.context["cl"].result_count == 0


@pytest.mark.parametrize("given", ["id", "slug", "user", "error"])
def test_records_are_found_by_what_a_log_line_holds(admin_client, given):
    user = User.objects.create(username="carol")
    row = conversation(user=user, error_code="upstream_auth")
    Conversation.objects.create(widget_slug="other")
    words = {
        "id": str(row.id),
        "slug": "support",
        "user": "carol",
        "error": "upstream_auth",
    }
    response = admin_client.get(url(Conversation, "changelist"), {"q": words[given]})
    assert list(response.context["cl"].result_list) == [row]


def test_records_cannot_be_added_or_changed(admin_client):
    row = conversation()
    assert admin_client.get(url(Conversation, "add")).status_code == 403
    response = admin_client.post(url(Conversation, "change", row.pk), {"reason": "x"})
    assert response.status_code == 403


def test_records_are_deleted_only_with_the_permission(client):
    row = conversation()
    staff_client(client, "view_conversation", "view_transcript")
    address = url(Conversation, "delete", row.pk)
    assert client.post(address, {"post": "yes"}).status_code == 403
    User.objects.get().user_permissions.add(
        Permission.objects.get(codename="delete_conversation")
    )
    assert client.post(address, {"post": "yes"}).status_code == 302
    assert not Conversation.objects.exists()
    assert not Item.objects.exists()


def test_deletion_page_does_not_leak_the_words(client):
    row = conversation()
    staff_client(client, "view_conversation", "delete_conversation")
    html = client.get(url(Conversation, "delete", row.pk)).content.decode()
    assert not re.search("SPOKEN-WORDS|ARGS-1|OUT-1", html)


# The command


def test_sync_makes_a_row_for_each_function_without_one(capsys):
    FunctionHandler.objects.create(
        tool=Tool.objects.create(name="mine"), handler="whoami"
    )
    Tool.objects.create(name="order_status", description="Mine.")
    Tool.objects.create(name="lost")
    call_command("realtime_sync_tools", dry_run=True)
    assert Tool.objects.count() == 3
    call_command("realtime_sync_tools", agent="Ada")
    names = set(Tool.objects.values_list("name", flat=True))
    assert {"slow", "opening_hours", "order_status", "mine", "lost"} <= names
    assert "whoami" not in names
    assert Tool.objects.get(name="order_status").description == "Mine."
    assert Agent.objects.get().tools.filter(name="slow").exists()
    assert "lost: this function is gone" in capsys.readouterr().err
    count = Tool.objects.count()
    call_command("realtime_sync_tools")
    assert Tool.objects.count() == count
    assert "0 tools created" in capsys.readouterr().out


def test_every_end_of_a_conversation_has_words():
    assert set(REASONS) == set(STOP_REASONS)


def test_numbers_are_written_without_zeros_that_say_nothing(admin_client):
    quota = Quota.objects.create(name="q", scope="site", unit="seconds", limit=3_600)
    listed = reverse("admin:realtime_widget_quota_changelist")
    with override("en"):
        page = admin_client.get(listed, headers={"accept-language": "de"})
        assert ">3.600</td>" in page.content.decode()
        address = reverse("admin:realtime_widget_quota_change", args=[quota.pk])
        assert 'value="3600"' in admin_client.get(address).content.decode()


@pytest.mark.parametrize(("kind", "told"), [("local", True), ("openai", False)])
def test_the_engine_is_explained_where_it_is_the_provider(admin_client, kind, told):
    row = Provider.objects.create(name="p", kind=kind, model="gpt-realtime-2.1")
    address = reverse("admin:realtime_widget_provider_change", args=[row.pk])
    page = admin_client.get(address).content.decode()
    assert ("speaks English only" in page) == told
