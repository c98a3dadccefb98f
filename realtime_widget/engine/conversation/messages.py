"""The two kinds of output items, each written to the wire piece by piece.

Source: Realtime API, ``response.output_item``, ``response.content_part`` and the deltas
between them (GA); the part says ``audio`` and ``text`` where the item says
``output_audio`` and ``output_text``.
"""

from __future__ import annotations

from typing import Any, Literal

from realtime_widget.engine.conversation.answer_audio import AnswerAudio
from realtime_widget.engine.conversation.items import Item, Items, Sentence
from realtime_widget.engine.conversation.work import Outbox
from realtime_widget.protocol.audio import AudioFormat


class _Output:
    """An item of a response that is being written.

    Args:
        outbox: Where events go.
        response_id: The response.
        output_index: The item's place in it.
        items: The conversation it becomes part of, None out of band.
        body: The item before anything is in it.
    """

    def __init__(
        self,
        outbox: Outbox,
        *,
        response_id: str,
        output_index: int,
        items: Items | None,
        body: dict[str, Any],
    ) -> None:
        self._outbox = outbox
        self._response_id = response_id
        self._output_index = output_index
        self._items = items
        self.item = Item(
            {"id": outbox.new_id("item"), "object": "realtime.item", **body},
            done=False,
        )
        self._previous_id: str | None = None
        self._item_event("response.output_item.added")
        if items is not None:
            self._previous_id = items.add(self.item)
            self._conversation_event("conversation.item.added")

    def _finish(self) -> None:
        self.item.done = True
        self._item_event("response.output_item.done")
        if self._items is not None and self.item.item_id in self._items:
            self._conversation_event("conversation.item.done")

    def _item_event(self, kind: str) -> None:
        self._outbox.send(
            kind,
            response_id=self._response_id,
            output_index=self._output_index,
            item=self.item.public(),
        )

    def _conversation_event(self, kind: str) -> None:
        self._outbox.send(
            kind, previous_item_id=self._previous_id, item=self.item.public()
        )

    def _send(self, kind: str, **fields: Any) -> None:
        self._outbox.send(
            kind,
            response_id=self._response_id,
            item_id=self.item.item_id,
            output_index=self._output_index,
            **fields,
        )


class MessageOutput(_Output):
    """A message, spoken or written.

    Args:
        outbox: Where events go.
        response_id: The response.
        output_index: The item's place in it.
        items: The conversation it becomes part of, None out of band.
        wire: The format of its audio, None for a written one.
    """

    def __init__(
        self,
        outbox: Outbox,
        *,
        response_id: str,
        output_index: int,
        items: Items | None,
        wire: AudioFormat | None,
    ) -> None:
        super().__init__(
            outbox,
            response_id=response_id,
            output_index=output_index,
            items=items,
            body={
                "type": "message",
                "status": "in_progress",
                "role": "assistant",
                "content": [],
            },
        )
        self._audio = None if wire is None else AnswerAudio(wire)
        self._words = ""
        self._said: str | None = None
        self._send("response.content_part.added", content_index=0, part=self._part())

    def text(self, delta: str) -> None:
        """Write some words."""
        self._words += delta
        self._send("response.output_text.delta", content_index=0, delta=delta)

    def audio(self, sentence: str, pcm: bytes) -> int:
        """Send audio of a sentence, its words before its first audio.

        Returns:
            How many ms of audio were sent.
        """
        self._say(sentence)
        return self._send_audio(pcm, last=False)

    def sentence_done(self, sentence: str) -> int:
        """Send what is left of a sentence, its words too if it had no audio.

        Returns:
            How many ms of audio were sent.
        """
        self._say(sentence)
        sent_ms = self._send_audio(b"", last=True)
        self._said = None
        return sent_ms

    def close(self, status: Literal["completed", "incomplete"]) -> int:
        """Write the item's end.

        Returns:
            How many ms of audio were sent.
        """
        sent_ms = 0
        if self._audio is not None:
            # Of a sentence that was cut off, the rest is not wanted any more.
            if self._said is None:
                sent_ms = self._send_audio(b"", last=True)
            self._send("response.output_audio.done", content_index=0)
            self._send(
                "response.output_audio_transcript.done",
                content_index=0,
                transcript=self._words,
            )
        else:
            self._send("response.output_text.done", content_index=0, text=self._words)
        self._send("response.content_part.done", content_index=0, part=self._part())
        self.item.body["status"] = status
        self.item.body["content"] = [self._content()]
        self._finish()
        return sent_ms

    def _say(self, sentence: str) -> None:
        """Send a sentence's words, once."""
        if self._said is not None:
            return
        self._said = sentence
        self.item.sentences.append(Sentence(sentence, self.item.audio_ms))
        if not sentence:
            return  # sound that goes on
        delta = f" {sentence}" if self._words else sentence
        self._words += delta
        self._send(
            "response.output_audio_transcript.delta", content_index=0, delta=delta
        )

    def _send_audio(self, pcm: bytes, *, last: bool) -> int:
        audio = self._audio
        if audio is None:
            return 0
        before_ms = audio.sent_ms
        pieces = [*audio.feed(pcm), *(audio.flush() if last else ())]
        for piece in pieces:
            self._outbox.send_audio(
                piece,
                response_id=self._response_id,
                item_id=self.item.item_id,
                output_index=self._output_index,
            )
        sent_ms = audio.sent_ms - before_ms
        self.item.audio_ms += sent_ms
        if self.item.sentences:
            text = self.item.sentences[-1].text
            self.item.sentences[-1] = Sentence(text, self.item.audio_ms)
        return sent_ms

    def _part(self) -> dict[str, Any]:
        if self._audio is None:
            return {"type": "text", "text": self._words}
        return {"type": "audio", "transcript": self._words}

    def _content(self) -> dict[str, Any]:
        if self._audio is None:
            return {"type": "output_text", "text": self._words}
        if self.item.heard_ms is not None:
            return {"type": "output_audio"}  # truncated while it was being made
        return {"type": "output_audio", "transcript": self._words}


class CallOutput(_Output):
    """A function call."""

    def __init__(
        self,
        outbox: Outbox,
        *,
        response_id: str,
        output_index: int,
        items: Items | None,
        name: str,
    ) -> None:
        self._call_id = outbox.new_id("call")
        super().__init__(
            outbox,
            response_id=response_id,
            output_index=output_index,
            items=items,
            body={
                "type": "function_call",
                "status": "in_progress",
                "call_id": self._call_id,
                "name": name,
                "arguments": "",
            },
        )

    def write(self, arguments: str) -> None:
        """Write the arguments and the end."""
        kind = "response.function_call_arguments"
        self._send(f"{kind}.delta", call_id=self._call_id, delta=arguments)
        self._send(
            f"{kind}.done",
            call_id=self._call_id,
            name=self.item.body["name"],
            arguments=arguments,
        )
        self.item.body["arguments"] = arguments
        self.item.body["status"] = "completed"
        self._finish()
