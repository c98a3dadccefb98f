"""The examples of the documentation, run as they stand on the page."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import pytest
from asgiref.sync import sync_to_async

from realtime_widget.handlers import registered

PAGE = Path(__file__).resolve().parents[2] / "docs/howto/agents.md"
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
TESTS = re.compile(r"^async def (test_\w+)\(", re.MULTILINE)

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("no_sessions_left"),
]


@pytest.fixture
def page(transactional_db):
    """Return what the page's code defines; its functions are gone afterwards."""
    before = dict(registered)
    names = {"__name__": "shop.realtime_tools"}
    try:
        for block in BLOCK.findall(PAGE.read_text(encoding="utf-8")):
            exec(compile(block, PAGE.name, "exec"), names)
        yield names
    finally:
        registered.clear()
        registered.update(before)


@pytest.mark.parametrize("name", TESTS.findall(PAGE.read_text(encoding="utf-8")))
async def test_an_example_holds(page, name):
    test = page[name]
    assert inspect.iscoroutinefunction(test)
    await test()


async def test_every_known_example_is_on_the_page(page):
    text = await sync_to_async(PAGE.read_text)(encoding="utf-8")
    for tool in (
        "get_weather",
        "book_appointment",
        "submit_support_ticket",
        "get_current_weather",
        "transfer_to_billing",
        "transfer_to_technical",
    ):
        assert re.search(rf'Call\(\s*"{tool}"', text), tool
