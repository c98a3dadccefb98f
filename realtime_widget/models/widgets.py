"""What a page shows: one row for each `{% realtime_widget "slug" %}`."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from realtime_widget.conf import get_conf
from realtime_widget.messages import validate_languages, validate_texts
from realtime_widget.models import markup, validators
from realtime_widget.models import styles as css
from realtime_widget.models.agents import Agent
from realtime_widget.models.appearance import Appearance
from realtime_widget.models.listening import Listening
from realtime_widget.models.looks import Avatar, ButtonSet
from realtime_widget.models.providers import Provider

MIN_SESSION_S, MIN_IDLE_S = 10.0, 5.0


def default_message_roles() -> list[str]:
    """Return the roles a page may speak in unless a row says more."""
    return ["user"]


class Widget(Appearance, Listening):
    """A talking and typing agent on a page."""

    class Theme(models.TextChoices):
        """Light or dark."""

        AUTO = "auto", _("As the visitor's device")
        LIGHT = "light", _("Light")
        DARK = "dark", _("Dark")

    slug = models.SlugField(
        _("slug"),
        unique=True,
        help_text=_("Its name in the page's tag and in addresses."),
    )
    title = models.CharField(
        _("title"),
        max_length=100,
        blank=True,
        help_text=_(
            "Heading of the widget, also for screen readers. Empty: the agent's name."
        ),
    )
    enabled = models.BooleanField(
        _("enabled"),
        default=True,
        help_text=_("Off: pages show nothing, no session opens."),
    )
    sites = models.ManyToManyField(
        "sites.Site",
        blank=True,
        related_name="+",
        verbose_name=_("sites"),
        help_text=_("Where it may be shown. None chosen: on every site."),
    )
    allowed_origins = models.JSONField(
        _("other pages that may use it"),
        default=list,
        blank=True,
        validators=[validators.validate_origins],
        help_text=_(
            'Origins of foreign pages, for example ["https://shop.example.org"]. Pages of this'
            " site need no entry."
        ),
    )
    agent = models.ForeignKey(
        Agent, on_delete=models.PROTECT, related_name="widgets", verbose_name=_("agent")
    )
    provider = models.ForeignKey(
        Provider,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="widgets",
        verbose_name=_("provider"),
        help_text=_("Empty: the embedded engine, which needs no key."),
    )

    avatar = models.ForeignKey(
        Avatar,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="widgets",
        verbose_name=_("avatar"),
    )
    buttons = models.ForeignKey(
        ButtonSet,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="widgets",
        verbose_name=_("buttons"),
    )
    theme = models.CharField(
        _("theme"), max_length=10, choices=Theme, default=Theme.AUTO
    )
    loading_text = models.CharField(
        _("words while connecting"),
        max_length=100,
        blank=True,
        help_text=_("Empty: “Loading”."),
    )
    loading_html = models.TextField(
        _("HTML while connecting"),
        blank=True,
        validators=[markup.validate_html],
        help_text=_(
            "Shown instead of the words: plain elements and SVG, no scripts or pictures."
        ),
    )
    loading_display = models.BooleanField(_("show that it is connecting"), default=True)
    loading_styles = models.JSONField(
        _("CSS while connecting"),
        default=dict,
        blank=True,
        validators=[css.validate_styles],
        help_text=_('A JSON object, for example {"top": "20px"}.'),
    )
    error_text = models.CharField(
        _("words for an error"),
        max_length=200,
        blank=True,
        help_text=_(
            "Shown instead of the exact reason. Empty: the reason, in plain words."
        ),
    )
    error_styles = models.JSONField(
        _("CSS of an error"),
        default=dict,
        blank=True,
        validators=[css.validate_styles],
        help_text=_('A JSON object, for example {"color": "orange"}.'),
    )

    text_only = models.BooleanField(
        _("text only"),
        default=False,
        help_text=_("No microphone and no voice, a written chat."),
    )
    auto_start = models.BooleanField(
        _("start by itself"),
        default=False,
        help_text=_("Browsers may still ask for one tap before they play a voice."),
    )
    resume_across_pages = models.BooleanField(
        _("go on across pages"),
        default=True,
        help_text=_(
            "A conversation goes on when the visitor reloads the page or opens another one of"
            " the site with this widget."
        ),
    )
    captions = models.BooleanField(
        _("captions"), default=True, help_text=_("Show what both sides say.")
    )
    text_box = models.BooleanField(
        _("text box"),
        default=True,
        help_text=_("Visitors may type instead of speaking."),
    )
    greeting = models.TextField(
        _("greeting"),
        blank=True,
        max_length=500,
        help_text=_("What the agent says first. Empty: it waits for the visitor."),
    )
    texts = models.JSONField(
        _("own words"),
        default=dict,
        blank=True,
        validators=[validate_texts],
        help_text=_(
            'Replaces words of the widget, for example {"start": "Talk to us"}.'
        ),
    )
    languages = models.JSONField(
        _("languages to choose from"),
        default=list,
        blank=True,
        validators=[validate_languages],
        help_text=_(
            'Visitors may switch between these, for example ["en", "de"]; the agent and its'
            " ears follow. Fewer than two: no choice, the page's language."
        ),
    )
    message_roles = models.JSONField(
        _("roles of messages from the page"),
        default=default_message_roles,
        blank=True,
        validators=[validators.validate_message_roles],
        help_text=_(
            "“user” is enough. With “system” or “assistant”, anybody who opens the page's console"
            " can speak to the model in that role."
        ),
    )
    variables = models.JSONField(
        _("facts the page may tell"),
        default=list,
        blank=True,
        validators=[validators.validate_variables],
        help_text=_(
            'Names, for example ["order"]. The model gets them as unverified hints.'
        ),
    )
    max_session_s = models.FloatField(
        _("longest conversation (seconds)"),
        null=True,
        blank=True,
        validators=[MinValueValidator(MIN_SESSION_S)],
        help_text=_("Empty: the site's setting."),
    )
    record_audio = models.BooleanField(
        _("record the sound"),
        default=False,
        help_text=_(
            "Of visitors who agreed to the words above, which must say so. Off: no sound is"
            " stored."
        ),
    )
    show_usage = models.BooleanField(
        _("tell the page what is used"),
        default=False,
        help_text=_(
            "Tokens and cost of each answer. Whoever opens the page's console sees them."
        ),
    )
    idle_s = models.FloatField(
        _("end after silence (seconds)"),
        null=True,
        blank=True,
        validators=[MinValueValidator(MIN_IDLE_S)],
        help_text=_("Empty: the site's setting."),
    )

    class Meta:
        verbose_name = _("widget")
        verbose_name_plural = _("widgets")
        ordering = ["slug"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(vad_threshold__gte=0, vad_threshold__lte=1),
                name="realtime_widget_threshold",
                violation_error_message=_("The threshold must be from 0 to 1."),
            )
        ]

    def __str__(self) -> str:
        return self.title or self.slug

    def clean(self) -> None:
        """Check what depends on several fields or on the site's settings."""
        self.loading_html = markup.clean_html(self.loading_html)
        errors: dict[str, Any] = {}
        if (
            self.idle_timeout_ms
            and self.turn_detection != self.TurnDetection.SERVER_VAD
        ):
            errors["idle_timeout_ms"] = _("This works only when turns end by silence.")
        hard_max_s = get_conf().HARD_MAX_SESSION_S
        for field in ("max_session_s", "idle_s"):
            if (getattr(self, field) or 0) > hard_max_s:
                errors[field] = _(
                    "At most %(limit)d seconds, the bound of this site."
                ) % {"limit": hard_max_s}
        if self.text_only and not self.text_box:
            errors["text_box"] = _("A widget with text only needs its text box.")
        if self.record_audio and not self.consent_text.strip():
            errors["record_audio"] = _("Visitors must be asked: fill in the words.")
        if self.consent_text and self.form == self.Form.HEADLESS:
            errors["consent_text"] = _("A widget that is not seen cannot ask.")
        if errors:
            raise ValidationError(errors)
