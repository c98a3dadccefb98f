"""What the tests of the server share."""

from __future__ import annotations

import pytest

from realtime_widget import connectors, quotas
from realtime_widget.models import Provider
from tests.app.rows import make_widget
from tests.fakes.model import AnsweringModel


@pytest.fixture(params=["daphne", "uvicorn"])
def server(request, asgi_server):
    """Run a test on both servers, which fail in different ways."""
    if request.param == "daphne":
        return asgi_server
    return request.getfixturevalue("uvicorn_server")


@pytest.fixture
def models():
    """Return the models of all sessions; they stand for every compatible server."""
    made = []

    def make(_provider, _caller):
        async def connect():
            made.append(AnsweringModel(first=not made))
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
