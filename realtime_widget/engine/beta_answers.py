"""How the preview asks for answers: in place of another, behind it, with items of theirs.

Each wish becomes events of GA, one after the other; between two of them the session has
told what became of the first. So nothing here guesses what the session is doing.

Source: Azure's realtime-openapi3 description (2024-10 preview), ``response.create``.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from typing import Any, Final

from realtime_widget.engine.conversation import errors
from realtime_widget.engine.conversation.items import MAX_ITEMS

Json = dict[str, Any]

# Answers that may wait for their turn.
MOST_WAITING: Final = 16
_PREVIEW: Final = ("commit", "cancel_previous", "append_input_items", "input_items")
# Begins the ids of events that no client sent.
_OWN: Final = "beta_face_"
_INPUT: Final = re.compile(r"response\.input\[(\d+)\]")


@dataclass(frozen=True, slots=True)
class Sent:
    """An event of the client's that reached the session under another id.

    Attributes:
        event_id: The client's id of it, None when it gave none.
        item: Where the client has the item that was to be added, "" for none.
        known: Items of the conversation at the front of an answer's input.
        fresh: The client's ``input_items`` behind them.
        by_beta_names: Whether its refusal speaks of fields by their names in the beta.
    """

    event_id: Any
    item: str = ""
    known: int = 0
    fresh: int = 0
    by_beta_names: bool = False

    def refusal(self, error: Json) -> Json:
        """Return the session's error with the client's id and its place of the field."""
        told = {**error, "event_id": self.event_id}
        param = error.get("param")
        if isinstance(param, str):
            told["param"] = place = self._param(param)
            told["message"] = error["message"].replace(f"'{param}'", f"'{place}'")
        return told

    def _param(self, param: str) -> str:
        if self.item:
            return self.item + param.removeprefix("item")
        return _INPUT.sub(self._place, param)

    def _place(self, match: re.Match[str]) -> str:
        at = int(match[1]) - self.known
        if at < self.fresh:
            return f"response.input_items[{at}]"
        return f"response.append_input_items[{at - self.fresh}]"


class BetaAnswers:
    """The answers of one connection."""

    def __init__(self) -> None:
        self._active: list[str] = []
        self._item_ids: list[str] = []
        self._waiting: deque[tuple[Json, Json]] = deque()
        self._sent: dict[str, Sent] = {}
        self._count = 0
        self._added = ""
        self._refused = ""

    # --- what the session told -------------------------------------------------

    def saw(self, ga: Json) -> None:
        """Take an event of the session, as soon as there is one."""
        kind = ga.get("type")
        if kind == "conversation.item.added":
            self._place(ga["item"]["id"], ga.get("previous_item_id"))
        elif kind == "conversation.item.deleted":
            self._item_ids = [id_ for id_ in self._item_ids if id_ != ga["item_id"]]
        elif kind == "response.created":
            self._active.append(ga["response"]["id"])
        elif kind == "response.done":
            ended = ga["response"]["id"]
            self._active = [id_ for id_ in self._active if id_ != ended]
        elif kind == "error":
            self._refused = str(ga["error"].get("event_id"))

    def _place(self, item_id: str, previous_id: str | None) -> None:
        known = self._item_ids
        at = known.index(previous_id) + 1 if previous_id in known else 0
        known.insert(at if previous_id else 0, item_id)
        self._added = item_id
        if len(known) > MAX_ITEMS:  # the session forgets its oldest too
            del known[0]

    def own_id(self, sent: Sent) -> str:
        """Return an id of ours for an event, to know its refusal by."""
        self._count += 1
        own = f"{_OWN}{self._count}"
        self._sent[own] = sent
        return own

    def refused(self, error: Json) -> Sent | None:
        """Return which event of ours an error is about, None for one of the client's."""
        return self._sent.pop(str(error.get("event_id")), None)

    # --- what the client wants -------------------------------------------------

    def cancel(self, given: Json) -> Iterator[Json]:
        """Stop what is being made; the preview names no response."""
        if not self._active or given.get("response_id") is not None:
            yield given
            return
        for response_id in list(self._active):
            yield {**given, "response_id": response_id}

    def create(self, given: Json, wish: Json) -> Iterator[Json]:
        """Ask for an answer.

        Raises:
            EventRefused: If too many wait already.
        """
        # The later beta's own word for an answer beside all others.
        beside = wish.get("conversation") == "none" and "commit" not in wish
        if not beside and (self._active or self._waiting):
            if wish.get("cancel_previous") is False:
                if len(self._waiting) >= MOST_WAITING:
                    raise errors.too_many_waiting()
                self._waiting.append((given, wish))
                return
            self._waiting.clear()
            yield from self.cancel({"type": "response.cancel"})
        yield from self._ask(given, wish)

    def go_on(self) -> Iterator[Json]:
        """Ask for the next answer that waited, if its turn has come."""
        while self._waiting and not self._active:
            yield from self._ask(*self._waiting.popleft())

    def _ask(self, given: Json, wish: Json) -> Iterator[Json]:
        plain = {key: value for key, value in wish.items() if key not in _PREVIEW}
        appended = wish.get("append_input_items") or []
        fresh = wish.get("input_items")
        commits = wish.get("commit") is not False
        known: list[Json] = []
        if not commits:
            plain["conversation"] = "none"
        if fresh is not None:
            plain["input"] = [*fresh, *appended]
        elif appended and not commits:
            known = [{"type": "item_reference", "id": id_} for id_ in self._item_ids]
            plain["input"] = [*known, *appended]
        elif appended and not (yield from self._append(given, appended)):
            return
        event_id = given.get("event_id")
        own = self.own_id(Sent(event_id, known=len(known), fresh=len(fresh or ())))
        yield {**given, "event_id": own, "response": plain}
        self._forget(own)

    def _append(self, given: Json, items: list[Any]) -> Generator[Json, None, bool]:
        """Add items; return whether all are there. One that is refused undoes all."""
        placed: list[str] = []
        for at, item in enumerate(items):
            place = f"response.append_input_items[{at}]"
            own = self.own_id(Sent(given.get("event_id"), item=place))
            yield {"type": "conversation.item.create", "event_id": own, "item": item}
            if self._forget(own):
                placed.append(self._added)
                continue
            for item_id in placed:
                yield {"type": "conversation.item.delete", "item_id": item_id}
            return False
        return True

    def _forget(self, own: str) -> bool:
        """Return whether the session took an event; only a refusal is still told."""
        if self._refused == own:
            return False
        self._sent.pop(own, None)
        return True
