"""What a page is told first: who answers, how it sounds, what was said before."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from realtime_widget import __version__
from realtime_widget.session.config import HistoryItem
from realtime_widget.session.renewal import MAX_CHARS, MAX_ITEMS

if TYPE_CHECKING:
    from realtime_widget.session.core import SessionCore


def introduce(core: SessionCore, *, again: bool = False) -> None:
    """Tell the page ``session.started``.

    Args:
        core: The session.
        again: Whether it has gone on without a page. What was said in this session
            is then part of the history, by its items' ids.
    """
    config = core.config
    before = [_earlier(one) for one in config.history]
    core.effects.page(
        "session.started",
        session_id=config.session_id,
        resume=config.resume,
        resumed=again or config.resumed,
        history=_newest([*before, *core.transcript.said()]) if again else before,
        agent=core.agent.name,
        audio={"format": config.audio.name, "rate_hz": config.audio.rate_hz},
        turn_detection=config.turn_detection.kind,
        max_session_s=config.limits.max_session_s,
        version=__version__,
    )


def _earlier(item: HistoryItem) -> dict[str, Any]:
    """Return what a page is told of an earlier session; of answers, which they are."""
    said: dict[str, Any] = {"role": item.role, "text": item.text}
    if item.role == "assistant" and item.item_id:
        said["of"] = {"session_id": item.session_id, "item_id": item.item_id}
    return said


def _newest(said: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the end of a talk, within the bounds of what a model is told of one."""
    left, first = MAX_CHARS, len(said)
    for index in range(len(said) - 1, max(-1, len(said) - 1 - MAX_ITEMS), -1):
        left -= len(said[index]["text"])
        if left < 0:
            break
        first = index
    return said[first:]
