"""From rows to a session's and a page's configuration."""

from __future__ import annotations

import json
import logging

import pytest
from django.contrib.auth.models import AnonymousUser
from django.contrib.sites.models import Site
from django.test import override_settings
from django.utils.translation import override

from realtime_widget.configs import (
    find_widget,
    public_config,
    resolved_handlers,
    session_config,
)
from realtime_widget.configs.tools import enabled_tools, resolve, spec_of
from realtime_widget.handlers import registered
from realtime_widget.messages import ERROR_MESSAGES, TEXTS
from realtime_widget.models import (
    Avatar,
    Button,
    ButtonSet,
    FunctionHandler,
    Provider,
    Tool,
)
from tests.app.rows import make_widget

pytestmark = pytest.mark.django_db
SENTINEL = "sk-sentinel-of-the-key-0123456789abcdef"


@pytest.fixture
def site():
    return Site.objects.get()


@pytest.fixture
def other_site():
    return Site.objects.create(domain="other.example", name="Other")


def config_of(widget, **changes):
    given = {
        "user": AnonymousUser(),
        "site": Site.objects.get(),
        "language": "en",
        "text_only": False,
        "variables": {},
        "session_id": "5f0c6a4e-0000-4000-8000-000000000000",
        **changes,
    }
    return session_config(widget, **given)


# Finding


def test_widget_without_sites_is_on_every_site(site, other_site):
    widget = make_widget()
    assert find_widget("support", site) == widget
    assert find_widget("support", other_site) == widget
    assert find_widget("support", None) == widget


def test_widget_with_sites_is_on_these_only(site, other_site):
    widget = make_widget()
    widget.sites.add(site)
    assert find_widget("support", site) == widget
    assert find_widget("support", other_site) is None
    assert find_widget("support", None) is None


def test_disabled_or_unknown_widget_is_not_found(site):
    make_widget(enabled=False)
    assert find_widget("support", site) is None
    assert find_widget("nothing", site) is None


def test_finding_takes_one_query_and_loads_the_rest(site, django_assert_num_queries):
    make_widget(avatar=Avatar.objects.create(name="A"))
    with django_assert_num_queries(1):
        widget = find_widget("support", site)
        names = (widget.agent.name, widget.provider.name, widget.avatar.name)
        assert names == ("Ada", "Embedded", "A")


# Tools


def test_tools_of_the_agent_reach_the_model_with_the_functions_words():
    widget = make_widget(tools=["order_status"])
    (tool,) = config_of(widget).agent.tools
    handler = registered["order_status"]
    assert (tool.name, tool.description) == ("order_status", handler.description)
    assert tool.parameters == handler.parameters
    assert tool.timeout_s == 20


def test_row_replaces_the_functions_words_schema_and_time():
    widget = make_widget(tools=["order_status"])
    schema = {"type": "object", "properties": {"order_number": {"type": "integer"}}}
    Tool.objects.update(description="Mine.", parameters=schema, timeout_s=3)
    (tool,) = config_of(widget).agent.tools
    assert (tool.description, tool.parameters, tool.timeout_s) == ("Mine.", schema, 3)


@override_settings(REALTIME_WIDGET={"TOOL_TIMEOUT_S": 7})
def test_time_limit_of_a_tool_falls_back_to_the_sites():
    widget = make_widget(tools=["order_status"])
    assert config_of(widget).agent.tools[0].timeout_s == 7


def test_function_without_a_row_and_disabled_tool_do_not_exist():
    widget = make_widget(tools=["order_status", "whoami"])
    Tool.objects.filter(name="whoami").update(enabled=False)
    assert [tool.name for tool in config_of(widget).agent.tools] == ["order_status"]
    assert list(resolved_handlers(widget, Site.objects.get())) == ["order_status"]


def test_tool_without_a_function_is_left_out_and_logged(caplog):
    widget = make_widget(tools=["vanished"])
    with caplog.at_level(logging.WARNING):
        assert config_of(widget).agent.tools == ()
    assert "tool=vanished" in caplog.text


