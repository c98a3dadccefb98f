"""Sessions that server code holds, and the public scripted ones, with a real engine."""

from __future__ import annotations

import asyncio

import pytest
from django.contrib.auth.models import AnonymousUser, User

from realtime_widget.engine.loopback import LoopbackConnection
from realtime_widget.engine.models import all_models
from realtime_widget.engine.options import EngineOptions
from realtime_widget.engine.scenario.reading import read_scenario
from realtime_widget.engine.scenario.session import ScenarioModel
from realtime_widget.exceptions import QuotaUsedUp, SessionClosed, UpstreamRefused
from realtime_widget.models import (
    Agent,
    Conversation,
    ConversationEvent,
    Guardrail,
    Quota,
    QuotaCount,
    Tool,
    ToolCall,
    Usage,
    Widget,
)
from realtime_widget.sessions import open_session
from realtime_widget.testing import Call, Say, scripted_session
from tests.app.rows import make_widget, until

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("no_sessions_left"),
]

LOOKUP = Call("order_status", order_number="1042")


@pytest.fixture
def shop(transactional_db):
    """Return a widget with tools."""
    return make_widget(tools=["order_status", "whoami", "refuses"])


async def test_what_is_said_leads_to_a_call_with_these_arguments(shop):
    ann = await User.objects.acreate(username="ann")
    async with await scripted_session(
        "support", [LOOKUP, Say("It is on its way.")], user=ann
    ) as talk:
        turn = await talk.ask("Where is my order 1042?")
    run = turn.tools["order_status"]
    assert run.arguments == {"order_number": "1042"}
    assert (run.output["status"], run.output["user"]) == ("shipped", "ann")
    assert run.status == "completed"
    assert turn.text == "It is on its way."
    kinds = [event.type for event in turn.events]
    assert kinds.index("tool_start") < kinds.index("tool_end")
    assert "history_added" in kinds
    assert kinds.count("conversation.item.completed") == 2


async def test_what_a_script_talks_is_recorded_like_any_other(shop):
    async with await scripted_session("support", [LOOKUP, Say("Sent.")]) as talk:
        await talk.ask("Where is it?")
        history = [(item.role, item.text) for item in talk.session.history]
    assert history == [("user", "Where is it?"), ("assistant", "Sent.")]
    conversation = await Conversation.objects.aget()
    assert (conversation.status, conversation.reason) == ("ended", "user")
    assert [i.text async for i in conversation.items.all()] == ["Where is it?", "Sent."]
    assert (await ToolCall.objects.aget()).name == "order_status"


async def test_permissions_hold(shop):
    async with await scripted_session(
        "support", [Call("whoami"), Say("Sorry.")]
    ) as talk:
        turn = await talk.ask("Who am I?")
    assert turn.tools["whoami"].status == "failed"
    assert "sign in" in turn.tools["whoami"].output["error"]


@pytest.mark.parametrize(
    ("allow", "status"), [(True, "completed"), (False, "rejected")]
)
async def test_a_call_that_asks_waits_for_the_visitor(shop, allow, status):
    await Tool.objects.filter(name="order_status").aupdate(approval="always")
    async with await scripted_session("support", [LOOKUP, Say("Done.")]) as talk:
        turn = await talk.ask("Look it up")
        (asked,) = turn.of("tool_approval_required")
        assert not turn.tools
        if allow:
            await talk.session.approve_tool_call(asked.call_id)
        else:
            await talk.session.reject_tool_call(asked.call_id)
        turn = await talk.wait()
    assert turn.tools["order_status"].status == status


async def test_the_visitor_is_not_asked_to_allow_what_cannot_be_done(shop):
    await Tool.objects.filter(name="order_status").aupdate(approval="always")
    model = [Call("order_status", number="1042"), LOOKUP, Say("Done.")]
    async with await scripted_session("support", model) as talk:
        turn = await talk.ask("Look it up")
        (asked,) = turn.of("tool_approval_required")
        refused = turn.tools["order_status"]
        await talk.session.approve_tool_call(asked.call_id)
        turn = await talk.wait()
    assert refused.status == "bad_arguments"
    assert "order_number: is missing" in refused.output["error"]
    assert turn.tools["order_status"].status == "completed"


async def test_a_handoff_is_told_and_the_next_agent_goes_on(shop):
    billing = await Agent.objects.acreate(name="Billing", instructions="Invoices.")
    await shop.agent.handoffs.aadd(billing)
    model = [Call("transfer_to_billing"), Say("Billing here.")]
    async with await scripted_session("support", model) as talk:
        turn = await talk.ask("My invoice is wrong")
        assert talk.session.agent.name == "Billing"
    (handoff,) = turn.of("handoff")
    assert (handoff.before, handoff.after) == ("Ada", "Billing")
    assert turn.text == "Billing here."
    assert (await ConversationEvent.objects.aget()).name == "Billing"


