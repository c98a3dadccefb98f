"""How a widget looks: its picture and its buttons."""

from __future__ import annotations

from django.core.validators import (
    FileExtensionValidator,
    MaxValueValidator,
    MinValueValidator,
)
from django.db import models
from django.utils.translation import gettext_lazy as _

from realtime_widget.models import markup, validators
from realtime_widget.models import styles as css

MAX_AVATAR_SCALE = 5.0


class Avatar(models.Model):
    """The picture that moves while the agent speaks."""

    name = models.CharField(_("name"), max_length=100, unique=True)
    image = models.ImageField(
        _("picture"),
        upload_to="realtime_widget/avatars/",
        blank=True,
        validators=[
            FileExtensionValidator(["png", "jpg", "jpeg", "webp", "gif"]),
            validators.validate_avatar,
        ],
        help_text=_(
            "PNG, JPEG, WebP or GIF, at most 2 MB; a square one fits best. Empty: the built-in"
            " picture."
        ),
    )
    alt = models.CharField(
        _("description of the picture"),
        max_length=200,
        blank=True,
        help_text=_("Read aloud to people who do not see it. Empty: it is decoration."),
    )
    max_scale = models.FloatField(
        _("largest size while speaking"),
        default=2.5,
        validators=[MinValueValidator(1.0), MaxValueValidator(MAX_AVATAR_SCALE)],
        help_text=_(
            "How many times its size it may grow with the voice, from 1 (never) to 5."
        ),
    )
    image_styles = models.JSONField(
        _("CSS of the picture"),
        default=dict,
        blank=True,
        validators=[css.validate_styles],
        help_text=_('A JSON object, for example {"padding": "5px"}.'),
    )
    container_styles = models.JSONField(
        _("CSS of the area around it"),
        default=dict,
        blank=True,
        validators=[css.validate_styles],
        help_text=_('A JSON object, for example {"height": "60%"}.'),
    )

    class Meta:
        verbose_name = _("avatar")
        verbose_name_plural = _("avatars")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class ButtonSet(models.Model):
    """The microphone button and the start and stop button, in one style."""

    name = models.CharField(_("name"), max_length=100, unique=True)
    container_styles = models.JSONField(
        _("CSS of the area with the buttons"),
        default=dict,
        blank=True,
        validators=[css.validate_styles],
        help_text=_('A JSON object, for example {"backgroundColor": "#f7f7f7"}.'),
    )

    class Meta:
        verbose_name = _("button set")
        verbose_name_plural = _("button sets")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Button(models.Model):
    """How one button looks in one state; what has no row looks as usual."""

    class Kind(models.TextChoices):
        """Which button."""

        MICROPHONE = "microphone", _("Microphone")
        TOGGLE = "toggle", _("Start and stop")

    class State(models.TextChoices):
        """In which state; an active microphone button means a muted microphone."""

        DEFAULT = "default", _("Normal")
        ACTIVE = "active", _("Active (muted, or in conversation)")
        UNAVAILABLE = "unavailable", _("Unavailable")

    button_set = models.ForeignKey(
        ButtonSet,
        on_delete=models.CASCADE,
        related_name="buttons",
        verbose_name=_("button set"),
    )
    kind = models.CharField(_("button"), max_length=20, choices=Kind)
    state = models.CharField(
        _("state"), max_length=20, choices=State, default=State.DEFAULT
    )
    svg = models.TextField(
        _("icon (SVG)"),
        blank=True,
        validators=[markup.validate_svg],
        help_text=_("The source text of an SVG drawing. Empty: the built-in icon."),
    )
    hide_icon = models.BooleanField(
        _("no icon"), default=False, help_text=_("Show the text alone.")
    )
    text = models.CharField(
        _("text"), max_length=60, blank=True, help_text=_("Words on the button.")
    )
    styles = models.JSONField(
        _("CSS"),
        default=dict,
        blank=True,
        validators=[css.validate_button_styles],
        help_text=_(
            "A JSON object with the parts “container”, “svg” and “text”, each with the mouse"
            " states “default”, “hover” and “click”:"
            ' {"container": {"hover": {"backgroundColor": "#eee"}}}.'
        ),
    )

    class Meta:
        verbose_name = _("button")
        verbose_name_plural = _("buttons")
        ordering = ["button_set", "kind", "state"]
        constraints = [
            models.UniqueConstraint(
                fields=["button_set", "kind", "state"],
                name="realtime_widget_button_state",
                violation_error_message=_(
                    "This button already has a look for this state."
                ),
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.get_state_display()}"

    def clean(self) -> None:
        """Keep the icon as it will be shown."""
        self.svg = markup.clean_svg(self.svg)
