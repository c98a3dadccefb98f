"""Every promise of the page on accessibility names tests that exist."""

from __future__ import annotations

import re

from tests.test_parity import ROOT, TEST, has_test

PAGE = ROOT / "docs" / "topics" / "accessibility.md"


def test_every_promise_names_a_test_that_exists() -> None:
    rows = re.findall(r"^\| (.+?) \| (.+?) \|$", PAGE.read_text(), re.MULTILINE)
    promises = [row for row in rows if row[0] != "promise"]
    assert len(promises) > 10
    for promise, proof in promises:
        named = TEST.findall(proof)
        assert named, promise
        assert all(has_test(ROOT / file, name) for file, name in named), promise
