"""A bare Django site with one widget, for the benchmarks."""

from __future__ import annotations
