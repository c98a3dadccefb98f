"""What the demo starts with. Running it again changes nothing that was edited."""

from __future__ import annotations

import datetime
import secrets
from decimal import Decimal
from typing import Any, Final, TypeVar

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.sites.models import Site
from django.db import transaction
from django.db.models import Model
from django.utils import timezone

from demo_site import workshop
from demo_site.models import Appointment, OpeningHours, Order
from demo_site.views import CUSTOMER
from realtime_widget.models import (
    Agent,
    Avatar,
    Button,
    ButtonSet,
    FunctionHandler,
    Provider,
    Tool,
    Widget,
)

M = TypeVar("M", bound=Model)

ADMIN: Final = "admin"
EXAMPLE_DOMAIN: Final = "example.com"
TOOLS: Final = (
    "order_status",
    "book_appointment",
    "cancel_appointment",
    "opening_hours",
)
# A tool of one name may be answered by a function of another.
ARABIC_TOOL, ARABIC_HANDLER = "opening_hours_ar", "arabic_hours"
WEEK: Final = (
    (9, 18),
    (9, 18),
    (9, 18),
    (9, 20),
    (9, 18),
    (10, 16),
    None,
)
INSTRUCTIONS: Final = """\
You are Robin, the assistant of Quillmere Cycles, a bicycle workshop and shop at 14 Towpath Row.
Speak briefly and warmly, in the customer's language, one or two sentences at a time.
Use the functions for everything about orders, appointments and opening hours; never guess.
Read order numbers out digit by digit. Ask for what is missing before you book.
Before you cancel anything, say which appointment it is and wait for a yes.
When a function says that the customer has to sign in, ask them to press “Demo sign-in”.
Prices: tune-up 69 euros, brake service 35, puncture repair 15, wheel truing 25.
"""
ARABIC_INSTRUCTIONS: Final = """\
أنت نور، مساعد متجر «كويلمير» للدراجات. أجب بالعربية الفصحى البسيطة وبجملة أو جملتين.
استعمل الدوال لكل سؤال عن ساعات العمل ولا تخمّن أبدًا.
"""
BUTTON_STYLES: Final = {
    "container": {
        "default": {"backgroundColor": "light-dark(#e7f0e4, #24382f)"},
        "hover": {"backgroundColor": "light-dark(#d6e6d8, #2d473b)"},
        "click": {"backgroundColor": "light-dark(#c4dacb, #375748)"},
    }
}


