"""Ask an OpenAI-compatible chat-completions server what to say.

Works with what Ollama, vLLM, llama.cpp and OpenAI have in common: server-sent events
with ``choices[0].delta``, tool calls in pieces by ``index``.
"""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

import httpx

from realtime_widget.engine.dialogue import phrases
from realtime_widget.engine.dialogue.messages import (
    heard_nothing,
    to_messages,
    to_tool_choice,
    to_tools,
)
from realtime_widget.engine.ports import (
    DialogueEvent,
    DialogueRequest,
    FunctionCall,
    TextDelta,
)
from realtime_widget.exceptions import (
    UpstreamClosed,
    UpstreamError,
    UpstreamRefused,
    UpstreamTimeout,
    UpstreamUnreachable,
)

_WRITE_S: Final = 10.0
_MAX_ANSWER_BYTES: Final = 2 * 1024 * 1024
_ODD: Final = "The dialogue server sent an answer that is no chat completion."
_PATH: Final = "/chat/completions"


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a server is waited for.

    Attributes:
        connect_s: Until the connection is open.
        first_token_s: From the request to the first word or call. A model on a small
            machine may have to be loaded and think long before it.
        next_token_s: Between two words, or pieces of a call.
    """

    connect_s: float = 5.0
    first_token_s: float = 60.0
    next_token_s: float = 20.0


_PATIENCE: Final = Patience()


class ChatCompletionsDialogue:
    """Answers with a language model behind an HTTP API.

    Environment proxies are not used and redirects not followed: the settings name the
    server, nothing else does.

    Args:
        base_url: ``http://127.0.0.1:11434/v1``; the full ``.../chat/completions`` too.
        model: Its name there; "" asks the server and takes the first it offers.
        key: Sent as a bearer token, "" for none.
        patience: How long the server is waited for.
    """

    def __init__(
        self,
        base_url: str,
        *,
        model: str = "",
        key: str = "",
        patience: Patience = _PATIENCE,
    ) -> None:
        self._base_url = base_url.rstrip("/").removesuffix(_PATH)
        self._model = model
        self._headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._patience = patience
        # Reading the certificates takes tens of ms: once, not for every answer.
        secure = self._base_url.startswith("https:")
        self._verify: ssl.SSLContext | bool = (
            ssl.create_default_context() if secure else False
        )

    async def reply(self, request: DialogueRequest) -> AsyncIterator[DialogueEvent]:
        """Yield the answer as the server sends it, tool calls at the end.

        Closing the iterator closes the connection, which stops the server's work. When
        the server fails, an apology is yielded before the error is raised, so that a
        visitor who listens is not left in silence.

        Raises:
            UpstreamError: If the server cannot be reached, refuses, or breaks off.
        """
        if heard_nothing(request.items):
            return  # the model would answer what was said before once more
        said = False
        try:
            async with aclosing(self._answer(request)) as events:
                async for event in events:
                    said = said or isinstance(event, TextDelta)
                    yield event
        except UpstreamError:
            # What broke off in the middle of a sentence is no part of the next one.
            yield TextDelta(f"\n{phrases.UNANSWERED}" if said else phrases.UNANSWERED)
            raise

    async def _answer(self, request: DialogueRequest) -> AsyncGenerator[DialogueEvent]:
        loop = asyncio.get_running_loop()
        calls = _ToolCalls()
        async with (
            self._client() as client,
            aclosing(self._deltas(client, request)) as deltas,
        ):
            until_s = loop.time() + self._patience.first_token_s
            while (delta := await _next(deltas, until_s)) is not None:
                text, pieces = delta.get("content"), delta.get("tool_calls")
                if text or pieces:
                    until_s = loop.time() + self._patience.next_token_s
                if text:
                    yield TextDelta(str(text))
                calls.add(pieces or ())
        for call in calls.complete():
            yield call

    async def _deltas(
        self, client: httpx.AsyncClient, request: DialogueRequest
    ) -> AsyncGenerator[Mapping[str, Any]]:
        """Yield ``choices[0].delta`` of each event of the answer."""
        body = await self._body(client, request)
        url = self._base_url + _PATH
        async with client.stream("POST", url, json=body) as response:
            _refuse_unless_ok(response)
            async for line in _lines(response):
                # A server that does not stream sends one JSON object instead of events.
                data = line.removeprefix("data:").strip()
                if data == "[DONE]":
                    return
                if data.startswith("{"):
                    yield _delta(data)

    @asynccontextmanager
    async def _client(self) -> AsyncGenerator[httpx.AsyncClient]:
        try:
            async with httpx.AsyncClient(
                headers=self._headers,
                # How long an answer may take is counted in words, not in bytes.
                timeout=httpx.Timeout(
                    None, connect=self._patience.connect_s, write=_WRITE_S
                ),
                verify=self._verify,
                trust_env=False,
            ) as client:
                yield client
        except httpx.TimeoutException as exc:
            raise UpstreamTimeout(
                "The dialogue server did not answer in time."
            ) from exc
        except httpx.RemoteProtocolError as exc:
            raise UpstreamClosed("The dialogue server broke off its answer.") from exc
        except (httpx.HTTPError, httpx.InvalidURL) as exc:
            raise UpstreamUnreachable(
                f"The dialogue server cannot be reached ({type(exc).__name__})."
            ) from exc

    async def _body(
        self, client: httpx.AsyncClient, request: DialogueRequest
    ) -> dict[str, Any]:
        if not self._model:
            self._model = await _first_model(client, self._base_url)
        body: dict[str, Any] = {
            "model": self._model,
            "messages": to_messages(request.instructions, request.items),
            "stream": True,
        }
        if tools := to_tools(request.tools):
            body["tools"] = tools
            body["tool_choice"] = to_tool_choice(request.tool_choice)
        if request.max_output_tokens is not None:
            body["max_tokens"] = request.max_output_tokens
        return body


class _ToolCalls:
    """Puts tool calls together that arrive in pieces."""

    def __init__(self) -> None:
        self._calls: dict[Any, dict[str, str]] = {}

    def add(self, pieces: Any) -> None:
        """Take ``delta.tool_calls``."""
        for piece in pieces:
            function = piece.get("function") or {}
            key = piece.get("index")
            if key is None:
                # Servers that do not number them send each call whole.
                key = f"whole-{len(self._calls)}"
            call = self._calls.setdefault(key, {"name": "", "arguments": ""})
            call["name"] += function.get("name") or ""
            arguments = function.get("arguments") or ""
            call["arguments"] += (
                arguments if isinstance(arguments, str) else json.dumps(arguments)
            )

    def complete(self) -> list[FunctionCall]:
        """Return the calls, in the order they began."""
        return [
            FunctionCall(call["name"], call["arguments"] or "{}")
            for call in self._calls.values()
            if call["name"]
        ]


async def _first_model(client: httpx.AsyncClient, base_url: str) -> str:
    response = await client.get(f"{base_url}/models")
    _refuse_unless_ok(response)
    try:
        return str(response.json()["data"][0]["id"])
    except (ValueError, LookupError, TypeError) as exc:
        raise UpstreamError(
            "The dialogue server offers no model; set DIALOGUE_MODEL.", retryable=False
        ) from exc


async def _next(
    deltas: AsyncGenerator[Mapping[str, Any]], until_s: float
) -> Mapping[str, Any] | None:
    """Return the next delta, None at the end of the answer."""
    try:
        async with asyncio.timeout_at(until_s):
            return await anext(deltas, None)
    except TimeoutError as exc:
        raise UpstreamTimeout("The dialogue server did not answer in time.") from exc


async def _lines(response: httpx.Response) -> AsyncIterator[str]:
    """Yield the lines of an answer of bounded size."""
    received_bytes = 0
    rest = b""
    async for chunk in response.aiter_bytes():
        received_bytes += len(chunk)
        if received_bytes > _MAX_ANSWER_BYTES:
            raise UpstreamError("The dialogue server's answer is too long.")
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            yield line.decode("utf-8", "replace")
    yield rest.decode("utf-8", "replace")


def _delta(data: str) -> Mapping[str, Any]:
    try:
        event = json.loads(data)
    except ValueError as exc:
        raise UpstreamError("The dialogue server sent broken JSON.") from exc
    if event.get("error"):
        raise UpstreamError("The dialogue server reported an error.")
    try:
        choice = (event.get("choices") or [{}])[0]
        delta = choice.get("delta") or choice.get("message") or {}
        pieces = delta.get("tool_calls") or ()
    except (AttributeError, LookupError, TypeError) as exc:
        raise UpstreamError(_ODD) from exc
    if not all(isinstance(piece, Mapping) for piece in pieces):
        raise UpstreamError(_ODD)
    found: Mapping[str, Any] = delta
    return found


def _refuse_unless_ok(response: httpx.Response) -> None:
    if response.status_code == 200:
        return
    message = f"The dialogue server answered HTTP {response.status_code}."
    if response.status_code == 429 or response.status_code >= 500:
        raise UpstreamError(message)
    raise UpstreamRefused(message)