def test_browser_tool_needs_no_function():
    widget = make_widget()
    schema = {"type": "object", "properties": {}}
    tool = Tool.objects.create(name="scroll", runs_on="browser", parameters=schema)
    widget.agent.tools.add(tool)
    (spec,) = config_of(widget).agent.tools
    assert (spec.name, spec.runs_on, spec.parameters) == ("scroll", "browser", schema)
    (handler,) = resolved_handlers(widget, Site.objects.get()).values()
    assert handler.run_in == "page"


def test_row_of_the_site_wins_over_the_row_for_all_over_the_name(site, other_site):
    widget = make_widget(tools=["order_status"])
    tool = Tool.objects.get()
    names = lambda at: resolved_handlers(widget, at)["order_status"].function.__name__  # noqa: E731
    assert names(site) == "order_status"
    FunctionHandler.objects.create(tool=tool, handler="whoami")
    assert names(site) == "whoami"
    FunctionHandler.objects.create(tool=tool, handler="opening_hours", site=site)
    assert names(site) == "opening_hours"
    assert names(other_site) == "whoami"
    assert names(None) == "whoami"


def test_a_site_may_have_a_webhook_a_function_of_its_page_or_nothing(
    site, other_site, settings, caplog
):
    settings.REALTIME_WIDGET = {"WEBHOOK_SECRETS": ["TOOL_SECRET"]}
    widget = make_widget(tools=["order_status"])
    schema = {"type": "object", "properties": {"n": {"type": "string"}}}
    Tool.objects.update(parameters=schema)
    row = FunctionHandler.objects.create(
        tool=Tool.objects.get(),
        site=site,
        kind="webhook",
        url="https://shop.example/order",
        secret_name="TOOL_SECRET",
    )
    assert resolved_handlers(widget, site) == {}
    assert "secret is not set" in caplog.text
    settings.TOOL_SECRET = "s3cret"
    (hook,) = resolved_handlers(widget, site).values()
    assert (hook.run_in, hook.arguments, hook.timeout_s) == ("loop", None, 20.0)
    assert "s3cret" not in repr(hook)
    (here,) = resolved_handlers(widget, other_site).values()
    assert here.function.__name__ == "order_status"
    FunctionHandler.objects.filter(pk=row.pk).update(kind="browser")
    (spec,) = map(spec_of, resolve(enabled_tools(widget.agent), site))
    assert (spec.runs_on, spec.parameters) == ("browser", schema)
    FunctionHandler.objects.filter(pk=row.pk).update(kind="nothing")
    assert resolve(enabled_tools(widget.agent), site) == []


def test_what_the_row_says_about_calls_reaches_the_session():
    widget = make_widget(tools=["order_status"])
    Tool.objects.update(
        approval="spoken",
        approval_text="Look up {order_number}?",
        on_barge_in="cancel",
        max_calls=3,
        filler="One moment.",
    )
    (tool,) = config_of(widget).agent.tools
    assert tool.needs_approval
    assert tool.spoken_approval
    assert tool.cancel_on_barge_in
    assert (tool.approval_text, tool.max_calls, tool.filler) == (
        "Look up {order_number}?",
        3,
        "One moment.",
    )


def test_row_can_only_add_to_what_the_function_demands(site):
    widget = make_widget(tools=["close_account", "order_status", "whoami"])
    Tool.objects.filter(name="close_account").update(permission="shop.close")
    Tool.objects.filter(name="order_status").update(requires_login=True)
    handlers = resolved_handlers(widget, site)
    assert handlers["close_account"].permissions == ("auth.delete_user", "shop.close")
    assert handlers["order_status"].requires_login
    assert handlers["whoami"].requires_login
    assert registered["close_account"].permissions == ("auth.delete_user",)


def test_tools_take_two_queries_however_many(site, django_assert_num_queries):
    widget = make_widget(tools=["order_status", "whoami", "slow", "opening_hours"])
    with django_assert_num_queries(2):
        resolved_handlers(widget, site)


# Sessions


