"""The engine's models by name, and what each of them does."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode

import pytest
from django.core.management import CommandError, call_command
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect as connect_now

from realtime_widget.engine.models import MODELS, all_models
from realtime_widget.engine.options import EngineOptions
from tests.engine.test_command import engine, url_of
from tests.engine.test_scenario import Client
from tests.fakes.engine import loud, quiet
from tests.fakes.scripted import scripted_server

MANUAL = {"type": "realtime", "audio": {"input": {"turn_detection": None}}}


async def spoken(client, pcm):
    """Say something; return the answer's transcript and audio."""
    await client.send("session.update", session=MANUAL)
    audio = b64encode(pcm).decode()
    await client.send("input_audio_buffer.append", audio=audio)
    await client.send("input_audio_buffer.commit")
    await client.send("response.create")
    return await answer(client)


async def answer(client):
    done = await client.until("response.done")
    events = map(json.loads, client.frames)
    heard = [e["delta"] for e in events if e["type"] == "response.output_audio.delta"]
    [part] = done["response"]["output"][0]["content"]
    return part, b"".join(map(b64decode, heard))


async def test_echo_plays_the_very_audio_back():
    said = loud(2_300) + quiet(200)
    async with scripted_server("echo") as base, connect(f"{base}/realtime") as socket:
        part, heard = await spoken(Client(socket), said)
    assert heard == said
    assert part["transcript"] == "2.3 seconds of speech"


async def test_echo_writes_text_back():
    async with scripted_server("echo") as base, connect(f"{base}/realtime") as socket:
        client = Client(socket)
        session = {"type": "realtime", "output_modalities": ["text"]}
        await client.send("session.update", session=session)
        await client.ask("Say this.")
        part, heard = await answer(client)
    assert (part["text"], heard) == ("Say this.", b"")


async def test_local_text_neither_hears_nor_speaks():
    async with (
        scripted_server("local-text") as base,
        connect(f"{base}/realtime") as socket,
    ):
        client = Client(socket)
        created = await client.until("session.created")
        await client.ask("Hello")
        part, _heard = await answer(client)
        audio = b64encode(loud(100)).decode()
        await client.send("input_audio_buffer.append", audio=audio)
        error = await client.until("error")
    assert created["session"]["output_modalities"] == ["text"]
    assert created["session"]["model"] == "local-text"
    assert part["text"]
    assert error["error"]["code"] == "voice_unavailable"


@pytest.mark.parametrize(
    ("asked", "text"), [("echo", "hey"), ("gpt-realtime-2.1", 'You said: "hey".')]
)
async def test_client_chooses_among_known_models_and_gets_the_default_else(asked, text):
    async with (
        scripted_server() as base,
        connect(f"{base}/realtime?model={asked}") as socket,
    ):
        client = Client(socket)
        created = await client.until("session.created")
        await client.ask("hey")
        part, _heard = await answer(client)
    assert part["transcript"] == text
    assert created["session"]["model"] == asked


def test_models_are_loaded_when_they_are_needed():
    models = all_models(EngineOptions(), "scripted")
    assert models.names[0] == "scripted"
    assert set(models.names) == set(MODELS)
    assert models.speaks("local")
    assert not models.speaks("local-text")
    assert not any(models.resolve(name).loaded for name in models.names)
    assert models.default.load() is models.resolve("unknown").load()


def test_command_names_the_models_there_are():
    with pytest.raises(
        CommandError, match=r"no model 'scriptd'. Did you mean 'scripted'"
    ):
        call_command("realtime_engine", model="scriptd", key="k")


def test_command_says_what_is_wrong_with_a_scenario(tmp_path):
    path = tmp_path / "a.json"
    path.write_text('{"turns": 1}')
    with pytest.raises(CommandError, match=r"a\.json: turns: must be a list"):
        call_command("realtime_engine", scenario=str(path), model="scripted", key="k")


def test_command_serves_a_model_and_its_scenario(tmp_path):
    path = tmp_path / "a.toml"
    path.write_text("[[connections]]\nhandshake = {status = 429}\n[[connections]]\n")
    with engine("--model", "scripted", "--scenario", str(path)) as (_process, line):
        with pytest.raises(InvalidStatus) as refused:
            connect_now(url_of(line))
        with connect_now(url_of(line)) as socket:
            created = json.loads(socket.recv(timeout=10))
    assert refused.value.response.status_code == 429
    assert created["session"]["model"] == "scripted"
    assert "model scripted; dialogue ScriptedDialogue; hears; speaks" in line
