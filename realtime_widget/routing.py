"""The WebSocket side of a site's ``asgi.py``.

::

    from realtime_widget.routing import realtime_application

    application = realtime_application(get_asgi_application())
"""

from __future__ import annotations

from typing import Any

from channels.auth import AuthMiddlewareStack
from channels.routing import ProtocolTypeRouter, URLRouter
from django.urls import re_path

from realtime_widget.consumers import DatabaseGate, OriginGate, RealtimeConsumer

# The prefix is free: the app works wherever a site includes its addresses, and the
# page is told the whole one.
consumer: Any = RealtimeConsumer.as_asgi()
websocket_urlpatterns: list[Any] = [
    re_path(r"^(?:.*/)?ws/(?P<slug>[-a-zA-Z0-9_]+)/$", consumer),
]


def realtime_application(django_asgi_app: Any) -> ProtocolTypeRouter:
    """Return the site's ASGI application with the widget's sockets.

    Sockets pass the Origin check first, then sessions and authentication, then the
    routes. A site with sockets of its own builds the same by hand and puts
    ``websocket_urlpatterns`` among its routes.

    Args:
        django_asgi_app: ``get_asgi_application()``; it serves everything else.
    """
    visitors = AuthMiddlewareStack(URLRouter(websocket_urlpatterns))
    sockets = OriginGate(DatabaseGate(visitors))
    return ProtocolTypeRouter({"http": django_asgi_app, "websocket": sockets})
