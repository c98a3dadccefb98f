"""What each event of the model's side does, by table.

Source: Realtime API (GA), server events.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from realtime_widget.exceptions import ProtocolError
from realtime_widget.session import fields
from realtime_widget.session.ports import UsageFact
from realtime_widget.session.refusals import on_error, response_failed

if TYPE_CHECKING:
    from realtime_widget.session.core import SessionCore

Event = Mapping[str, Any]

LANGUAGE_CHARS: Final = 35


# --- session -----------------------------------------------------------------


def on_session_created(core: SessionCore, event: Event, now_s: float) -> None:
    """Configure the session; it has no items yet, whatever an earlier one had."""
    core.items.clear()
    session = fields.optional_mapping(event, "session")
    core.upstream_created(fields.optional_text(session, "id"), now_s)


def on_session_updated(core: SessionCore, event: Event, now_s: float) -> None:
    """Start, or go on: the model's side has taken the configuration."""
    if core.started and not core.renewal.under_way:
        core.changes.taken(core)
    elif core.created:
        core.start(now_s)


# --- the visitor's speech ----------------------------------------------------


def on_speech_started(core: SessionCore, event: Event, now_s: float) -> None:
    """Let the visitor speak; the answer that is heard falls silent at once."""
    at_ms = fields.milliseconds(event, "audio_start_ms")
    core.lifetime.visitor_lives(now_s)
    core.turns.speech_started()
    if core.config.turn_detection.interrupt_response:
        core.answers.barge_in(now_s)
        core.tools.barge_in(now_s)
    core.effects.page("speech.started", at_ms=int(at_ms))


def on_speech_stopped(core: SessionCore, event: Event, now_s: float) -> None:
    """Expect an answer to what was said."""
    at_ms = fields.milliseconds(event, "audio_end_ms")
    core.lifetime.visitor_lives(now_s)
    core.turns.speech_stopped(now_s)
    core.effects.page("speech.stopped", at_ms=int(at_ms))


def on_silence(core: SessionCore, event: Event, now_s: float) -> None:
    """Note that an answer comes because the visitor says nothing."""
    core.lifetime.prompted(core.answers.playback.end_s())


def on_committed(core: SessionCore, event: Event, now_s: float) -> None:
    """Place what was said into the conversation."""
    core.transcript.place(
        fields.text(event, "item_id"), fields.optional_text(event, "previous_item_id")
    )


def on_transcription_delta(core: SessionCore, event: Event, now_s: float) -> None:
    """Show words of the visitor."""
    if "delta" in event:
        core.transcript.heard_words(
            fields.text(event, "item_id"), fields.words(event, "delta")
        )


def on_transcription_completed(core: SessionCore, event: Event, now_s: float) -> None:
    """Show and keep what the visitor said."""
    core.lifetime.visitor_lives(now_s)
    words = fields.words(event, "transcript")
    core.transcript.heard_all(
        fields.text(event, "item_id"), words, "completed", _language(event)
    )
    core.tools.said(words, now_s)
    core.guardrails.heard(fields.text(event, "item_id"), words)
    usage = fields.usage(event, "usage")
    if usage:
        model = core.config.transcription_model
        core.spending.used(UsageFact("transcription", model, usage=usage))


def _language(event: Event) -> str:
    """Return the language that was heard, "" where it is not told or not one."""
    languages = event.get("languages")
    if not isinstance(languages, list) or len(languages) != 1:
        return ""
    code = languages[0].get("code") if isinstance(languages[0], Mapping) else ""
    return code[:LANGUAGE_CHARS] if isinstance(code, str) else ""


def on_transcription_failed(core: SessionCore, event: Event, now_s: float) -> None:
    """Close the line of speech that could not be written down."""
    core.transcript.heard_nothing(fields.text(event, "item_id"))


# --- items -------------------------------------------------------------------


