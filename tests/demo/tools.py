"""The demo site's tools, as the widget declares them to a model."""

from __future__ import annotations

import functools
import json
import os
import subprocess
import sys
from pathlib import Path

_ROOT = Path(__file__).parent.parent.parent
_PRINT = """
import django, json
django.setup()
from realtime_widget.handlers import registry
from demo_site import realtime_tools
print(json.dumps([
    {"type": "function", "name": h.name, "description": h.description,
     "parameters": h.parameters}
    for h in registry.registered.values()
    if h.function.__module__ == realtime_tools.__name__ and h.name != "arabic_hours"
]))
"""


@functools.cache
def demo_tools():
    """Return the tools; the demo's Django is set up in a process of its own."""
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "demo_site.settings"}
    done = subprocess.run(
        [sys.executable, "-c", _PRINT],
        cwd=_ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return json.loads(done.stdout)
