"""Numbers and spans of real sessions."""

from __future__ import annotations

import logging
import re

import pytest
from asgiref.sync import sync_to_async
from django.test import override_settings
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from realtime_widget import checks, connectors
from realtime_widget.connectors import make_connect
from realtime_widget.exceptions import UpstreamRefused
from realtime_widget.metrics import LoopWatch, instruments
from realtime_widget.models import Provider
from realtime_widget.telemetry import TimedPage, timed
from tests.app.pages import open_page
from tests.app.rows import ended_conversation, until

pytestmark = pytest.mark.django_db(transaction=True)
TOKEN = "token-of-prometheus"
WORDS = "Hello there, SPOKEN-WORDS"


@pytest.fixture
def measured(settings):
    settings.REALTIME_WIDGET = {"METRICS_TOKEN": TOKEN}


@pytest.fixture(scope="module")
def exporter():
    """Configure OpenTelemetry as a site does; it can be done once a process."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    trace.set_tracer_provider(provider)
    return exporter


def scrape(client):
    answer = client.get(
        "/realtime/metrics", headers={"authorization": f"Bearer {TOKEN}"}
    )
    assert answer.status_code == 200
    return answer.content.decode()


def value(text, line):
    found = re.search(rf"^{re.escape(line)} (\S+)$", text, re.MULTILINE)
    return float(found[1]) if found else 0.0


async def a_session(server):
    async with open_page(server) as page:
        await page.start()
        await page.say(WORDS)
        await page.send("message", text='tool order_status {"order_number": "1042"}')
        await page.expect("tool.finished")
        await page.send("session.stop")
        await page.ended()
    return await ended_conversation()


@pytest.mark.parametrize("given", ["", TOKEN + "x", f"Basic {TOKEN}", "Bearer "])
def test_numbers_are_nobodys_without_the_token(client, measured, given):
    headers = {"authorization": given} if given else {}
    assert client.get("/realtime/metrics", headers=headers).status_code == 404


def test_there_is_no_such_address_unless_the_site_sets_a_token(client):
    headers = {"authorization": "Bearer "}
    assert client.get("/realtime/metrics", headers=headers).status_code == 404


def test_nothing_is_collected_unless_it_is_wanted():
    assert instruments() is None
    page = object()
    assert timed(page, "support") is page
    with override_settings(REALTIME_WIDGET={"METRICS": True}):
        assert instruments() is not None


async def test_a_session_is_counted_with_its_tools_and_its_end(
    measured, widget, asgi_server, client, no_sessions_left
):
    ended = (
        'realtime_widget_sessions_ended_total{error="",reason="user",widget="support"}'
    )
    started = 'realtime_widget_sessions_started_total{widget="support"}'
    tool = 'realtime_widget_tool_seconds_count{status="completed",tool="order_status"}'
    opened = (
        'realtime_widget_upstream_connect_seconds_count{error="",provider="Scripted"}'
    )
    length = 'realtime_widget_session_seconds_count{widget="support"}'
    answers = 'realtime_widget_answer_seconds_count{widget="support"}'
    before = await sync_to_async(scrape)(client)
    await a_session(asgi_server)

    def one_more():
        text = scrape(client)
        names = (ended, started, tool, opened, length)
        return all(value(text, n) == value(before, n) + 1 for n in names) and text

    text = await until(one_more)
    assert value(text, answers) == value(before, answers) + 2
    assert "SPOKEN-WORDS" not in text
    assert "1042" not in text


async def test_a_refused_connection_is_counted_by_its_code(measured, monkeypatch):
    def make(_provider, _caller):
        async def connect():
            raise UpstreamRefused("no", code="upstream_auth")

        return connect

    monkeypatch.setitem(connectors.CONNECTORS, "compatible", make)
    provider = Provider(name="Refusing", kind="compatible")
    with pytest.raises(UpstreamRefused):
        await make_connect(provider)()
    samples = [
        sample.labels
        for metric in instruments().connect_s.collect()
        for sample in metric.samples
    ]
    assert {"provider": "Refusing", "error": "upstream_auth"} in samples


@pytest.mark.parametrize("wanted", [{"METRICS": True}, {"METRICS_TOKEN": TOKEN}])
def test_numbers_without_the_library_are_a_system_check(wanted, monkeypatch):
    with override_settings(REALTIME_WIDGET=wanted):
        assert checks.check_metrics() == []
        monkeypatch.setattr(checks, "has_library", lambda: False)
        (message,) = checks.check_metrics()
    assert message.id == "realtime_widget.E010"
    assert TOKEN not in str(message)
    assert checks.check_metrics() == []


class Listener:
    """A page's end that keeps what it is sent."""

    def __init__(self):
        self.texts = []

    async def send_text(self, text):
        self.texts.append(text)

    async def send_audio(self, audio):
        """Take audio."""


