from __future__ import annotations

from pathlib import Path

import pytest

from realtime_widget.engine.options import EngineOptions, options_from_setting


def test_nothing_set_means_the_embedded_rules():
    assert options_from_setting("") == EngineOptions()


def test_text_is_the_address_of_a_language_model():
    options = options_from_setting("http://127.0.0.1:11434/v1")

    assert options.dialogue_url == "http://127.0.0.1:11434/v1"


def test_dict_sets_what_it_names():
    options = options_from_setting(
        {
            "DIALOGUE_URL": "http://127.0.0.1:8000/v1",
            "DIALOGUE_MODEL": "small",
            "DIALOGUE_KEY_ENV": "DIALOGUE_KEY",
            "STT_MODEL_DIR": Path("/srv/whisper"),
            "TTS": "site_voice.Voice",
        },
        environ={"DIALOGUE_KEY": "secret-key"},
    )

    assert options.dialogue_model == "small"
    assert options.dialogue_key == "secret-key"
    assert options.stt_model_dir == "/srv/whisper"
    assert options.tts == "site_voice.Voice"


def test_key_is_never_shown():
    options = options_from_setting(
        {"DIALOGUE_KEY_ENV": "KEY"}, environ={"KEY": "secret-key"}
    )

    assert "secret-key" not in repr(options)


def test_unset_environment_variable_means_no_key():
    options = options_from_setting({"DIALOGUE_KEY_ENV": "KEY"}, environ={})

    assert options.dialogue_key == ""


def test_unknown_key_names_the_nearest():
    with pytest.raises(ValueError, match="Did you mean 'DIALOGUE_MODEL'"):
        options_from_setting({"DIALOG_MODEL": "x"})


def test_value_that_is_no_text_is_refused():
    with pytest.raises(ValueError, match="must be text"):
        options_from_setting({"DIALOGUE_MODEL": 5})
