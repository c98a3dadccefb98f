"""The visitor's words: complete, in every language, and replaceable."""

from __future__ import annotations

import gettext
import importlib.util
import re
from pathlib import Path

import pytest
from django.core.exceptions import ValidationError
from django.utils.translation import override, to_locale

import realtime_widget
from realtime_widget import messages
from realtime_widget.protocol.browser import ERRORS

LOCALES = Path(realtime_widget.__file__).parent / "locale"
MESSAGES = Path(__file__).resolve().parents[2] / "scripts" / "messages.py"
LANGUAGES = ["ar", "de", "en", "es", "fr", "hi", "ja", "pt", "zh-hans"]
FOREIGN = [language for language in LANGUAGES if language != "en"]


def test_every_error_code_has_words_and_no_other_has():
    assert set(messages.ERROR_MESSAGES) == set(ERRORS)


def english() -> dict[str, str]:
    """Return every text a visitor may read, as the code has it, by a name."""
    with override(None):
        tables = {**messages.ERROR_MESSAGES, **messages.TEXTS}
        single = {"quota": messages.QUOTA_MESSAGE, "tomorrow": messages.TOMORROW}
        return {
            key: str(text)
            for key, text in {**tables, **single, "on_day": messages.ON_DAY}.items()
        }


def test_every_language_has_a_catalogue():
    there = {folder.name.lower().replace("_", "-") for folder in LOCALES.iterdir()}
    assert there == set(LANGUAGES)


@pytest.mark.parametrize("language", ["", *LANGUAGES])
def test_no_words_are_empty_or_shared_by_two_codes(language):
    words = messages.error_messages(language)
    assert all(words.values())
    assert len(set(words.values())) == len(words)


def test_error_words_hold_no_jargon():
    jargon = re.compile(
        r"websocket|upstream|token|API|exception|null|\d{3}", re.IGNORECASE
    )
    assert not [w for w in messages.error_messages("en").values() if jargon.search(w)]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_visible_word_is_translated(language):
    _, compiled = catalogue(language)
    assert not [text for text in english().values() if not compiled.get(text)]


@pytest.mark.parametrize("language", FOREIGN)
def test_translations_are_in_use(language):
    there = {**messages.error_messages(language), **messages.texts(language)}
    ours = english()
    # Some short words are the same in another language, such as "Volume".
    same = [key for key, text in there.items() if text == ours[key]]
    assert [key for key in same if " " in ours[key]] == []
    assert len(same) <= 3


@pytest.mark.parametrize("language", LANGUAGES)
def test_placeholders_survive_translation(language):
    _, compiled = catalogue(language)
    placeholder = re.compile(r"\{\w+\}|%\(\w+\)s")
    for text in english().values():
        assert sorted(placeholder.findall(compiled[text])) == sorted(
            placeholder.findall(text)
        )


@pytest.mark.parametrize(
    ("wanted", "you"),
    [("pt-BR", "Você"), ("zh-CN", "您"), ("es-MX", "Usted"), ("fr-CA", "Vous")],
)
def test_regions_get_the_words_of_their_language(wanted, you):
    assert messages.texts(messages.best_language(wanted))["you"] == you


def test_active_language_is_the_default():
    with override("de"):
        assert messages.texts()["you"] == "Sie"
    with override("en"):
        assert messages.texts()["you"] == "You"


def test_own_words_replace_and_unknown_ones_are_left_out():
    words = messages.texts("en", {"start": "Talk to us", "nonsense": "x", "stop": ""})
    assert words["start"] == "Talk to us"
    assert words["stop"] == "End conversation"
    assert "nonsense" not in words


@pytest.mark.parametrize(
    ("wanted", "language"),
    [
        ("de-AT", "de"),
        ("ar", "ar"),
        ("xx", "en"),
        ("", "en"),
        ("../../etc", "en"),
        ("a" * 600, "en"),
        ("a-" * 400, "en"),
    ],
)
def test_best_language_is_one_the_site_has(wanted, language):
    assert messages.best_language(wanted) == language


@pytest.mark.parametrize(
    ("language", "direction"),
    [("ar", "rtl"), ("he", "rtl"), ("de", "ltr"), ("xx", "ltr")],
)
def test_direction_follows_the_language(language, direction):
    assert messages.text_direction(language) == direction


@pytest.mark.parametrize("value", [[], {"x": "y"}, {"start": 7}, {"start": "x" * 201}])
def test_wrong_own_words_are_refused(value):
    with pytest.raises(ValidationError):
        messages.validate_texts(value)


@pytest.mark.parametrize("value", ["en", ["xx"], [7], ["en", "en"], {"en": 1}])
def test_wrong_languages_are_refused(value):
    with pytest.raises(ValidationError):
        messages.validate_languages(value)


def test_languages_of_the_site_may_be_offered():
    messages.validate_languages([])
    messages.validate_languages(["en", "zh-hans"])


def test_languages_call_themselves_by_their_own_names():
    assert messages.own_name("fr") == "Français"
    assert messages.own_name("tlh") == "tlh"


def catalogue(language) -> tuple[str, dict[str, str]]:
    """Return the source of a catalogue and what the compiled one holds."""
    folder = LOCALES / to_locale(language) / "LC_MESSAGES"
    with (folder / "django.mo").open("rb") as compiled:
        words = gettext.GNUTranslations(compiled)._catalog
    return (folder / "django.po").read_text(), words


@pytest.mark.parametrize("language", LANGUAGES)
def test_compiled_catalogue_is_as_new_as_its_source(language):
    source, compiled = catalogue(language)
    assert "#, fuzzy" not in source
    pairs = re.findall(r'^msgid "(.+)"\nmsgstr "(.+)"$', source, re.MULTILINE)
    assert len(pairs) >= len(messages.TEXTS) + len(messages.ERROR_MESSAGES)
    for msgid, msgstr in pairs:
        assert compiled[msgid.replace('\\"', '"')] == msgstr.replace('\\"', '"')


def test_german_catalogue_is_complete():
    source, _ = catalogue("de")
    assert not re.findall(r'^msgid "(.+)"\nmsgstr ""$', source, re.MULTILINE)


def test_german_catalogue_has_every_word_of_the_admin():
    spec = importlib.util.spec_from_file_location("scripts_messages", MESSAGES)
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    said = {each if isinstance(each, str) else each[0] for each in script.admin_words()}
    _, compiled = catalogue("de")
    many = {each[0] for each in compiled if isinstance(each, tuple)}
    assert len(said) > 700
    assert not said - compiled.keys() - many


def test_admin_speaks_german(admin_client):
    address = "/admin/realtime_widget/widget/add/"
    # The middleware leaves its language active; the next test must not meet it.
    with override("en"):
        response = admin_client.get(address, headers={"accept-language": "de"})
    words = response.content.decode()
    assert "Echtzeit-Widget" in words
    assert "Wo es gezeigt werden darf." in words
