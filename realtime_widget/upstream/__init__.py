"""Dialling out: one connection class, the providers, REST calls."""

from __future__ import annotations
