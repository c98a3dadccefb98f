"""What a call cost: from what the provider sent, through the rows, to the admin."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from io import StringIO

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.urls import reverse
from django.utils import timezone

from realtime_widget.models import Conversation, Price, Provider, Usage
from realtime_widget.models.price_book import PriceBook
from realtime_widget.models.price_list import add_missing_prices, known_prices
from realtime_widget.sessions import open_session
from tests.app.rows import make_widget
from tests.fakes.model import AnsweringModel

pytestmark = pytest.mark.django_db(transaction=True)

# One row for each answer of a recorded call: text in, of it cached, audio in, of it
# cached, text out, audio out.
CALL = [
    (1210, 0, 0, 0, 24, 96),
    (1240, 1152, 64, 0, 31, 148),
    (1271, 1152, 276, 192, 45, 212),
    (1316, 1216, 561, 448, 18, 77),
    (1334, 1280, 702, 640, 52, 260),
    (1386, 1280, 1043, 896, 40, 191),
    (1426, 1344, 1301, 1216, 22, 103),
    (1448, 1408, 1450, 1344, 61, 305),
    (1509, 1408, 1822, 1728, 37, 170),
    (1546, 1472, 2060, 1984, 29, 131),
]
TRANSCRIBED_S = (4, 7, 3, 9)
# By hand, in millionths of a dollar:
#   text in  13,686 - 11,712 cached = 1,974 x 4    =   7,896
#   cached   11,712 + 8,448          20,160 x 0.40 =   8,064
#   audio in  9,279 - 8,448 cached =    831 x 32   =  26,592
#   text out                            359 x 24   =   8,616
#   audio out                         1,693 x 64   = 108,352
#   transcription 23 s of a minute at 0.0045       =   1,725
BY_HAND_USD = Decimal("0.161245")


class BilledModel(AnsweringModel):
    """Answers with the usage of the recorded call."""

    def __init__(self):
        super().__init__()
        self._left = list(CALL)
        self._heard = list(TRANSCRIBED_S)

    def _emit(self, kind, **fields):
        if kind == "response.done":
            fields["response"]["usage"] = _usage(*self._left.pop(0))
            if self._heard:
                super()._emit(
                    "conversation.item.input_audio_transcription.completed",
                    item_id=self._id("item"),
                    content_index=0,
                    transcript="Hello",
                    usage={"type": "duration", "seconds": self._heard.pop(0)},
                )
        super()._emit(kind, **fields)


def _usage(*numbers):
    text, cached_text, audio, cached_audio, text_out, audio_out = numbers
    return {
        "total_tokens": text + audio + text_out + audio_out,
        "input_tokens": text + audio,
        "output_tokens": text_out + audio_out,
        "input_token_details": {
            "text_tokens": text,
            "audio_tokens": audio,
            "image_tokens": 0,
            "cached_tokens": cached_text + cached_audio,
            "cached_tokens_details": {
                "text_tokens": cached_text,
                "audio_tokens": cached_audio,
                "image_tokens": 0,
            },
        },
        "output_token_details": {"text_tokens": text_out, "audio_tokens": audio_out},
    }


@pytest.fixture
def prices(transactional_db):
    """Add the prices of this release, which other tests may have flushed."""
    add_missing_prices(Price.objects)


async def call_of_ten_answers(**provider):
    """Hold the recorded call with a provider of this kind."""
    row = Provider(name="Paid", base_url="https://a.openai.azure.com", **provider)
    row.store_key("key", "sk-of-a-test-0123456789")
    await row.asave()
    await sync_to_async(make_widget)(provider=row)

    async def connect():
        return BilledModel()

    async with await open_session("support", connect=connect) as session:
        for number in range(len(CALL)):
            await session.send_message(f"Question {number}")
            async for event in session:
                if event.type == "usage" and event.kind == "response":
                    break
    return await Conversation.objects.aget()


async def test_call_of_ten_answers_costs_what_a_hand_reckons(prices):
    conversation = await call_of_ten_answers(kind="openai", model="gpt-realtime-2.1")
    rows = [row async for row in conversation.usage.all()]
    assert [row.kind for row in rows].count("response") == 10
    assert sum(row.cost_usd for row in rows) == BY_HAND_USD
    assert [row.raw for row in rows if row.kind == "response"] == [
        _usage(*numbers) for numbers in CALL
    ]
    shown = await sync_to_async(conversation_page)(conversation)
    assert "0.1612 $" in shown


def conversation_page(conversation):
    """Return the conversation's page in the admin."""
    from django.test import Client

    client = Client()
    client.force_login(User.objects.create_superuser("boss"))
    address = reverse(
        "admin:realtime_widget_conversation_change", args=[conversation.pk]
    )
    return client.get(address).content.decode()


