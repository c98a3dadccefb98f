"""What an operator chooses about the engine's parts."""

from __future__ import annotations

import difflib
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

# Key of REALTIME_WIDGET["ENGINE"] -> attribute of EngineOptions.
SETTING_KEYS: Mapping[str, str] = {
    "DIALOGUE_URL": "dialogue_url",
    "DIALOGUE_MODEL": "dialogue_model",
    "DIALOGUE_KEY_ENV": "dialogue_key",
    "STT_MODEL_DIR": "stt_model_dir",
    "STT_MODEL_SHA256": "stt_model_sha256",
    "VAD": "vad",
    "STT": "stt",
    "TTS": "tts",
    "DIALOGUE": "dialogue",
}


@dataclass(frozen=True, slots=True)
class EngineOptions:
    """Choices of one engine; every default is the embedded, offline one.

    Attributes:
        dialogue_url: Base URL of an OpenAI-compatible API ("http://127.0.0.1:11434/v1"),
            "" for the embedded rules.
        dialogue_model: Model to ask for there, "" for the first one it offers.
        dialogue_key: Key to send there, "" for none.
        stt_model_dir: Folder of a CTranslate2 Whisper model, "" to look for one.
        stt_model_sha256: SHA-256 of that folder's ``model.bin`` when it is none of the
            models the engine knows.
        vad: Dotted path of a callable taking these options and giving a ``Vad``;
            called once a stream.
        stt: Dotted path of a callable taking these options and giving an ``Stt``.
        tts: The same for a ``Tts``.
        dialogue: The same for a ``Dialogue``.
    """

    dialogue_url: str = ""
    dialogue_model: str = ""
    dialogue_key: str = field(default="", repr=False)
    stt_model_dir: str = ""
    stt_model_sha256: str = ""
    vad: str = ""
    stt: str = ""
    tts: str = ""
    dialogue: str = ""


def options_from_setting(
    setting: str | Mapping[str, Any], *, environ: Mapping[str, str] | None = None
) -> EngineOptions:
    """Read ``REALTIME_WIDGET["ENGINE"]``.

    Args:
        setting: "" or the URL of a chat-completions API, or a dict of ``SETTING_KEYS``.
        environ: Where ``DIALOGUE_KEY_ENV`` is looked up; the process's by default.

    Raises:
        ValueError: If the dict has a key that means nothing, or a value that is no text.
    """
    if isinstance(setting, str):
        return EngineOptions(dialogue_url=setting)
    values: dict[str, str] = {}
    for key, value in setting.items():
        if key not in SETTING_KEYS:
            near = difflib.get_close_matches(key, SETTING_KEYS, n=1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            raise ValueError(
                f"ENGINE has no key {key!r}.{hint} Known: {', '.join(SETTING_KEYS)}."
            )
        if not isinstance(value, str | os.PathLike):
            raise ValueError(f"ENGINE[{key!r}] must be text, not {value!r}.")
        values[SETTING_KEYS[key]] = os.fspath(value)
    key_name = values.get("dialogue_key", "")
    if key_name:
        values["dialogue_key"] = (os.environ if environ is None else environ).get(
            key_name, ""
        )
    return EngineOptions(**values)
