"""A moderation service, as a real HTTP server."""

from __future__ import annotations

import json

import pytest

from realtime_widget.exceptions import UpstreamError
from realtime_widget.upstream.moderation import Moderation
from realtime_widget.upstream.providers import Account, build_target
from tests.upstream.servers import KEY, raw_server

OPINION = {
    "flagged": True,
    "categories": {"violence": True, "hate": False},
    "category_scores": {"violence": 0.7, "hate": 0.2},
}
SECRET = "words of a visitor"


def answering(body, status="200 OK", seen=None):
    """Return a handler that answers one POST."""
    body = body if isinstance(body, str) else json.dumps(body)

    async def handle(reader, writer):
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        length = next(
            int(line.split(":")[1])
            for line in head.lower().splitlines()
            if line.startswith("content-length")
        )
        asked = json.loads(await reader.readexactly(length))
        if seen is not None:
            seen.append((head, asked))
        writer.write(
            f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()
        )
        await writer.drain()

    return handle


def service(port, **fields):
    target = build_target(
        "compatible",
        base_url=f"http://127.0.0.1:{port}/v1",
        model="gpt-realtime-2.1",
        account=Account(key=KEY),
    )
    return Moderation(target, **fields)


async def test_it_is_asked_with_the_providers_key():
    seen = []
    async with raw_server(answering({"results": [OPINION]}, seen=seen)) as port:
        assert await service(port).trips(SECRET)
    ((head, asked),) = seen
    assert head.startswith("POST /v1/moderations HTTP/1.1\r\n")
    assert f"Authorization: Bearer {KEY}\r\n" in head
    assert asked == {"model": "omni-moderation-latest", "input": SECRET}


async def test_of_a_long_text_the_end_is_sent():
    seen = []
    async with raw_server(answering({"results": [OPINION]}, seen=seen)) as port:
        await service(port).trips("a" * 20_000 + "end")
    assert len(seen[0][1]["input"]) == 8_000
    assert seen[0][1]["input"].endswith("aend")


@pytest.mark.parametrize(
    ("fields", "trips"),
    [
        ({}, True),
        ({"categories": frozenset({"hate"})}, False),
        ({"categories": frozenset({"hate", "violence"})}, True),
        ({"threshold": 0.7}, True),
        ({"threshold": 0.71}, False),
        ({"threshold": 0.1, "categories": frozenset({"hate"})}, True),
        ({"threshold": 0.5, "categories": frozenset({"hate"})}, False),
        ({"categories": frozenset({"no such"})}, False),
    ],
)
def test_categories_and_scores_decide(fields, trips):
    assert service(1, **fields).judge(OPINION) is trips


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ("<html>", "200 OK"),
        ({"results": []}, "200 OK"),
        ({"results": ["x"]}, "200 OK"),
        ({"results": [{}]}, "200 OK"),
        ("[" * 100_000, "200 OK"),
        ({"error": SECRET}, "401 Unauthorized"),
        ({"error": SECRET}, "500 Internal Server Error"),
    ],
)
async def test_what_is_no_opinion_is_an_error_without_words_or_key(body, status):
    async with raw_server(answering(body, status)) as port:
        with pytest.raises(UpstreamError) as caught:
            await service(port).trips(SECRET)
    assert SECRET not in str(caught.value)
    assert KEY not in str(caught.value)


def test_the_key_is_not_shown():
    assert KEY not in repr(service(1))
