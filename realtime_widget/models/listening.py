"""How a widget hears: audio, and the end of the visitor's turn."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from realtime_widget.session.changes import (
    CHANGEABLE,
    IDLE_TIMEOUT_RANGE_MS,
    PREFIX_PADDING_RANGE_MS,
    SILENCE_RANGE_MS,
)
from realtime_widget.session.config import DEFAULT_TRANSCRIPTION_MODEL


def validate_changeable(value: Any) -> None:
    """Refuse names of settings that a page can never change."""
    if not isinstance(value, list):
        raise ValidationError(
            _('Enter a JSON list, for example ["turn_detection"].'), code="changeable"
        )
    for name in value:
        if name not in CHANGEABLE:
            raise ValidationError(
                _("Pages cannot change “%(name)s”. They can: %(names)s."),
                code="changeable_name",
                params={"name": str(name)[:40], "names": ", ".join(CHANGEABLE)},
            )


class Listening(models.Model):
    """The fields of a widget that decide how it hears."""

    class TurnDetection(models.TextChoices):
        """How the end of the visitor's turn is found."""

        SERVER_VAD = "server_vad", _("By silence")
        SEMANTIC_VAD = "semantic_vad", _("By meaning")
        NONE = "none", _("Push to talk")

    class Eagerness(models.TextChoices):
        """How soon the agent answers when turns end by meaning."""

        AUTO = "auto", _("Automatic")
        LOW = "low", _("Let the visitor finish")
        MEDIUM = "medium", _("Medium")
        HIGH = "high", _("Answer quickly")

    class AudioFormat(models.TextChoices):
        """Format of the audio on both legs."""

        PCM16 = "pcm16", _("PCM, 24 kHz (best)")
        PCMU = "pcmu", _("G.711 mu-law, 8 kHz (least data)")
        PCMA = "pcma", _("G.711 A-law, 8 kHz (least data)")

    class NoiseReduction(models.TextChoices):
        """Where the microphone is."""

        OFF = "", _("Off")
        NEAR = "near_field", _("Headset or phone")
        FAR = "far_field", _("Laptop or room")

    turn_detection = models.CharField(
        _("end of a turn"),
        max_length=20,
        choices=TurnDetection,
        default=TurnDetection.SERVER_VAD,
        help_text=_("How the agent knows that the visitor has finished."),
    )
    vad_threshold = models.FloatField(
        _("threshold of speech"),
        default=0.5,
        validators=[MinValueValidator(0.0), MaxValueValidator(1.0)],
        help_text=_("From 0 to 1; higher for noisy places. By silence only."),
    )
    prefix_padding_ms = models.PositiveIntegerField(
        _("audio kept before speech (ms)"),
        default=300,
        validators=[MaxValueValidator(PREFIX_PADDING_RANGE_MS[1])],
        help_text=_("So that the first sound is not lost. By silence only."),
    )
    silence_duration_ms = models.PositiveIntegerField(
        _("silence that ends a turn (ms)"),
        default=500,
        validators=[
            MinValueValidator(SILENCE_RANGE_MS[0]),
            MaxValueValidator(SILENCE_RANGE_MS[1]),
        ],
        help_text=_(
            "Shorter answers sooner, longer lets people think. By silence only."
        ),
    )
    eagerness = models.CharField(
        _("eagerness"),
        max_length=10,
        choices=Eagerness,
        default=Eagerness.AUTO,
        help_text=_("How soon it answers. By meaning only."),
    )
    interrupt_response = models.BooleanField(
        _("visitors may interrupt"),
        default=True,
        help_text=_("The agent stops when the visitor speaks."),
    )
    idle_timeout_ms = models.PositiveIntegerField(
        _("ask again after silence (ms)"),
        null=True,
        blank=True,
        validators=[
            MinValueValidator(IDLE_TIMEOUT_RANGE_MS[0]),
            MaxValueValidator(IDLE_TIMEOUT_RANGE_MS[1]),
        ],
        help_text=_("From 5000 to 30000. Empty: it waits. By silence only."),
    )
    half_duplex = models.BooleanField(
        _("listen only while silent"),
        default=False,
        help_text=_(
            "Nothing is heard while the agent speaks: for loud rooms and for speakers"
            " whose echo interrupts it. Visitors interrupt with the button."
        ),
    )
    changeable = models.JSONField(
        _("what the page may change"),
        default=list,
        blank=True,
        validators=[validate_changeable],
        help_text=_(
            "Of this and the noise reduction, while a conversation runs; for example"
            ' ["turn_detection", "eagerness"].'
        ),
    )
    audio_format = models.CharField(
        _("audio format"), max_length=10, choices=AudioFormat, default=AudioFormat.PCM16
    )
    noise_reduction = models.CharField(
        _("noise reduction"),
        max_length=20,
        choices=NoiseReduction,
        default=NoiseReduction.OFF,
        blank=True,
    )
    transcription_model = models.CharField(
        _("transcription model"),
        max_length=100,
        blank=True,
        default=DEFAULT_TRANSCRIPTION_MODEL,
        help_text=_(
            "Writes down what visitors say. Empty: their words are not written down."
        ),
    )

    class Meta:
        abstract = True
