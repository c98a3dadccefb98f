"""The rules know no site: a library's and a clinic's tools are picked by schema alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.engine.speech import talks
from tests.engine.speech.tool_sets import CLINIC, LIBRARY

TALKS = Path(__file__).parent / "talks"


@pytest.mark.parametrize("line", talks.read(TALKS / "library.txt"))
def test_library_is_talked_to(line):
    talks.run(line, LIBRARY)


@pytest.mark.parametrize("line", talks.read(TALKS / "clinic.txt"))
def test_clinic_is_talked_to(line):
    talks.run(line, CLINIC)