async def test_an_answer_is_timed_from_the_end_of_the_turn_to_its_first_sound():
    now_s, seen, page = [0.0], [], Listener()
    measured_page = TimedPage(page, seen.append, lambda: now_s[0])
    assert measured_page.send_audio == page.send_audio
    for at_s, state in [
        (1.0, "listening"),
        (2.0, "thinking"),
        (2.2, "thinking"),
        (2.75, "speaking"),
        (5.0, "listening"),
        (6.0, "thinking"),
        (6.5, "hearing"),
        (7.0, "speaking"),
    ]:
        now_s[0] = at_s
        await measured_page.send_text(f'{{"type": "state", "state": "{state}"}}')
    await measured_page.send_text('{"type": "pong"}')
    assert seen == [0.75]
    assert len(page.texts) == 9


async def test_a_late_loop_is_noticed_and_nothing_runs_without_sessions(measured):
    calls, running = [], [1]

    class Loop:
        now_s = 0.0

        def time(self):
            return self.now_s

        def call_at(self, at_s, callback):
            calls.append((at_s, callback))

    loop = Loop()
    watch = LoopWatch(loop, lambda: running[0])
    watch.wake()
    watch.wake()
    ((due_s, tick),) = calls
    assert due_s == 1.0
    before = instruments().loop_lag_s._sum.get()
    loop.now_s = 1.4
    tick()
    assert instruments().loop_lag_s._sum.get() - before == pytest.approx(0.4)
    running[0] = 0
    calls.pop(0)
    calls.pop()[1]()
    assert calls == []
    watch.wake()
    assert len(calls) == 1


async def test_spans_tell_a_session_its_tools_and_its_connection(
    exporter, widget, asgi_server, no_sessions_left
):
    exporter.clear()
    ended = await a_session(asgi_server)

    def by_name():
        spans = {span.name: span for span in exporter.get_finished_spans()}
        return spans if "realtime session" in spans else None

    spans = await until(by_name)
    session = spans["realtime session"]
    tool = spans["realtime tool order_status"]
    assert session.attributes["realtime.session_id"] == str(ended.pk)
    assert session.attributes["realtime.reason"] == "user"
    assert tool.parent.span_id == session.context.span_id
    assert session.start_time <= tool.start_time <= tool.end_time
    assert spans["realtime connect"].attributes["realtime.kind"] == "compatible"
    told = " ".join(span.to_json() for span in spans.values())
    assert "SPOKEN-WORDS" not in told
    assert "1042" not in told


async def test_logs_of_a_session_name_it_and_hold_nothing_that_was_said(
    widget, asgi_server, caplog, no_sessions_left
):
    caplog.set_level(logging.DEBUG, "realtime_widget")
    ended = await a_session(asgi_server)
    ours = [r.getMessage() for r in caplog.records if r.name.startswith("realtime")]
    assert any(str(ended.pk) in line for line in ours)
    assert "SPOKEN-WORDS" not in " ".join(ours)
    assert "1042" not in " ".join(ours)
