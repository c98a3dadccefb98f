"""One engine for the whole run."""

from __future__ import annotations

import pytest

from tests.clients.serve import engine


@pytest.fixture(scope="session")
def engine_url():
    """The address of an engine with the model ``scripted``."""
    with engine() as url:
        yield url


@pytest.fixture
def websocket_base(engine_url):
    """What the clients of ``openai`` take for ``websocket_base_url``."""
    return engine_url.removesuffix("/realtime")


@pytest.fixture
def http_base(websocket_base):
    """What the clients of ``openai`` take for ``base_url``."""
    return f"http{websocket_base.removeprefix('ws')}"