async def test_unknown_price_is_unknown_until_there_is_one(prices):
    conversation = await call_of_ten_answers(kind="azure", model="our-deployment")
    costs = {row.cost_usd async for row in conversation.usage.all()}
    assert costs == {None}
    shown = await sync_to_async(conversation_page)(conversation)
    assert "unknown" in shown
    assert "0.0000" not in shown
    await Price.objects.acreate(
        provider_kind="azure",
        model="our-deployment",
        valid_from=timezone.localdate() - timedelta(days=1),
        source="our contract",
        **{
            name: value
            for name, value in known_prices()[0].items()
            if name.endswith(("_in", "_out", "_cached"))
        },
    )
    out = StringIO()
    await sync_to_async(call_command)("realtime_costs", stdout=out)
    assert "14 costs computed, 4 of them unknown" in out.getvalue()
    answers = conversation.usage.filter(kind="response")
    assert sum([row.cost_usd async for row in answers]) == Decimal("0.15952")


async def test_the_embedded_engine_costs_nothing_and_that_is_known(prices):
    conversation = await call_of_ten_answers(kind="local", model="local")
    assert {row.cost_usd async for row in conversation.usage.all()} == {0}


def test_price_of_its_day_holds(db):
    day = date(2026, 9, 1)
    for valid_from, text_in in ((day, 4), (day + timedelta(days=30), 5)):
        Price.objects.create(
            provider_kind="openai",
            model="gpt-realtime-2.1",
            valid_from=valid_from,
            text_in=text_in,
            source="test",
        )
    book = PriceBook.load()

    def text_in(name, when):
        rates = book.rates("openai", name, when)
        return rates and rates.text_in

    assert text_in("gpt-realtime-2.1", day) == 4
    assert text_in("gpt-realtime-2.1-2026-08-28", day + timedelta(days=29)) == 4
    assert text_in("gpt-realtime-2.1", day + timedelta(days=30)) == 5
    assert text_in("gpt-realtime-2.1", day - timedelta(days=1)) is None
    assert text_in("gpt-realtime-2.1-mini", day) is None
    assert book.rates("compatible", "gpt-realtime-2.1", day) is None


def test_edited_prices_are_kept_when_known_ones_are_added(prices):
    row = Price.objects.get(model="gpt-realtime-2.1")
    row.audio_in = 99
    row.save()
    Price.objects.filter(model="gpt-realtime-2.1-mini").delete()
    assert add_missing_prices(Price.objects) == 1
    assert Price.objects.get(model="gpt-realtime-2.1").audio_in == 99


def test_price_of_nothing_is_refused(db):
    with pytest.raises(ValidationError, match="at least one price"):
        Price(provider_kind="openai", model="x", source="y").full_clean()


def test_sums_are_shown_for_what_the_filters_leave(prices, admin_client):
    make = Conversation.objects.create
    for slug, agent, costs in (
        ("shop", "Ada", ["0.25", "0.50"]),
        ("help", "Bob", ["1.00", None]),
    ):
        conversation = make(widget_slug=slug, agent_name=agent)
        for cost in costs:
            Usage.objects.create(
                conversation=conversation, cost_usd=cost, total_tokens=10, model="m"
            )
    address = reverse("admin:realtime_widget_usage_changelist")
    context = admin_client.get(address).context_data
    assert context["sums"]["written"] == "1.7500 $ and what has no price"
    by_widget = {line["name"]: line for line in context["groups"][1]["lines"]}
    assert by_widget["shop"]["written"] == "0.7500 $"
    assert by_widget["help"]["unknown"] == 1
    page = admin_client.get(address, {"conversation__widget_slug": "shop"})
    assert page.context_data["sums"]["cost"] == Decimal("0.75")
    assert "In all: 0.7500 $; 20 tokens" in page.content.decode()


def test_conversation_is_deleted_with_its_usage_but_no_sum_alone(prices, admin_client):
    conversation = Conversation.objects.create(widget_slug="shop")
    usage = Usage.objects.create(conversation=conversation)
    alone = reverse("admin:realtime_widget_usage_delete", args=[usage.pk])
    assert admin_client.post(alone, {"post": "yes"}).status_code == 403
    whole = reverse("admin:realtime_widget_conversation_delete", args=[conversation.pk])
    assert admin_client.post(whole, {"post": "yes"}).status_code == 302
    assert not Usage.objects.exists()
