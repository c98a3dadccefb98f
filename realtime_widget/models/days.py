"""The day it is for the site, with time zones or without."""

from __future__ import annotations

from datetime import date, datetime

from django.utils import timezone


def site_day(moment: datetime | None = None) -> date:
    """Return the day of a moment, None for now, in the site's time zone."""
    moment = moment or timezone.now()
    return timezone.localdate(moment) if timezone.is_aware(moment) else moment.date()


def site_today() -> date:
    """Return the day it is; a default of fields."""
    return site_day()
