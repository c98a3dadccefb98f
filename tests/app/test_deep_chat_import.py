"""The import from deep-chat: rows from its JSON, and a word about each field."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from django.contrib.auth.models import Permission, User
from django.core.exceptions import ValidationError
from django.urls import reverse

from realtime_widget.configs import public_config
from realtime_widget.configs.deep_chat import import_deep_chat, parse_direct_connection
from realtime_widget.models import Agent, Avatar, ButtonSet, Tool, Widget
from tests.app.rows import make_widget

pytestmark = pytest.mark.django_db
SAMPLES = Path(__file__).resolve().parents[1] / "data" / "deep_chat"
ADDRESS = "admin:realtime_widget_widget_import"


def sample(name: str) -> dict:
    return json.loads((SAMPLES / f"{name}.json").read_text())


def take(given: dict, slug: str = "moved", **options):
    """Import a ``directConnection``; return the widget and its notes by path."""
    realtime = parse_direct_connection(json.dumps(given))
    imported = import_deep_chat(realtime, slug, **options)
    notes = {note.path: (note.outcome, note.why) for note in imported.notes}
    return Widget.objects.get(slug=slug), notes


def realtime(**options) -> dict:
    return {"openAI": {"realtime": options}}


def outcomes(notes) -> dict[str, str]:
    return {path: outcome for path, (outcome, _) in notes.items()}


# --- the samples that are printed on deep-chat's page ------------------------------


def test_true_makes_a_widget_that_looks_as_before():
    widget, notes = take(sample("plain"))
    assert (widget.skin, widget.captions, widget.text_box) == ("classic", False, False)
    assert widget.agent.name == "moved"
    assert outcomes(notes) == {"key": "left_out"}
    assert "revoke" in notes["key"][1]


def test_avatar_is_taken_but_for_its_address():
    widget, notes = take(sample("avatar"))
    assert widget.avatar.max_scale == 3.5
    assert widget.avatar.image_styles == {"padding": "5px"}
    assert widget.avatar.container_styles == {"height": "60%"}
    assert outcomes(notes) == {
        "avatar.src": "left_out",
        "avatar.maxScale": "taken",
        "avatar.styles.image": "taken",
        "avatar.styles.container": "taken",
    }


def test_buttons_are_taken():
    widget, notes = take(sample("buttons"))
    assert set(outcomes(notes).values()) == {"taken"}
    config = public_config(widget)["buttons"]
    assert config["container"] == {"backgroundColor": "#f7f7f7"}
    assert config["microphone"]["default"]["svg"]["content"].startswith("<svg")
    toggle = config["toggle"]["default"]
    assert "content" not in toggle["svg"]
    assert toggle["svg"]["styles"]["default"]["filter"].startswith("brightness(0)")


def test_loading_error_and_sheet_are_taken():
    css = (SAMPLES / "ripple.css").read_text()
    both = realtime(
        **sample("loading")["openAI"]["realtime"],
        **sample("error")["openAI"]["realtime"],
    )
    widget, notes = take(both, auxiliary_style=css)
    assert set(outcomes(notes).values()) == {"taken"}
    config = public_config(widget)
    assert (
        config["loading"]["html"]
        == '<div class="lds-ripple"><div></div><div></div></div>'
    )
    assert config["loading"]["style"] == {"top": "20px"}
    assert config["error"] == {"text": "Custom Error!", "style": {"color": "orange"}}
    assert "@keyframes lds-ripple" in config["auxiliaryStyle"]


def test_everything_at_once_tells_about_every_field():
    widget, notes = take(sample("everything"))
    assert outcomes(notes) == {
        "autoStart": "taken",
        "avatar.maxScale": "taken",
        "avatar.styles.image": "taken",
        "avatar.styles.container": "taken",
        "buttons.container": "taken",
        "buttons.microphone.default.svg.content": "taken",
        "buttons.microphone.default.text.styles": "taken",
        "buttons.microphone.default.text.content": "taken",
        "buttons.microphone.active.text.content": "taken",
        "buttons.microphone.unavailable.container": "taken",
        "buttons.toggle.default.svg.content": "taken",
        "buttons.toggle.default.container": "taken",
        "buttons.toggle.default.svg.styles": "taken",
        "loading.text": "taken",
        "loading.display": "taken",
        "loading.html": "taken",
        "loading.style": "taken",
        "error.text": "taken",
        "error.style": "taken",
        "config.model": "left_out",
        "config.instructions": "taken",
        "config.voice": "taken",
        "config.temperature": "left_out",
        "config.max_response_output_tokens": "taken",
        "config.turn_detection.type": "taken",
        "config.turn_detection.threshold": "taken",
        "config.turn_detection.prefix_padding_ms": "taken",
        "config.turn_detection.silence_duration_ms": "taken",
        "config.input_audio_transcription": "changed",
        "config.tool_choice": "left_out",
        "config.tools[0]": "taken",
        "config.tools[1]": "left_out",
    }
    agent = widget.agent
    assert agent.instructions == "Answer only with yes or no"
    assert (agent.voice, agent.max_output_tokens) == ("alloy", 500)
    assert (widget.vad_threshold, widget.prefix_padding_ms) == (0.4, 250)
    assert widget.silence_duration_ms == 400
    tool = agent.tools.get()
    assert (tool.name, tool.runs_on) == ("get_current_weather", "browser")
    buttons = public_config(widget)["buttons"]
    assert buttons["microphone"]["default"]["svg"]["content"] == ""
    assert buttons["microphone"]["default"]["text"]["content"] == "Mute"
    hover = buttons["toggle"]["default"]["container"]["hover"]
    assert hover == {"backgroundColor": "#c9e9db"}


# --- what is changed or left out ----------------------------------------------------


def test_unsafe_parts_are_taken_out_and_named():
    given = realtime(
        avatar={
            "maxScale": 9,
            "styles": {"image": {"padding": "5px", "background": "url(https://far.example/)"}},
        },
        buttons={
            "toggle": {
                "default": {
                    "svg": {
                        "content": '<?xml version="1.0"?><svg><script>1</script><path d="M0 0"/></svg>',
                        "styles": {"hover": {"behavior": "x"}},
                    }
                }
            }
        },
        loading={"html": '<div class="a"></div><img src="x" onerror="1">', "text": "x" * 101},
    )  # fmt: skip
    widget, notes = take(given, auxiliary_style=".a { background: url(x); color: red }")
    assert outcomes(notes) == {
        "avatar.maxScale": "left_out",
        "avatar.styles.image": "changed",
        "buttons.toggle.default.svg.content": "changed",
        "buttons.toggle.default.svg.styles": "left_out",
        "loading.text": "left_out",
        "loading.html": "changed",
        "auxiliaryStyle": "changed",
    }
    assert notes["avatar.styles.image"][1] == "Not allowed here: background."
    assert "<script>" in notes["buttons.toggle.default.svg.content"][1]
    assert widget.loading_html == '<div class="a"></div>'
    assert "script" not in widget.buttons.buttons.get().svg
    assert widget.avatar.max_scale == 2.5


@pytest.mark.parametrize("wrong", [True, "x", 3, [], None])
@pytest.mark.parametrize(
    "place", ["avatar", "buttons", "loading", "error", "config", "events", "unknown"]
)
def test_option_of_the_wrong_kind_is_told_and_breaks_nothing(place, wrong):
    _, notes = take(realtime(**{place: wrong}))
    assert set(outcomes(notes).values()) <= {"left_out"}


@pytest.mark.parametrize(
    "given",
    [
        {"avatar": {"styles": {"image": "x", "container": 3}, "maxScale": "big"}},
        {"buttons": {"microphone": {"default": {"svg": {"content": 3}, "text": {"content": [1]}}}}},
        {"loading": {"html": 3, "display": "perhaps", "style": []}},
        {"error": {"text": {"a": 1}, "style": None}},
        {"config": {"tools": [3, {"type": "function"}, {"name": "bad name!"}]}},
        {"config": {"turn_detection": {"type": "magic", "threshold": "high", "x": 1}}},
        {"config": {"max_response_output_tokens": "many", "input_audio_transcription": 3}},
        {"autoStart": "x"},
    ],
)  # fmt: skip
def test_value_of_the_wrong_kind_is_left_out_and_told(given):
    widget, notes = take(realtime(**given))
    assert notes
    assert "taken" not in set(outcomes(notes).values()) - {"left_out", "changed"}
    assert public_config(widget)["skin"] == "classic"


def test_bound_without_end_is_none():
    widget, notes = take(realtime(config={"max_response_output_tokens": "inf"}))
    assert widget.agent.max_output_tokens is None
    assert outcomes(notes) == {"config.max_response_output_tokens": "taken"}


def test_turns_without_detection_are_pressed():
    widget, _ = take(realtime(config={"turn_detection": None}))
    assert widget.turn_detection == "none"


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "{}", '{"openAI": {}}', '{"demo": true}']
)
def test_other_json_is_refused(text):
    with pytest.raises(ValidationError):
        parse_direct_connection(text)


# --- rows that are there already -----------------------------------------------------


def test_again_changes_the_same_rows():
    first, _ = take(sample("everything"))
    again, notes = take(realtime(avatar={"maxScale": 2}, loading={"text": "Wait"}))
    assert first.pk == again.pk
    assert again.avatar.max_scale == 2
    assert again.avatar.image_styles == {"padding": "5px"}
    assert (again.loading_text, again.error_text) == ("Wait", "Custom Error!")
    assert (Avatar.objects.count(), ButtonSet.objects.count()) == (1, 1)


def test_agent_and_tools_of_others_are_not_changed():
    Tool.objects.create(name="get_current_weather", description="Own")
    make_widget("moved")
    _, notes = take(sample("everything"))
    agent = Agent.objects.get()
    assert (agent.name, agent.instructions) == ("Ada", "Be brief.")
    assert outcomes(notes)["config.instructions"] == "left_out"
    assert outcomes(notes)["config.tools[0]"] == "left_out"
    assert Tool.objects.get().description == "Own"


def test_picture_that_another_widget_wears_is_not_changed():
    shared = Avatar.objects.create(name="Shared")
    make_widget("other", avatar=shared)
    make_widget("moved", avatar=shared)
    widget, _ = take(sample("avatar"))
    assert widget.avatar.name == "moved"
    shared.refresh_from_db()
    assert shared.max_scale == 2.5


# --- the page of the admin -------------------------------------------------------------


def test_admin_takes_the_json_and_tells_about_each_field(admin_client):
    answer = admin_client.post(
        reverse(ADDRESS),
        {
            "slug": "moved",
            "direct_connection": json.dumps(sample("everything")),
            "auxiliary_style": (SAMPLES / "ripple.css").read_text(),
        },
    )
    text = answer.content.decode()
    assert answer.status_code == 200
    assert text.count("<tr data-outcome=") == 33
    assert "config.turn_detection.threshold" in text
    assert "choose it there" in text
    assert Widget.objects.get().auxiliary_style
    assert (
        "Import from deep-chat"
        in admin_client.get(
            reverse("admin:realtime_widget_widget_changelist")
        ).content.decode()
    )


def test_admin_shows_hostile_names_as_text(admin_client):
    answer = admin_client.post(
        reverse(ADDRESS),
        {"slug": "moved", "direct_connection": json.dumps(realtime(**{"<img src=x>": 1}))},
    )  # fmt: skip
    assert "&lt;img src=x&gt;" in answer.content.decode()
    assert "<img src=x>" not in answer.content.decode()


def test_admin_refuses_what_is_no_json_beside_its_field(admin_client):
    answer = admin_client.post(
        reverse(ADDRESS), {"slug": "moved", "direct_connection": "{"}
    )
    assert "This is no JSON." in answer.content.decode()
    assert not Widget.objects.exists()


def _editor(client, *codenames):
    user = User.objects.create_user("editor", password="x", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    client.force_login(user)
    return client


def test_import_needs_the_permission_for_widgets(client):
    assert _editor(client, "view_widget").get(reverse(ADDRESS)).status_code == 403


def test_editor_of_widgets_alone_makes_no_other_rows(client):
    Agent.objects.create(name="Ada")
    editor = _editor(client, "add_widget", "change_widget")
    given = {"slug": "moved", "direct_connection": json.dumps(sample("everything"))}
    refused = editor.post(reverse(ADDRESS), given).content.decode()
    assert "you may not make one" in refused
    assert not Widget.objects.exists()
    editor.post(reverse(ADDRESS), {**given, "agent": Agent.objects.get().pk})
    assert Widget.objects.get().agent.name == "Ada"
    assert not Avatar.objects.exists()
    assert not ButtonSet.objects.exists()
    assert not Tool.objects.exists()