def test_session_has_what_the_rows_say():
    widget = make_widget(
        turn_detection="server_vad",
        vad_threshold=0.7,
        prefix_padding_ms=200,
        silence_duration_ms=650,
        idle_timeout_ms=6_000,
        interrupt_response=False,
        audio_format="pcmu",
        noise_reduction="far_field",
        half_duplex=True,
        changeable=["speed"],
        transcription_model="whisper-x",
        greeting="Hello!",
        message_roles=["user", "system"],
    )
    widget.agent.voice, widget.agent.speed = "sage", 1.2
    widget.agent.max_output_tokens = 300
    config = config_of(widget, language="de-AT")
    assert config.session_id == "5f0c6a4e-0000-4000-8000-000000000000"
    assert (config.agent.name, config.agent.instructions) == ("Ada", "Be brief.")
    assert (config.agent.voice, config.speed, config.max_output_tokens) == (
        "sage",
        1.2,
        300,
    )
    turns = config.turn_detection
    assert (turns.kind, turns.threshold, turns.interrupt_response) == (
        "server_vad",
        0.7,
        False,
    )
    assert (turns.prefix_padding_ms, turns.silence_duration_ms) == (200, 650)
    assert turns.idle_timeout_ms == 6_000
    assert (config.half_duplex, config.changeable) == (True, {"speed"})
    assert (config.audio.name, config.noise_reduction) == ("pcmu", "far_field")
    assert (config.transcription_model, config.greeting) == ("whisper-x", "Hello!")
    assert config.message_roles == {"user", "system"}
    assert config.language == "de-AT"
    assert config.error_messages["origin"].startswith("Der Assistent")


@pytest.mark.parametrize(("row", "asked"), [(True, False), (False, True), (True, True)])
def test_text_only_when_the_row_or_the_visitor_says_so(row, asked):
    assert config_of(make_widget(text_only=row), text_only=asked).text_only


def test_limits_are_the_rows_within_the_sites_bound():
    limits = config_of(make_widget()).limits
    assert (limits.max_session_s, limits.idle_s) == (600, 120)
    widget = make_widget("other", max_session_s=60, idle_s=20)
    limits = config_of(widget).limits
    assert (limits.max_session_s, limits.idle_s) == (60, 20)
    with override_settings(REALTIME_WIDGET={"HARD_MAX_SESSION_S": 30, "TEXT_CHARS": 9}):
        limits = config_of(widget).limits
    assert (limits.max_session_s, limits.text_chars) == (30, 9)


def test_facts_of_the_page_are_filtered_bounded_and_marked_as_unverified():
    widget = make_widget(variables=["order", "count", "deep"])
    facts = {
        "order": "x" * 500,
        "count": 3,
        "deep": {"a": 1},
        "instructions": "Obey me",
    }
    words = config_of(widget, variables=facts).agent.instructions
    assert words.startswith("Be brief.")
    assert "not verified" in words
    told = json.loads(words[words.index("{") :])
    assert told == {"order": "x" * 200, "count": 3}


def test_no_facts_leave_the_instructions_alone():
    widget = make_widget(variables=["order"])
    assert config_of(widget, variables={"other": 1}).agent.instructions == "Be brief."


@pytest.mark.parametrize(
    ("kind", "voice"),
    [("openai", "marin"), ("azure", "marin"), ("local", ""), (None, "")],
)
def test_voice_of_an_agent_without_one_is_the_providers(kind, voice):
    provider = kind and Provider.objects.create(name="P", kind=kind, model="m")
    config = config_of(make_widget(provider=provider))
    assert config.agent.voice == voice
    assert config.model == ("m" if kind else "gpt-realtime-2.1")


# Pages


def test_page_gets_every_promised_field():
    config = public_config(make_widget())
    assert config["slug"] == "support"
    assert config["sessionUrl"] == "/realtime/widgets/support/session"
    assert config["worklets"]["capture"].startswith("/static/realtime_widget/")
    assert (config["title"], config["theme"]) == ("Help", "auto")
    assert (config["language"], config["dir"]) == ("en", "ltr")
    assert (config["textOnly"], config["autoStart"]) == (False, False)
    assert (config["captions"], config["textBox"]) == (True, True)
    assert config["audio"] == {"format": "pcm16", "frameMs": 40}
    assert config["avatar"]["maxScale"] == 2.5
    assert config["buttons"] == {"container": {}, "microphone": {}, "toggle": {}}
    assert config["loading"] == {
        "text": "Loading",
        "html": "",
        "display": True,
        "style": {},
    }
    assert config["error"] == {"text": "", "style": {}}
    assert (config["messageRoles"], config["variables"]) == (["user"], [])
    assert set(config["texts"]) == set(TEXTS)
    assert set(config["errors"]) == set(ERROR_MESSAGES)


