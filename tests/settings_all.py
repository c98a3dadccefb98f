"""The suite's settings with the demo's app in place of the tests' own.

For what looks at every app that has models: types and migrations.
"""

from __future__ import annotations

from tests.settings import *  # noqa: F403
from tests.settings import INSTALLED_APPS as TESTED_APPS

INSTALLED_APPS = [*(app for app in TESTED_APPS if app != "tests.site"), "demo_site"]
