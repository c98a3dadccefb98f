from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from asgiref.sync import sync_to_async
from django.db import OperationalError
from django.utils import timezone

from realtime_widget import signals
from realtime_widget.models import (
    Conversation,
    ConversationEvent,
    Item,
    ToolCall,
    Usage,
)
from realtime_widget.recorder import RecordWriter, SessionRecorder
from realtime_widget.recorder.rows import write_rows
from realtime_widget.recorder.session import MAX_EVENTS
from realtime_widget.session.ports import (
    ErrorFact,
    ItemFact,
    SessionEnd,
    StartedFact,
    ToolFact,
    UsageFact,
)

pytestmark = pytest.mark.django_db(transaction=True)

END = SessionEnd(reason="user", duration_s=12.5, close_code=1000)


class UnreliableDatabase:
    """Writes rows, unless it is away."""

    def __init__(self):
        self.away = False
        self.batches = []

    def __call__(self, rows):
        if self.away:
            raise OperationalError("server closed the connection: secret words")
        self.batches.append(len(rows))
        return write_rows(rows)


@pytest.fixture
def database():
    return UnreliableDatabase()


@pytest.fixture
async def writer(settings, database):
    settings.REALTIME_WIDGET = {"RECORD_FLUSH_S": 0.01}
    writer = RecordWriter(write=database)
    yield writer
    database.away = False
    await writer.drain()


@pytest.fixture
async def recorder(writer):
    return SessionRecorder(Conversation(widget_slug="support", model="asked"), writer)


@pytest.fixture
def heard():
    """Return what the receivers of all signals were told, in order."""
    told = []
    names = [
        "session_started",
        "session_stopped",
        "transcript_added",
        "tool_called",
        "usage_recorded",
        "session_error",
    ]
    receivers = []
    for name in names:

        async def receive(sender, signal, name=name, **arguments):
            told.append((name, arguments))

        receivers.append(receive)
        getattr(signals, name).connect(receive)
    yield told
    for name, receive in zip(names, receivers, strict=True):
        getattr(signals, name).disconnect(receive)


async def rows(model):
    return [row async for row in model.objects.all()]


async def test_conversation_is_open_while_it_goes_on_and_ended_once(recorder, writer):
    await writer.drain()
    (conversation,) = await rows(Conversation)
    assert (conversation.status, conversation.widget_slug) == ("open", "support")
    assert conversation.heartbeat_at is not None
    recorder.stop(END)
    recorder.stop(SessionEnd(reason="error", duration_s=99, close_code=4500))
    await writer.drain()
    (conversation,) = await rows(Conversation)
    assert (conversation.status, conversation.reason) == ("ended", "user")
    assert conversation.duration_s == 12.5
    assert conversation.ended_at is not None


async def test_last_fact_of_an_item_holds(recorder, writer):
    recorder.record(ItemFact("item_1", "assistant", "Your order was sh", agent="Ada"))
    await writer.drain()
    recorder.record(
        ItemFact(
            "item_1", "assistant", "Your order", status="interrupted", heard_ms=640
        )
    )
    await writer.drain()
    (item,) = await rows(Item)
    assert (item.text, item.status, item.heard_ms) == ("Your order", "interrupted", 640)


async def test_words_of_a_question_stand_before_the_answer_that_came_first(
    recorder, writer
):
    recorder.record(ItemFact("a1", "assistant", "Hello."))
    recorder.record(ItemFact("a2", "assistant", "At nine.", previous_item_id="u1"))
    recorder.record(ItemFact("u1", "user", "When?", previous_item_id="a1"))
    recorder.record(ItemFact("u2", "user", "Thanks.", previous_item_id="a2"))
    recorder.record(ItemFact("a2", "assistant", "At nine!", previous_item_id="u1"))
    await writer.drain()
    assert [item.item_id for item in await rows(Item)] == ["a1", "u1", "a2", "u2"]


async def test_calls_and_usage_are_kept_with_their_numbers(recorder, writer):
    recorder.record(StartedFact("gpt-realtime"))
    recorder.record(
        ToolFact("call_1", "order_status", "{}", '{"a":1}', "completed", 42)
    )
    recorder.record(
        UsageFact(
            "response",
            "gpt-realtime",
            "resp_1",
            {
                "input_tokens": 30,
                "input_token_details": {
                    "text_tokens": 10,
                    "audio_tokens": 20,
                    "cached_tokens": 5,
                },
                "output_token_details": {"text_tokens": 3, "audio_tokens": 40},
            },
        )
    )
    await writer.drain()
    (conversation,) = await rows(Conversation)
    (call,) = await rows(ToolCall)
    (usage,) = await rows(Usage)
    assert conversation.model == "gpt-realtime"
    assert (call.name, call.status, call.duration_ms) == (
        "order_status",
        "completed",
        42,
    )
    tokens = ("text_in", "audio_in", "cached_in", "text_out", "audio_out")
    assert [getattr(usage, name) for name in tokens] == [10, 20, 5, 3, 40]


async def test_text_no_database_can_store_is_made_storable(recorder, writer):
    recorder.record(ItemFact("item_1", "user", "a\0b\ud800c"))
    await writer.drain()
    assert (await rows(Item))[0].text == "ab?c"


