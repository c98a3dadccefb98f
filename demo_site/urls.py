"""Addresses of the demo site."""

from __future__ import annotations

from django.conf import settings
from django.conf.urls.static import static
from django.contrib import admin
from django.urls import include, path

from demo_site import gallery, views

urlpatterns = [
    path("", views.home, name="home"),
    path("orders/", views.orders, name="orders"),
    path("appointments/", views.appointments, name="appointments"),
    path("appointments/<int:pk>/cancel/", views.cancel, name="cancel"),
    path("hours/", views.hours, name="hours"),
    path("chat/", views.chat, name="chat"),
    path("gallery/", gallery.gallery, name="gallery"),
    path("gallery/<slug:name>/", gallery.gallery_form, name="gallery-form"),
    path("ar/", views.arabic, name="arabic"),
    path("demo-login/", views.demo_login, name="demo-login"),
    path("demo-logout/", views.demo_logout, name="demo-logout"),
    path("realtime/", include("realtime_widget.urls")),
    path("admin/", admin.site.urls),
    *static(settings.MEDIA_URL, document_root=settings.MEDIA_ROOT),
]
