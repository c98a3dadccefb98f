"""In which form a widget stands on a page, and what it offers beside the talk."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

from realtime_widget.models import stylesheets

MAX_SUGGESTIONS = 8
MAX_SUGGESTION_CHARS = 80


def validate_suggestions(value: Any) -> None:
    """Refuse anything but a short list of short questions."""
    fine = (
        isinstance(value, list)
        and len(value) <= MAX_SUGGESTIONS
        and all(
            isinstance(words, str) and 0 < len(words.strip()) <= MAX_SUGGESTION_CHARS
            for words in value
        )
    )
    if not fine:
        raise ValidationError(
            _(
                "Enter a JSON list of at most %(most)d questions, each at most %(chars)d"
                ' characters, for example ["When are you open?"].'
            ),
            code="suggestions",
            params={"most": MAX_SUGGESTIONS, "chars": MAX_SUGGESTION_CHARS},
        )


class Appearance(models.Model):
    """The fields of a widget that decide how it stands on a page."""

    class Form(models.TextChoices):
        """How it stands on the page."""

        INLINE = "inline", _("In the text, where the tag stands")
        FLOATING = "floating", _("In a corner, over the page")
        PAGE = "page", _("The whole page")
        HEADLESS = "headless", _("Not seen: the page has its own buttons")

    class Corner(models.TextChoices):
        """Where a floating one stands; start is left where text runs to the right."""

        BOTTOM_END = "bottom-end", _("Below, at the end of the line")
        BOTTOM_START = "bottom-start", _("Below, at the start of the line")
        MIDDLE_END = "middle-end", _("Half way up, at the end of the line")
        MIDDLE_START = "middle-start", _("Half way up, at the start of the line")
        TOP_END = "top-end", _("Above, at the end of the line")
        TOP_START = "top-start", _("Above, at the start of the line")

    class Launcher(models.TextChoices):
        """What is seen of a floating one before it is opened."""

        BUBBLE = "bubble", _("A round button")
        COMPACT = "compact", _("A small bar with its title")
        FULL = "full", _("All of it, open from the start")

    class Skin(models.TextChoices):
        """The arrangement of the parts."""

        PANEL = "panel", _("Card with words and text box")
        CLASSIC = "classic", _("Picture above two round buttons")

    class Look(models.TextChoices):
        """A ready set of colours, letters and corners, each for light and dark."""

        PLAIN = "plain", _("Plain: green on white")
        OCEAN = "ocean", _("Ocean: blue, cool greys")
        BERRY = "berry", _("Berry: violet, very round")
        PAPER = "paper", _("Paper: warm, with serifs")
        INK = "ink", _("Ink: black and white, square")
        CONTRAST = "contrast", _("Contrast: strongest, with thick lines")

    class Figure(models.TextChoices):
        """What moves with the voices."""

        PICTURE = "picture", _("The avatar's picture")
        ORB = "orb", _("An orb that is drawn from what is heard and said")

    form = models.CharField(_("form"), max_length=10, choices=Form, default=Form.INLINE)
    corner = models.CharField(
        _("corner"),
        max_length=15,
        choices=Corner,
        default=Corner.BOTTOM_END,
        help_text=_("Of a floating widget."),
    )
    launcher = models.CharField(
        _("while closed"),
        max_length=10,
        choices=Launcher,
        default=Launcher.BUBBLE,
        help_text=_("Of a floating widget."),
    )
    dismissible = models.BooleanField(
        _("can be put away"),
        default=False,
        help_text=_(
            "Visitors may take a floating widget off the page until they close the tab."
        ),
    )
    skin = models.CharField(_("skin"), max_length=10, choices=Skin, default=Skin.PANEL)
    look = models.CharField(
        _("look"),
        max_length=10,
        choices=Look,
        default=Look.PLAIN,
        help_text=_("Colours, letters and corners. A page's own CSS goes over it."),
    )
    figure = models.CharField(
        _("figure"),
        max_length=10,
        choices=Figure,
        default=Figure.PICTURE,
        help_text=_("Rests for visitors who asked for less motion."),
    )
    auxiliary_style = models.TextField(
        _("more CSS"),
        blank=True,
        validators=[stylesheets.validate_stylesheet],
        help_text=_(
            "Rules and @keyframes for the inside of the widget, for example"
            " .title { color: teal }. Nothing that loads from elsewhere."
        ),
    )
    suggestions = models.JSONField(
        _("questions to tap"),
        default=list,
        blank=True,
        validators=[validate_suggestions],
        help_text=_(
            'Shown before the first words, for example ["When are you open?"].'
        ),
    )
    consent_text = models.TextField(
        _("words to agree to"),
        blank=True,
        max_length=2000,
        help_text=_(
            "Visitors read this and agree before a conversation, and each agreement is recorded"
            " with these words. Empty: nobody is asked."
        ),
    )
    feedback = models.BooleanField(
        _("ask for an opinion"),
        default=False,
        help_text=_("Thumbs at each answer, and a comment at the end."),
    )
    sound_menu = models.BooleanField(
        _("volume and devices"),
        default=True,
        help_text=_(
            "In a spoken conversation visitors may set the volume and choose their microphone"
            " and, where the browser can, their speaker. The classic skin shows none."
        ),
    )
    pictures = models.BooleanField(
        _("pictures from visitors"),
        default=False,
        help_text=_(
            "Visitors may show the model a PNG or JPEG picture. The model must be one that"
            " sees; the picture itself is not recorded."
        ),
    )
    transcript_tools = models.BooleanField(
        _("copy and download"),
        default=False,
        help_text=_("Visitors may copy and download what was said."),
    )

    class Meta:
        abstract = True
