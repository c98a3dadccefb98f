"""LiteLLM's proxy as a chat-completions server that nobody here wrote.

It needs an environment of its own: ``tox -e chat-server``.
"""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests.engine.speech.chat_server import Server

# Other environments have no proxy.
collect_ignore_glob = [] if importlib.util.find_spec("litellm") else ["test_*.py"]

KEY = "sk-local-0123456789abcdef0123456789abcdef"
ANSWER = "It is ready. You can collect it on Tuesday."
START_S = 60


@dataclass
class Proxy:
    """The running proxy, and the server behind its model ``behind``."""

    url: str
    behind: Server


@pytest.fixture(scope="session")
def proxy(tmp_path_factory):
    behind = Server()
    port = free_port()
    config = tmp_path_factory.mktemp("proxy") / "config.yaml"
    # JSON is YAML.
    config.write_text(json.dumps({"model_list": models(behind.url)}))
    command = shutil.which("litellm", path=str(Path(sys.executable).parent))
    assert command is not None, "run this by `tox -e chat-server`"
    environment = {
        **os.environ,
        "LITELLM_MASTER_KEY": KEY,
        # It asks the network for prices otherwise.
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    }
    arguments = ["--config", str(config), "--host", "127.0.0.1", "--port", str(port)]
    with open(config.with_suffix(".log"), "w") as log:
        process = subprocess.Popen(
            [command, *arguments, "--telemetry", "False"],
            env=environment,
            stdout=log,
            stderr=log,
        )
    url = f"http://127.0.0.1:{port}"
    try:
        wait_until_ready(url, process)
        yield Proxy(f"{url}/v1", behind)
    finally:
        process.terminate()
        process.wait(30)
        behind.close()


def models(behind_url):
    """Return the proxy's models: two with an answer, two that fail, one passed on."""

    def model(name, **options):
        options = {"model": f"openai/{name}", "api_key": "none", **options}
        return {"model_name": name, "litellm_params": options}

    return [
        model("talk", mock_response=ANSWER),
        model("busy", mock_response="litellm.RateLimitError"),
        model("broken", mock_response="litellm.InternalServerError"),
        model("behind", api_base=behind_url),
    ]


def free_port():
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


def wait_until_ready(url, process):
    """Return when the proxy answers; it tells nobody that it is ready."""
    until_s = time.monotonic() + START_S
    while time.monotonic() < until_s:
        assert process.poll() is None, "the proxy ended by itself"
        try:
            if httpx.get(f"{url}/health/liveliness", timeout=5).status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    raise AssertionError("the proxy does not start")
