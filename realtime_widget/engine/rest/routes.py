"""What is at which address of the HTTP side.

Source: Realtime API, REST: client secrets; Models API, the list and one model.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from realtime_widget.engine.conversation import errors, field_rules
from realtime_widget.engine.conversation.session_object import SessionObject
from realtime_widget.engine.credentials import accepted, shown_key
from realtime_widget.engine.driver import id_factory
from realtime_widget.engine.rest.client_secrets import (
    PREFIX,
    ClientSecret,
    ClientSecrets,
    read_life_s,
)
from realtime_widget.engine.rest.messages import (
    RestAnswer,
    RestRequest,
    bad_request,
    no_such_model,
    not_found,
    refusal,
    upgrade_required,
    wrong_method,
)
from realtime_widget.exceptions import EventRefused

# OpenAI's and Azure's.
ROOTS: Final = ("/v1", "/openai/v1")
# A model's address goes on with its name.
_A_MODEL: Final = "/models/"
_OWNER: Final = "realtime-widget"

Handler = Callable[["Rest", RestRequest, float], RestAnswer]


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The models of a server.

    Attributes:
        names: Their names, the default first.
        speaks: Tells of a name, or of any other text, whether answers are spoken.
        since_unix_s: When they came to be.
    """

    names: tuple[str, ...]
    speaks: Callable[[str], bool]
    since_unix_s: int


class Rest:
    """Answers requests.

    Args:
        catalogue: The models.
        key: What clients have to show; "" accepts every key and none.
    """

    def __init__(self, catalogue: Catalogue, *, key: str = "") -> None:
        self._catalogue = catalogue
        self._key = key
        self.client_secrets = ClientSecrets()

    def answer(self, request: RestRequest, now_unix_s: float) -> RestAnswer:
        """Answer one request.

        Args:
            request: The request in full.
            now_unix_s: The time of day.
        """
        path = urlsplit(request.target).path
        handlers = _handlers(path)
        if handlers is None:
            return not_found(request.method, path)
        if request.method not in handlers:
            return wrong_method(request.method, path, tuple(handlers))
        if not accepted(shown_key(request.headers, ()), self._key):
            return refusal(HTTPStatus.UNAUTHORIZED, errors.bad_key())
        return handlers[request.method](self, request, now_unix_s)

    def list_models(self, _request: RestRequest, _now_unix_s: float) -> RestAnswer:
        """Answer ``GET /v1/models``."""
        data = [self._model(name) for name in self._catalogue.names]
        return RestAnswer(HTTPStatus.OK, {"object": "list", "data": data})

    def show_model(self, request: RestRequest, _now_unix_s: float) -> RestAnswer:
        """Answer ``GET /v1/models/{id}``."""
        name = unquote(urlsplit(request.target).path.partition(_A_MODEL)[2])
        if name not in self._catalogue.names:
            return no_such_model(name)
        return RestAnswer(HTTPStatus.OK, self._model(name))

    def create_secret(self, request: RestRequest, now_unix_s: float) -> RestAnswer:
        """Answer ``POST /v1/realtime/client_secrets``."""
        try:
            body = json.loads(request.body or b"{}")
        except (ValueError, RecursionError):
            return bad_request("The request body is not JSON.")
        if not isinstance(body, dict):
            return bad_request("The request body is not a JSON object.")
        value = PREFIX + secrets.token_urlsafe(24)
        try:
            life_s = read_life_s(body.get("expires_after"))
            wished = body.get("session") or {"type": "realtime"}
            session = self._effective(wished)
            expires_at = int(now_unix_s) + life_s
            secret = ClientSecret(wished, expires_at, len(request.body))
        except EventRefused as refused:
            return refusal(HTTPStatus.BAD_REQUEST, refused)
        try:
            self.client_secrets.add(value, secret, now_unix_s)
        except EventRefused as refused:
            return refusal(HTTPStatus.TOO_MANY_REQUESTS, refused)
        made = {"value": value, "expires_at": expires_at, "session": session}
        return RestAnswer(HTTPStatus.OK, made)

    def need_websocket(self, _request: RestRequest, _now_unix_s: float) -> RestAnswer:
        """Answer ``GET /v1/realtime`` without an upgrade."""
        return upgrade_required()

    def _effective(self, wished: Any) -> Mapping[str, Any]:
        """Return the session that a secret opens.

        Raises:
            EventRefused: If a field is wrong.
        """
        named = field_rules.mapping(wished, "session").get("model")
        model = named if isinstance(named, str) and named else self._catalogue.names[0]
        transcribes = wished.get("type") == "transcription"
        session = SessionObject(
            id_factory()("sess"),
            session_type="transcription" if transcribes else "realtime",
            model=model,
            expires_at_unix_s=0,  # it has not begun
            speaks=self._catalogue.speaks(model),
        )
        session.update(wished, voice_locked=False)
        return session.public

    def _model(self, name: str) -> dict[str, Any]:
        return {
            "id": name,
            "object": "model",
            "created": self._catalogue.since_unix_s,
            "owned_by": _OWNER,
        }


_METHODS: Final[Mapping[str, Mapping[str, Handler]]] = {
    "/models": {"GET": Rest.list_models},
    _A_MODEL: {"GET": Rest.show_model},
    "/realtime": {"GET": Rest.need_websocket},
    "/realtime/client_secrets": {"POST": Rest.create_secret},
}


def _handlers(path: str) -> Mapping[str, Handler] | None:
    """Return the methods of an address, None where nothing is."""
    root = next((root for root in ROOTS if path.startswith(f"{root}/")), None)
    if root is None:
        return None
    here = path.removeprefix(root)
    if here.startswith(_A_MODEL):
        return _METHODS[_A_MODEL] if here != _A_MODEL else None
    return _METHODS.get(here)
