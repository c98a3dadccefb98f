from __future__ import annotations

import asyncio
import threading
import time
import uuid
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Annotated, Literal

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import AnonymousUser, Permission, User
from django.utils.translation import get_language, gettext_lazy
from pydantic import BaseModel, Field, PydanticUserError

from realtime_widget.exceptions import BadToolArguments, ToolError, ToolTimeout
from realtime_widget.handlers import (
    ToolContext,
    autodiscover,
    function_handler,
    guardrail,
    handoff_filter,
    instructions_function,
    mcp_token,
    registered,
    run_handler,
)
from realtime_widget.handlers.execution import WAITING_PER_THREAD
from realtime_widget.threads import ThreadPool


class Address(BaseModel):
    street: str
    number: int = 1


class Node(BaseModel):
    name: str
    children: list[Node] = []


@dataclass
class Slot:
    day: date
    price: Decimal


pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _own_table():
    autodiscover()
    before = dict(registered)
    yield
    registered.clear()
    registered.update(before)


@pytest.fixture
def anonymous():
    return ToolContext(user=AnonymousUser(), widget="support", language="en")


def test_plain_function_gets_a_schema_from_signature_and_docstring():
    @function_handler
    def book(context, day: date, seats: int = 2, note: str | None = None) -> str:
        """Book a table.

        Only for parties of up to twelve.

        Args:
            day: The day, as the visitor
                said it.
            seats (int): How many people.

        Returns:
            A confirmation.
        """

    handler = registered["book"]
    assert handler.description == "Book a table.\n\nOnly for parties of up to twelve."
    assert handler.run_in == "thread"
    assert handler.parameters == {
        "type": "object",
        "additionalProperties": False,
        "required": ["day"],
        "properties": {
            "day": {
                "type": "string",
                "format": "date",
                "description": "The day, as the visitor said it.",
            },
            "seats": {
                "type": "integer",
                "default": 2,
                "description": "How many people.",
            },
            "note": {
                "anyOf": [{"type": "string"}, {"type": "null"}],
                "default": None,
            },
        },
    }


def test_annotated_literal_list_and_model_types_become_plain_schema():
    @function_handler
    async def send(
        context,
        kind: Literal["mail", "parcel"],
        to: Address,
        tags: list[str],
        weight: Annotated[float, Field(gt=0, description="In kilograms.")],
    ) -> str:
        """Send something.

        Args:
            weight: Words that lose against the annotation.
        """

    handler = registered["send"]
    assert handler.run_in == "loop"
    properties = handler.parameters["properties"]
    assert properties["kind"] == {"type": "string", "enum": ["mail", "parcel"]}
    assert properties["tags"] == {"type": "array", "items": {"type": "string"}}
    assert properties["weight"]["description"] == "In kilograms."
    assert properties["weight"]["exclusiveMinimum"] == 0
    assert properties["to"]["properties"]["street"] == {"type": "string"}
    assert "$defs" not in handler.parameters


def test_recursive_model_keeps_its_definition():
    @function_handler
    def tree(context, root: Node) -> str:
        """Plant a tree."""

    parameters = registered["tree"].parameters
    assert parameters["$defs"]["Node"]["properties"]["name"] == {"type": "string"}


def test_function_without_arguments_has_an_empty_object_schema():
    @function_handler
    def ping(context):
        """Answer."""

    assert registered["ping"].parameters == {
        "type": "object",
        "properties": {},
        "additionalProperties": False,
    }


@pytest.mark.parametrize(
    ("decorator", "table", "kind"),
    [
        (function_handler, "registry.registered", "tools"),
        (guardrail, "guardrails.registered_guardrails", "guardrails"),
        (handoff_filter, "handoffs.registered_filters", "handoff filters"),
        (
            instructions_function,
            "instructions.registered_instructions",
            "functions for instructions",
        ),
        (mcp_token, "tokens.registered_tokens", "functions for tokens"),
    ],
)
def test_name_belongs_to_one_function_of_a_module(monkeypatch, decorator, table, kind):
    monkeypatch.setattr(f"realtime_widget.handlers.{table}", {})

    def written(where):
        def chosen(context: ToolContext) -> str:
            return where

        chosen.__qualname__ = f"{where}.chosen"
        return chosen

    decorator(written("Shop"))
    # A module that is imported anew brings the same function again.
    decorator(written("Shop"))
    with pytest.raises(ValueError, match=f"Two {kind} are .*Shop.chosen .*Desk.chosen"):
        decorator(written("Desk"))


