"""``manage.py realtime_purge``: delete records that are old enough, or one user's."""

from __future__ import annotations

from argparse import ArgumentParser
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError
from django.db.models import QuerySet
from django.utils import timezone

from realtime_widget.conf import get_conf
from realtime_widget.models import Conversation, QuotaCount, Recording
from realtime_widget.models.days import site_today

ROWS_AT_ONCE = 100
# Longer than any period of a quota.
COUNTS_KEPT_DAYS = 62


class Command(BaseCommand):
    """Deletes conversations with everything below, and recordings with their files."""

    help = (
        "Delete conversations that ended RETENTION_DAYS ago and recordings that are"
        " RECORDING_DAYS old, with their files, and what quotas counted in periods long"
        " over. Run it once a day."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        parser.add_argument(
            "--days", type=int, help="instead of RETENTION_DAYS; 0 keeps all"
        )
        parser.add_argument(
            "--recording-days", type=int, help="instead of RECORDING_DAYS; 0 keeps all"
        )
        parser.add_argument(
            "--user",
            metavar="NAME",
            help="delete every conversation of this user that has ended, and no other",
        )
        parser.add_argument(
            "--dry-run", action="store_true", help="only say what would be deleted"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Run the command."""
        ended = Conversation.objects.filter(status=Conversation.Status.ENDED)
        recordings = Recording.objects.none()
        if options["user"] is not None:
            conversations = ended.filter(user=_user(options["user"]))
        else:
            conf = get_conf()
            days, sound_days = options["days"], options["recording_days"]
            before = _before(conf.RETENTION_DAYS if days is None else days)
            sound = _before(conf.RECORDING_DAYS if sound_days is None else sound_days)
            conversations = (
                ended.filter(ended_at__lt=before) if before else ended.none()
            )
            if sound:
                recordings = Recording.objects.filter(created_at__lt=sound)
        counts = [
            _count(rows) if options["dry_run"] else _delete(rows)
            for rows in (recordings, conversations)
        ]
        if not options["dry_run"]:
            over = site_today() - timedelta(days=COUNTS_KEPT_DAYS)
            QuotaCount.objects.filter(period_start__lt=over).delete()
        verb = "would be deleted" if options["dry_run"] else "deleted"
        self.stdout.write(
            self.style.SUCCESS(
                f"{counts[1]} conversations and {counts[0]} recordings {verb}."
            )
        )


def _user(name: str) -> Any:
    model = get_user_model()
    try:
        return model._default_manager.get(**{model.USERNAME_FIELD: name})
    except model.DoesNotExist:
        raise CommandError("There is no such user.") from None


def _before(days: int) -> datetime | None:
    return timezone.now() - timedelta(days=days) if days > 0 else None


def _count(rows: QuerySet[Any]) -> int:
    return rows.count()


def _delete(rows: QuerySet[Any]) -> int:
    """Delete in short transactions, so that nobody waits long for a lock."""
    deleted = 0
    while keys := list(rows.order_by().values_list("pk", flat=True)[:ROWS_AT_ONCE]):
        rows.model._default_manager.filter(pk__in=keys).delete()
        deleted += len(keys)
    return deleted
