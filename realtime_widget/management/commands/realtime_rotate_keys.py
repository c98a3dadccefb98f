"""``manage.py realtime_rotate_keys``: encrypt stored keys with the newest Fernet key."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.db.models import Model

from realtime_widget.models import McpServer, OutgoingWebhook, Provider
from realtime_widget.models.provider_keys import SLOTS
from realtime_widget.models.sealing import Unreadable, sealed_anew


class Command(BaseCommand):
    """Re-encrypts every stored key; safe to run at any time and again."""

    help = (
        "Encrypt the API keys and secrets stored in rows anew, with the first key of"
        ' REALTIME_WIDGET["FERNET_KEYS"]. Run it after putting a new key in front; once it'
        " succeeded, the old one may go. Nothing is shown of the keys themselves."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        """Run the command."""
        rotated, unreadable = 0, []
        with transaction.atomic():
            for row, field, name in _stored():
                try:
                    setattr(row, field, sealed_anew(getattr(row, field)))
                except Unreadable:
                    unreadable.append(name)
                except ImproperlyConfigured as exc:
                    raise CommandError(str(exc)) from None
                else:
                    row.save(update_fields=[field])
                    rotated += 1
        self.stdout.write(self.style.SUCCESS(f"{rotated} stored keys encrypted anew."))
        if unreadable:
            raise CommandError(
                f"No key opens what is stored for {', '.join(unreadable)}. Put the Fernet"
                " key it was encrypted with back into FERNET_KEYS, or store the API key"
                " anew in the admin."
            )


def _stored() -> Iterator[tuple[Model, str, str]]:
    """Yield each row that holds something sealed, the field, and what it is of."""
    for provider in Provider.objects.select_for_update():
        for slot in SLOTS:
            if getattr(provider, f"{slot}_sealed"):
                name = f"{provider.name} ({slot.replace('_', ' ')})"
                yield provider, f"{slot}_sealed", name
    for webhook in OutgoingWebhook.objects.select_for_update():
        if webhook.secret_sealed:
            yield webhook, "secret_sealed", f"{webhook.name} (webhook)"
    for server in McpServer.objects.select_for_update():
        if server.key_sealed:
            yield server, "key_sealed", f"{server.name} (key)"
