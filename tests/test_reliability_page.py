"""Every promise of the page on reliability names tests that exist."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent
PAGE = ROOT.parent / "docs" / "topics" / "reliability.md"


def test_every_promise_names_a_test_that_exists() -> None:
    rows = re.findall(r"^\| (.+?) \| (.+?) \|$", PAGE.read_text(), re.MULTILINE)
    promises = [row for row in rows if row[0] != "promise"]
    assert len(promises) > 20
    there = {
        name
        for file in ROOT.rglob("test_*.py")
        for name in re.findall(r"def (test_\w+)\(", file.read_text())
    }
    for promise, proof in promises:
        named = re.findall(r"`(test_\w+)`", proof)
        assert named, promise
        assert set(named) <= there, promise
