"""The beta dialect towards a client of the engine.

Names and shapes are tables (``protocol.dialects.beta``). What takes a memory is how the
preview asks for answers (``beta_answers``).

Source: Azure's realtime-openapi3 description (2024-10 preview).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any, Final

from realtime_widget.engine import beta_rules
from realtime_widget.engine.beta_answers import BetaAnswers, Sent
from realtime_widget.engine.conversation import field_rules
from realtime_widget.engine.driver import EngineSession
from realtime_widget.exceptions import EventRefused, ProtocolError, UpstreamClosed
from realtime_widget.protocol import events
from realtime_widget.protocol.dialects import beta_events

Json = dict[str, Any]

DEFAULT_TEMPERATURE: Final = 0.8
# Where a session keeps it: GA has no such field, and keeps fields that it does not know.
_TEMPERATURE: Final = "beta_temperature"
# What a session of the beta begins with where GA begins otherwise.
BETA_DEFAULTS: Final[Json] = {
    "type": "realtime",
    "audio": {"output": {"voice": "alloy"}},
}
_APPEND: Final = (
    b'{"type":"input_audio_buffer.append"',
    b'{"type": "input_audio_buffer.append"',
)
_AUDIO: Final = b'{"type":"response.output_audio.delta"'


class BetaFace:
    """One connection in the beta dialect.

    Args:
        session: What it stands before; it is watched, and takes what had to wait.
    """

    def __init__(self, session: EngineSession) -> None:
        self._session = session
        self._answers = BetaAnswers()
        session.watch = self._saw

    def _saw(self, event: bytes) -> None:
        """Take an event as soon as the session has it, before the client reads it."""
        if not event.startswith(_AUDIO):
            self._answers.saw(json.loads(event))

    # --- from the client -------------------------------------------------------

    def heard(self, event: bytes) -> Iterator[bytes]:
        """Yield the session's events for one of the client's. HOT for audio.

        The session has to take each of them before the next is asked for.
        """
        if event.startswith(_APPEND):
            yield event
            return
        try:
            given = events.decode_strictly(event)
        except ProtocolError:
            yield event  # the session has the words for it
            return
        try:
            for one in self._to_ga(given):
                yield events.encode(beta_events.client_to_ga(one))
        except EventRefused as refused:
            sent = Sent(given.get("event_id"), by_beta_names=True)
            self._session.refuse(refused, self._answers.own_id(sent))

    def _to_ga(self, given: Json) -> Iterator[Json]:
        kind = given.get("type")
        if kind == "session.update" and given.get("session") is not None:
            beta_rules.SESSION(given["session"], "session")
            yield {**given, "session": _with_temperature(given["session"])}
        elif kind == "response.create":
            wish = given.get("response")
            wish = {} if wish is None else field_rules.mapping(wish, "response")
            beta_rules.RESPONSE(wish, "response")
            # An answer's own temperature changes nothing here, and GA has none.
            wish = {key: value for key, value in wish.items() if key != "temperature"}
            yield from self._answers.create(given, wish)
        elif kind == "response.cancel":
            yield from self._answers.cancel(given)
        else:
            if kind == "conversation.item.create":
                beta_rules.item(given.get("item"), "item")
            yield given

    # --- to the client ---------------------------------------------------------

    def told(self, event: bytes) -> Iterable[bytes]:
        """Return the client's events for one of the session's. HOT for audio."""
        audio = beta_events.audio_to_beta(event)
        if audio is not None:
            return (audio,)
        try:
            ga = events.decode(event)
        except ProtocolError:
            return (event,)  # a fault that a scenario wants
        told = self._refusal(ga) or beta_events.server_to_beta(ga)
        if ga.get("type") == "response.done":
            self._go_on()
        if told is None:
            return ()
        session = told.get("session")
        if isinstance(session, dict) and not told["type"].startswith("transcription"):
            kept = session.pop(_TEMPERATURE, None)
            session["temperature"] = kept or DEFAULT_TEMPERATURE
        return (events.encode(told),)

    def _refusal(self, ga: Json) -> Json | None:
        """Return an error for an event that had another id here, None for others."""
        error = ga.get("error")
        if ga.get("type") != "error" or not isinstance(error, dict):
            return None
        sent = self._answers.refused(error)
        if sent is None:
            return None
        error = sent.refusal(error)
        told = beta_events.server_to_beta({**ga, "error": error})
        if told is not None and sent.by_beta_names:
            kept = ("param", "message")
            told["error"].update({key: error[key] for key in kept if error[key]})
        return told

    def _go_on(self) -> None:
        try:
            for one in self._answers.go_on():
                self._session.receive(events.encode(beta_events.client_to_ga(one)))
        except UpstreamClosed:
            return


def _with_temperature(session: Json) -> Json:
    if "temperature" not in session:
        return session
    kept = {key: value for key, value in session.items() if key != "temperature"}
    return {**kept, _TEMPERATURE: session["temperature"]}
