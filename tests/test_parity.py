"""The parity pages: every known id is answered, and what proves it exists.

A row is ``| id | what it is | answer | proof |``. The proof names tests as
``path::name``; a row without one is answered differently and says why.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGES = ROOT / "docs" / "reference" / "parity"
ROW = re.compile(r"^\| ([A-Z]{2}-\d{2}) \|(.*)\|$", re.MULTILINE)
TEST = re.compile(r"`((?:tests|bench)/[\w./-]+)::([^`]+)`")
# Page -> prefix of ids -> the ids it must answer.
IDS = {
    "deep-chat.md": [
        *(f"DC-{n:02}" for n in (*range(1, 19), *range(20, 32), 40, 41, 42, 50, 51)),
        *(f"DC-{n:02}" for n in (*range(60, 66), 70, 71, 72)),
        *(f"DX-{n:02}" for n in range(1, 21)),
    ],
    "agents-sdk.md": [
        *(f"AG-{n:02}" for n in range(1, 22)),
        *(f"AN-{n:02}" for n in range(1, 14)),
    ],
    "stream.md": [*(f"ST-{n:02}" for n in range(1, 11)), "SX-01", "SX-02"],
    "voice-connector.md": [f"CS-{n:02}" for n in range(1, 13)],
    "azure.md": [f"AZ-{n:02}" for n in range(1, 80)],
}


def rows_of(page: Path) -> list[tuple[str, str]]:
    """Return the id and the rest of each row."""
    return ROW.findall(page.read_text(encoding="utf-8"))


def named_tests() -> list[tuple[str, str, str]]:
    """Return page, file and test of every proof."""
    return [
        (page.name, file, name)
        for page in sorted(PAGES.glob("*.md"))
        for file, name in TEST.findall(page.read_text(encoding="utf-8"))
    ]


def has_test(file: Path, name: str) -> bool:
    """Return whether a test of this name stands in a Python or JavaScript file."""
    text = file.read_text(encoding="utf-8")
    if file.suffix == ".py":
        return (
            re.search(rf"^(?:async )?def {re.escape(name)}\(", text, re.M) is not None
        )
    return f'test("{name}"' in text or f"test(`{name}" in text


@pytest.mark.parametrize("name", IDS)
def test_every_id_is_answered_once(name):
    assert [found for found, _ in rows_of(PAGES / name)] == IDS[name]


@pytest.mark.parametrize("page", sorted(PAGES.glob("*.md")), ids=lambda page: page.name)
def test_every_row_has_a_proof_or_a_reason(page):
    for number, rest in rows_of(page):
        what, answer, proof = (cell.strip() for cell in rest.split("|"))
        assert what, number
        assert answer, number
        assert TEST.search(proof) or len(answer) > 30, number


def test_every_named_test_exists():
    named = named_tests()
    assert named
    missing = [
        f"{page}: {file}::{name}"
        for page, file, name in named
        if not (ROOT / file).is_file() or not has_test(ROOT / file, name)
    ]
    assert missing == []


@pytest.mark.parametrize(
    ("file", "name", "found"),
    [
        ("test_parity.py", "test_every_named_test_exists", True),
        ("test_parity.py", "test_every", False),
        ("js/avatar.test.js", "silence leaves the picture as it is", True),
        ("js/avatar.test.js", "silence", False),
    ],
)
def test_a_test_is_found_by_its_whole_name(file, name, found):
    assert has_test(ROOT / "tests" / file, name) is found