async def test_a_guardrail_trips(shop):
    row = await Guardrail.objects.acreate(name="no_prices", denied_words="dollars")
    await shop.agent.guardrails.aadd(row)
    model = [Say("Five dollars."), Say("I cannot speak of prices.")]
    async with await scripted_session("support", model) as talk:
        turn = await talk.ask("What does it cost?")
        while "I cannot" not in turn.text:
            tripped = turn.of("guardrail_tripped")
            turn = await talk.wait()
    assert (tripped or turn.of("guardrail_tripped"))[0].name == "no_prices"


async def test_functions_may_be_added_and_removed(shop):
    calls = []

    async def submit_support_ticket(arguments):
        calls.append(arguments)
        return {"success": True, "ticket_id": 7}

    ticket = {
        "name": "submit_support_ticket",
        "description": "Open a ticket.",
        "parameters": {
            "type": "object",
            "properties": {"issue": {"type": "string"}},
        },
    }
    model = [Call("submit_support_ticket", issue="Chain"), Say("Done.")]
    async with await scripted_session("support", [*model, *model]) as talk:
        talk.session.add_tool(ticket, submit_support_ticket)
        with pytest.raises(ValueError, match="already"):
            talk.session.add_tool(ticket, submit_support_ticket)
        with pytest.raises(ValueError, match="name"):
            talk.session.add_tool({}, submit_support_ticket)
        turn = await talk.ask("My chain is broken")
        run = turn.tools["submit_support_ticket"]
        assert run.output == {"success": True, "ticket_id": 7}
        talk.session.remove_tool("submit_support_ticket")
        turn = await talk.ask("Again")
    assert calls == [{"issue": "Chain"}]
    assert turn.tools["submit_support_ticket"].status == "unknown_tool"


async def test_a_def_that_raises_is_told_without_its_words(shop):
    def get_weather(arguments):
        raise RuntimeError("secret")

    async with await scripted_session(
        "support", [Call("get_weather", city="Rome"), Say("Sorry.")]
    ) as talk:
        talk.session.add_tool({"name": "get_weather"}, get_weather)
        turn = await talk.ask("Weather?")
    assert "secret" not in str(turn.tools["get_weather"].output)
    assert turn.tools["get_weather"].status == "failed"


async def test_audio_comes_as_events_and_stops_at_an_interruption(shop):
    session = await open_session("support", connect=spoken())
    async with session:
        session.update_session(instructions="Be brief.")
        await session.send_user_message_content([{"type": "input_text", "text": "Hi"}])
        audio = bytearray()
        async with asyncio.timeout(20):
            async for event in session:
                if event.type == "audio":
                    audio += event.audio
                if event.type == "audio_end":
                    break
        with pytest.raises(ValueError, match="input_text"):
            await session.send_user_message_content([{"type": "input_image"}])
        await session.interrupt()
    assert len(audio) > 4_800


async def test_events_of_the_model_are_told_when_wanted(shop):
    connect = spoken()
    async with await open_session(
        "support", connect=connect, raw_events=True, record=False
    ) as session:
        await session.send_message("Hi")
        seen = []
        async with asyncio.timeout(20):
            async for event in session:
                if event.type == "raw_model_event":
                    seen.append(event.data["data"]["type"])
                if "response.done" in seen:
                    break
    assert seen[:2] == ["session.created", "session.updated"]
    assert "response.output_audio.delta" not in seen
    assert not await Conversation.objects.aexists()


def spoken():
    """Return a way to a model with a voice."""
    model = all_models(EngineOptions(), "scripted").default

    async def connect():
        return LoopbackConnection(model)

    return connect


async def test_a_widget_that_is_not_there(transactional_db):
    with pytest.raises(LookupError):
        await open_session("nowhere", user=AnonymousUser())


async def test_a_model_that_refuses_is_an_error_with_its_code(shop):
    async def connect():
        raise UpstreamRefused("no", code="upstream_auth")

    with pytest.raises(SessionClosed, match="upstream_auth"):
        await open_session("support", connect=connect)
    conversation = await Conversation.objects.aget()
    assert (conversation.reason, conversation.error_code) == (
        "upstream",
        "upstream_auth",
    )


async def test_a_start_that_nobody_waits_for_is_ended(shop):
    dialled = asyncio.Event()

    async def connect():
        dialled.set()
        await asyncio.Event().wait()

    opening = asyncio.create_task(open_session("support", connect=connect))
    await dialled.wait()
    opening.cancel()
    with pytest.raises(asyncio.CancelledError):
        await opening
    ended = Conversation.objects.filter(status="ended")
    assert (await until(lambda: ended.all().first())).reason == "user"


async def test_closing_ends_those_who_iterate(shop):
    session = await open_session("support", connect=spoken(), record=False)

    async def iterate():
        return [event.type async for event in session]

    watching = asyncio.create_task(iterate())
    await session.close()
    await session.close()
    async with asyncio.timeout(5):
        assert "session_started" in await watching


