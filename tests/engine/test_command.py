"""``manage.py realtime_engine`` as a process of its own."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from websockets.sync.client import connect

from realtime_widget.management.commands.realtime_engine import (
    address,
    describe,
    is_loopback,
)
from tests.fakes.engine import make_parts

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_command_serves_until_it_is_told_to_stop(number):
    command = [sys.executable, "manage.py", "realtime_engine", "--port", "0"]
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            line = process.stdout.readline()
            url = re.match(r"ws://127\.0\.0\.1:\d+/v1/realtime", line)[0]
            with connect(url) as session:
                assert "session.created" in session.recv(timeout=10)
                process.send_signal(number)
                _out, errors = process.communicate(timeout=15)
        finally:
            process.kill()

    assert "dialogue RulesDialogue" in line
    assert "no key required" in line
    assert process.returncode == 0
    assert "Traceback" not in errors


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
