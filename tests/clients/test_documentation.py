"""The programs of the documentation, run as they stand."""

from __future__ import annotations

import re
import subprocess
import sys
from urllib.parse import urlsplit

import pytest

from tests.clients.serve import ENGINE_PYTHON, ROOT, engine

DOCS = ROOT / "docs" / "engine"
PORT = "8765"
TIMEOUT_S = 30
_PROGRAM = re.compile(
    r"^```(python|javascript)\n(.*?)^```\n\n```text\n(.*?)^```$",
    re.DOTALL | re.MULTILINE,
)


def programs(page):
    """Return language, program and what it prints, of a page."""
    return _PROGRAM.findall((DOCS / page).read_text(encoding="utf-8"))


def run(*command):
    """Return what a program printed; fail when it failed."""
    done = subprocess.run(
        command,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize(("language", "program", "printed"), programs("clients.md"))
def test_program_prints_what_the_page_shows(language, program, printed, engine_url):
    assert PORT in program
    program = program.replace(PORT, str(urlsplit(engine_url).port))
    if language == "javascript":
        assert run("node", "--input-type=module", "--eval", program) == printed
    else:
        assert run(sys.executable, "-c", program) == printed


def test_engine_runs_within_a_program():
    ((_language, program, printed),) = programs("index.md")
    assert run(str(ENGINE_PYTHON), "-c", program) == printed


def test_engine_runs_without_a_project():
    settings = ["--pythonpath", str(DOCS), "--settings", "engine_settings"]
    with engine(("-m", "django"), settings) as url:
        assert url.startswith("ws://127.0.0.1:")


def test_page_names_the_versions_of_the_locks():
    text = (DOCS / "clients.md").read_text(encoding="utf-8")
    lock = (ROOT / "requirements" / "clients.txt").read_text(encoding="utf-8")
    tools = (ROOT / "package.json").read_text(encoding="utf-8")
    pins = dict(re.findall(r"^([\w-]+)==(\S+)", lock, re.MULTILINE))
    tested = dict(re.findall(r'"([^"]+)": "(\d[^"]+)"', tools))
    table = re.findall(r"^\| (.+?) \| (\d\S+) \|$", text, re.MULTILINE)
    assert [version for _client, version in table] == [
        pins["openai"],
        pins["openai-agents"],
        tested["openai"],
        tested["@openai/agents-realtime"],
    ]
