"""Guardrails that ask a moderation service: rows, a real HTTP server, a real talk."""

from __future__ import annotations

import json
import logging

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import ValidationError
from django.db.models import ProtectedError
from django.test import override_settings

from realtime_widget.configs.agents import staff
from realtime_widget.handlers import SessionGuardrails, ToolContext, Visit
from realtime_widget.metrics import exposition
from realtime_widget.models import ConversationEvent, Guardrail, Provider
from realtime_widget.testing import Say, scripted_session
from tests.app.rows import make_widget, until
from tests.upstream.servers import KEY, raw_server
from tests.upstream.test_moderation import answering

pytestmark = pytest.mark.django_db(transaction=True)

BAD = {"flagged": True, "categories": {"violence": True}, "category_scores": {}}
GOOD = {"flagged": False, "categories": {"violence": False}, "category_scores": {}}


def judging():
    """Return a service that flags a text with a fight in it."""

    async def handle(reader, writer):
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
        asked = json.loads(await reader.readexactly(length))
        body = json.dumps({"results": [BAD if "fight" in asked["input"] else GOOD]})
        writer.write(
            f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()
        )
        await writer.drain()

    return handle


def at(port):
    """Return settings in which a provider may be on this machine."""
    return override_settings(
        REALTIME_WIDGET={
            "UPSTREAM_HOSTS": [f"127.0.0.1:{port}"],
            "KEY_NAMES": ["MODERATION_KEY"],
            "METRICS": True,
        },
        MODERATION_KEY=KEY,
    )


def moderated(port, **fields):
    """Return a widget whose agent is moderated by a service at this port."""
    provider = Provider.objects.create(
        name="Judge",
        kind="compatible",
        base_url=f"http://127.0.0.1:{port}/v1",
        key_name="MODERATION_KEY",
    )
    row = Guardrail.objects.create(name="decent", moderation=provider, **fields)
    widget = make_widget()
    widget.agent.guardrails.add(row)
    return widget


def guards(widget):
    visit = Visit(AnonymousUser(), None, "support", "en", {})
    context = ToolContext(user=AnonymousUser())
    return SessionGuardrails(staff(widget.agent, visit).guards, context)


@pytest.mark.usefixtures("no_sessions_left")
async def test_an_answer_that_the_service_flags_is_replaced(transactional_db):
    async with raw_server(judging()) as port:
        with at(port):
            await sync_to_async(moderated)(port)
            model = [Say("Let us fight."), Say("I cannot help with that.")]
            async with await scripted_session("support", model) as talk:
                turn = await talk.ask("What now?")
                tripped = turn.of("guardrail_tripped")
                while "cannot help" not in turn.text:
                    turn = await talk.wait()
                    tripped += turn.of("guardrail_tripped")
    assert [event.name for event in tripped] == ["decent"]
    assert (await ConversationEvent.objects.aget()).stage == "output"


@pytest.mark.usefixtures("no_sessions_left")
async def test_a_service_that_is_away_finds_nothing_and_is_counted(
    transactional_db, caplog
):
    async with raw_server(judging()) as port:
        pass
    with at(port):
        widget = await sync_to_async(moderated)(port)
        async with await scripted_session("support", [Say("Let us fight.")]) as talk:
            turn = await talk.ask("What now?")
            await until(lambda: "Guardrail decent failed" in caplog.text)
        assert turn.text == "Let us fight."
        assert not turn.of("guardrail_tripped")
        checks = await sync_to_async(guards)(widget)
        with pytest.raises(Exception, match="could not be reached"):
            await checks.check("decent", "anything")
        numbers = exposition()[0].decode()
    assert "fight" not in caplog.text
    assert 'realtime_widget_guardrail_failures_total{guardrail="decent"}' in numbers


async def test_words_of_the_row_come_first_and_are_not_sent_anywhere():
    seen = []
    async with raw_server(answering({"results": [GOOD]}, seen=seen)) as port:
        with at(port):
            widget = await sync_to_async(moderated)(port, denied_words="dollars")
            checks = await sync_to_async(guards)(widget)
            assert await checks.check("decent", "Five dollars")
            assert not seen
            assert not await checks.check("decent", "Five apples")
    assert len(seen) == 1


async def test_categories_and_score_come_from_the_row():
    result = {**GOOD, "category_scores": {"violence": 0.4, "hate": 0.9}}
    async with raw_server(answering({"results": [result]})) as port:
        with at(port):
            widget = await sync_to_async(moderated)(
                port, moderation_categories=["violence"], moderation_threshold=0.4
            )
            checks = await sync_to_async(guards)(widget)
            assert await checks.check("decent", "x")
            await Guardrail.objects.aupdate(moderation_threshold=0.5)
            checks = await sync_to_async(guards)(widget)
            assert not await checks.check("decent", "x")


def test_a_service_without_its_key_is_logged_and_words_still_count(caplog):
    widget = moderated(9, denied_words="dollars")
    with caplog.at_level(logging.ERROR):
        checks = guards(widget)
    assert "guardrail=decent" in caplog.text
    assert checks._guards["decent"].moderation is None
    assert checks._guards["decent"].words("five dollars")


@pytest.mark.parametrize(
    "fields",
    [
        {"moderation_threshold": 1.5},
        {"moderation_categories": "violence"},
        {"moderation_categories": [""]},
    ],
)
def test_a_row_that_makes_no_sense_is_refused(fields):
    provider = Provider.objects.create(name="P", kind="openai")
    with pytest.raises(ValidationError):
        Guardrail(name="x", moderation=provider, **fields).full_clean()
    Guardrail(name="x", moderation=provider).full_clean()


def test_a_provider_that_has_none_is_refused_and_a_used_one_stays():
    local = Provider.objects.create(name="P", kind="local")
    with pytest.raises(ValidationError, match="no moderation"):
        Guardrail(name="x", moderation=local).full_clean()
    Guardrail.objects.create(name="x", moderation=local)
    with pytest.raises(ProtectedError):
        local.delete()
