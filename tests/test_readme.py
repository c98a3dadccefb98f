"""The README's "Put it on your own site", executed on a new project."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shlex
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect

from realtime_widget.protocol.browser import TOKEN_PREFIX

ROOT = Path(__file__).resolve().parents[1]
SECTION = re.compile(r"^## Put it on your own site$(.*?)^## ", re.MULTILINE | re.DOTALL)
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PATH = re.compile(r"^(?:#|<!--) ([\w/]+\.(?:py|html))(, at its end)?(?: -->)?\n")
SERVE = "python manage.py runserver"
SHELL = "# python manage.py shell\n"
# What the test does in its own way, and what only asks questions.
NOT_RUN = ("pip install", "python manage.py createsuperuser", SERVE)
START_TIMEOUT_S = 30.0
ANSWER_TIMEOUT_S = 20.0


@dataclass(frozen=True)
class Project:
    """A project in a folder of its own, with this package on its path."""

    folder: Path

    def environment(self) -> dict[str, str]:
        """Return the environment of its processes, without the tests' settings."""
        keep = {k: v for k, v in os.environ.items() if not k.startswith("DJANGO_")}
        return {**keep, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}

    def run(self, *command: str, stdin: str = "") -> None:
        """Run one command to its end; its words are the failure's."""
        done = subprocess.run(
            command,
            cwd=self.folder,
            env=self.environment(),
            input=stdin,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
        assert "Traceback" not in done.stderr, done.stderr

    def follow(self, language: str, text: str) -> None:
        """Do what one block of the README says."""
        if language == "sh":
            for command in text.splitlines():
                if not command.startswith(NOT_RUN):
                    words = shlex.split(command)
                    assert words[:2] == ["python", "manage.py"], command
                    self.run(sys.executable, *words[1:])
        elif text.startswith(SHELL):
            self.run(sys.executable, "manage.py", "shell", stdin=text)
        else:
            self.write(text)

    def write(self, text: str) -> None:
        """Write the file that the block's first line names, or add to its end."""
        named = PATH.match(text)
        assert named, f"a block names no file: {text[:60]}"
        file = self.folder / named[1]
        if named[2]:
            text = file.read_text(encoding="utf-8") + "\n" + text
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")


def readme_blocks() -> list[tuple[str, str]]:
    """Return the section's blocks of code: language and text."""
    section = SECTION.search((ROOT / "README.md").read_text(encoding="utf-8"))
    assert section is not None
    return BLOCK.findall(section[1])


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Follow the README from a new project on."""
    made = Project(tmp_path_factory.mktemp("readme"))
    made.run(sys.executable, "-m", "django", "startproject", "mysite", ".")
    for language, text in readme_blocks():
        made.follow(language, text)
    return made


@pytest.fixture(scope="module")
def server(project: Project) -> Iterator[str]:
    """Run the project as the README says; return its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    words = shlex.split(SERVE)[1:]
    log = project.folder / "server.log"
    with log.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, *words, "--noreload", f"127.0.0.1:{port}"],
            cwd=project.folder,
            env=project.environment(),
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        wait_until_it_listens(port, process, log)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(timeout=20)


def wait_until_it_listens(
    port: int, process: subprocess.Popen[bytes], log: Path
) -> None:
    """Return when the port of another process accepts a connection."""
    until = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < until and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    pytest.fail(f"the server did not start:\n{log.read_text()}")


async def next_message(connection: ClientConnection, *types: str) -> dict[str, object]:
    """Return the next message of one of these types."""
    async with asyncio.timeout(ANSWER_TIMEOUT_S):
        async for frame in connection:
            message = json.loads(frame) if isinstance(frame, str) else {}
            assert message.get("type") != "error", message
            if message.get("type") in types:
                return message
    pytest.fail(f"closed with {connection.close_code} before {types}")


async def say(connection: ClientConnection, text: str) -> str:
    """Type something; return the agent's finished answer."""
    await connection.send(json.dumps({"type": "message", "text": text}))
    while True:
        message = await next_message(connection, "transcript")
        if message["role"] == "assistant" and message.get("final"):
            return str(message.get("text", ""))


def test_section_has_five_steps() -> None:
    section = SECTION.search((ROOT / "README.md").read_text(encoding="utf-8"))
    assert section is not None
    assert re.findall(r"^\*\*(\d)\.", section[1], re.MULTILINE) == list("12345")


def test_new_project_has_no_faults(project: Project) -> None:
    project.run(sys.executable, "manage.py", "check", "--fail-level", "WARNING")
    project.run(sys.executable, "manage.py", "makemigrations", "--check", "--dry-run")


def test_page_holds_the_widget_and_its_script_loads(server: str) -> None:
    page = httpx.get(server).text
    assert '<realtime-widget slug="support"' in page
    script = re.search(r'<script type="module" src="([^"]+)"', page)
    assert script is not None
    assert httpx.get(server + script[1]).status_code == 200


async def test_session_opens_and_the_agent_calls_the_function(server: str) -> None:
    headers = {"Origin": server}
    async with httpx.AsyncClient(headers=headers) as client:
        answer = await client.post(
            f"{server}/realtime/widgets/support/session", json={"text_only": True}
        )
    assert answer.status_code == 200, answer.text
    opened = answer.json()
    protocols = [opened["protocol"], TOKEN_PREFIX + opened["token"]]
    async with connect(
        opened["url"], subprotocols=protocols, origin=server
    ) as connection:
        assert connection.subprotocol == opened["protocol"]
        await connection.send(json.dumps({"type": "session.start", "text_only": True}))
        await next_message(connection, "session.started")
        text = await say(connection, "What is the status of order number 1042?")
        assert "on its way" in text
        await connection.send(json.dumps({"type": "session.stop"}))
        stopped = await next_message(connection, "session.stopped")
    assert stopped["reason"] == "user"


def test_every_command_is_documented() -> None:
    text = (ROOT / "docs/reference/commands.md").read_text(encoding="utf-8")
    folders = ROOT.glob("*/management/commands")
    names = [f.stem for folder in folders for f in folder.glob("[a-z]*.py")]
    assert names
    assert [name for name in names if f"## {name}\n" not in text] == []


def test_map_of_the_code_names_what_exists() -> None:
    text = (ROOT / "docs/topics/architecture.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`([\w/-]+(?:\.\w+|/))`", text))
    roots = (ROOT, ROOT / "realtime_widget")
    missing = [n for n in named if not any((root / n).exists() for root in roots)]
    assert [name for name in missing if name != "realtime_tools.py"] == []


@pytest.mark.parametrize("file", ["README.md", "CONTRIBUTING.md", "SECURITY.md"])
def test_links_lead_to_files(file: str) -> None:
    text = (ROOT / file).read_text(encoding="utf-8")
    links = re.findall(r"\]\((?!https?:)([^)#]+)", text)
    assert [link for link in links if not (ROOT / link).exists()] == []
