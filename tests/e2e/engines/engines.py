"""Which browsers a test runs in."""

from __future__ import annotations

import pytest

FIREFOX = pytest.param("firefox", marks=pytest.mark.firefox)
WEBKIT = pytest.param("webkit", marks=pytest.mark.webkit)

in_firefox = pytest.mark.parametrize("engine", [FIREFOX])
in_every_engine = pytest.mark.parametrize("engine", [FIREFOX, WEBKIT])
