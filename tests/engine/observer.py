"""What must hold of a session's events, whoever the client is and whatever it does.

The observer reads events only, as a client does, and keeps its own picture of the session.
"""

from __future__ import annotations

from dataclasses import dataclass, field

# Deltas -> the event that ends them, and the field that holds all of them.
ENDS = {
    "response.output_text.delta": ("response.output_text.done", "text"),
    "response.output_audio_transcript.delta": (
        "response.output_audio_transcript.done",
        "transcript",
    ),
    "response.function_call_arguments.delta": (
        "response.function_call_arguments.done",
        "arguments",
    ),
}
FIELD_OF_END = dict(ENDS.values())
DELTA_OF_END = {done: delta for delta, (done, _field) in ENDS.items()}
TRANSCRIPTION = "conversation.item.input_audio_transcription"


@dataclass
class Output:
    """One output item of a response, as its events told it."""

    index: int
    item: dict
    deltas: dict = field(default_factory=dict)
    ended: set = field(default_factory=set)
    part_open: bool = False


@dataclass
class Answer:
    """One response between its first and its last event."""

    in_conversation: bool
    outputs: dict = field(default_factory=dict)
    done: dict = field(default_factory=dict)


class Observer:
    """Reads every event of one session, in order, and fails where a rule is broken."""

    def __init__(self):
        self.ids = set()
        self.order = []
        self.answers = {}
        self.open_answers = set()
        self.open_items = set()
        self.committed = None
        self.turn = None
        self.heard = {}
        self.session = None
        self.said = None

    def see(self, event):
        kind = event["type"]
        assert event["event_id"] not in self.ids, "an event id came twice"
        self.ids.add(event["event_id"])
        assert self.session or kind == "session.created"
        name = kind.replace(".", "_")
        if kind in ENDS:
            self._delta(event)
        elif kind in FIELD_OF_END:
            self._deltas_done(event)
        elif kind.startswith(TRANSCRIPTION):
            self._transcription(event)
        else:
            getattr(self, f"_{name}", self._nothing)(event)

    def _nothing(self, event):
        if "response_id" in event:
            self._output(event)

    # --- the session ---

    def _session_created(self, event):
        assert self.session is None, "a session began twice"
        self.session = event["session"]

    def _session_updated(self, event):
        for name in ("id", "object", "type", "expires_at"):
            assert event["session"][name] == self.session[name]
        self.session = event["session"]

    # --- items ---

    def _conversation_item_added(self, event):
        item_id, previous = event["item"]["id"], event["previous_item_id"]
        assert item_id not in self.order, "an item was added twice"
        if self.committed is not None:
            assert item_id == self.committed, "something came between"
            self.committed = None
        place = 0 if previous is None else self.order.index(previous) + 1
        self.order.insert(place, item_id)
        self.open_items.add(item_id)

    def _conversation_item_done(self, event):
        self.open_items.remove(event["item"]["id"])
        assert event["item"]["id"] in self.order
        assert event["item"]["status"] != "in_progress"

    def _conversation_item_deleted(self, event):
        self.order.remove(event["item_id"])
        self.open_items.discard(event["item_id"])

    def _conversation_item_retrieved(self, event):
        assert event["item"]["id"] in self.order

    def _conversation_item_truncated(self, event):
        assert event["item_id"] in self.order

    # --- what the user says ---

    def _input_audio_buffer_speech_started(self, event):
        self.turn = event["item_id"]
        assert self.turn not in self.order

    def _input_audio_buffer_speech_stopped(self, event):
        assert event["item_id"] == self.turn

    def _input_audio_buffer_timeout_triggered(self, event):
        assert event["audio_start_ms"] <= event["audio_end_ms"]

    def _input_audio_buffer_committed(self, event):
        assert self.committed is None
        self.committed = event["item_id"]
        last = self.order[-1] if self.order else None
        assert event["previous_item_id"] == last

    def _transcription(self, event):
        what = event["type"].removeprefix(TRANSCRIPTION)
        item_id = event["item_id"]
        assert item_id in self.order
        heard = self.heard.setdefault(item_id, "")
        assert heard is not None, "words came after their end"
        if what == ".delta":
            self.heard[item_id] = heard + event["delta"]
            return
        if what == ".completed":
            assert heard == event["transcript"]
            tokens = event.get("logprobs")
            if tokens is not None:
                assert "".join(token["token"] for token in tokens) == heard
        self.heard[item_id] = None

    # --- answers ---

    def _response_created(self, event):
        response = event["response"]
        assert self.session["type"] == "realtime"
        assert response["id"] not in self.answers, "an answer began twice"
        assert (response["status"], response["output"]) == ("in_progress", [])
        answer = Answer(response["conversation_id"] is not None)
        others = [self.answers[other] for other in self.open_answers]
        assert not (answer.in_conversation and any(o.in_conversation for o in others))
        self.answers[response["id"]] = answer
        self.open_answers.add(response["id"])

    def _response_done(self, event):
        response = event["response"]
        self.open_answers.remove(response["id"])
        answer = self.answers[response["id"]]
        assert response["status"] != "in_progress"
        shown = {output.index: output.item["id"] for output in answer.outputs.values()}
        assert [item["id"] for item in response["output"]] == [
            shown[at] for at in range(len(shown))
        ]
        assert all("item" in output.ended for output in answer.outputs.values())
        usage = response["usage"]
        assert usage["total_tokens"] == usage["input_tokens"] + usage["output_tokens"]
        for side in ("input", "output"):
            details = usage[f"{side}_token_details"]
            parts = details["text_tokens"] + details["audio_tokens"]
            assert usage[f"{side}_tokens"] == parts
        bound = response["max_output_tokens"]
        assert bound == "inf" or usage["output_tokens"] <= bound

    def _response_output_item_added(self, event):
        answer = self._open(event)
        item = event["item"]
        assert item["status"] == "in_progress"
        assert event["output_index"] == len(answer.outputs)
        assert all("item" in other.ended for other in answer.outputs.values())
        answer.outputs[item["id"]] = Output(event["output_index"], item)

    def _response_output_item_done(self, event):
        answer = self._open(event)
        output = answer.outputs[event["item"]["id"]]
        assert event["output_index"] == output.index
        assert not output.part_open
        assert event["item"]["status"] in ("completed", "incomplete")
        assert "item" not in output.ended
        output.ended.add("item")

    def _response_content_part_added(self, event):
        output = self._output(event)
        assert not output.part_open
        output.part_open = True

    def _response_content_part_done(self, event):
        output = self._output(event)
        assert output.part_open
        output.part_open = False
        words = event["part"].get("text", event["part"].get("transcript"))
        assert words == "".join(*output.deltas.values() or ([],))

    def _response_output_audio_delta(self, event):
        output = self._output(event)
        assert output.part_open
        assert "response.output_audio.done" not in output.ended
        self.said = event["item_id"]

    def _response_output_audio_done(self, event):
        self._output(event).ended.add(event["type"])

    def _delta(self, event):
        output = self._output(event)
        assert ENDS[event["type"]][0] not in output.ended
        output.deltas.setdefault(event["type"], []).append(event["delta"])

    def _deltas_done(self, event):
        output = self._output(event)
        assert event["type"] not in output.ended
        output.ended.add(event["type"])
        deltas = output.deltas.get(DELTA_OF_END[event["type"]], [])
        assert event[FIELD_OF_END[event["type"]]] == "".join(deltas)

    def _open(self, event):
        assert event["response_id"] in self.open_answers, (
            "an answer went on after its end"
        )
        return self.answers[event["response_id"]]

    def _output(self, event):
        """Return the item that an event of an answer is about."""
        output = self._open(event).outputs[event["item_id"]]
        assert event["output_index"] == output.index
        assert "item" not in output.ended, "an item went on after its end"
        assert event.get("content_index", 0) == 0
        return output
