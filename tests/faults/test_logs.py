"""Nothing that was said, asked, answered or is secret is in any line of any logger."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from asgiref.sync import sync_to_async

from realtime_widget.models import Conversation, Provider
from tests.app.pages import ask, socket_of
from tests.app.rows import make_widget, signed_in, until
from tests.faults.hostile import hostile_server
from tests.faults.machines import HOST, free_port

KEY_NAME = "CANARY_MODEL_KEY"
KEY = "sk-canary-key-of-the-model"
WORDS = "canary-words of a visitor"
PROMPT = "canary-prompt of the agent"
ORDER = "canary-argument-1042"
# What `order_status` answers.
OUTPUT = "shipped"


@pytest.fixture(scope="module")
def hostile():
    """Run a model that answers; return its port."""
    port = free_port()
    with hostile_server(port):
        yield port


@pytest.fixture(scope="module")
def surroundings(surroundings, hostile):
    """Return surroundings that log everything, with a key in the environment."""
    widget = {"UPSTREAM_HOSTS": [f"{HOST}:{hostile}"], "KEY_NAMES": [KEY_NAME]}
    patch = pytest.MonkeyPatch()
    patch.setenv(KEY_NAME, KEY)
    patch.setenv("FAULTS_LOG_LEVEL", "DEBUG")
    yield replace(surroundings, widget=widget)
    patch.undo()


@pytest.fixture(scope="module")
def canary_widget(own_rows, hostile):
    """Return a widget whose every text is a canary."""
    provider = Provider.objects.create(
        name="With a key",
        kind=Provider.Kind.COMPATIBLE,
        base_url=f"http://{HOST}:{hostile}/v1",
        key_name=KEY_NAME,
    )
    widget = make_widget(
        "canary", provider=provider, text_box=True, tools=["order_status", "broken"]
    )
    type(widget.agent).objects.filter(pk=widget.agent.pk).update(instructions=PROMPT)
    return widget


@sync_to_async
def visitor():
    from django.contrib.auth.models import User

    return User.objects.get_or_create(username="canary-name")[0]


async def canary_call(server):
    """Talk, use tools, be broken into and cut off; return what must not be logged."""
    cookie = await signed_in(await visitor())
    granted = (await ask(server, "canary", cookie=cookie)).json()
    secrets = [KEY, WORDS, PROMPT, ORDER, OUTPUT, granted["token"]]
    secrets.append(cookie.split("=", 1)[1])
    path = granted["url"].removeprefix(server.ws_url)
    async with socket_of(server, path, granted["token"], cookie=cookie) as page:
        started = await page.start(language="en", text_only=True)
        secrets.append(started["resume"])
        assert await page.say(WORDS) == f"You: {WORDS}"
        for text in (f'tool order_status {{"order_number": "{ORDER}"}}', "tool broken"):
            await page.send("message", text=text)
            await page.expect("tool.finished")
        await page.send("message", role=WORDS, text=WORDS)
        await page.send(WORDS.replace(" ", "-"), text=WORDS)
        await page.socket.send(f'{{"type": "message", "text": "{WORDS}"')
        await page.ended()
    ended = Conversation.objects.filter(pk=started["session_id"], status="ended")
    await until(lambda: ended.count())
    return started["session_id"], secrets


async def test_no_logger_of_a_server_holds_content_or_a_secret(pair, canary_widget):
    for server in pair:
        session_id, secrets = await canary_call(server)
        said = await asyncio.to_thread(server.said)
        assert session_id in said
        for secret in secrets:
            assert secret not in said
