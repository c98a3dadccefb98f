"""Addresses of the test site."""

from __future__ import annotations

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import include, path


def page(request: HttpRequest, slug: str) -> HttpResponse:
    """Show a page that holds the Django tag, under the policy that was asked for.

    ``nonce`` is what a middleware for policies would keep on the request.
    """
    request.csp_nonce = request.GET.get("nonce")  # type: ignore[attr-defined]
    response = render(request, "site/page.html", {"slug": slug})
    for name, value in request.GET.items():
        response.headers[name] = value
    return response


def jinja_page(request: HttpRequest, slug: str) -> HttpResponse:
    """Show a page that holds the Jinja2 global."""
    return render(request, "site/jinja_page.html", {"slug": slug}, using="jinja2")


urlpatterns = [
    path("admin/", admin.site.urls),
    path("realtime/", include("realtime_widget.urls")),
    path("page/<slug:slug>/", page, name="page"),
    path("jinja/<slug:slug>/", jinja_page, name="jinja-page"),
]
