"""Asking a moderation service what it thinks of a text.

Source: REST API, ``POST /v1/moderations``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from realtime_widget.exceptions import UpstreamRefused
from realtime_widget.upstream import faults
from realtime_widget.upstream.providers import Target
from realtime_widget.upstream.rest import ask

DEFAULT_MODEL: Final = "omni-moderation-latest"
# Below the bound of a guardrail, so that the reason is told and not just the time.
TIMEOUT_S: Final = 4.0
# The newest words decide; the service takes more, but a visitor waits.
MAX_CHARS: Final = 8_000


@dataclass(frozen=True, slots=True)
class Moderation:
    """What is asked, and what counts as a trip.

    Attributes:
        target: Where a session of that provider would connect; holds its key.
        model: The service's model.
        categories: Names of what must not be (``violence``), empty for everything.
        threshold: A score from 0 to 1 that trips; None for the service's own opinion.
    """

    target: Target
    model: str = DEFAULT_MODEL
    categories: frozenset[str] = frozenset()
    threshold: float | None = None

    async def trips(self, text: str) -> bool:
        """Return whether a text must not be said.

        Raises:
            UpstreamError: If the service cannot be asked, or its answer is none.
        """
        body = json.dumps({"model": self.model, "input": text[-MAX_CHARS:]}).encode()
        status, answer = await ask(
            self.target, "moderations", body=body, timeout_s=TIMEOUT_S
        )
        if not 200 <= status < 300:
            raise faults.refused(status)
        return self.judge(_result(answer))

    def judge(self, result: Mapping[str, Any]) -> bool:
        """Return whether one of the service's results is a trip.

        Raises:
            UpstreamRefused: If it is no such result.
        """
        field = "categories" if self.threshold is None else "category_scores"
        found = result.get(field)
        if not isinstance(found, Mapping):
            raise _no_answer()
        if self.threshold is None and not self.categories and "flagged" in result:
            return result["flagged"] is True
        return any(
            self._counts(value)
            for name, value in found.items()
            if not self.categories or name in self.categories
        )

    def _counts(self, value: Any) -> bool:
        if self.threshold is None:
            return value is True
        return isinstance(value, int | float) and value >= self.threshold


def _result(answer: bytes) -> Mapping[str, Any]:
    try:
        result = json.loads(answer)["results"][0]
    except (ValueError, RecursionError, LookupError, TypeError):
        raise _no_answer() from None
    if not isinstance(result, Mapping):
        raise _no_answer()
    return result


def _no_answer() -> UpstreamRefused:
    return UpstreamRefused("the answer is not one of a moderation service")
