"""Outgoing webhooks, and how each delivery went."""

from __future__ import annotations

from typing import Any, cast

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ImproperlyConfigured, ValidationError
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.debug import sensitive_variables

from realtime_widget.admin.read_only import ReadOnly, is_deleted_with
from realtime_widget.admin.typed_secrets import KeepsSecrets, SecretField
from realtime_widget.models import OutgoingWebhook, WebhookDelivery
from realtime_widget.models.outgoing import EVENTS, announce_deliveries

MIN_SECRET_CHARS = 16
MAX_SECRET_CHARS = 200


class OutgoingWebhookForm(forms.ModelForm):
    """The form of a webhook; its secret goes in and never comes out."""

    events = forms.MultipleChoiceField(
        label=gettext_lazy("Events"),
        choices=[(event, event) for event in EVENTS],
        widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy("Only transcript.ready holds what was said."),
    )
    new_secret = SecretField(
        label=gettext_lazy("Signing secret"),
        min_length=MIN_SECRET_CHARS,
        max_length=MAX_SECRET_CHARS,
        help_text=gettext_lazy(
            "At least 16 characters, known to the receiver alone; kept encrypted and never"
            " shown again. Empty: as it is."
        ),
    )

    class Meta:
        model = OutgoingWebhook
        fields = ["name", "url", "events", "widgets", "enabled"]

    @sensitive_variables("new")
    def clean(self) -> dict[str, Any]:
        """Put a new secret into the row, encrypted."""
        cleaned = cast("dict[str, Any]", super().clean())
        new = cleaned.pop("new_secret", "")
        if new:
            try:
                self.instance.store_secret(new)
            except ImproperlyConfigured as exc:
                self.add_error("new_secret", ValidationError(str(exc), code="sealing"))
        elif not self.instance.secret_sealed and "new_secret" not in self.errors:
            self.add_error(
                "new_secret",
                ValidationError(_("A webhook needs a secret."), code="required"),
            )
        return cleaned


@admin.register(OutgoingWebhook)
class OutgoingWebhookAdmin(KeepsSecrets):
    """Outgoing webhooks in the admin."""

    form = OutgoingWebhookForm
    list_display = ["name", "url", "events", "state", "enabled"]
    filter_horizontal = ["widgets"]
    secret_fields = ("new_secret",)
    fields = ["name", "url", "events", "new_secret", "widgets", "enabled"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[OutgoingWebhook]:
        """Count its deliveries with the list."""
        states = WebhookDelivery.Status
        rows: QuerySet[OutgoingWebhook] = super().get_queryset(request)
        return rows.annotate(
            waiting=Count("deliveries", Q(deliveries__status=states.PENDING)),
            failed=Count("deliveries", Q(deliveries__status=states.FAILED)),
        )

    @admin.display(description=gettext_lazy("state"))
    def state(self, webhook: OutgoingWebhook) -> str:
        """Say whether it gets what it is sent."""
        if not webhook.secret():
            return _("⚠ its secret cannot be read, nothing is sent")
        failed, waiting = getattr(webhook, "failed", 0), getattr(webhook, "waiting", 0)
        if failed:
            return _("⚠ %(failed)d given up, %(waiting)d to be sent") % {
                "failed": failed,
                "waiting": waiting,
            }
        return _("%(waiting)d to be sent") % {"waiting": waiting}


@admin.register(WebhookDelivery)
class WebhookDeliveryAdmin(ReadOnly, admin.ModelAdmin):
    """Deliveries in the admin: for reading, and to be sent again."""

    list_display = [
        "created_at",
        "webhook",
        "event",
        "status",
        "attempts",
        "answer_status",
        "error",
        "next_try_at",
    ]
    list_filter = ["status", "event", "webhook"]
    list_select_related = ["webhook"]
    date_hierarchy = "created_at"
    search_fields = ["=id", "=conversation__id"]
    actions = ["redeliver"]

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Let deliveries go with their conversation or webhook, whoever deletes that."""
        if is_deleted_with(request, "conversation", "outgoingwebhook"):
            return True
        return super().has_delete_permission(request, obj)

    def has_redeliver_permission(self, request: HttpRequest) -> bool:
        """Return whether this member of staff may have something sent again."""
        return request.user.has_perm("realtime_widget.change_webhookdelivery")

    @admin.action(description=gettext_lazy("Send again now"), permissions=["redeliver"])
    def redeliver(
        self, request: HttpRequest, queryset: QuerySet[WebhookDelivery]
    ) -> None:
        """Send the chosen deliveries again, under the same id."""
        count = queryset.update(
            status=WebhookDelivery.Status.PENDING,
            attempts=0,
            next_try_at=timezone.now(),
            delivered_at=None,
        )
        announce_deliveries()
        text = ngettext(
            "%d delivery is sent again.", "%d deliveries are sent again.", count
        )
        self.message_user(request, text % count, messages.SUCCESS)
