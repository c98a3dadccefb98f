"""Where the model is."""

from __future__ import annotations

from datetime import timedelta

from django.core.exceptions import ValidationError
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from realtime_widget.models import validators
from realtime_widget.session.config import DEFAULT_MODEL

HEALTH_REASON_CHARS = 200


class Provider(models.Model):
    """One model service: its address, its model, and the name of its key."""

    class Kind(models.TextChoices):
        """What stands at the other end."""

        LOCAL = "local", _("Embedded engine")
        OPENAI = "openai", _("OpenAI")
        AZURE = "azure", _("Azure OpenAI")
        COMPATIBLE = "compatible", _("Compatible server")

    class Dialect(models.TextChoices):
        """How the server spells its events."""

        AUTO = "auto", _("Find out")
        GA = "ga", _("GA")
        BETA = "beta", _("Beta (older compatible servers)")

    class Health(models.TextChoices):
        """What the last connection showed."""

        UNKNOWN = "unknown", _("Not tried yet")
        OK = "ok", _("Working")
        FAILING = "failing", _("Failing")

    name = models.CharField(
        _("name"),
        max_length=100,
        unique=True,
        help_text=_("How you call it, in lists."),
    )
    kind = models.CharField(
        _("kind"),
        max_length=20,
        choices=Kind,
        default=Kind.LOCAL,
        help_text=_("The embedded engine needs no key and no network."),
    )
    base_url = models.CharField(
        _("address"),
        max_length=500,
        blank=True,
        validators=[validators.validate_base_url],
        help_text=_(
            "Empty for OpenAI and for the embedded engine in this process. Azure:"
            " https://NAME.openai.azure.com. Compatible server: its address up to and"
            " including /v1."
        ),
    )
    dialect = models.CharField(
        _("dialect"),
        max_length=10,
        choices=Dialect,
        default=Dialect.AUTO,
        help_text=_(
            "Leave it on “Find out” unless a compatible server needs the beta spelling."
        ),
    )
    model = models.CharField(
        _("model"),
        max_length=100,
        default=DEFAULT_MODEL,
        help_text=_("Name of the realtime model; on Azure the name of the deployment."),
    )
    key_name = models.CharField(
        _("name of the key"),
        max_length=100,
        blank=True,
        validators=[validators.validate_key_name],
        help_text=_(
            "Name of the environment variable or setting that holds the key, for example"
            " OPENAI_API_KEY. Never the key itself."
        ),
    )
    health_state = models.CharField(
        _("state"),
        max_length=10,
        choices=Health,
        default=Health.UNKNOWN,
        editable=False,
    )
    health_reason = models.CharField(
        _("reason"), max_length=HEALTH_REASON_CHARS, blank=True, editable=False
    )
    health_at = models.DateTimeField(
        _("last tried"), null=True, blank=True, editable=False
    )

    class Meta:
        verbose_name = _("provider")
        verbose_name_plural = _("providers")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Check what depends on the kind."""
        errors = {}
        if self.kind in (self.Kind.AZURE, self.Kind.COMPATIBLE) and not self.base_url:
            errors["base_url"] = ValidationError(
                _("This kind of provider needs an address."), code="required"
            )
        if self.kind in (self.Kind.OPENAI, self.Kind.AZURE) and not self.key_name:
            errors["key_name"] = ValidationError(
                _(
                    "This kind of provider needs a key: name the variable that holds it."
                ),
                code="required",
            )
        if errors:
            raise ValidationError(errors)

    @property
    def runs_in_process(self) -> bool:
        """Whether the embedded engine answers, in this very process."""
        return self.kind == self.Kind.LOCAL and not self.base_url

    def note_health(self, ok: bool, reason: str = "") -> None:  # noqa: FBT001 - one fact
        """Write down how a connection went; a working one is written once a minute.

        Args:
            ok: Whether the provider accepted the session.
            reason: For the site's staff, without keys, addresses or content.
        """
        state = self.Health.OK if ok else self.Health.FAILING
        now = timezone.now()
        rows = type(self).objects.filter(pk=self.pk)
        if ok:
            minute_ago = now - timedelta(minutes=1)
            rows = rows.exclude(health_state=state, health_at__gt=minute_ago)
        reason = "" if ok else reason[:HEALTH_REASON_CHARS]
        rows.update(health_state=state, health_reason=reason, health_at=now)
        self.health_state, self.health_reason, self.health_at = state, reason, now
