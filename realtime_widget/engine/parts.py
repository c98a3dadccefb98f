"""Put an engine together from what is installed and what the settings ask for."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial
from importlib import import_module
from typing import Any, TypeVar

from realtime_widget.engine.dialogue.chat_completions import ChatCompletionsDialogue
from realtime_widget.engine.dialogue.rules import RulesDialogue
from realtime_widget.engine.loading import Told
from realtime_widget.engine.options import EngineOptions
from realtime_widget.engine.ports import Dialogue, Parts, Stt, Tts, Vad
from realtime_widget.engine.weights import INSTALL_HINT
from realtime_widget.exceptions import EngineUnavailable

logger = logging.getLogger(__name__)

Part = TypeVar("Part")


def _nobody(_share: float) -> None:
    """Tell nobody."""


def load_parts(options: EngineOptions | None = None, told: Told = _nobody) -> Parts:
    """Load the engine's parts; blocks for a second or two, so call it in a thread.

    Never raises for a part that is missing: the part is None and ``Parts.missing`` says
    how to get it.

    Args:
        options: The operator's choices, None for the embedded defaults.
        told: Told the share that is loaded after each part.
    """
    options = options or EngineOptions()
    missing: dict[str, str] = {}
    vad = _load("vad", partial(_vad, options), missing)
    told(0.1)
    stt = _load("stt", partial(_stt, options), missing)
    told(0.6)
    tts = _load("tts", partial(_tts, options), missing)
    told(0.9)
    dialogue = _load("dialogue", partial(_dialogue, options), missing)
    told(1.0)
    for part, reason in missing.items():
        logger.warning("Engine part %s is not there: %s", part, reason)
    return Parts(
        dialogue=dialogue or RulesDialogue(),
        vad=vad,
        stt=stt,
        tts=tts,
        missing=missing,
        spoken=getattr(tts, "languages", ()),
    )


def load_text_parts(
    options: EngineOptions | None = None, told: Told = _nobody
) -> Parts:
    """Load the dialogue alone: the engine neither hears nor speaks; arguments as above."""
    missing: dict[str, str] = {}
    load = partial(_dialogue, options or EngineOptions())
    dialogue = _load("dialogue", load, missing)
    told(1.0)
    return Parts(dialogue=dialogue or RulesDialogue(), missing=missing)


def _load(
    part: str, factory: Callable[[], Part], missing: dict[str, str]
) -> Part | None:
    try:
        return factory()
    except EngineUnavailable as exc:
        missing[part] = str(exc)
    except ImportError as exc:
        name = exc.name or "a package"
        missing[part] = f"{name} is not installed. Install it: {INSTALL_HINT}"
    except Exception as exc:
        # The part's code is a library's or the site's own; whatever it raises, the
        # engine still answers in text.
        logger.exception("Engine part %s could not be loaded.", part)
        missing[part] = (
            f"It could not be loaded ({type(exc).__name__}); the log has the traceback."
        )
    return None


def _vad(options: EngineOptions) -> Callable[[], Vad]:
    make: Callable[[], Vad]
    if options.vad:
        make = partial(_resolve("vad", options.vad), options)
    else:
        from realtime_widget.engine.vad import SileroVad as make
    make().feed(bytes(48 * 100))
    return make


def _stt(options: EngineOptions) -> Stt:
    if options.stt:
        custom: Stt = _resolve("stt", options.stt)(options)
        return custom
    from realtime_widget.engine.languages import load_recognition

    return load_recognition(options.stt_model_dir, options.stt_model_sha256)


def _tts(options: EngineOptions) -> Tts:
    if options.tts:
        custom: Tts = _resolve("tts", options.tts)(options)
        return custom
    from realtime_widget.engine.tts import load_hibari

    return load_hibari()


def _dialogue(options: EngineOptions) -> Dialogue:
    if options.dialogue:
        custom: Dialogue = _resolve("dialogue", options.dialogue)(options)
        return custom
    if options.dialogue_url:
        return ChatCompletionsDialogue(
            options.dialogue_url,
            model=options.dialogue_model,
            key=options.dialogue_key,
        )
    return RulesDialogue()


def _resolve(part: str, path: str) -> Callable[..., Any]:
    """Return what a dotted path of the settings names.

    Raises:
        EngineUnavailable: If there is no such thing or it cannot be called.
    """
    module_name, _dot, name = path.rpartition(".")
    setting = part.upper()
    if not module_name:
        raise EngineUnavailable(f"{setting} {path!r} is no dotted path.", part=part)
    try:
        found = getattr(import_module(module_name), name)
    except (ImportError, AttributeError) as exc:
        raise EngineUnavailable(
            f"{setting} {path!r} cannot be imported ({exc}).", part=part
        ) from exc
    if not callable(found):
        raise EngineUnavailable(f"{setting} {path!r} cannot be called.", part=part)
    factory: Callable[..., Any] = found
    return factory