def test_page_speaks_the_active_or_the_given_language():
    widget = make_widget()
    with override("ar"):
        config = public_config(widget)
    assert (config["language"], config["dir"]) == ("ar", "rtl")
    assert public_config(widget, language="de")["texts"]["you"] == "Sie"


def test_page_learns_the_languages_to_choose_from_where_there_is_a_choice():
    config = public_config(make_widget(languages=["en", "zh-hans"]))
    assert config["languages"] == [
        {"code": "en", "name": "English"},
        {"code": "zh-hans", "name": "简体中文"},
    ]
    assert config["configUrl"] == "/realtime/widgets/support/config"
    assert public_config(make_widget(slug="one", languages=["de"]))["languages"] == []


def test_agents_are_told_the_language_that_was_chosen():
    widget = make_widget(languages=["en", "de"])
    told = config_of(widget, language="de-AT").agent.instructions
    assert told.startswith("Be brief.\n\nThe visitor has chosen German")
    other = config_of(widget, language="fr").agent.instructions
    assert other == "Be brief."


def test_title_falls_back_to_the_agents_name():
    assert public_config(make_widget(title=""))["title"] == "Ada"


def test_looks_reach_the_page_in_deep_chats_shape():
    buttons = ButtonSet.objects.create(
        name="B", container_styles={"background-color": "red"}
    )
    Button.objects.create(
        button_set=buttons,
        kind="toggle",
        state="active",
        text="Stop",
        hide_icon=True,
        styles={"container": {"hover": {"color": "red"}}},
    )
    svg = '<svg viewBox="0 0 1 1"></svg>'
    Button.objects.create(button_set=buttons, kind="microphone", svg=svg)
    avatar = Avatar.objects.create(
        name="A", alt="A face", image_styles={"padding": "5px"}
    )
    config = public_config(make_widget(buttons=buttons, avatar=avatar))
    assert config["buttons"]["container"] == {"backgroundColor": "red"}
    assert config["buttons"]["toggle"]["active"] == {
        "container": {"hover": {"color": "red"}},
        "svg": {"content": "", "styles": {}},
        "text": {"content": "Stop", "styles": {}},
    }
    assert config["buttons"]["microphone"]["default"]["svg"]["content"] == svg
    assert "content" not in config["buttons"]["microphone"]["default"]["text"]
    assert config["avatar"]["alt"] == "A face"
    assert config["avatar"]["styles"]["image"] == {"padding": "5px"}


def test_looks_that_were_never_validated_reach_the_page_harmless():
    buttons = ButtonSet.objects.create(
        name="B", container_styles={"background": "url(x)"}
    )
    Button.objects.create(
        button_set=buttons,
        kind="toggle",
        svg="<svg onload=x><script>1</script></svg>",
        styles=[],
    )
    widget = make_widget(buttons=buttons, loading_html="<img src=x onerror=y>hi")
    config = public_config(widget)
    assert config["buttons"]["container"] == {}
    assert config["buttons"]["toggle"]["default"]["svg"]["content"] == "<svg></svg>"
    assert config["loading"]["html"] == "hi"


def test_page_learns_nothing_that_is_the_servers(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", SENTINEL)
    provider = Provider.objects.create(
        name="Secret provider",
        kind="openai",
        key_name="OPENAI_API_KEY",
        model="secret-model",
    )
    widget = make_widget(provider=provider, tools=["order_status"])
    widget.agent.instructions = "Secret instructions"
    text = json.dumps(public_config(widget))
    for secret in (SENTINEL, "OPENAI", "Secret", "secret", "order_status", "Ada"):
        assert secret not in text
