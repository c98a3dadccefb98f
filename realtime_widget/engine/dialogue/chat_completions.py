"""Ask an OpenAI-compatible chat-completions server what to say.

Works with what Ollama, vLLM, llama.cpp and OpenAI have in common: server-sent events
with ``choices[0].delta``, tool calls in pieces by ``index``.
"""

from __future__ import annotations

import json
import ssl
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final

import httpx

from realtime_widget.engine.dialogue.messages import (
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

# A model on a small machine may think long before its first word.
_TIMEOUT: Final = httpx.Timeout(connect=5.0, read=60.0, write=10.0, pool=5.0)
_MAX_ANSWER_BYTES: Final = 2 * 1024 * 1024
_PATH: Final = "/chat/completions"


class ChatCompletionsDialogue:
    """Answers with a language model behind an HTTP API.

    Environment proxies are not used and redirects not followed: the settings name the
    server, nothing else does.

    Args:
        base_url: ``http://127.0.0.1:11434/v1``; the full ``.../chat/completions`` too.
        model: Its name there; "" asks the server and takes the first it offers.
        key: Sent as a bearer token, "" for none.
        timeout: Other bounds than the usual ones.
    """

    def __init__(
        self,
        base_url: str,
        *,
        model: str = "",
        key: str = "",
        timeout: httpx.Timeout = _TIMEOUT,
    ) -> None:
        self._base_url = base_url.rstrip("/").removesuffix(_PATH)
        self._model = model
        self._headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._timeout = timeout
        # Reading the certificates takes tens of ms: once, not for every answer.
        secure = self._base_url.startswith("https:")
        self._verify: ssl.SSLContext | bool = (
            ssl.create_default_context() if secure else False
        )

    async def reply(self, request: DialogueRequest) -> AsyncIterator[DialogueEvent]:
        """Yield the answer as the server sends it, tool calls at the end.

        Closing the iterator closes the connection, which stops the server's work.

        Raises:
            UpstreamError: If the server cannot be reached, refuses, or breaks off.
        """
        async with self._client() as client:
            body = await self._body(client, request)
            calls = _ToolCalls()
            async for delta in _deltas(client, self._base_url + _PATH, body):
                if text := delta.get("content"):
                    yield TextDelta(str(text))
                calls.add(delta.get("tool_calls") or ())
            for call in calls.complete():
                yield call

    @asynccontextmanager
    async def _client(self) -> AsyncGenerator[httpx.AsyncClient]:
        try:
            async with httpx.AsyncClient(
                headers=self._headers,
                timeout=self._timeout,
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


async def _deltas(
    client: httpx.AsyncClient, url: str, body: Mapping[str, Any]
) -> AsyncIterator[Mapping[str, Any]]:
    """Yield ``choices[0].delta`` of each event of the answer."""
    async with client.stream("POST", url, json=body) as response:
        _refuse_unless_ok(response)
        async for line in _lines(response):
            # A server that does not stream sends one JSON object instead of events.
            data = line.removeprefix("data:").strip()
            if data == "[DONE]":
                return
            if data.startswith("{"):
                yield _delta(data)


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
    choices = event.get("choices") or [{}]
    delta: Mapping[str, Any] = (
        choices[0].get("delta") or choices[0].get("message") or {}
    )
    return delta


def _refuse_unless_ok(response: httpx.Response) -> None:
    if response.status_code == 200:
        return
    message = f"The dialogue server answered HTTP {response.status_code}."
    if response.status_code == 429 or response.status_code >= 500:
        raise UpstreamError(message)
    raise UpstreamRefused(message)
