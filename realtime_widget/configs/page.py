"""From a widget's rows to the JSON that its page gets.

Whatever is in here is public: no instructions, no tools, no model, no provider.
Names are deep-chat's where it has them, so that a page can be moved over.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.templatetags.static import static
from django.urls import reverse
from django.utils.translation import get_language

from realtime_widget import __version__
from realtime_widget.conf import get_conf
from realtime_widget.messages import (
    best_language,
    error_messages,
    own_name,
    text_direction,
    texts,
)
from realtime_widget.models import Avatar, Button, ButtonSet, Widget
from realtime_widget.models.markup import clean_html, clean_svg
from realtime_widget.models.opinions import words_hash
from realtime_widget.models.styles import (
    BUTTON_PARTS,
    safe_stateful_styles,
    safe_styles,
)
from realtime_widget.models.stylesheets import safe_stylesheet

FRAME_MS = 40
DEFAULT_AVATAR = "realtime_widget/avatar.svg"
# One file has both: worklets import nothing, and both ends resample.
WORKLETS = {
    "capture": "realtime_widget/audio/worklets/audio.js",
    "playback": "realtime_widget/audio/worklets/audio.js",
}


def public_config(widget: Widget, *, language: str = "") -> dict[str, Any]:
    """Return what the page needs to show a widget and to open a session.

    Args:
        widget: From ``find_widget``.
        language: Language of its words; "" for the active one.
    """
    language = best_language(language or get_language() or "")
    words = texts(language, widget.texts)
    return {
        "slug": widget.slug,
        "version": __version__,
        "sessionUrl": reverse("realtime_widget:session", kwargs={"slug": widget.slug}),
        "worklets": {name: static(path) for name, path in WORKLETS.items()},
        "language": language,
        "dir": text_direction(language),
        "languages": _languages(widget.languages),
        "configUrl": reverse("realtime_widget:config", kwargs={"slug": widget.slug}),
        "title": widget.title or widget.agent.name,
        "theme": widget.theme,
        "skin": widget.skin,
        "look": widget.look,
        "figure": widget.figure,
        "form": widget.form,
        "floating": {
            "corner": widget.corner,
            "launcher": widget.launcher,
            "dismissible": widget.dismissible,
        },
        "auxiliaryStyle": safe_stylesheet(widget.auxiliary_style),
        "textOnly": widget.text_only,
        "autoStart": widget.auto_start,
        "resumeAcrossPages": widget.resume_across_pages,
        "captions": widget.captions,
        "textBox": widget.text_box,
        "suggestions": list(widget.suggestions),
        "consent": _consent(widget.consent_text),
        "feedbackUrl": _feedback_url(widget),
        "transcriptTools": widget.transcript_tools,
        "soundMenu": widget.sound_menu,
        "pictureBytes": get_conf().PICTURE_BYTES if widget.pictures else 0,
        "audio": {"format": widget.audio_format, "frameMs": FRAME_MS},
        "avatar": _avatar(widget.avatar),
        "buttons": _buttons(widget.buttons),
        "loading": {
            "text": widget.loading_text or words["loading"],
            "html": clean_html(widget.loading_html),
            "display": widget.loading_display,
            "style": safe_styles(widget.loading_styles),
        },
        "error": {
            "text": widget.error_text,
            "style": safe_styles(widget.error_styles),
        },
        "messageRoles": list(widget.message_roles),
        "variables": list(widget.variables),
        "texts": words,
        "errors": error_messages(language),
    }


def with_absolute_addresses(
    config: dict[str, Any], absolute: Callable[[str], str]
) -> dict[str, Any]:
    """Return a public configuration whose addresses hold on any page.

    Args:
        config: From ``public_config``.
        absolute: Gives the absolute address of a path of this site.
    """
    worklets = {name: absolute(path) for name, path in config["worklets"].items()}
    return {
        **config,
        "sessionUrl": absolute(config["sessionUrl"]),
        "configUrl": absolute(config["configUrl"]),
        "feedbackUrl": config["feedbackUrl"] and absolute(config["feedbackUrl"]),
        "worklets": worklets,
        "avatar": {**config["avatar"], "src": absolute(config["avatar"]["src"])},
    }


def _consent(words: str) -> dict[str, str]:
    """Return the words to agree to and their fingerprint; nothing for none."""
    words = words.strip()
    return {"text": words, "hash": words_hash(words)} if words else {}


def _languages(codes: list[str]) -> list[dict[str, str]]:
    """Return what a visitor may switch between; nothing where there is no choice."""
    if len(codes) < 2:
        return []
    return [{"code": code, "name": own_name(code)} for code in codes]


def _feedback_url(widget: Widget) -> str:
    if not widget.feedback:
        return ""
    return reverse("realtime_widget:feedback", kwargs={"slug": widget.slug})


def _avatar(avatar: Avatar | None) -> dict[str, Any]:
    avatar = avatar or Avatar()
    return {
        "src": avatar.image.url if avatar.image else static(DEFAULT_AVATAR),
        "alt": avatar.alt,
        "maxScale": avatar.max_scale,
        "styles": {
            "image": safe_styles(avatar.image_styles),
            "container": safe_styles(avatar.container_styles),
        },
    }


def _buttons(button_set: ButtonSet | None) -> dict[str, Any]:
    looks: dict[str, Any] = {"container": {}, "microphone": {}, "toggle": {}}
    if button_set is not None:
        looks["container"] = safe_styles(button_set.container_styles)
        for button in button_set.buttons.all():
            looks[button.kind][button.state] = _button(button)
    return looks


def _button(button: Button) -> dict[str, Any]:
    """Return one state's look; what is not set is left out and looks as usual."""
    given = button.styles if isinstance(button.styles, dict) else {}
    states = {part: safe_stateful_styles(given.get(part)) for part in BUTTON_PARTS}
    svg: dict[str, Any] = {"styles": states["svg"]}
    # deep-chat's rule: an empty icon means text alone, no icon means the usual one.
    if button.hide_icon:
        svg["content"] = ""
    elif button.svg:
        svg["content"] = clean_svg(button.svg)
    text: dict[str, Any] = {"styles": states["text"]}
    if button.text:
        text["content"] = button.text
    return {"container": states["container"], "svg": svg, "text": text}
