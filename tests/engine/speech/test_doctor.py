from __future__ import annotations

import io
import re

import pytest
from django.core.management import CommandError, call_command

from tests.engine.speech.needs import needs_speech

HERE = "tests.engine.speech.test_doctor"


class Mute:
    """A voice that says nothing that could be understood."""

    def __init__(self, options):
        pass

    def speak(self, text, *, voice="", speed=1.0):
        yield bytes(48_000)


def run(**options):
    out = io.StringIO()
    call_command("realtime_doctor", stdout=out, no_color=True, **options)
    return out.getvalue()


def engine(settings, **changes):
    settings.REALTIME_WIDGET = {"ENGINE": changes}


def test_missing_model_is_listed_and_the_voice_said_to_be_off(settings, tmp_path):
    engine(settings, STT_MODEL_DIR=str(tmp_path))

    report = run(no_test=True)

    assert "missing  stt: STT_MODEL_DIR" in report
    assert "its voice is off" in report
    with pytest.raises(CommandError, match=r"Missing: .*stt"):
        run(no_test=True, require_voice=True)


def test_wrong_setting_is_said_in_words(settings):
    engine(settings, STT_MODEL="x")

    with pytest.raises(CommandError, match="Did you mean 'STT_MODEL_DIR'"):
        run()


def test_unreachable_language_model_is_said(settings):
    engine(settings, DIALOGUE_URL="http://127.0.0.1:1/v1")

    assert "ok       dialogue: http://127.0.0.1:1/v1" in run(no_test=True)


class TestInstalled:
    pytestmark = needs_speech

    def test_all_parts_are_listed_and_tried(self, settings):
        settings.REALTIME_WIDGET = {}

        report = run(require_voice=True)

        assert "missing" not in report
        assert "faster-whisper: 1." in report
        assert len(re.findall(r"SHA-256 [0-9a-f]{64} as pinned", report)) == 2
        assert re.search(r"tts: .* SHA-256 [0-9a-f]{64} as in release", report)
        assert "heard back: Your order is ready to collect." in report
        assert "answered: I am a small offline demo" in report
        assert "dialogue: the embedded rules" in report
        assert "python: 3." in report
        turn = re.search(
            r"one spoken turn, .* turn ended (\d+), words (\d+),"
            r" first audio (\d+) \((\d+) ms of answer\)",
            report,
        )
        stopped, words, first_audio, answer = map(int, turn.groups())
        # The silence that ends a turn comes before everything else.
        assert 300 <= stopped <= words
        assert stopped <= first_audio
        assert answer > 1_000

    def test_language_model_that_is_down_fails_the_test(self, settings):
        engine(settings, DIALOGUE_URL="http://127.0.0.1:1/v1")

        with pytest.raises(CommandError, match="dialogue does not answer"):
            run()

    def test_voice_that_cannot_be_understood_fails_the_test(self, settings):
        engine(settings, TTS=f"{HERE}.Mute")

        with pytest.raises(CommandError, match="did not understand its own voice"):
            run()