def on_item_added(core: SessionCore, event: Event, now_s: float) -> None:
    """Place an item; the visitor's speech gets its line before its words."""
    item = fields.mapping(event, "item")
    item_id = fields.text(item, "id")
    previous = fields.optional_text(event, "previous_item_id")
    kind = _content_kind(item)
    alias, after = "", previous
    if kind:
        alias = core.transcript.confirmed(item_id, may_be_renamed=kind == "input_text")
        previous = alias or previous
    core.unseen.seen(alias or item_id)
    core.transcript.place(item_id, previous)
    core.items.note(item, after, alias or item_id)
    if item.get("type") == "function_call_output":
        core.unseen.seen(fields.optional_text(item, "call_id"))
    done = event.get("type") == "conversation.item.done"
    core.tools.mcp.item(item, "", now_s, done=done)
    if (
        kind == "input_audio"
        and item.get("role") == "user"
        and core.config.transcription_model
    ):
        core.transcript.place_speech(item_id)


def _content_kind(item: Event) -> str:
    content = item.get("content")
    if item.get("type") != "message" or not isinstance(content, list) or not content:
        return ""
    part = content[0]
    return fields.optional_text(part, "type") if isinstance(part, Mapping) else ""


def on_item_deleted(core: SessionCore, event: Event, now_s: float) -> None:
    """Forget an item that the model's side has no more."""
    core.items.drop([fields.text(event, "item_id")])


# --- answers -----------------------------------------------------------------


def on_response_created(core: SessionCore, event: Event, now_s: float) -> None:
    """Note that an answer is being made."""
    response = fields.mapping(event, "response")
    core.lifetime.lives(now_s)
    response_id = fields.text(response, "id")
    # What was asked for before the visitor spoke must not begin over these words.
    over_speech = core.turns.speaking and core.config.turn_detection.interrupt_response
    core.turns.response_created(response_id, unwanted=over_speech)
    core.guardrails.response_created(core, response_id, now_s)


def on_output_item_added(core: SessionCore, event: Event, now_s: float) -> None:
    """Take the beginning of an MCP call; everything else is taken when it is done."""
    item, response_id = fields.mapping(event, "item"), fields.text(event, "response_id")
    core.tools.mcp.item(item, response_id, now_s, done=False)


def on_output_item_done(core: SessionCore, event: Event, now_s: float) -> None:
    """Take a completed tool call."""
    item, response_id = fields.mapping(event, "item"), fields.text(event, "response_id")
    core.tools.mcp.item(item, response_id, now_s, done=True)
    _take_call(core, item, response_id, now_s)


def on_mcp_completed(core: SessionCore, event: Event, now_s: float) -> None:
    """Note that an MCP call has succeeded."""
    core.tools.mcp.call_ended(fields.text(event, "item_id"), "completed", now_s)


def on_mcp_failed(core: SessionCore, event: Event, now_s: float) -> None:
    """Note that an MCP call has failed."""
    core.tools.mcp.call_ended(fields.text(event, "item_id"), "failed", now_s)


def on_mcp_list_failed(core: SessionCore, event: Event, now_s: float) -> None:
    """Count an MCP server whose tools are not known: the talk goes on without them."""
    fields.text(event, "item_id")
    core.count("mcp_list_failed")


def _take_call(core: SessionCore, item: Event, response_id: str, now_s: float) -> None:
    if item.get("type") != "function_call":
        return
    if item.get("status", "completed") != "completed":
        return  # cut off while it was written
    core.tools.called(
        fields.text(item, "call_id"),
        response_id,
        fields.label(item, "name"),
        fields.words(item, "arguments"),
        now_s,
    )
    if core.turns.ended(response_id):
        core.tools.response_ended(response_id)


def on_voice_words(core: SessionCore, event: Event, now_s: float) -> None:
    """Show words of a spoken answer."""
    words = _words(event, "delta")
    core.tools.mcp.words_came(words[1])
    core.answers.words(*words, "voice")
    core.guardrails.said(*words)


def on_voice_words_done(core: SessionCore, event: Event, now_s: float) -> None:
    """Show and keep a spoken answer."""
    words = _words(event, "transcript")
    core.answers.all_words(*words, "voice")
    core.guardrails.said_all(*words)


def on_text_words(core: SessionCore, event: Event, now_s: float) -> None:
    """Show words of a written answer."""
    words = _words(event, "delta")
    core.tools.mcp.words_came(words[1])
    core.answers.words(*words, "text")
    core.guardrails.said(*words)


