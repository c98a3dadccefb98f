"""What a page may change of a running session, where its widget's row allows it.

Source: Realtime API session object, ``audio.input.turn_detection``,
``audio.input.noise_reduction`` and ``audio.output.speed``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from realtime_widget.exceptions import ProtocolError
from realtime_widget.session import composing, fields
from realtime_widget.session.config import SessionConfig, TurnDetection

if TYPE_CHECKING:
    from realtime_widget.session.core import SessionCore

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


class Changes:
    """The page's changes of one running session, one at a time.

    A change holds at once, and is taken back when the model's side refuses it.
    """

    def __init__(self) -> None:
        self._before: SessionConfig | None = None
        self._parts: dict[str, Any] = {}
        self._made = 0

    def begin(self, core: SessionCore, wish: Mapping[str, Any], now_s: float) -> None:
        """Change the running session as its page wishes.

        The page is told ``session.updated`` when the model's side has taken it.

        Raises:
            ProtocolError: If the wish is not allowed, cannot be, or comes too soon.
        """
        if self._before is not None or not core.started:
            raise ProtocolError("a change is under way", code="too_fast")
        config = changed(core.config, wish)
        if config.turn_detection.kind != core.config.turn_detection.kind:
            # What was heard so far would end up in a turn of the other kind.
            core.talk_key.drop()
            core.turns.speech_dropped(now_s)
        self._made += 1
        self._before, core.config = core.config, config
        self._parts = composing.changed_parts(self._before, config)
        core.effects.upstream(
            composing.session_update(self._parts, event_id=f"change_{self._made}")
        )

    def taken(self, core: SessionCore) -> None:
        """Tell the page that its change holds."""
        if self._before is not None:
            self._before = None
            core.session = composing.merged(core.session, self._parts)
            core.effects.page("session.updated", config=shown(core.config))

    def refused(self, core: SessionCore, event_id: str) -> bool:
        """Take back a change that the model's side did not take.

        Returns:
            False when the error belongs to something else.
        """
        if self._before is None or event_id != f"change_{self._made}":
            return False
        core.config, self._before = self._before, None
        core.effects.error("invalid_field")
        core.effects.page("session.updated", config=shown(core.config))
        return True
