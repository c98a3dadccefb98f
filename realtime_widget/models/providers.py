"""Where the model is."""

from __future__ import annotations

import difflib
from datetime import timedelta

from django.core.exceptions import ValidationError
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from realtime_widget.models import validators
from realtime_widget.models.handshakes import (
    validate_auth_name,
    validate_headers,
    validate_query,
)
from realtime_widget.models.provider_keys import SLOTS, ProviderKeys
from realtime_widget.session.config import DEFAULT_MODEL

HEALTH_REASON_CHARS = 200


class Provider(ProviderKeys):
    """One model service: its address, its model, and where its key is."""

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

    class Auth(models.TextChoices):
        """Where a handshake holds the key."""

        USUAL = "", _("As usual for the kind")
        BEARER = "bearer", _("Authorization: Bearer (also Microsoft Entra tokens)")
        HEADER = "header", _("A header of its own")
        QUERY = "query", _("A parameter of the address")
        NONE = "none", _("Nowhere: no key is sent")

    class Health(models.TextChoices):
        """What the last connection showed."""

        UNKNOWN = "unknown", _("Not tried yet")
        OK = "ok", _("Working")
        DEGRADED = "degraded", _("Working with the second key")
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
            " including /v1, or the whole of it with {model} where the model belongs."
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
    auth_style = models.CharField(
        _("how the key is sent"),
        max_length=10,
        choices=Auth,
        blank=True,
        default=Auth.USUAL,
        help_text=_(
            "As usual: Bearer, for Azure the header api-key. Servers write addresses into"
            " their logs: a parameter of the address is the last resort."
        ),
    )
    auth_name = models.CharField(
        _("name of that header or parameter"),
        max_length=60,
        blank=True,
        validators=[validate_auth_name],
        help_text=_("For example X-API-Key. Empty: api-key."),
    )
    extra_headers = models.JSONField(
        _("further headers"),
        default=dict,
        blank=True,
        validators=[validate_headers],
        help_text=_('For example {"X-Project": "shop"}. Never a key.'),
    )
    extra_query = models.JSONField(
        _("further parameters of the address"),
        default=dict,
        blank=True,
        validators=[validate_query],
        help_text=_(
            'For example {"language": "en"}. {model} in a value is replaced. Never a key.'
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

    check_ms = models.PositiveIntegerField(
        _("last check took (ms)"), null=True, blank=True, editable=False
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
        if self.needs_key and not self.has_key("key"):
            errors["key_name"] = ValidationError(
                _(
                    "This kind of provider needs a key: name the variable that holds it,"
                    " or store it here."
                ),
                code="required",
            )
        if self.runs_in_process and (near := self._meant_model()):
            errors["model"] = ValidationError(
                _("The embedded engine has no such model. Did you mean “%(near)s”?"),
                code="unknown",
                params={"near": near},
            )
        if errors:
            raise ValidationError(errors)

    def _meant_model(self) -> str:
        """Return the engine's model that a misspelt name seems to mean, "" for none."""
        from realtime_widget.engine.models import MODELS

        if self.model in MODELS:
            return ""
        wished = self.model.strip().lower()
        near = difflib.get_close_matches(wished, MODELS, n=1, cutoff=0.75)
        return near[0] if near else ""

    @property
    def needs_key(self) -> bool:
        """Whether this kind of service is never without a key."""
        return self.kind in (self.Kind.OPENAI, self.Kind.AZURE)

    @property
    def runs_in_process(self) -> bool:
        """Whether the embedded engine answers, in this very process."""
        return self.kind == self.Kind.LOCAL and not self.base_url

    def note_health(
        self,
        ok: bool,  # noqa: FBT001 - one fact
        reason: str = "",
        took_ms: int | None = None,
    ) -> None:
        """Write down how a connection went; a working one is written once a minute.

        Args:
            ok: Whether the provider accepted the session.
            reason: For the site's staff, without keys, addresses or content. A working
                provider has one when only its second key was accepted.
            took_ms: How long a check took, which is always written; None for a session.
        """
        state = self.Health.OK if ok else self.Health.FAILING
        if ok and reason:
            state = self.Health.DEGRADED
        now = timezone.now()
        rows = type(self).objects.filter(pk=self.pk)
        if ok and took_ms is None:
            minute_ago = now - timedelta(minutes=1)
            rows = rows.exclude(health_state=state, health_at__gt=minute_ago)
        reason = reason[:HEALTH_REASON_CHARS]
        values = {"health_state": state, "health_reason": reason, "health_at": now}
        if took_ms is not None:
            values["check_ms"] = self.check_ms = took_ms
        rows.update(**values)
        self.health_state, self.health_reason, self.health_at = state, reason, now

    def forget_health(self) -> None:
        """Say that nothing is known any more, since the connection was changed."""
        self.health_state, self.health_reason = self.Health.UNKNOWN, ""
        self.health_at = self.check_ms = None

    def swap_keys(self) -> None:
        """Make the second key the first; the row is not saved."""
        first, second = SLOTS
        for part in ("name", "sealed"):
            here, there = f"{first}_{part}", f"{second}_{part}"
            mine, other = getattr(self, here), getattr(self, there)
            setattr(self, here, other)
            setattr(self, there, mine)
        self.forget_health()
