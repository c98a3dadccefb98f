"""The shop's own tables: orders, appointments, opening hours."""

from __future__ import annotations

import datetime

from django.conf import settings
from django.db import models
from django.utils import timezone


class Order(models.Model):
    """Something a customer bought."""

    class Status(models.TextChoices):
        """How far it is."""

        RECEIVED = "received", "Received"
        IN_WORKSHOP = "in_workshop", "In the workshop"
        READY = "ready", "Ready to collect"
        SHIPPED = "shipped", "On its way"
        DELIVERED = "delivered", "Delivered"

    number = models.CharField(max_length=10, unique=True)
    customer = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="orders"
    )
    item = models.CharField(max_length=100)
    status = models.CharField(max_length=20, choices=Status, default=Status.RECEIVED)
    placed_on = models.DateField(default=timezone.localdate)
    expected_on = models.DateField(
        null=True, blank=True, help_text="When it arrives or can be collected."
    )
    total = models.DecimalField("total (€)", max_digits=8, decimal_places=2)

    class Meta:
        ordering = ["-placed_on", "-number"]

    def __str__(self) -> str:
        return f"{self.number} {self.item}"


class OpeningHours(models.Model):
    """When the shop is open on one day of the week."""

    class Weekday(models.IntegerChoices):
        """The numbers that ``date.weekday()`` gives."""

        MONDAY = 0, "Monday"
        TUESDAY = 1, "Tuesday"
        WEDNESDAY = 2, "Wednesday"
        THURSDAY = 3, "Thursday"
        FRIDAY = 4, "Friday"
        SATURDAY = 5, "Saturday"
        SUNDAY = 6, "Sunday"

    weekday = models.PositiveSmallIntegerField(choices=Weekday, unique=True)
    opens = models.TimeField(null=True, blank=True, help_text="Empty: closed all day.")
    closes = models.TimeField(null=True, blank=True)

    class Meta:
        ordering = ["weekday"]
        verbose_name_plural = "opening hours"
        constraints = [
            models.CheckConstraint(
                condition=models.Q(opens=None, closes=None)
                | models.Q(opens__lt=models.F("closes")),
                name="demo_site_opens_before_it_closes",
                violation_error_message="Enter both times, the opening first, or none.",
            )
        ]

    def __str__(self) -> str:
        return self.get_weekday_display()

    @property
    def is_open(self) -> bool:
        """Whether the shop opens at all that day."""
        return self.opens is not None


class Appointment(models.Model):
    """A place in the workshop, one at a time."""

    class Service(models.TextChoices):
        """What the workshop offers."""

        TUNE_UP = "tune-up", "Tune-up"
        BRAKE_SERVICE = "brake service", "Brake service"
        PUNCTURE_REPAIR = "puncture repair", "Puncture repair"
        WHEEL_TRUING = "wheel truing", "Wheel truing"

    customer = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="appointments"
    )
    service = models.CharField(max_length=20, choices=Service)
    day = models.DateField()
    time = models.TimeField()
    cancelled_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["day", "time"]
        constraints = [
            models.UniqueConstraint(
                fields=["day", "time"],
                condition=models.Q(cancelled_at=None),
                name="demo_site_one_bicycle_at_a_time",
                violation_error_message="This time is taken.",
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_service_display()} on {self.day} at {self.time:%H:%M}"

    @property
    def starts_at(self) -> datetime.datetime:
        """Return when it begins, in the shop's time zone."""
        return timezone.make_aware(datetime.datetime.combine(self.day, self.time))
