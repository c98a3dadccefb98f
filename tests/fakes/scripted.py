"""The engine's own models on a free port, for tests of any client."""

from __future__ import annotations

from contextlib import asynccontextmanager

from realtime_widget.engine.models import Models, all_models
from realtime_widget.engine.options import EngineOptions
from realtime_widget.engine.scenario.reading import read_scenario
from realtime_widget.engine.scenario.session import ScenarioModel
from realtime_widget.engine.server import serve


@asynccontextmanager
async def scripted_server(model="scripted", scenario=None, **options):
    """Serve a model; yield ``ws://127.0.0.1:<port>/v1``.

    A scenario is a dict, as a scenario file has it; each client meets its next connection.

    Append ``/realtime?model=...``, or give it to the official client as
    ``websocket_base_url``. Options are those of ``serve``.
    """
    models = all_models(EngineOptions(), model)
    if scenario is not None:
        models = Models(ScenarioModel(models.default, read_scenario(scenario)))
    async with await serve("127.0.0.1", 0, models, **options) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        yield f"ws://127.0.0.1:{port}/v1"
