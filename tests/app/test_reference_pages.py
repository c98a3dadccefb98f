"""The reference pages hold what the code has."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest

from realtime_widget import checks, models
from realtime_widget.conf import Conf

REFERENCE = Path(__file__).resolve().parents[2] / "docs" / "reference"


def test_every_setting_is_described_with_its_default():
    page = (REFERENCE / "settings.md").read_text()
    described = dict(re.findall(r"^\| `([A-Z_]+)` \| `(.+?)` \|", page, re.MULTILINE))
    defaults = {
        field.name: f'"{field.default}"'
        if isinstance(field.default, str)
        else str(field.default).replace("'", '"')
        for field in fields(Conf)
        if field.name != "unknown"
    }
    assert described == defaults


def test_every_check_is_described():
    page = (REFERENCE / "settings.md").read_text()
    source = Path(checks.__file__).read_text()
    used = set(re.findall(r'id="(realtime_widget\.[EW]\d+)"', source))
    assert set(re.findall(r"realtime_widget\.[EW]\d+", page)) == used


@pytest.mark.parametrize("name", models.__all__)
def test_every_field_is_described(name):
    page = (REFERENCE / "models.md").read_text()
    section = page.split(f"\n## {name}\n")[1].split("\n## ")[0]
    described = set(re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE))
    meta = getattr(models, name)._meta
    own = {f.name for f in (*meta.fields, *meta.many_to_many)}
    shown_ids = ("Conversation", "WebhookDelivery")
    assert described == own - ({"id"} if name not in shown_ids else set())
