"""What a site takes out never reaches the database, not even when its code fails."""

from __future__ import annotations

import logging
import re

import pytest

from realtime_widget.checks import check_redact
from realtime_widget.models import Conversation, Item, ToolCall
from realtime_widget.recorder import SessionRecorder, current_writer
from realtime_widget.recorder.redaction import REDACTED
from realtime_widget.session.ports import ItemFact, SessionEnd, ToolFact
from realtime_widget.signals import transcript_added
from realtime_widget.testing import Call, Say, scripted_session
from tests.app.rows import make_widget

pytestmark = pytest.mark.django_db(transaction=True)

CARD = re.compile(r"\d{4}( ?\d{4}){3}")
SECRET = "4111 1111 1111 1111"
asked = []


def no_cards(text, *, kind, language):
    """Take card numbers out."""
    asked.append((kind, language))
    return CARD.sub("[card]", text)


def broken(text, *, kind, language):
    """Fail, with content in the error."""
    raise ValueError(f"cannot redact {text}")


def returns_nothing(text, *, kind, language):
    """Forget to return something."""


@pytest.fixture
def redact(settings):
    """Return a function that names the site's function."""
    asked.clear()

    def name(function):
        settings.REALTIME_WIDGET = {
            "REDACT": f"{__name__}.{function}",
            "RECORD_FLUSH_S": 0.01,
        }

    return name


async def recorded(language="en"):
    """Record a line that was cut off and a call, both with a card's number."""
    writer = current_writer()
    recorder = SessionRecorder(
        Conversation(widget_slug="support", language=language), writer
    )
    recorder.record(
        ItemFact(
            "a1",
            "assistant",
            f"It is {SECRET}",
            status="interrupted",
            heard_ms=5,
            generated=f"It is {SECRET}, and more",
        )
    )
    recorder.record(
        ToolFact("c1", "pay", f'{{"card": "{SECRET}"}}', f'"{SECRET}"', "completed", 1)
    )
    recorder.stop(SessionEnd("user", 1.0, 1000))
    await writer.drain()
    return await Item.objects.aget(), await ToolCall.objects.aget()


async def test_what_is_taken_out_is_not_stored_and_not_told(redact):
    redact("no_cards")
    told = []

    async def receive(sender, item, **_):
        told.append(item.text)

    transcript_added.connect(receive)
    try:
        item, call = await recorded()
    finally:
        transcript_added.disconnect(receive)
    assert (item.text, item.generated_text) == (
        "It is [card]",
        "It is [card], and more",
    )
    assert (call.arguments, call.output) == ('{"card": "[card]"}', '"[card]"')
    assert told == ["It is [card]"]
    assert asked.count(("words", "en")) == 2
    assert {kind for kind, _ in asked} == {"words", "arguments", "output"}


@pytest.mark.parametrize("function", ["broken", "returns_nothing", "is_not_there"])
async def test_what_cannot_be_redacted_is_not_stored_raw(redact, function, caplog):
    redact(function)
    item, call = await recorded()
    stored = {item.text, item.generated_text, call.arguments, call.output}
    assert stored == {REDACTED}
    assert "4111" not in caplog.text
    assert [r.levelno for r in caplog.records].count(logging.ERROR) >= 4


async def test_a_real_talk_is_stored_redacted_and_heard_raw(redact):
    redact("no_cards")
    from asgiref.sync import sync_to_async

    await sync_to_async(make_widget)(tools=["order_status"])
    script = [Call("order_status", order_number=SECRET), Say(f"Paid with {SECRET}.")]
    async with await scripted_session("support", script) as talk:
        turn = await talk.ask(f"My card is {SECRET}")
    assert SECRET in turn.text
    texts = [item.text async for item in Item.objects.all()]
    assert texts == ["My card is [card]", "Paid with [card]."]
    call = await ToolCall.objects.aget()
    assert "4111" not in call.arguments + call.output


def test_function_that_is_not_there_is_said_at_the_start(redact):
    redact("is_not_there")
    assert [message.id for message in check_redact()] == ["realtime_widget.E011"]
    redact("no_cards")
    assert check_redact() == []
