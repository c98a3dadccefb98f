"""The official ``openai`` client, synchronous."""

from __future__ import annotations

from base64 import b64decode, b64encode
from contextlib import contextmanager

import pytest
from openai import OpenAI

from tests.clients import strict
from tests.clients.sound import loud, pieces, quiet

CLOCK = {
    "type": "function",
    "name": "tell_time",
    "description": "Tell the time in a place.",
    "parameters": {"type": "object", "properties": {"place": {"type": "string"}}},
}


class Session:
    """A connection whose every event is held against the package's types."""

    def __init__(self, connection):
        self.connection = connection
        self.events = []

    def until(self, kind):
        """Return the next event of a kind; an error fails."""
        while True:
            raw = self.connection.recv_bytes()
            strict.check(raw)
            event = self.connection.parse_event(raw)
            self.events.append(event)
            assert event.type != "error", event
            if event.type == kind:
                return event

    def write(self, text):
        """Type a line and ask for the answer."""
        content = [{"type": "input_text", "text": text}]
        item = {"type": "message", "role": "user", "content": content}
        self.connection.conversation.item.create(item=item)
        self.connection.response.create()

    def speak(self, pcm):
        """Send sound as a microphone does."""
        for piece in pieces(pcm):
            self.connection.input_audio_buffer.append(audio=b64encode(piece).decode())


@pytest.fixture
def client(http_base, websocket_base):
    """A client of the package that knows only the engine."""
    with OpenAI(
        api_key="any", base_url=http_base, websocket_base_url=websocket_base
    ) as made:
        yield made


@contextmanager
def talk(client, **session):
    """Open a session and configure it."""
    with client.realtime.connect(model="gpt-realtime-2.1") as connection:
        opened = Session(connection)
        opened.until("session.created")
        connection.session.update(session={"type": "realtime", **session})
        opened.until("session.updated")
        yield opened


def test_text_turn_and_tool_turn(client):
    with talk(client, output_modalities=["text"], tools=[CLOCK]) as session:
        session.write("Good morning")
        first = session.until("response.done")
        session.write('tell_time {"place": "Lima"}')
        call = session.until("response.function_call_arguments.done")
        session.until("response.done")
        output = {"type": "function_call_output", "call_id": call.call_id}
        session.connection.conversation.item.create(item={**output, "output": "Noon."})
        session.connection.response.create()
        last = session.until("response.done")

    assert first.response.output[0].content[0].text == 'You said: "Good morning".'
    assert (call.name, call.arguments) == ("tell_time", '{"place": "Lima"}')
    assert last.response.output[0].content[0].text == "The tool says: Noon."


def test_audio_turn_by_push_to_talk(client):
    wish = {"input": {"turn_detection": None}}
    with talk(client, audio=wish) as session:
        session.speak(loud(700) + quiet(300))
        session.connection.input_audio_buffer.commit()
        session.until("input_audio_buffer.committed")
        session.connection.response.create()
        done = session.until("response.done")

    assert "seconds of speech" in done.response.output[0].content[0].transcript
    deltas = [e for e in session.events if e.type == "response.output_audio.delta"]
    assert any(b"".join(b64decode(event.delta) for event in deltas))


def test_answer_is_cancelled_and_cut(client):
    with talk(client) as session:
        session.write("Please count slowly.")
        first = session.until("response.output_audio.delta")
        session.connection.response.cancel()
        done = session.until("response.done")
        session.connection.conversation.item.truncate(
            item_id=first.item_id, content_index=0, audio_end_ms=100
        )
        cut = session.until("conversation.item.truncated")

    assert done.response.status_details.reason == "client_cancelled"
    assert cut.item_id == first.item_id


def test_answer_beside_the_conversation(client):
    with talk(client) as session:
        wish = {"conversation": "none", "output_modalities": ["text"], "input": []}
        session.connection.response.create(response=wish)
        done = session.until("response.done")

    assert done.response.conversation_id is None
    assert done.response.output[0].content[0].text == "Hello."


def test_client_secret_opens_a_transcription_session(client, websocket_base):
    made = client.realtime.client_secrets.create(session={"type": "transcription"})
    with (
        OpenAI(api_key=made.value, websocket_base_url=websocket_base) as browser,
        browser.realtime.connect(extra_query={"intent": "transcription"}) as connection,
    ):
        session = Session(connection)
        created = session.until("session.created")
        session.speak(loud(800) + quiet(1000))
        words = session.until("conversation.item.input_audio_transcription.completed")

    assert created.session.type == "transcription"
    assert words.transcript.endswith("seconds of speech")


def test_models(client):
    assert "scripted" in [model.id for model in client.models.list()]
