"""The tool calls of each response: when the model is asked to go on after them.

Once for all calls of a response, when each is answered and no more can come.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

# A model that goes on calling beyond its budget is told so, but not asked to go on:
# else the two would talk with each other for ever.
MAX_REFUSED: Final = 3


@dataclass(slots=True)
class _Batch:
    """The calls of one response.

    Attributes:
        open: How many are not answered.
        ended: Whether no more will come.
        goes_on: Whether the model is asked to go on after them.
    """

    open: int = 0
    ended: bool = False
    goes_on: bool = False


class Batches:
    """The calls of a session, by response."""

    def __init__(self) -> None:
        self._batches: dict[str, _Batch] = {}
        self._refused = 0

    def called(self, response_id: str) -> None:
        """Note a call that needs an answer."""
        self._batches.setdefault(response_id, _Batch()).open += 1

    def answered(self, response_id: str, *, refused: bool) -> None:
        """Note the answer to a call of this response.

        Args:
            response_id: The response.
            refused: Whether the call was one too many.
        """
        batch = self._batches[response_id]
        batch.open -= 1
        self._refused += refused
        if not refused or self._refused <= MAX_REFUSED:
            batch.goes_on = True

    def ended(self, response_id: str) -> None:
        """Note that no more calls of this response will come."""
        batch = self._batches.get(response_id)
        if batch is not None:
            batch.ended = True

    def lost(self) -> None:
        """Note that no response will call or end any more."""
        for batch in self._batches.values():
            batch.ended = True

    def take_answered(self) -> bool:
        """Return whether the model is to go on; once for each response."""
        done = [key for key, b in self._batches.items() if b.ended and not b.open]
        goes_on = [self._batches.pop(key).goes_on for key in done]
        return any(goes_on)