async def test_signals_come_after_the_rows_and_in_order(recorder, writer, heard):
    seen_in_database = []

    async def count(sender, conversation, **_):
        seen_in_database.append(
            await Conversation.objects.filter(pk=conversation.pk).acount()
        )

    signals.session_started.connect(count)
    try:
        recorder.record(StartedFact("gpt-realtime"))
        recorder.record(ItemFact("item_1", "user", "Hello"))
        recorder.record(ToolFact("call_1", "whoami", "{}", "{}", "completed", 1))
        recorder.record(UsageFact("response", "gpt-realtime"))
        recorder.stop(END)
        await writer.drain()
    finally:
        signals.session_started.disconnect(count)
    assert seen_in_database == [1]
    assert [name for name, _ in heard] == [
        "session_started",
        "transcript_added",
        "tool_called",
        "usage_recorded",
        "session_stopped",
    ]
    stopped = heard[-1][1]
    assert (stopped["reason"], stopped["duration"]) == ("user", 12.5)
    assert heard[1][1]["item"].pk is not None


async def test_error_the_visitor_was_told_of_is_recorded_and_told(
    recorder, writer, heard
):
    recorder.record(ErrorFact("response_failed"))
    for _ in range(MAX_EVENTS):
        recorder.record(ErrorFact("forbidden"))
    await writer.drain()
    events = await rows(ConversationEvent)
    assert (events[0].kind, events[0].name) == ("error", "response_failed")
    assert len(events) == MAX_EVENTS
    assert heard[0][0] == "session_error"
    assert heard[0][1]["event"].name == "response_failed"


async def test_receiver_that_raises_hurts_nobody(recorder, writer, heard, caplog):
    def broken(sender, **_):
        raise RuntimeError("receiver")

    signals.session_started.connect(broken)
    try:
        recorder.record(StartedFact("gpt-realtime"))
        recorder.stop(END)
        await writer.drain()
    finally:
        signals.session_started.disconnect(broken)
    assert [name for name, _ in heard] == ["session_started", "session_stopped"]


async def test_database_that_is_away_loses_nothing(
    recorder, writer, database, heard, caplog
):
    await writer.drain()
    database.away = True
    recorder.record(ItemFact("item_1", "user", "Are you there?"))
    recorder.stop(END)
    for _ in range(200):
        if writer._failures >= 2:
            break
        await asyncio.sleep(0.01)
    assert await rows(Item) == []
    assert heard == []
    database.away = False
    await writer.drain()
    assert [item.text for item in await rows(Item)] == ["Are you there?"]
    assert [name for name, _ in heard] == ["transcript_added", "session_stopped"]
    assert "OperationalError" in caplog.text
    assert "secret words" not in caplog.text


async def test_full_queue_drops_and_counts_but_keeps_the_end(
    recorder, writer, database, settings, caplog
):
    await writer.drain()
    settings.REALTIME_WIDGET = {"RECORD_FLUSH_S": 0.01, "RECORD_QUEUE_ROWS": 3}
    database.away = True
    for number in range(5):
        recorder.record(ItemFact(f"item_{number}", "user", "private words"))
    recorder.record(ItemFact("item_0", "user", "replaces what waits"))
    recorder.stop(END)
    assert writer.dropped_rows == 2
    assert "private words" not in caplog.text
    database.away = False
    await writer.drain()
    assert len(await rows(Item)) == 3
    assert (await rows(Conversation))[0].status == "ended"


async def test_row_the_database_will_never_take_does_not_hold_up_others(
    recorder, writer, caplog
):
    await writer.drain()
    gone = SessionRecorder(Conversation(widget_slug="gone"), writer)
    await writer.drain()
    await Conversation.objects.filter(widget_slug="gone").adelete()
    gone.record(ItemFact("item_1", "user", "to a deleted conversation"))
    recorder.record(ItemFact("item_1", "user", "kept"))
    gone.stop(END)
    await writer.drain()
    assert [item.text for item in await rows(Item)] == ["kept"]
    assert writer.dropped_rows == 1


async def test_rows_are_written_in_batches(recorder, writer, database, settings):
    settings.REALTIME_WIDGET = {"RECORD_FLUSH_S": 60, "RECORD_BATCH_ROWS": 50}
    for number in range(120):
        recorder.record(ItemFact(f"item_{number}", "user", "words"))
    await writer.drain()
    assert database.batches == [50, 50, 21]


async def test_conversation_of_a_dead_process_is_ended_as_of_its_last_sign(
    writer, heard
):
    now = timezone.now()
    lost = await Conversation.objects.acreate(
        widget_slug="lost",
        started_at=now - timedelta(minutes=10),
        heartbeat_at=now - timedelta(minutes=5),
    )
    alive = await Conversation.objects.acreate(heartbeat_at=now)
    recorder = SessionRecorder(Conversation(widget_slug="support"), writer)
    recorder.stop(END)
    await writer.drain()
    await lost.arefresh_from_db()
    await alive.arefresh_from_db()
    assert (lost.status, lost.reason, lost.error_code) == (
        "ended",
        "error",
        "worker_lost",
    )
    assert lost.duration_s == pytest.approx(300)
    assert alive.status == "open"
    stopped = [arguments["conversation"].pk for _, arguments in heard]
    assert lost.pk in stopped


async def test_conversation_ended_elsewhere_is_not_ended_twice(recorder, writer, heard):
    await writer.drain()
    await Conversation.objects.aupdate(status="ended", reason="error")
    recorder.stop(END)
    await writer.drain()
    assert (await rows(Conversation))[0].reason == "error"
    assert heard == []


async def test_rows_that_wait_are_written_when_the_process_exits(recorder, writer):
    recorder.record(ItemFact("item_1", "user", "last words"))
    await sync_to_async(writer.write_at_exit)()
    assert [item.text for item in await rows(Item)] == ["last words"]
    (conversation,) = await rows(Conversation)
    assert (conversation.status, conversation.reason) == ("ended", "draining")


async def test_writer_sleeps_when_no_session_is_left(recorder, writer):
    recorder.stop(END)
    await writer.drain()
    await asyncio.wait_for(writer._task, 1)
    assert writer._task.done()
