"""How much may be used in a day or a month, and how much of it is taken."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Final

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from realtime_widget.models.providers import Provider
from realtime_widget.models.widgets import Widget

# Counts are kept whole, in millionths of the unit: every database adds those exactly.
MILLION: Final = 1_000_000
MAX_MESSAGE_CHARS: Final = 200
WHEN: Final = "{when}"


class Quota(models.Model):
    """A bound on what one visitor, group, address, widget, site or provider uses."""

    class Scope(models.TextChoices):
        """Whose use is added up."""

        USER = "user", _("Each signed-in user")
        GROUP = "group", _("All members of a group together")
        ADDRESS = "address", _("Each IP address")
        WIDGET = "widget", _("Each widget")
        SITE = "site", _("Each site")
        PROVIDER = "provider", _("Each provider")

    class Unit(models.TextChoices):
        """What is added up."""

        SECONDS = "seconds", _("Seconds of conversation")
        SESSIONS = "sessions", _("Conversations")
        TOKENS = "tokens", _("Tokens")
        USD = "usd", _("US dollars")

    class Period(models.TextChoices):
        """When it begins anew, in the site's time zone."""

        DAY = "day", _("Day")
        MONTH = "month", _("Month")

    name = models.CharField(_("name"), max_length=100, unique=True)
    scope = models.CharField(_("of"), max_length=10, choices=Scope)
    unit = models.CharField(_("counts"), max_length=10, choices=Unit)
    period = models.CharField(
        _("each"), max_length=10, choices=Period, default=Period.DAY
    )
    limit = models.DecimalField(
        _("at most"),
        max_digits=14,
        decimal_places=4,
        validators=[MinValueValidator(Decimal(0))],
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("only this user"),
    )
    group = models.ForeignKey(
        "auth.Group",
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("group"),
        help_text=_("For a quota of each user: only members of this group."),
    )
    widget = models.ForeignKey(
        Widget,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("only at this widget"),
        help_text=_("Whatever the quota is of; empty: at all widgets."),
    )
    site = models.ForeignKey(
        "sites.Site",
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("only on this site"),
    )
    provider = models.ForeignKey(
        Provider,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("only with this provider"),
    )
    message = models.CharField(
        _("words to the visitor"),
        max_length=MAX_MESSAGE_CHARS,
        blank=True,
        help_text=_(
            "When it is used up, in every language. {when} becomes “tomorrow” or a day in the"
            " visitor's language. Empty: a translated sentence."
        ),
    )
    enabled = models.BooleanField(_("enabled"), default=True)

    class Meta:
        verbose_name = _("quota")
        verbose_name_plural = _("quotas")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    @property
    def limit_millionths(self) -> int:
        """Return the limit as counts are kept."""
        return int(self.limit * MILLION)

    def clean(self) -> None:
        """Check what depends on several fields."""
        errors: dict[str, Any] = {}
        of = self.scope
        if of == self.Scope.GROUP and self.group is None:
            errors["group"] = _("Choose the group.")
        if self.group is not None and of not in (self.Scope.GROUP, self.Scope.USER):
            errors["group"] = _("Only for a quota of users or of a group.")
        if self.user is not None and of != self.Scope.USER:
            errors["user"] = _("Only for a quota of each user.")
        elif self.user is not None and self.group is not None:
            errors["user"] = _("Choose either a user or a group.")
        whole = self.unit in (self.Unit.SESSIONS, self.Unit.TOKENS)
        # What was no number is none here.
        limit: Any = self.limit
        if whole and limit is not None and limit % 1:
            errors["limit"] = _("Enter a whole number.")
        others = self.message.replace(WHEN, "")
        if "{" in others or "}" in others:
            errors["message"] = _("Only {when} may stand in braces.")
        if errors:
            raise ValidationError(errors)

    def period_start(self, today: date) -> date:
        """Return the first day of the period that a day is in."""
        return today.replace(day=1) if self.period == self.Period.MONTH else today

    def next_start(self, today: date) -> date:
        """Return the day on which it begins anew."""
        if self.period == self.Period.DAY:
            return today + timedelta(days=1)
        return (today.replace(day=1) + timedelta(days=32)).replace(day=1)


class QuotaCount(models.Model):
    """What is taken of one quota, by one subject, in one period."""

    quota = models.ForeignKey(
        Quota,
        on_delete=models.CASCADE,
        related_name="counts",
        verbose_name=_("quota"),
    )
    subject = models.CharField(
        _("of"),
        max_length=64,
        help_text=_("Of an IP address only a fingerprint."),
    )
    period_start = models.DateField(_("period from"))
    used_millionths = models.BigIntegerField(_("used (millionths)"), default=0)

    class Meta:
        verbose_name = _("quota's count")
        verbose_name_plural = _("quotas' counts")
        ordering = ["-period_start", "quota", "subject"]
        constraints = [
            models.UniqueConstraint(
                fields=["quota", "subject", "period_start"],
                name="realtime_widget_quota_count_once",
            )
        ]

    def __str__(self) -> str:
        return str(self.period_start)

    @property
    def used(self) -> Decimal:
        """Return what is used, in the quota's unit."""
        return Decimal(self.used_millionths) / MILLION
