"""What the tests of the server share."""

from __future__ import annotations

import time

import pytest

from realtime_widget import connectors, quotas
from realtime_widget.models import Provider
from tests.app.rows import make_widget
from tests.fakes.model import AnsweringModel


@pytest.fixture
def models():
    """Return the models of all sessions; they stand for every compatible server."""
    made = []

    def make(_provider):
        async def connect():
            made.append(AnsweringModel())
            return made[-1]

        return connect

    real = connectors.CONNECTORS[Provider.Kind.COMPATIBLE]
    connectors.CONNECTORS[Provider.Kind.COMPATIBLE] = make
    yield made
    connectors.CONNECTORS[Provider.Kind.COMPATIBLE] = real


@pytest.fixture
def widget(transactional_db, models):
    """Return a widget of text and voice whose model answers by itself."""
    provider = Provider.objects.create(
        name="Scripted",
        kind=Provider.Kind.COMPATIBLE,
        base_url="http://model.example/v1",
    )
    tools = ["order_status", "opening_hours", "whoami", "slow", "broken", "refuses"]
    return make_widget(
        provider=provider, tools=[*tools, "huge", "unserialisable", "report"]
    )


@pytest.fixture(autouse=True)
def _fresh_limits():
    """Forget who opened how much before: all tests come from one address."""
    yield
    quotas.opens.__init__()
    quotas.socket_opens.__init__()


@pytest.fixture
def no_sessions_left():
    """Fail when a session of the test does not give its place back."""
    yield
    until_s = time.monotonic() + 15
    while quotas.counters.running() and time.monotonic() < until_s:
        time.sleep(0.01)
    assert quotas.counters.running() == 0
