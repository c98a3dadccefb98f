"""What each message of the page does, by table.

The page may say, type, mute, interrupt and stop. It never sets instructions, tools
or the model: every event for the model's side is composed by the server.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final, cast

from realtime_widget.exceptions import ProtocolError
from realtime_widget.session import composing, fields, pictures
from realtime_widget.session.effects import Stop
from realtime_widget.session.transcript import Role

if TYPE_CHECKING:
    from realtime_widget.session.core import SessionCore

Message = Mapping[str, Any]

# Encoded silence, one byte of it; G.711 has no zero.
SILENCE: Final = {"pcm16": b"\x00", "pcmu": b"\xff", "pcma": b"\xd5"}
# More than the pause that any turn detection waits for.
SILENCE_MARGIN_MS: Final = 500


def on_stop(core: SessionCore, message: Message, now_s: float) -> None:
    """End the session as the visitor wishes."""
    core.effects.add(Stop("user"))


def on_message(core: SessionCore, message: Message, now_s: float) -> None:
    """Add a typed message, or a picture, and have it answered unless told not to."""
    config = core.config
    picture = pictures.data_url(message, config.picture_bytes)
    text = fields.words(message, "text").strip()
    role = fields.text(message, "role") if "role" in message else "user"
    respond = fields.flag(message, "respond", default=True)
    if not text and not picture:
        raise ProtocolError("text is empty", code=fields.CODE)
    if len(text) > config.limits.text_chars:
        raise ProtocolError("text is too long", code="text_too_long")
    if role not in {"user", "assistant", "system"}:
        raise ProtocolError("no such role", code=fields.CODE)
    if role not in config.message_roles or (picture and role != "user"):
        raise ProtocolError("role is not allowed", code="forbidden")
    core.lifetime.visitor_lives(now_s)
    item_id = core.transcript.next_typed_id()
    core.effects.upstream(composing.message_item(item_id, role, text, picture))
    core.unseen.sent(item_id)
    line = pictures.line(text) if picture else text
    core.transcript.typed(item_id, cast(Role, role), line)
    if role == "user":
        core.tools.said(text, now_s)
        core.guardrails.heard(item_id, text)
    if respond:
        core.turns.want_response(now_s)


def on_turn_start(core: SessionCore, message: Message, now_s: float) -> None:
    """Listen to the visitor, who holds the key; the agent falls silent."""
    _need_talk_key(core)
    core.lifetime.visitor_lives(now_s)
    if core.talk_key.held:
        return
    core.turns.speech_started()
    if "played_ms" in message:
        core.answers.interrupt(
            fields.optional_text(message, "item_id"),
            fields.milliseconds(message, "played_ms"),
            now_s,
        )
    else:
        core.answers.barge_in(now_s)
        core.turns.cancel(now_s)
    core.tools.barge_in(now_s)
    core.talk_key.press()


def on_turn_commit(core: SessionCore, message: Message, now_s: float) -> None:
    """Have what was said while the key was held answered."""
    _need_talk_key(core)
    core.lifetime.visitor_lives(now_s)
    if not core.talk_key.held:
        return
    if core.talk_key.release():
        core.turns.speech_committed(now_s)
    else:
        core.turns.speech_dropped(now_s)
        core.effects.error("turn_too_short")


def on_turn_cancel(core: SessionCore, message: Message, now_s: float) -> None:
    """Forget what was said while the key was held."""
    _need_talk_key(core)
    core.lifetime.visitor_lives(now_s)
    if core.talk_key.held:
        core.talk_key.drop()
        core.turns.speech_dropped(now_s)


def _need_talk_key(core: SessionCore) -> None:
    config = core.config
    if config.text_only or config.turn_detection.kind != "none" or not core.started:
        raise ProtocolError("turns do not end by a key", code="forbidden")


def on_update(core: SessionCore, message: Message, now_s: float) -> None:
    """Change what the widget's row lets pages change."""
    core.lifetime.visitor_lives(now_s)
    core.changes.begin(core, fields.mapping(message, "config"), now_s)


def on_microphone(core: SessionCore, message: Message, now_s: float) -> None:
    """End the visitor's turn when the microphone is muted in the middle of it.

    A muted page sends nothing, so a server that listens for the pause would wait for
    ever; it is given the pause instead.
    """
    muted = fields.flag(message, "muted", default=False)
    if not (muted and core.turns.speaking) or core.talk_key.held:
        return
    audio = core.config.audio
    pause_ms = core.config.turn_detection.silence_duration_ms + SILENCE_MARGIN_MS
    silence = SILENCE[audio.name] * (pause_ms * audio.bytes_per_ms)
    core.effects.upstream(
        {"type": "input_audio_buffer.append", "audio": b64encode(silence).decode()}
    )


def on_interrupt(core: SessionCore, message: Message, now_s: float) -> None:
    """Stop the answer; the page is silent already."""
    core.lifetime.visitor_lives(now_s)
    core.answers.interrupt(
        fields.optional_text(message, "item_id"),
        fields.milliseconds(message, "played_ms"),
        now_s,
    )


def on_playback(core: SessionCore, message: Message, now_s: float) -> None:
    """Note what the visitor has really heard."""
    core.answers.reported(
        fields.text(message, "item_id"),
        fields.milliseconds(message, "played_ms"),
        now_s,
        done=fields.flag(message, "done", default=False),
    )


def on_tool_result(core: SessionCore, message: Message, now_s: float) -> None:
    """Take the answer of a tool that ran in the page."""
    core.tools.page_answered(fields.text(message, "call_id"), message, now_s)


def on_tool_approval(core: SessionCore, message: Message, now_s: float) -> None:
    """Let a call that waits for the visitor go on, or not."""
    core.lifetime.visitor_lives(now_s)
    core.tools.approved(
        fields.text(message, "call_id"),
        now_s,
        approve=fields.flag(message, "approve", default=False),
        always=fields.flag(message, "always", default=False),
    )


def on_ping(core: SessionCore, message: Message, now_s: float) -> None:
    """Answer with the page's own time stamp."""
    core.effects.page("pong", t=fields.milliseconds(message, "t"))


HANDLERS: Final[dict[str, Callable[[SessionCore, Message, float], None]]] = {
    "session.stop": on_stop,
    "session.update": on_update,
    "turn.start": on_turn_start,
    "turn.commit": on_turn_commit,
    "turn.cancel": on_turn_cancel,
    "message": on_message,
    "microphone": on_microphone,
    "interrupt": on_interrupt,
    "playback": on_playback,
    "tool.result": on_tool_result,
    "tool.approval": on_tool_approval,
    "ping": on_ping,
}