class Seeds:
    """Makes the rows that are missing.

    Args:
        reset: Also write the original values over what was edited, and throw away
            the demo customer's orders and appointments.
    """

    def __init__(self, *, reset: bool = False) -> None:
        self.reset = reset
        self.admin_password = ""

    @transaction.atomic
    def plant(self) -> None:
        """Make everything, or nothing."""
        site = self._site()
        self._shop(self._people())
        provider = self._providers()
        robin, nour = self._agents(site)
        self._widgets(site, provider, robin, nour)

    def _row(self, model: type[M], defaults: dict[str, Any], **key: Any) -> M:
        manager = model._default_manager
        if self.reset:
            return manager.update_or_create(defaults=defaults, **key)[0]
        return manager.get_or_create(defaults=defaults, **key)[0]

    def _site(self) -> Site:
        """Name the site that Django's own migration calls example.com."""
        site, _made = Site.objects.get_or_create(
            pk=settings.SITE_ID, defaults={"domain": EXAMPLE_DOMAIN}
        )
        if site.domain == EXAMPLE_DOMAIN or self.reset:
            site.domain, site.name = "127.0.0.1:8000", "Quillmere Cycles"
            site.save()
        return site

    def _people(self) -> Any:
        """Return the demo customer; make an administrator with a password of its own."""
        users = get_user_model().objects
        admin, made = users.get_or_create(
            username=ADMIN, defaults={"is_staff": True, "is_superuser": True}
        )
        if made or self.reset:
            self.admin_password = secrets.token_urlsafe(9)
            admin.set_password(self.admin_password)
            admin.save()
        customer, made = users.get_or_create(
            username=CUSTOMER,
            defaults={"first_name": "Mira", "last_name": "Solberg"},
        )
        if made:
            customer.set_unusable_password()
            customer.save()
        return customer

    def _shop(self, customer: Any) -> None:
        for weekday, hours in enumerate(WEEK):
            opens, closes = map(datetime.time, hours) if hours else (None, None)
            self._row(OpeningHours, {"opens": opens, "closes": closes}, weekday=weekday)
        if self.reset:
            customer.orders.all().delete()
            customer.appointments.all().delete()
        if not customer.orders.exists():
            Order.objects.bulk_create(_orders(customer))
        if not customer.appointments.exists():
            day = timezone.localdate() + datetime.timedelta(days=3)
            free = workshop.next_free(day, datetime.time(14, 30))
            if free is not None:
                workshop.book(customer, *free, Appointment.Service.BRAKE_SERVICE)

    def _providers(self) -> Provider:
        """Return the embedded engine; the other one is ready to be chosen."""
        self._row(
            Provider,
            {"kind": Provider.Kind.OPENAI, "key_name": "OPENAI_API_KEY"},
            name="OpenAI",
        )
        return self._row(
            Provider,
            {"kind": Provider.Kind.LOCAL, "model": "rules"},
            name="Embedded engine",
        )

    def _agents(self, site: Site) -> tuple[Agent, Agent]:
        tools = [self._row(Tool, {}, name=name) for name in TOOLS]
        for tool in tools:
            self._row(FunctionHandler, {"handler": tool.name}, tool=tool, site=None)
        arabic = self._row(
            Tool,
            {"description": "ساعات العمل: متى يفتح المتجر ومتى يغلق."},
            name=ARABIC_TOOL,
        )
        self._row(FunctionHandler, {"handler": ARABIC_HANDLER}, tool=arabic, site=site)
        robin = self._agent("Robin", {"instructions": INSTRUCTIONS}, tools)
        nour = self._agent("نور", {"instructions": ARABIC_INSTRUCTIONS}, [arabic])
        return robin, nour

    def _agent(self, name: str, fields: dict[str, Any], tools: list[Tool]) -> Agent:
        is_new = not Agent.objects.filter(name=name).exists()
        agent = self._row(Agent, fields, name=name)
        if is_new or self.reset:
            agent.tools.set(tools)
        return agent

    def _widgets(
        self, site: Site, provider: Provider, robin: Agent, nour: Agent
    ) -> None:
        looks = {"avatar": self._avatar(), "buttons": self._buttons()}
        self._widget(
            "support",
            site,
            {
                "title": "Ask Robin",
                "agent": robin,
                "provider": provider,
                "greeting": "Hello, this is Robin at Quillmere Cycles. How can I help?",
                **looks,
            },
        )
        self._widget(
            "chat",
            site,
            {
                "title": "Write to Robin",
                "agent": robin,
                "provider": provider,
                "text_only": True,
                **looks,
            },
        )
        self._widget(
            "arabic",
            site,
            {
                "title": "اسأل نور",
                "agent": nour,
                "provider": provider,
                "text_only": True,
                "greeting": "أهلًا بك في متجر كويلمير للدراجات. كيف أساعدك؟",
                **looks,
            },
        )

    def _widget(self, slug: str, site: Site, fields: dict[str, Any]) -> None:
        is_new = not Widget.objects.filter(slug=slug).exists()
        widget = self._row(Widget, fields, slug=slug)
        if is_new or self.reset:
            widget.sites.set([site])

    def _avatar(self) -> Avatar:
        return self._row(Avatar, {"max_scale": 1.6}, name="Robin")

    def _buttons(self) -> ButtonSet:
        buttons = self._row(ButtonSet, {}, name="Quillmere")
        for state in (Button.State.DEFAULT,):
            self._row(
                Button,
                {"styles": BUTTON_STYLES},
                button_set=buttons,
                kind=Button.Kind.MICROPHONE,
                state=state,
            )
        return buttons


def _orders(customer: Any) -> list[Order]:
    today = timezone.localdate()

    def day(ahead: int) -> datetime.date:
        return today + datetime.timedelta(days=ahead)

    rows = (
        ("1042", "a Fernhill touring bicycle", Order.Status.SHIPPED, -4, 2, "1249.00"),
        ("1043", "a pair of dynamo lights", Order.Status.RECEIVED, -1, 5, "118.50"),
        ("1038", "a hand-built rear wheel", Order.Status.READY, -9, 0, "236.00"),
        ("1017", "a waxed canvas saddlebag", Order.Status.DELIVERED, -41, -36, "84.90"),
    )
    return [
        Order(
            number=number,
            customer=customer,
            item=item,
            status=status,
            placed_on=day(placed),
            expected_on=day(expected),
            total=Decimal(total),
        )
        for number, item, status, placed, expected, total in rows
    ]
