"""The pages of the demo site."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib import messages
from django.contrib.auth import get_user_model, login, logout
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone, translation
from django.views.decorators.http import require_POST, require_safe

from demo_site.models import Appointment, OpeningHours
from demo_site.workshop import OFFERS

View = Callable[..., HttpResponse]

CUSTOMER = "mira"


def written_in(language: str) -> Callable[[View], View]:
    """Show a page in the language it is written in, whatever the visitor prefers.

    The widget on it speaks the page's language too.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def shown(request: HttpRequest, **kwargs: Any) -> HttpResponse:
            with translation.override(language):
                return view(request, **kwargs)

        return shown

    return decorate


@require_safe
@written_in("en")
def home(request: HttpRequest) -> HttpResponse:
    """Show what the shop does, with the widget beside it."""
    return render(request, "demo_site/home.html", {"offers": OFFERS, **_week()})


@require_safe
@login_required
@written_in("en")
def orders(request: HttpRequest) -> HttpResponse:
    """Show the orders of the signed-in customer."""
    rows = request.user.orders.all()  # type: ignore[union-attr]
    return render(request, "demo_site/orders.html", {"orders": rows})


@require_safe
@login_required
@written_in("en")
def appointments(request: HttpRequest) -> HttpResponse:
    """Show the coming appointments of the signed-in customer."""
    rows = request.user.appointments.filter(  # type: ignore[union-attr]
        cancelled_at=None, day__gte=timezone.localdate()
    )
    context = {"appointments": rows, "offers": OFFERS}
    return render(request, "demo_site/appointments.html", context)


@require_POST
@login_required
@written_in("en")
def cancel(request: HttpRequest, pk: int) -> HttpResponse:
    """Cancel an appointment by hand: the site works without the widget too."""
    appointment = get_object_or_404(
        Appointment, pk=pk, customer=request.user, cancelled_at=None
    )
    appointment.cancelled_at = timezone.now()
    appointment.save(update_fields=["cancelled_at"])
    messages.success(request, "Your appointment is cancelled.")
    return redirect("appointments")


@require_safe
@written_in("en")
def hours(request: HttpRequest) -> HttpResponse:
    """Show when the shop is open."""
    return render(request, "demo_site/hours.html", _week())


@require_safe
@written_in("en")
def chat(request: HttpRequest) -> HttpResponse:
    """Show the widget that only writes."""
    return render(request, "demo_site/chat.html")


@require_safe
@written_in("ar")
def arabic(request: HttpRequest) -> HttpResponse:
    """Show the page that runs from right to left."""
    return render(request, "demo_site/arabic.html", _week())


@written_in("en")
def demo_login(request: HttpRequest) -> HttpResponse:
    """Sign in as the invented customer, with one click and without a password."""
    if request.method != "POST":
        return render(request, "demo_site/login.html")
    customer = get_user_model().objects.filter(username=CUSTOMER).first()
    if customer is None:
        messages.error(request, "Run “manage.py realtime_demo” first.")
        return redirect("demo-login")
    login(request, customer, backend="django.contrib.auth.backends.ModelBackend")
    return redirect("orders")


@require_POST
def demo_logout(request: HttpRequest) -> HttpResponse:
    """Sign out."""
    logout(request)
    return redirect("home")


def _week() -> dict[str, Any]:
    """Return the opening hours and which of them are today's."""
    return {
        "week": OpeningHours.objects.all(),
        "today": timezone.localdate().weekday(),
    }