async def test_who_answers_is_told_from_beginning_to_end(shop):
    billing = await Agent.objects.acreate(name="Billing", instructions="Invoices.")
    await shop.agent.handoffs.aadd(billing)
    model = [Call("transfer_to_billing"), Say("Billing here.")]
    async with await scripted_session("support", model) as talk:
        turn = await talk.ask("My invoice is wrong")
    told = [e for e in turn.events if e.type in ("agent_start", "agent_end")]
    assert [(event.type, event.agent) for event in told[:4]] == [
        ("agent_start", "Ada"),
        ("agent_end", "Ada"),
        ("agent_start", "Billing"),
        ("agent_end", "Billing"),
    ]
    assert len(turn.of("conversation.item.appended")) == 2


async def test_a_turn_that_ends_by_a_key_is_committed_with_its_last_audio(shop):
    await Widget.objects.aupdate(turn_detection="none")
    base = all_models(EngineOptions(), "scripted").default
    hears = {"turns": [{"hears": "Good morning.", "steps": [{"say": "Hello."}]}]}

    async def connect():
        return LoopbackConnection(ScenarioModel(base, read_scenario(hears)))

    half_a_second = bytes(24_000)
    async with await open_session("support", connect=connect) as session:
        await session.send_audio(half_a_second)
        await session.send_audio(half_a_second, commit=True)
        lines = []
        async with asyncio.timeout(20):
            async for event in session:
                if event.type == "conversation.item.completed":
                    lines.append((event.item.role, event.item.text))
                if event.type == "audio_end":
                    break
    assert ("assistant", "Hello.") in lines


async def test_updates_of_a_session_merge_and_keep_the_tools(shop):
    async with await scripted_session("support", [LOOKUP, Say("Sent.")]) as talk:
        talk.session.update_session(instructions="Be brief.")
        talk.session.update_session(voice="cedar")
        agent = talk.session.agent
        turn = await talk.ask("Where is it?")
    assert (agent.instructions, agent.voice) == ("Be brief.", "cedar")
    assert turn.tools["order_status"].status == "completed"


# --- quotas -------------------------------------------------------------------


async def used(quota):
    return sum([count.used async for count in QuotaCount.objects.filter(quota=quota)])


async def test_a_session_counts_under_the_quotas_of_its_widget_and_user(shop):
    ann = await User.objects.acreate(username="ann")
    widget = await Quota.objects.acreate(
        name="w", scope="widget", unit="sessions", limit=5
    )
    user = await Quota.objects.acreate(name="u", scope="user", unit="tokens", limit=500)
    # There is no address that could be counted.
    address = await Quota.objects.acreate(
        name="a", scope="address", unit="sessions", limit=0
    )
    async with await open_session("support", user=ann, text_only=True) as session:
        await session.send_message("Hello")
        async for event in session:
            if event.type == "usage":
                break
        assert await used(user) >= 500
    assert (await used(widget), await used(address)) == (1, 0)
    spent = (await Usage.objects.aget()).total_tokens
    assert await used(user) == spent > 0


async def test_a_session_is_refused_in_words_when_nothing_is_left(shop):
    quota = await Quota.objects.acreate(
        name="w", scope="widget", unit="sessions", limit=1, message="Back {when}."
    )
    async with await open_session("support", connect=spoken(), language="en"):
        with pytest.raises(QuotaUsedUp) as refusal:
            await open_session("support", connect=spoken(), language="en")
        assert refusal.value.words == "Back tomorrow."
        async with await open_session("support", connect=spoken(), counted=False):
            assert await used(quota) == 1
    assert await Conversation.objects.acount() == 2


async def test_a_session_that_the_model_refuses_takes_nothing(shop):
    quota = await Quota.objects.acreate(
        name="w", scope="widget", unit="sessions", limit=1
    )

    async def connect():
        raise UpstreamRefused("no", code="upstream_auth")

    for _ in range(2):
        with pytest.raises(SessionClosed):
            await open_session("support", connect=connect)
    assert await used(quota) == 0


async def test_a_session_ends_politely_when_its_quota_is_used_up(shop):
    await Quota.objects.acreate(
        name="w", scope="widget", unit="tokens", limit=1, message="Back {when}."
    )
    told = []

    async def listen(session):
        async for event in session:
            told.append(event)

    async with await open_session("support", text_only=True, language="en") as session:
        await session.send_message("Hello")
        with pytest.raises(SessionClosed, match="limit"):
            await listen(session)
    assert [e.message for e in told if e.type == "error"] == ["Back tomorrow."]
    assert "conversation.item.completed" in [event.type for event in told]
    assert (await Conversation.objects.aget()).reason == "quota"


async def test_an_agent_may_be_tested_though_nothing_is_left(shop):
    await Quota.objects.acreate(name="w", scope="widget", unit="sessions", limit=0)
    async with await scripted_session("support", [Say("Hello.")]) as talk:
        assert (await talk.ask("Hi")).text == "Hello."