def test_two_functions_of_one_name_are_refused_with_both_places():
    @function_handler(name="twin")
    def first(context):
        """First."""

    with pytest.raises(ValueError, match=r"'twin'.*first.*second"):

        @function_handler(name="twin")
        def second(context):
            """Second."""


def test_same_function_may_be_registered_again():
    def again(context):
        """Again."""

    assert function_handler(again) is again
    assert function_handler(again) is again


def _no_context():
    """Nothing."""


def _untyped(context, order):
    """Nothing."""


def _starred(context, *orders: str):
    """Nothing."""


def _generator(context):
    """Nothing."""
    yield 1


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (_no_context, "first parameter must be 'context'"),
        (_untyped, "'order' needs a type"),
        (_starred, "'orders' cannot be given by name"),
        (_generator, "cannot yield"),
    ],
)
def test_unusable_signature_is_refused_by_name(function, words):
    with pytest.raises(ValueError, match=words):
        function_handler(function)


def test_type_without_json_schema_is_refused():
    with pytest.raises((ValueError, PydanticUserError)):

        @function_handler
        def odd(context, lock: threading.Event):
            """Nothing."""


@pytest.mark.parametrize("name", ["two words", "é", "x" * 65])
def test_name_the_model_cannot_say_is_refused(name):
    with pytest.raises(ValueError, match="tool name"):

        @function_handler(name=name)
        def anything(context):
            """Nothing."""


def test_autodiscovery_finds_the_tools_of_installed_apps():
    assert {"order_status", "opening_hours", "close_account"} <= set(registered)


async def test_arguments_are_validated_and_converted(anonymous):
    @function_handler
    def add(context, day: date, count: int) -> str:
        """Add."""
        return f"{day:%d.%m.%Y} {count + 1}"

    result = await run_handler(
        registered["add"], anonymous, {"day": "2030-05-01", "count": "4"}
    )
    assert result == "01.05.2030 5"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({}, "day: Field required"),
        ({"day": "caturday"}, "day: Input should be"),
        ({"day": "monday", "drop": 1}, "drop: Extra inputs are not permitted"),
    ],
)
async def test_bad_arguments_are_told_to_the_model(anonymous, arguments, words):
    with pytest.raises(BadToolArguments, match=words):
        await run_handler(registered["opening_hours"], anonymous, arguments)


async def test_results_of_every_usual_type_become_json(anonymous):
    number = uuid.uuid4()

    @function_handler
    def everything(context):
        """Return one of each."""
        return {
            "uuid": number,
            "slot": Slot(date(2030, 1, 2), Decimal("9.90")),
            "model": Address(street="Elm"),
            "when": datetime(2030, 1, 2, 3, tzinfo=UTC),
            "set": {"one"},
            "lazy": gettext_lazy("Yes"),
            "nan": float("nan"),
        }

    assert await run_handler(registered["everything"], anonymous, {}) == {
        "uuid": str(number),
        "slot": {"day": "2030-01-02", "price": "9.90"},
        "model": {"street": "Elm", "number": 1},
        "when": "2030-01-02T03:00:00Z",
        "set": ["one"],
        "lazy": "Yes",
        "nan": None,
    }


async def test_result_json_cannot_hold_raises(anonymous):
    with pytest.raises(TypeError, match="returned object"):
        await run_handler(registered["unserialisable"], anonymous, {})


@pytest.mark.parametrize("name", ["thread_language", "loop_language"])
async def test_handler_runs_in_the_language_of_the_page(name):
    @function_handler
    def thread_language(context):
        """Tell the language."""
        return get_language()

    @function_handler
    async def loop_language(context):
        """Tell the language."""
        return get_language()

    context = ToolContext(user=AnonymousUser(), language="de")
    assert await run_handler(registered[name], context, {}) == "de"