def on_text_words_done(core: SessionCore, event: Event, now_s: float) -> None:
    """Show and keep a written answer."""
    words = _words(event, "text")
    core.answers.all_words(*words, "text")
    core.guardrails.said_all(*words)


def _words(event: Event, name: str) -> tuple[str, str, str]:
    return (
        fields.text(event, "item_id"),
        fields.text(event, "response_id"),
        fields.words(event, name),
    )


def on_audio_done(core: SessionCore, event: Event, now_s: float) -> None:
    """Note that an item's audio is complete."""
    core.answers.playback.close(fields.text(event, "item_id"))


def on_response_done(core: SessionCore, event: Event, now_s: float) -> None:
    """End a response: the only sure mark of its end, also when it failed."""
    response = fields.mapping(event, "response")
    response_id = fields.text(response, "id")
    status = fields.optional_text(response, "status")
    core.lifetime.lives(now_s)
    usage = fields.usage(response, "usage")
    if usage and not core.turns.ended(response_id):
        core.spending.used(UsageFact("response", core.config.model, response_id, usage))
    if not core.answers.response_done(response_id, status, now_s):
        return
    output = response.get("output")
    for item in output if isinstance(output, list) else ():
        if isinstance(item, Mapping):
            _take_call_leniently(core, item, response_id, now_s)
    core.tools.response_ended(response_id)
    if status == "failed":
        response_failed(core, response)


def _take_call_leniently(
    core: SessionCore, item: Event, response_id: str, now_s: float
) -> None:
    """Take a call that had no event of its own; a bad one must not undo the end."""
    try:
        _take_call(core, item, response_id, now_s)
    except ProtocolError:
        core.count("malformed_event")


HANDLERS: Final[dict[str, Callable[[SessionCore, Event, float], None]]] = {
    "session.created": on_session_created,
    "session.updated": on_session_updated,
    "error": on_error,
    "input_audio_buffer.speech_started": on_speech_started,
    "input_audio_buffer.speech_stopped": on_speech_stopped,
    "input_audio_buffer.committed": on_committed,
    "input_audio_buffer.timeout_triggered": on_silence,
    "conversation.item.input_audio_transcription.delta": on_transcription_delta,
    "conversation.item.input_audio_transcription.completed": on_transcription_completed,
    "conversation.item.input_audio_transcription.failed": on_transcription_failed,
    "conversation.item.added": on_item_added,
    # Sent instead of "added" by some compatible servers.
    "conversation.item.created": on_item_added,
    "conversation.item.done": on_item_added,
    "conversation.item.deleted": on_item_deleted,
    "response.created": on_response_created,
    "response.output_item.added": on_output_item_added,
    "response.output_item.done": on_output_item_done,
    "response.mcp_call.completed": on_mcp_completed,
    "response.mcp_call.failed": on_mcp_failed,
    "mcp_list_tools.failed": on_mcp_list_failed,
    "response.output_audio.done": on_audio_done,
    "response.output_audio_transcript.delta": on_voice_words,
    "response.output_audio_transcript.done": on_voice_words_done,
    "response.output_text.delta": on_text_words,
    "response.output_text.done": on_text_words_done,
    "response.done": on_response_done,
}

# Known events that change nothing here.
IGNORED: Final = frozenset(
    {
        "conversation.created",
        "conversation.item.retrieved",
        "conversation.item.truncated",
        "conversation.item.input_audio_transcription.segment",
        "input_audio_buffer.cleared",
        "input_audio_buffer.dtmf_event_received",
        "mcp_list_tools.completed",
        "mcp_list_tools.in_progress",
        "output_audio_buffer.cleared",
        "output_audio_buffer.started",
        "output_audio_buffer.stopped",
        "rate_limits.updated",
        "response.content_part.added",
        "response.content_part.done",
        "response.function_call_arguments.delta",
        "response.function_call_arguments.done",
        "response.mcp_call.in_progress",
        "response.mcp_call_arguments.delta",
        "response.mcp_call_arguments.done",
    }
)
