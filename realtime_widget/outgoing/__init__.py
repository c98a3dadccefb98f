"""Sending webhooks: what is due, one signed POST each, again when it fails.

Nothing here is on the audio path: a thread of its own sends, or a worker of
``django.tasks`` where the site has one, or ``manage.py realtime_deliver``.
"""

from __future__ import annotations

from realtime_widget.outgoing.delivering import BACKOFF_S, deliver_due
from realtime_widget.outgoing.waking import deliver_soon, listen

__all__ = ["BACKOFF_S", "deliver_due", "deliver_soon", "listen"]
