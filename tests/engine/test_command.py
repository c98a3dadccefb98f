"""``manage.py realtime_engine`` as a process of its own."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import wave
from base64 import b64encode
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from realtime_widget.management.commands.realtime_engine import (
    address,
    describe,
    is_loopback,
    required_key,
)
from tests.fakes.engine import make_parts

ROOT = Path(__file__).resolve().parents[2]
CLIPS = ROOT / "tests" / "data" / "clips"


@contextmanager
def engine(*arguments, **environment):
    """Run the command; yield its process and the line that says it is ready."""
    command = [
        sys.executable,
        "manage.py",
        "realtime_engine",
        "--port",
        "0",
        *arguments,
    ]
    with subprocess.Popen(
        command,
        cwd=ROOT,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process, process.stdout.readline()
        finally:
            process.kill()


def url_of(line):
    return re.match(r"ws://127\.0\.0\.1:\d+/v1/realtime", line)[0]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_command_serves_until_it_is_told_to_stop(number):
    with engine() as (process, line), connect(url_of(line)) as session:
        assert "session.created" in session.recv(timeout=10)
        process.send_signal(number)
        with pytest.raises(ConnectionClosed):
            session.recv(timeout=10)
        out, errors = process.communicate(timeout=15)

    assert session.close_code == 1001
    assert session.close_reason == "The server is shutting down."
    assert "dialogue RulesDialogue" in line
    assert "no key required" in line
    assert out.splitlines()[-1] == "Stopped."
    assert process.returncode == 0
    assert "Traceback" not in errors


@pytest.mark.speech
def test_one_who_speaks_is_waited_for_until_the_second_signal():
    with wave.open(str(CLIPS / "synth-weather-tokyo.wav")) as clip:
        audio = b64encode(clip.readframes(24_000)).decode()
    append = json.dumps({"type": "input_audio_buffer.append", "audio": audio})
    with (
        engine("--drain-s", "600") as (process, line),
        connect(url_of(line)) as session,
    ):
        session.recv(timeout=10)
        session.send(append)
        assert "speech_started" in session.recv(timeout=10)
        process.send_signal(signal.SIGTERM)
        assert process.stdout.readline().startswith("Stopping")
        session.send('{"type": "response.cancel"}')
        assert "response_cancel_not_active" in session.recv(timeout=10)
        process.send_signal(signal.SIGTERM)
        with pytest.raises(ConnectionClosed):
            session.recv(timeout=10)
        process.communicate(timeout=15)

    assert session.close_code == 1001
    assert process.returncode == 0


def test_required_key_opens_the_server_and_no_other():
    with engine("--require-key", "--deflate", REALTIME_ENGINE_KEY="right") as (_, line):
        with connect(url_of(line)) as stranger:
            assert "invalid_api_key" in stranger.recv(timeout=10)
        headers = {"Authorization": "Bearer right"}
        with connect(url_of(line), additional_headers=headers) as session:
            assert "session.created" in session.recv(timeout=10)
            agreed = session.response.headers["Sec-WebSocket-Extensions"]

    assert "; key required" in line
    assert "right" not in line
    assert agreed.startswith("permessage-deflate")


@pytest.mark.parametrize(
    ("key", "require_key", "required"),
    [("", None, ""), ("a", None, "a"), ("a", "", "a"), ("", "b", "b"), ("a", "b", "b")],
)
def test_key_comes_from_either_option(key, require_key, required):
    assert required_key(key, require_key) == required


def test_command_does_not_start_without_the_key_it_requires():
    with pytest.raises(CommandError, match="set REALTIME_ENGINE_KEY or --key"):
        call_command("realtime_engine", "--require-key", key="")


def test_line_names_what_is_missing_and_the_address():
    line = describe(make_parts(hears=False, speaks=False), key="k")

    assert "cannot hear; cannot speak; key required" in line
    assert "stt: It is not installed." in line
    assert address("::1", 80) == "ws://[::1]:80/v1/realtime"


@pytest.mark.parametrize(
    ("host", "alone"),
    [
        ("127.0.0.1", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("192.168.1.5", False),
        ("engine.example", False),
    ],
)
def test_address_that_others_reach_is_known(host, alone):
    assert is_loopback(host) is alone


def test_command_names_a_port_that_is_taken():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(CommandError, match=f"Cannot listen on 127.0.0.1:{port}"):
            call_command("realtime_engine", port=port, key="k")


def test_a_session_ends_at_the_age_that_was_chosen():
    arguments = ("--model", "scripted", "--max-session-s", "0.5")
    with engine(*arguments) as (_, line), connect(url_of(line)) as client:
        kinds = [json.loads(event) for event in client]
        with pytest.raises(ConnectionClosed) as caught:
            client.recv(timeout=10)
    assert kinds[-1]["error"]["code"] == "session_expired"
    assert caught.value.rcvd.code == 1001
