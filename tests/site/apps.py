"""The site the test suite pretends to be."""

from __future__ import annotations

from django.apps import AppConfig


class TestSiteConfig(AppConfig):
    """An ordinary app with tools and pages."""

    name = "tests.site"
    label = "test_site"
