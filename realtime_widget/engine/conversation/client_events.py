"""What each client event does, by table.

Source: Realtime API (GA), client events.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from realtime_widget.engine.conversation import errors, field_rules, mcp
from realtime_widget.engine.conversation.item_rules import decode_audio, read_item
from realtime_widget.engine.conversation.items import Item
from realtime_widget.protocol.audio import MAX_APPEND_BYTES
from realtime_widget.protocol.events import APPEND

if TYPE_CHECKING:
    from realtime_widget.engine.conversation.core import Conversation

Event = Mapping[str, Any]


def on_session_update(talk: Conversation, event: Event, now_s: float) -> None:
    """Change the configuration and show all of it."""
    known = mcp.servers(talk.session.public)
    talk.configure(event.get("session"))
    talk.outbox.send("session.updated", session=talk.session.public)
    for label in mcp.servers(talk.session.public):
        if label not in known:
            mcp.fail_to_list(talk, label)


def on_append(talk: Conversation, event: Event, now_s: float) -> None:
    """Take audio; this is the slow way, for what the quick one cannot read."""
    if "audio" not in event:
        raise errors.missing("audio")
    audio = decode_audio(event["audio"], "audio")
    if len(audio) > MAX_APPEND_BYTES:
        raise errors.append_too_long(MAX_APPEND_BYTES)
    if (deaf := talk.deafness()) is not None:
        raise deaf
    talk.append(audio, now_s)


def on_commit(talk: Conversation, event: Event, now_s: float) -> None:
    """Make an item of the buffer."""
    if talk.listening is None:
        raise errors.buffer_too_small(0)
    talk.commit(talk.listening.commit())


def on_clear(talk: Conversation, event: Event, now_s: float) -> None:
    """Empty the buffer."""
    if talk.listening is not None:
        talk.listening.clear()
    talk.outbox.send("input_audio_buffer.cleared")


def on_item_create(talk: Conversation, event: Event, now_s: float) -> None:
    """Add an item of the client's."""
    after = event.get("previous_item_id")
    if after is not None:
        field_rules.text(after, "previous_item_id")
    item = read_item(
        event.get("item"),
        "item",
        new_id=talk.outbox.new_id,
        wire=talk.session.input_format,
    )
    talk.add_item(item, after)


def on_item_delete(talk: Conversation, event: Event, now_s: float) -> None:
    """Take an item out."""
    item = _find(talk, event, "delete", "deleting")
    talk.items.remove(item)
    talk.outbox.send("conversation.item.deleted", item_id=item.item_id)


def on_item_retrieve(talk: Conversation, event: Event, now_s: float) -> None:
    """Show an item, with the audio of what a user said."""
    item = _find(talk, event, "retrieve", "retrieving")
    body = item.retrieved(talk.session.input_format)
    talk.outbox.send("conversation.item.retrieved", item=body)


def on_item_truncate(talk: Conversation, event: Event, now_s: float) -> None:
    """Cut a spoken answer to what was heard of it."""
    for name in ("content_index", "audio_end_ms"):
        if name not in event:
            raise errors.missing(name)
    item = _find(talk, event, "truncate", "truncating")
    end_ms = field_rules.whole_number(event["audio_end_ms"], "audio_end_ms")
    if end_ms < 0:
        raise errors.invalid_because("audio_end_ms", "expected 0 or more")
    if field_rules.whole_number(event["content_index"], "content_index") != 0:
        raise errors.invalid_because("content_index", "expected 0")
    item.truncate(end_ms)
    talk.outbox.send(
        "conversation.item.truncated",
        item_id=item.item_id,
        content_index=0,
        audio_end_ms=end_ms,
    )


def on_response_create(talk: Conversation, event: Event, now_s: float) -> None:
    """Begin an answer."""
    if not talk.session.answers:
        raise errors.no_answers()
    talk.respond(event.get("response"), now_s)


def on_response_cancel(talk: Conversation, event: Event, now_s: float) -> None:
    """Stop an answer."""
    response_id = event.get("response_id")
    if response_id is None:
        response = talk.answers.active()
    else:
        field_rules.text(response_id, "response_id")
        response = talk.answers.find(response_id)
    if response is None:
        raise errors.nothing_to_cancel()
    response.cancel("client_cancelled")


def on_output_clear(talk: Conversation, event: Event, now_s: float) -> None:
    """Refuse: over a socket the client holds what is still to be heard."""
    raise errors.only_in_calls("output_audio_buffer.clear")


def _find(talk: Conversation, event: Event, verb: str, action: str) -> Item:
    if event.get("item_id") is None:
        raise errors.missing("item_id")
    item_id = field_rules.text(event["item_id"], "item_id")
    item = talk.items.find(item_id)
    if item is None:
        raise errors.no_such_item(verb, action, item_id)
    return item


HANDLERS: Final[dict[str, Callable[[Conversation, Event, float], None]]] = {
    "session.update": on_session_update,
    APPEND: on_append,
    "input_audio_buffer.commit": on_commit,
    "input_audio_buffer.clear": on_clear,
    "conversation.item.create": on_item_create,
    "conversation.item.delete": on_item_delete,
    "conversation.item.retrieve": on_item_retrieve,
    "conversation.item.truncate": on_item_truncate,
    "response.create": on_response_create,
    "response.cancel": on_response_cancel,
    "output_audio_buffer.clear": on_output_clear,
}
