"""The keys of a provider: two of them, each named or stored encrypted.

With two, a key is replaced without a break: the second is tried when the first is
refused.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_variables

from realtime_widget.models import validators
from realtime_widget.models.sealing import Unreadable, seal, unseal

Slot = Literal["key", "second_key"]
SLOTS: tuple[Slot, Slot] = ("key", "second_key")
SHOWN_CHARS = 4
# Of a shorter key, four letters would be too large a part.
SHOWN_OF_CHARS = 12

Place = Literal["", "environment", "settings", "stored", "unreadable"]


@dataclass(frozen=True, slots=True)
class FoundKey:
    """One key.

    Attributes:
        slot: Which of the two.
        value: The key itself, "" when there is none to use.
        place: Where it was found; ``unreadable`` when it is stored and the site's
            keys no longer open it; "" for nowhere.
        name: Of the variable or setting, "" for a stored key.
    """

    slot: Slot
    value: str = field(repr=False)
    place: Place
    name: str = ""

    @property
    def ending(self) -> str:
        """The last four characters, "" of a key too short to show any."""
        long_enough = len(self.value) >= SHOWN_OF_CHARS
        return self.value[-SHOWN_CHARS:] if long_enough else ""


class ProviderKeys(models.Model):
    """Fields and lookup of a provider's keys.

    A stored key comes before a named one. Stored keys are no part of fixtures
    (``dumpdata``): a copy of the rows elsewhere could not open them.
    """

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
    second_key_name = models.CharField(
        _("name of the second key"),
        max_length=100,
        blank=True,
        validators=[validators.validate_key_name],
        help_text=_(
            "Used when the first key is refused, so that keys can be replaced while people"
            " talk. Empty: none."
        ),
    )
    key_sealed = models.TextField(
        _("stored key"), blank=True, editable=False, serialize=False
    )
    second_key_sealed = models.TextField(
        _("stored second key"), blank=True, editable=False, serialize=False
    )

    class Meta:
        abstract = True

    @sensitive_variables("value")
    def store_key(self, slot: Slot, value: str) -> None:
        """Keep a key encrypted in this row, "" to forget it; the row is not saved.

        Raises:
            ImproperlyConfigured: If ``FERNET_KEYS`` holds what is no key.
        """
        setattr(self, f"{slot}_sealed", seal(value) if value else "")

    def has_key(self, slot: Slot) -> bool:
        """Return whether the row says where this key is; it may still be missing."""
        return bool(getattr(self, f"{slot}_sealed") or getattr(self, f"{slot}_name"))

    @sensitive_variables("value")
    def found_key(self, slot: Slot) -> FoundKey:
        """Look one key up; reads the environment and the settings."""
        sealed, name = getattr(self, f"{slot}_sealed"), getattr(self, f"{slot}_name")
        if sealed:
            try:
                return FoundKey(slot, unseal(sealed), "stored")
            except Unreadable:
                return FoundKey(slot, "", "unreadable")
        value, place = validators.find_key(name)
        return FoundKey(slot, value, place, name)

    def found_keys(self) -> list[FoundKey]:
        """Look up every key that the row names or stores, in the order of trial."""
        return [self.found_key(slot) for slot in SLOTS if self.has_key(slot)]