async def test_anonymous_visitor_is_asked_to_sign_in(anonymous):
    with pytest.raises(ToolError, match="sign in"):
        await run_handler(registered["whoami"], anonymous, {})


async def test_permission_is_checked_for_the_user_of_the_session():
    user = await User.objects.acreate(username="ann")
    context = ToolContext(user=user)
    with pytest.raises(ToolError, match="not allowed"):
        await run_handler(registered["close_account"], context, {})
    permission = await Permission.objects.aget(codename="delete_user")
    await user.user_permissions.aadd(permission)
    context = ToolContext(user=await User.objects.aget(pk=user.pk))
    assert await run_handler(registered["close_account"], context, {}) == "closed"


async def test_async_handler_asks_the_database_in_a_thread_of_its_own(anonymous):
    seen = []

    @function_handler
    async def count(context):
        """Count the users."""
        seen.append(await sync_to_async(threading.get_ident)())
        return await User.objects.acount()

    assert await run_handler(registered["count"], anonymous, {}) == 0
    assert seen != [await sync_to_async(threading.get_ident)()]


async def test_handler_that_overruns_frees_the_caller_while_its_thread_goes_on(
    anonymous,
):
    release, ended = threading.Event(), threading.Event()

    @function_handler(timeout_s=0.05)
    def hang(context):
        """Hang."""
        release.wait(10)
        ended.set()

    started = time.monotonic()
    with pytest.raises(ToolTimeout):
        await run_handler(registered["hang"], anonymous, {})
    assert time.monotonic() - started < 1
    assert not ended.is_set()
    release.set()
    assert await asyncio.to_thread(ended.wait, 5)


async def test_timeout_error_of_the_handler_itself_is_not_mistaken_for_ours(anonymous):
    @function_handler(timeout_s=5)
    def inner(context):
        """Fail."""
        raise TimeoutError("of a library")

    with pytest.raises(TimeoutError, match="of a library"):
        await run_handler(registered["inner"], anonymous, {})


async def test_full_pool_refuses_with_words_and_recovers(anonymous, settings):
    settings.REALTIME_WIDGET = {"TOOL_THREADS": 1}
    release = threading.Event()

    @function_handler
    def wait(context):
        """Wait."""
        return release.wait(10)

    handler = registered["wait"]
    async with asyncio.TaskGroup() as tasks:
        running = [
            tasks.create_task(run_handler(handler, anonymous, {}))
            for _ in range(1 + WAITING_PER_THREAD)
        ]
        await asyncio.sleep(0)
        with pytest.raises(ToolError, match="busy"):
            await run_handler(handler, anonymous, {})
        release.set()
    assert all(task.result() for task in running)
    assert await run_handler(handler, anonymous, {}) is True


async def test_cancelled_call_that_still_waits_never_runs():
    pool, release = ThreadPool(1, "test-tool"), threading.Event()
    ran = []
    first = asyncio.create_task(pool.run(lambda: release.wait(10)))
    second = asyncio.create_task(pool.run(lambda: ran.append("second")))
    await asyncio.sleep(0.01)
    second.cancel()
    await asyncio.gather(second, return_exceptions=True)
    release.set()
    await first
    await pool.run(lambda: ran.append("third"))
    assert ran == ["third"]


def test_progress_is_passed_on_and_bounded():
    notes = []
    context = ToolContext(user=AnonymousUser(), on_progress=notes.append)
    context.progress("half done")
    context.progress("x" * 500)
    assert notes == ["half done", "x" * 200]


async def test_a_function_of_the_site_says_who_may_call(anonymous):
    def only_support(context):
        return context.widget == "support"

    async def nobody(context):
        return False

    @function_handler(permission=only_support)
    def for_support(context) -> str:
        return "done"

    @function_handler(permission=nobody)
    def for_nobody(context) -> str:
        return "done"

    assert await run_handler(registered["for_support"], anonymous, {}) == "done"
    with pytest.raises(ToolError, match="not allowed"):
        await run_handler(registered["for_nobody"], anonymous, {})
    assert not registered["for_support"].requires_login
