"""What a client of the engine's server asked for when it opened its connection.

Source: Realtime API, connection: the query, the beta's header and subprotocol, and the
session that a client secret was made for.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal
from urllib.parse import parse_qs, urlsplit

from realtime_widget.engine.conversation.session_defaults import SessionType

Dialect = Literal["ga", "beta"]

# Azure's preview addresses speak the beta without a header.
_PREVIEW: Final = "-preview"
_BETA_HEADER: Final = "realtime=v1"
_BETA_SUBPROTOCOL: Final = "openai-beta.realtime-v1"


@dataclass(frozen=True, slots=True)
class Opening:
    """The choices of one connection.

    Attributes:
        model: The model's name, "" when none was named.
        dialect: Names and shapes of the events: the beta's for its header or
            subprotocol, and for a preview ``api-version``.
        session_type: ``transcription`` writes down what is said and answers nothing.
        preset: The ``session`` of the client secret that opened the connection, as a
            ``session.update`` would carry it; None without one.
    """

    model: str = ""
    dialect: Dialect = "ga"
    session_type: SessionType = "realtime"
    preset: Mapping[str, Any] | None = None


def read_opening(
    target: str,
    headers: Mapping[str, str],
    subprotocols: Iterable[str] = (),
    *,
    preset: Mapping[str, Any] | None = None,
) -> Opening:
    """Read a handshake.

    Args:
        target: Path and query of the request; ``deployment`` is Azure's word for
            ``model``.
        headers: Its headers, found whatever their case.
        subprotocols: The subprotocols that were offered.
        preset: The session of the client secret that was shown, None without one. Its
            type decides, and its model where the query names none.
    """
    query = parse_qs(urlsplit(target).query)
    betas = [word.strip() for word in headers.get("OpenAI-Beta", "").split(",")]
    preview = query.get("api-version", [""])[0].endswith(_PREVIEW)
    is_beta = preview or _BETA_HEADER in betas or _BETA_SUBPROTOCOL in subprotocols
    wished = preset or {}
    transcribes = (
        wished["type"] == "transcription"
        if "type" in wished
        else "transcription" in query.get("intent", ())
    )
    named = query.get("model") or query.get("deployment")
    model = named[0] if named else wished.get("model")
    return Opening(
        model=model if isinstance(model, str) else "",
        dialect="beta" if is_beta else "ga",
        session_type="transcription" if transcribes else "realtime",
        preset=preset,
    )


def offered_subprotocols(headers: Mapping[str, str]) -> list[str]:
    """Return the subprotocols of a handshake, in the client's order."""
    names = headers.get("Sec-WebSocket-Protocol", "").split(",")
    return [name.strip() for name in names if name.strip()]
