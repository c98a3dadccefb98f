"""The words a visitor reads: one table for errors, one for the widget itself.

The page and the server both take them from here, so a translation is made once.
The tables hold lazy strings; the functions return plain text in one language.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from datetime import date, timedelta
from typing import Any, Final

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.translation import (
    get_language_info,
    get_supported_language_variant,
    override,
)
from django.utils.translation import gettext_lazy as _

MAX_TEXT_CHARS: Final = 200

# One for each code of ``realtime_widget.protocol.browser.ERRORS``.
ERROR_MESSAGES: Final[dict[str, Promise]] = {
    "unknown_type": _("This page is out of date. Please reload it."),
    "forbidden": _("That is not possible here."),
    "invalid_field": _("Something in this request was not right. Please try again."),
    "text_too_long": _("Your message is too long. Please shorten it."),
    "bad_picture": _("This file is no picture that can be shown."),
    "too_fast": _("That was a lot at once. Please wait a moment and try again."),
    "turn_too_short": _("That was too short. Hold the button while you speak."),
    "response_failed": _("The answer could not be given. Please ask again."),
    "voice_unavailable": _("Voice is not available right now. You can type instead."),
    "bad_message": _("The connection got mixed up. Please start again."),
    "token": _("The connection could not be confirmed. Please start again."),
    "origin": _("The assistant cannot be used on this page."),
    "no_widget": _("The assistant is not available here."),
    "consent": _("Please read the notice and agree to it, then start again."),
    "limit": _(
        "Too many conversations are open right now. Please try again in a few minutes."
    ),
    "idle": _(
        "The conversation ended because it was quiet. Start again whenever you like."
    ),
    "replaced": _("The conversation goes on in another tab or window."),
    "time_limit": _("The time for this conversation is over. You can start a new one."),
    "draining": _("The service is being updated. Please start again in a moment."),
    "internal": _("Something went wrong on our side. Please try again."),
    "not_configured": _(
        "The assistant is not set up yet. Please contact us another way."
    ),
    "upstream_auth": _(
        "The assistant cannot be reached right now. Please try again later."
    ),
    "upstream_quota": _(
        "The assistant is very busy right now. Please try again later."
    ),
    "upstream_refused": _(
        "The assistant cannot answer right now. Please try again later."
    ),
    "upstream_unreachable": _(
        "The assistant cannot be reached. Please try again in a moment."
    ),
    "upstream_lost": _("The connection to the assistant was lost. Please start again."),
    "upstream_error": _("The assistant had a problem. Please try again."),
}

# Of a quota without words of its own. Translators: keep {when} as it is.
QUOTA_MESSAGE: Final = _(
    "What can be used here is used up for now. Please come back {when}."
)
# Translators: stands for {when} in "Please come back {when}."
TOMORROW: Final = _("tomorrow")
# Translators: stands for {when} in "Please come back {when}."; %(day)s is a day of a
# month as your language writes it.
ON_DAY: Final = _("on %(day)s")

TEXTS: Final[dict[str, Promise]] = {
    "start": _("Start conversation"),
    "stop": _("End conversation"),
    "mute": _("Mute microphone"),
    "unmute": _("Unmute microphone"),
    "microphone": _("Microphone"),
    "you": _("You"),
    "agent": _("Assistant"),
    "send": _("Send"),
    "type_message": _("Type a message"),
    "state_idle": _("Ready"),
    "state_connecting": _("Connecting"),
    "state_reconnecting": _("Reconnecting"),
    "state_listening": _("Listening"),
    "state_hearing": _("Hearing you"),
    "state_thinking": _("Thinking"),
    "state_speaking": _("Speaking"),
    "state_muted": _("Microphone muted"),
    "hold_to_talk": _("Hold to talk"),
    "release_to_send": _("Release to send"),
    "state_waiting": _("Hold the button or the space bar to talk"),
    "retry": _("Try again"),
    "text_only_hint": _("You can type your questions here."),
    "tap_to_talk": _("Tap to talk"),
    "mic_denied": _(
        "The microphone is blocked. Allow it in your browser's address bar, or type instead."
    ),
    "mic_missing": _("No microphone was found. Connect one, or type instead."),
    "mic_busy": _(
        "Another program is using the microphone. Close it, or type instead."
    ),
    "mic_blocked_policy": _(
        "This page may not use the microphone. You can type instead."
    ),
    "insecure_context": _(
        "Voice needs a secure address (https). You can type instead."
    ),
    "csp_blocked": _(
        "A security rule of this page blocks the voice. You can type instead."
    ),
    "unsupported": _("Your browser cannot do voice. You can type instead."),
    "conversation": _("Conversation"),
    # Translators: {name} is what the assistant is using, keep it as it is.
    "using_tool": _("Looking it up: {name}"),
    # Translators: {name} is what the assistant wants to do, keep it as it is.
    "approve_question": _("May the assistant do this: {name}?"),
    "approve": _("Allow"),
    "approve_always": _("Always allow"),
    "reject": _("Do not allow"),
    "interrupted": _("interrupted"),
    "stop_talking": _("Stop talking"),
    "sound_settings": _("Volume and devices"),
    "volume": _("Volume"),
    "speaker": _("Speaker"),
    # Translators: the microphone or speaker that the system prefers.
    "default_device": _("As the system"),
    "warn_time_limit": _("This conversation ends soon."),
    "warn_idle": _("Are you still there? The conversation ends soon."),
    "open_widget": _("Open the assistant"),
    "minimise": _("Minimize"),
    "dismiss": _("Close"),
    "suggestions": _("Suggested questions"),
    "add_picture": _("Show a picture"),
    "remove_picture": _("Remove the picture"),
    "chosen_picture": _("Chosen picture"),
    "consent_title": _("Before you start"),
    "agree": _("Agree and start"),
    "decline": _("Not now"),
    "good_answer": _("Good answer"),
    "bad_answer": _("Bad answer"),
    "your_opinion": _("How was it?"),
    "comment": _("Your comment"),
    "thanks": _("Thank you for your opinion."),
    "copy": _("Copy"),
    "copied": _("Copied"),
    "download": _("Download"),
    "loading": _("Loading"),
    "error": _("Error"),
    "no_javascript": _("Please turn on JavaScript to talk to our assistant."),
    "connection_lost": _("The connection was lost."),
    "new_conversation": _(
        "The earlier conversation could not be continued. This is a new one."
    ),
    "outdated": _("The site has been updated. Please reload this page."),
    "reload": _("Reload the page"),
    "language": _("Language"),
}


def _in_language(language: str) -> AbstractContextManager[Any]:
    return override(language) if language else nullcontext()


def error_messages(language: str = "") -> dict[str, str]:
    """Return the words for every error code.

    Args:
        language: Language code; "" for the one that is active now.
    """
    with _in_language(language):
        return {code: str(words) for code, words in ERROR_MESSAGES.items()}


def quota_words(own: str, next_start: date, today: date, *, language: str) -> str:
    """Return what a visitor is told whose quota is used up: when to come back.

    Args:
        own: The site's own words, "" for the usual ones; ``{when}`` is replaced.
        next_start: The day on which the quota begins anew.
        today: The day it is.
        language: The visitor's, "" for the one that is active now.
    """
    with _in_language(best_language(language) if language else ""):
        if next_start - today <= timedelta(days=1):
            when = str(TOMORROW)
        else:
            when = str(ON_DAY) % {"day": date_format(next_start, "MONTH_DAY_FORMAT")}
        return (own or str(QUOTA_MESSAGE)).replace("{when}", when)


def texts(
    language: str = "", overrides: Mapping[str, Any] | None = None
) -> dict[str, str]:
    """Return the words of the widget.

    Args:
        language: Language code; "" for the one that is active now.
        overrides: A widget's own words, by the same keys; they hold in every language.
    """
    with _in_language(language):
        words = {key: str(text) for key, text in TEXTS.items()}
    own = {
        key: str(text)
        for key, text in (overrides or {}).items()
        if key in TEXTS and text
    }
    return {**words, **own}


def best_language(wanted: str) -> str:
    """Return the site's language that comes nearest to a tag, else the site's own.

    Args:
        wanted: A BCP 47 tag from a browser; anything else is harmless.
    """
    try:
        return get_supported_language_variant(wanted)
    except (LookupError, ValueError):
        return settings.LANGUAGE_CODE


def text_direction(language: str) -> str:
    """Return ``rtl`` for languages written from right to left, else ``ltr``."""
    try:
        return "rtl" if get_language_info(language)["bidi"] else "ltr"
    except KeyError:
        return "ltr"


def own_name(language: str) -> str:
    """Return what a language calls itself, its code where that is not known."""
    try:
        name = str(get_language_info(language)["name_local"])
    except KeyError:
        return language
    return name[:1].upper() + name[1:]


def validate_languages(value: Any) -> None:
    """Refuse anything but a list of the site's languages, each once."""
    known = dict(settings.LANGUAGES)
    if not isinstance(value, list) or not all(
        isinstance(code, str) and code in known for code in value
    ):
        raise ValidationError(
            _("Enter a list of this site's languages. There are: %(codes)s."),
            code="languages",
            params={"codes": ", ".join(known)},
        )
    if len(set(value)) != len(value):
        raise ValidationError(_("A language stands here twice."), code="twice")


def validate_texts(value: Any) -> None:
    """Refuse own words for a key that does not exist, or that are no words."""
    if not isinstance(value, Mapping):
        raise ValidationError(
            _('Enter a JSON object, for example {"start": "Talk to us"}.'), code="texts"
        )
    for key, words in value.items():
        if key not in TEXTS:
            raise ValidationError(
                _("There is no text “%(key)s”. There are: %(keys)s."),
                code="texts_key",
                params={"key": str(key)[:40], "keys": ", ".join(TEXTS)},
            )
        if not isinstance(words, str) or not 0 < len(words) <= MAX_TEXT_CHARS:
            raise ValidationError(
                _("“%(key)s” needs words, at most %(limit)d characters."),
                code="texts_words",
                params={"key": key, "limit": MAX_TEXT_CHARS},
            )
