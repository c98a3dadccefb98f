"""What became of each field, and the ways to put one into a row."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext as _

from realtime_widget.models import Widget
from realtime_widget.models.styles import safe_styles

Outcome = Literal["taken", "changed", "left_out"]
# Whether the editor may add and change rows of a model.
May = Callable[[type[models.Model]], bool]


@dataclass(frozen=True, slots=True)
class Note:
    """What became of one field.

    Attributes:
        path: Where it stood, such as ``avatar.maxScale``.
        outcome: ``taken``, ``changed`` or ``left_out``.
        why: In words; "" where nothing needs to be said.
    """

    path: str
    outcome: Outcome
    why: str = ""


@dataclass(slots=True)
class Imported:
    """The widget, whether it is new, and a note for each field in order."""

    widget: Widget
    created: bool
    notes: list[Note] = field(default_factory=list)

    def note(self, path: str, outcome: Outcome, why: object = "") -> None:
        """Tell what became of a field."""
        self.notes.append(Note(path, outcome, str(why)))


def take(result: Imported, row: models.Model, name: str, value: Any, path: str) -> bool:
    """Set a field if its own validators let it pass, and tell."""
    column = row._meta.get_field(name)
    # Their own check would write anything down as text.
    if isinstance(column, models.CharField | models.TextField) and not isinstance(
        value, str
    ):
        result.note(path, "left_out", _("This is no text."))
        return False
    try:
        setattr(row, name, column.clean(value, row))  # type: ignore[union-attr]
    except ValidationError as error:
        result.note(path, "left_out", " ".join(error.messages))
        return False
    result.note(path, "taken")
    return True


def take_styles(
    result: Imported, row: models.Model, name: str, value: Any, path: str
) -> None:
    """Set the allowed declarations, and tell which are not."""
    allowed = safe_styles(value)
    setattr(row, name, allowed)
    given = list(value) if isinstance(value, Mapping) else []
    refused = [key for key in given if not safe_styles({key: value[key]})]
    if not refused and isinstance(value, Mapping):
        result.note(path, "taken")
    else:
        names = ", ".join(str(key)[:40] for key in refused[:8]) or _("no JSON object")
        why = _("Not allowed here: %s.") % names
        result.note(path, "changed" if allowed else "left_out", why)


def is_object(result: Imported, path: str, given: Any) -> bool:
    """Return whether it is an object; tell if not."""
    if isinstance(given, Mapping):
        return True
    result.note(path, "left_out", _("This is no JSON object."))
    return False


def allowed(result: Imported, path: str, may: May, model: type[models.Model]) -> bool:
    """Return whether the editor may make rows of a model; tell if not."""
    if not may(model):
        result.note(path, "left_out", _("You may not make or change rows for it."))
        return False
    return True
