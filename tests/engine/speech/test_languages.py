from __future__ import annotations

import logging
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.engine.speech.needs import needs_languages, needs_speech

pytest.importorskip("numpy", reason="the [local] extra is not installed: numpy")

from realtime_widget.engine.languages import SttByLanguage, load_recognition
from tests.engine.speech.clips import CLEAN, OTHER_LANGUAGES, plain_words, read_clip

pytestmark = needs_speech


class Named:
    """A recogniser that hears its own name."""

    def __init__(self, name):
        self.name = name
        self.heard = []

    def transcribe(self, pcm, *, language="", prompt=""):
        self.heard.append((pcm, language, prompt))
        return self.name


@pytest.mark.parametrize(
    ("language", "by"),
    [
        ("", "english"),
        ("en", "english"),
        ("en-GB", "english"),
        ("EN_us", "english"),
        ("de", "other"),
        ("pt-BR", "other"),
    ],
)
def test_language_chooses_the_model(language, by):
    stt = SttByLanguage(Named("english"), lambda: Named("other"))

    assert stt.transcribe(b"", language=language) == by


def test_everything_is_passed_on():
    other = Named("other")

    SttByLanguage(Named("english"), lambda: other).transcribe(
        b"\0\0", language="de", prompt="Fahrrad"
    )

    assert other.heard == [(b"\0\0", "de", "Fahrrad")]


def test_english_alone_never_loads_the_other_model():
    stt = SttByLanguage(Named("english"), lambda: pytest.fail("loaded"))

    assert stt.transcribe(b"", language="en") == "english"


def test_other_model_is_loaded_once_by_whoever_comes_first():
    loads = []
    both = threading.Barrier(2, timeout=10)

    def load():
        loads.append(threading.get_ident())
        return Named("other")

    stt = SttByLanguage(Named("english"), load)

    def speak(language):
        both.wait()
        return stt.transcribe(b"", language=language)

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(speak, ["de", "fr"])) == ["other", "other"]
    assert len(loads) == 1


def test_without_another_model_it_is_heard_as_english_and_looked_for_once():
    looked = []
    stt = SttByLanguage(Named("english"), lambda: looked.append(1))

    assert [stt.transcribe(b"", language="de") for _ in range(2)] == ["english"] * 2
    assert looked == [1]


def test_missing_model_is_told_with_what_to_install(stt, monkeypatch, caplog):
    from realtime_widget.engine import languages

    monkeypatch.setattr(languages, "find_multilingual", lambda: None)
    whole = SttByLanguage(stt, languages._load_multilingual)

    with caplog.at_level(logging.WARNING):
        heard = whole.transcribe(read_clip("synth-timer"), language="de")

    assert "timer" in heard
    assert "django-realtime-widget[local-languages]" in caplog.text
    assert "timer" not in caplog.text


@pytest.fixture(scope="module")
def recognition():
    """Recognition as the engine loads it."""
    return load_recognition()


@needs_languages
@pytest.mark.parametrize("name", OTHER_LANGUAGES)
def test_other_languages_are_understood(recognition, name):
    language, said = OTHER_LANGUAGES[name]

    heard = recognition.transcribe(read_clip(name), language=language)

    assert plain_words(heard) == plain_words(said)


@needs_languages
def test_silence_and_noise_are_no_words_in_other_languages(recognition):
    assert recognition.transcribe(bytes(96_000), language="fr") == ""
    assert recognition.transcribe(read_clip("noise-only"), language="fr") == ""


@needs_languages
def test_english_stays_as_exact_beside_the_other_model(recognition, stt):
    recognition.transcribe(read_clip("es-8k-try-again"), language="es")
    for name in list(CLEAN)[:3]:
        pcm = read_clip(name)
        assert recognition.transcribe(pcm, language="en") == stt.transcribe(pcm)
