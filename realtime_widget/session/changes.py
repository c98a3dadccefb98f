"""What a page may change of a running session, where its widget's row allows it.

Source: Realtime API session object, ``audio.input.turn_detection``,
``audio.input.noise_reduction`` and ``audio.output.speed``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final

from realtime_widget.exceptions import ProtocolError
from realtime_widget.session import fields
from realtime_widget.session.config import SessionConfig, TurnDetection

IDLE_TIMEOUT_RANGE_MS: Final = (5_000, 30_000)
PREFIX_PADDING_RANGE_MS: Final = (0, 5_000)
SILENCE_RANGE_MS: Final = (100, 10_000)
SPEED_RANGE: Final = (0.25, 1.5)


def _choice(*choices: str) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, str) and value in choices


def _number(low: float, high: float, *, whole: bool = False) -> Callable[[Any], bool]:
    kinds = int if whole else int | float

    def fits(value: Any) -> bool:
        return (
            isinstance(value, kinds)
            and not isinstance(value, bool)
            and low <= value <= high
        )

    return fits


# Name in ``session.update`` -> field of ``TurnDetection``, what it may be.
_TURNS: Final[dict[str, tuple[str, Callable[[Any], bool]]]] = {
    "turn_detection": ("kind", _choice("server_vad", "semantic_vad", "none")),
    "vad_threshold": ("threshold", _number(0.0, 1.0)),
    "prefix_padding_ms": (
        "prefix_padding_ms",
        _number(*PREFIX_PADDING_RANGE_MS, whole=True),
    ),
    "silence_duration_ms": (
        "silence_duration_ms",
        _number(*SILENCE_RANGE_MS, whole=True),
    ),
    "eagerness": ("eagerness", _choice("auto", "low", "medium", "high")),
    "interrupt_response": ("interrupt_response", lambda value: isinstance(value, bool)),
    "idle_timeout_ms": (
        "idle_timeout_ms",
        lambda value: (
            value is None or _number(*IDLE_TIMEOUT_RANGE_MS, whole=True)(value)
        ),
    ),
}
_REST: Final[dict[str, Callable[[Any], bool]]] = {
    "noise_reduction": _choice("", "near_field", "far_field"),
    "speed": _number(*SPEED_RANGE),
}
CHANGEABLE: Final = (*_TURNS, *_REST)


def changed(config: SessionConfig, wish: Mapping[str, Any]) -> SessionConfig:
    """Return the configuration with what a page wishes.

    Args:
        config: As it is now.
        wish: Name -> value, names as in ``CHANGEABLE``.

    Raises:
        ProtocolError: ``forbidden`` for a name that the widget's row does not allow,
            ``invalid_field`` for a value that cannot be.
    """
    if not wish or config.text_only:
        raise ProtocolError("nothing to change", code=fields.CODE)
    turns: dict[str, Any] = {}
    rest: dict[str, Any] = {}
    for name, value in wish.items():
        if name not in config.changeable:
            raise ProtocolError("field is not allowed", code="forbidden")
        field, fits = _TURNS.get(name) or (name, _REST[name])
        if not fits(value):
            raise ProtocolError(f"{name} cannot be that", code=fields.CODE)
        (turns if name in _TURNS else rest)[field] = value
    detection = replace(config.turn_detection, **turns)
    return replace(config, turn_detection=detection, **rest)


def shown(config: SessionConfig) -> dict[str, Any]:
    """Return what a page may know of it: the fields that it may change."""
    turns: TurnDetection = config.turn_detection
    return {
        name: getattr(turns, _TURNS[name][0])
        if name in _TURNS
        else getattr(config, name)
        for name in CHANGEABLE
        if name in config.changeable
    }
