from __future__ import annotations

import subprocess
import sys

import pytest

from realtime_widget.engine.dialogue.chat_completions import ChatCompletionsDialogue
from realtime_widget.engine.dialogue.rules import RulesDialogue
from realtime_widget.engine.options import EngineOptions
from realtime_widget.engine.parts import load_parts
from tests.engine.speech.needs import needs_speech

HERE = "tests.engine.speech.test_parts"


class OwnVad:
    def __init__(self, options):
        self.options = options

    def feed(self, pcm):
        return [0.0] * (len(pcm) // 1536)

    def reset(self):
        pass


class OwnPart:
    def __init__(self, options):
        self.options = options


def broken(options):
    raise RuntimeError("secret of the traceback")


def own_options(**changes):
    paths = {"vad": "OwnVad", "stt": "OwnPart", "tts": "OwnPart", "dialogue": "OwnPart"}
    options = {part: f"{HERE}.{name}" for part, name in paths.items()}
    return EngineOptions(**{**options, **changes})


def test_parts_of_the_settings_are_used_and_given_the_options():
    options = own_options()

    parts = load_parts(options)

    assert parts.hears
    assert parts.speaks
    assert not parts.missing
    assert parts.stt.options is options
    assert isinstance(parts.dialogue, OwnPart)


def test_every_stream_has_its_own_detector():
    parts = load_parts(own_options())

    assert parts.vad() is not parts.vad()


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("no_such_module.Thing", "cannot be imported"),
        (f"{HERE}.NoSuchThing", "cannot be imported"),
        (f"{HERE}.HERE", "cannot be called"),
        ("nodots", "no dotted path"),
        (f"{HERE}.broken", "RuntimeError"),
    ],
)
@pytest.mark.parametrize("part", ["vad", "stt", "tts", "dialogue"])
def test_wrong_path_leaves_the_part_out_with_a_reason(part, path, reason):
    parts = load_parts(own_options(**{part: path}))

    assert list(parts.missing) == [part]
    assert reason in parts.missing[part]
    assert "secret" not in parts.missing[part]
    if part == "dialogue":
        assert isinstance(parts.dialogue, RulesDialogue)
    else:
        assert getattr(parts, part) is None


def test_language_model_is_used_when_it_has_an_address():
    parts = load_parts(own_options(dialogue="", dialogue_url="http://127.0.0.1:1/v1"))

    assert isinstance(parts.dialogue, ChatCompletionsDialogue)


def test_without_the_extra_text_still_works():
    # A fresh interpreter in which the extra's packages cannot be imported.
    code = """
import sys
for name in ("numpy", "onnxruntime", "faster_whisper", "ctranslate2", "hibari"):
    sys.modules[name] = None
import realtime_widget.engine.g711
from realtime_widget.engine.parts import load_parts
parts = load_parts()
assert not parts.hears and not parts.speaks
assert set(parts.missing) == {"vad", "stt", "tts"}, parts.missing
assert all("django-realtime-widget[local]" in r for r in parts.missing.values())
print(type(parts.dialogue).__name__)
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "RulesDialogue"


class TestInstalled:
    pytestmark = needs_speech

    def test_everything_is_there(self):
        parts = load_parts()

        assert parts.missing == {}
        assert parts.hears
        assert parts.speaks

    def test_refused_weights_leave_the_voice_and_say_why(self, tmp_path):
        (tmp_path / "model.bin").write_bytes(b"something else")

        parts = load_parts(EngineOptions(stt_model_dir=str(tmp_path)))

        assert parts.stt is None
        assert not parts.hears
        assert parts.speaks
        assert "STT_MODEL_SHA256" in parts.missing["stt"]


def test_it_tells_how_far_it_is():
    shares = []
    load_parts(own_options(), shares.append)
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
